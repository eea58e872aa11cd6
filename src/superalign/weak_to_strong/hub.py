"""Rows of a data set on the Hugging Face hub, through the library ``datasets`` where it is installed."""

from __future__ import annotations

import importlib
from typing import Any

from superalign.errors import InputError

PREFIX = "hub:"
MOST_ROWS = 50_000
FORM = "hub:NAME[@REVISION][:SPLIT] or hub:NAME[@REVISION]:CONFIGURATION:SPLIT"


def hub_rows(path: str) -> list[dict[str, Any]]:
    """The rows of ``hub:NAME`` (split ``train``), ``hub:NAME:SPLIT`` or ``hub:NAME:CONFIGURATION:SPLIT``.

    Class numbers become the names that the data set gives them; a number without a name (-1 where a
    label is withheld) becomes None. Of more than 50,000 rows, so many are drawn, always the same.

    Raises:
        InputError: no ``datasets`` library, a malformed name, or a data set that cannot be had:
            unknown, without this split, or neither in the library's cache nor within reach.
    """
    name, revision, configuration, split = hub_parts(path)
    try:
        datasets = importlib.import_module("datasets")
    except ImportError as error:
        raise InputError(
            f"{path}: hub data needs the library datasets; install the extra superalign[hub], "
            "or give a file"
        ) from error
    try:
        found = datasets.load_dataset(name, configuration, split=split, revision=revision)
    except (OSError, ValueError, RuntimeError) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise InputError(
            f"{path}: cannot be loaded ({reason}); allowed: {FORM}, in the library's cache or online"
        ) from error
    if len(found) > MOST_ROWS:
        found = found.shuffle(seed=0).select(range(MOST_ROWS))
    names = {k: f.names for k, f in found.features.items() if getattr(f, "names", None)}
    return [{k: _named(v, names.get(k)) for k, v in row.items()} for row in found]


def hub_parts(path: str) -> tuple[str, str | None, str | None, str]:
    """Name, revision, configuration and split of ``hub:…``; what is absent is None, the split train.

    Raises:
        InputError: more than three parts, or an empty one.
    """
    first, *rest = path.removeprefix(PREFIX).split(":")
    name, at, revision = first.partition("@")
    if len(rest) > 2 or not all((name, *rest)) or (at and not revision):
        raise InputError(f"data '{path}'; allowed: {FORM}")
    configuration = rest[0] if len(rest) == 2 else None
    return name, revision or None, configuration, rest[-1] if rest else "train"


def _named(value: Any, names: list[str] | None) -> Any:
    if names is None or not isinstance(value, int):
        return value
    return names[value] if 0 <= value < len(names) else None
