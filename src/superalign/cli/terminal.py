"""What commands write to the terminal."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable
from typing import Any


class Reporter:
    """Progress lines on standard error with an estimate of what is left of the phase."""

    def __init__(self, quiet: bool) -> None:
        self.quiet, self.start, self.phase = quiet, time.monotonic(), ""
        self.phase_start, self.last = self.start, 0.0

    def __call__(self, phase: str, share: float, note: str = "") -> None:
        """Told that ``share`` of ``phase`` is done; prints at most every five seconds."""
        now = time.monotonic()
        if phase != self.phase:
            self.phase, self.phase_start = phase, now
        if self.quiet or (now - self.last < 5 and share not in (0.0, 1.0)):
            return
        self.last = now
        spent = now - self.phase_start
        left = f", about {spent * (1 - share) / share:.0f} s left" if 0.05 < share < 1 else ""
        clock = f"[{(now - self.start) / 60:5.1f} min]"
        said = f", {note}" if note else ""
        print(f"{clock} {phase}: {100 * share:.0f}%{left}{said}", file=sys.stderr)


def print_json(value: Any) -> None:
    """The summary on standard output, nothing else."""
    print(json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False))


def print_table(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> None:
    """Rows under a header, as wide as the terminal."""
    from rich.console import Console
    from rich.table import Table

    table = Table(*header)
    for row in rows:
        table.add_row(*row)
    Console().print(table)


def cell(estimate: dict[str, Any] | None) -> str:
    """An estimate with its interval, as a cell of a table."""
    if not estimate or estimate["value"] is None:
        return "undefined"
    low, high = estimate["low"], estimate["high"]
    interval = f" [{low:.3g}, {high:.3g}]" if low is not None else ""
    return f"{estimate['value']:.3g}{interval}"
