"""What ``superalign w2s`` does with its options, and what it prints."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from superalign.config import load_section
from superalign.errors import InputError
from superalign.weak_to_strong.settings import WeakToStrongConfig


def settings(
    config: Path | None,
    overrides: Sequence[str],
    data: Sequence[str],
    fields: dict[str, str | None],
    given: dict[str, Any],
) -> WeakToStrongConfig:
    """The run's settings: ``fields`` go with every file of ``data``, ``given`` over the rest.

    Raises:
        InputError: a mistake in any of them, or no data.
    """
    named = {key: value for key, value in fields.items() if value is not None}
    if named and not data:
        raise InputError(f"{_option(next(iter(named)))} goes with --data; in a file, set it there")
    values = {key: value for key, value in given.items() if value not in (None, [], ())}
    if data:
        values["data"] = [{"path": path, **named} for path in data]
    if "data" not in values and config is None:
        raise InputError("no data; allowed: --data FILE (repeatable), or a --config with 'data'")
    return load_section(WeakToStrongConfig, config, list(overrides), **values)


def _option(field: str) -> str:
    return f"--{field.replace('_', '-')}"


def lines(summary: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    """Rows of the printed table: per task naive and default, then the pools."""
    shown = ("naive", summary["default_method"])
    for task in summary["tasks"]:
        for row in task["methods"]:
            if row["name"] in shown:
                cells = (_cell(row[key]) for key in ("weak", "student", "ceiling", "pgr"))
                yield (f"{task['task']} < {task['supervisor']}", row["name"], *cells)
    for kind, pool in summary["pooled_by_kind"].items():
        for name in shown:
            if name in pool:
                yield (f"pooled, {kind}", name, "", "", "", _cell(pool[name]["pgr"]))
                bare = _cell(pool[name]["plain"]["pgr"])
                yield (f"pooled, {kind}", f"{name}, plain ceiling", "", "", "", bare)


def _cell(value: dict[str, Any]) -> str:
    if value["value"] is None:
        return "undefined"
    return f"{value['value']:.3f} [{value['low']:.3f}, {value['high']:.3f}]"
