"""What tests of the command line share: a command's traces, and the form of every mistake."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple


class Told(NamedTuple):
    """What a command left behind."""

    code: int
    out: str
    err: str


Command = Callable[..., Told]


def one_line(told: Told, *words: str) -> None:
    """Exit 2, nothing on standard output, one line on standard error with these words in it."""
    assert told.code == 2, told
    assert told.out == ""
    lines = told.err.splitlines()
    assert len(lines) == 1, told.err
    assert lines[0].startswith("superalign: ")
    for word in words:
        assert word in lines[0], (word, lines[0])
