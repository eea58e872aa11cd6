"""Fields of a user's rows: what is there, or one line that says what is not."""

from __future__ import annotations

from typing import Any

from superalign.errors import InputError


def required(where: str, row: dict[str, Any], name: str) -> Any:
    """What a row holds in field ``name``.

    Raises:
        InputError: nothing; the message says where and which fields are present.
    """
    if row.get(name) in (None, "", []):
        present = ", ".join(row) or "none"
        raise InputError(f"{where}: nothing in field '{name}'; present: {present}")
    return row[name]


def texts(where: str, row: dict[str, Any], name: str) -> list[str]:
    """A field that holds a text or a list of texts, as a list.

    Raises:
        InputError: it is empty or holds anything else.
    """
    value = required(where, row, name)
    listed = [value] if isinstance(value, str) else value
    if not isinstance(listed, list) or not all(isinstance(x, str) and x.strip() for x in listed):
        raise InputError(f"{where}: field '{name}' cannot be read; allowed: a list of texts")
    return listed


def number(where: str, row: dict[str, Any], name: str) -> float:
    """A field that holds a number.

    Raises:
        InputError: it does not.
    """
    value = required(where, row, name)
    try:
        return float(value)
    except (TypeError, ValueError):
        raise InputError(f"{where}: '{value}' in field '{name}'; allowed: a number") from None
