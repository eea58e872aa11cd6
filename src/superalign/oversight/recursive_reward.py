"""Recursive reward modelling: an evaluator of level n is assisted by evaluators of level n−1.

Level 0 evaluates work of ``depth`` lines by itself. Level n evaluates work twice as long as level n−1
with three helpers: one evaluator of level n−1 for each half, and a *checker* who re-reads each claimed
line. The assisted evaluation is then distilled into the evaluator of level n, which keeps it with
chance q and otherwise claims nothing.

With s the chance that level 0 claims a flaw, f its false claims per span, and a checker who upholds
true claims with chance u and false ones with chance v, for one flaw and with all helpers:

- the flaw is among the claims of level n with chance s·(q·u)^n;
- false claims on right work are f·(2·q·v)^n per work: they double with the length unless v ≤ 1/(2q).

At the last level, without one half: the flaw half as often, half as many false claims; without the
checker: u = v = 1 there.

Source: recursive reward modelling, arXiv 1811.07871.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from superalign.oversight.flaws import SAME_LENGTH, make_trace
from superalign.oversight.traces import Trace
from superalign.statistics import mean, rate

HELPERS = ("first half", "second half", "checker")


class Evaluator(Protocol):
    """Says which lines of a span are wrong."""

    def claims(self, trace: Trace, span: range, rng: random.Random) -> list[int]:
        """Positions within ``span``, ascending."""
        ...


@dataclass(frozen=True)
class Direct:
    """Level 0: claims each flaw with chance ``sensitivity``, and with chance ``false`` a right line."""

    sensitivity: float
    false: float

    def claims(self, trace: Trace, span: range, rng: random.Random) -> list[int]:
        """What it sees by itself."""
        found = [i for i in span if trace.lines[i].flaw and rng.random() < self.sensitivity]
        right = [i for i in span if not trace.lines[i].flaw]
        if right and rng.random() < self.false:
            found.append(rng.choice(right))
        return sorted(found)


@dataclass(frozen=True)
class Checker:
    """Upholds a true claim with chance ``true`` and a false one with chance ``false``."""

    true: float
    false: float

    def upholds(self, trace: Trace, position: int, rng: random.Random) -> bool:
        """Its word on one claimed line."""
        return rng.random() < (self.true if trace.lines[position].flaw else self.false)


@dataclass(frozen=True)
class Assisted:
    """Level n: two evaluators ``below`` and a checker, distilled with fidelity ``keeps``.

    ``without`` names a helper that is taken away: its half is not read, or nothing is checked.
    """

    below: Evaluator
    checker: Checker
    keeps: float = 1.0
    without: str | None = None

    def claims(self, trace: Trace, span: range, rng: random.Random) -> list[int]:
        """The helpers' claims that the checker upholds."""
        middle = len(span) // 2
        halves = {"first half": span[:middle], "second half": span[middle:]}
        heard = [
            p
            for name, half in halves.items()
            if name != self.without
            for p in self.below.claims(trace, half, rng)
        ]
        if self.without != "checker":
            heard = [p for p in heard if self.checker.upholds(trace, p, rng)]
        return heard if rng.random() < self.keeps else []


def ablations(
    direct: Direct,
    checker: Checker,
    *,
    depth: int,
    levels: int,
    items: int,
    seed: int,
    keeps: float = 1.0,
) -> list[dict[str, Any]]:
    """By level, with all helpers and without each: the flaw found, and false claims on right work.

    Each beside its formula. ``items`` works with one flaw and as many right ones per level; the same
    works for every ablation. Helpers are taken away at the level of the row only.
    """
    rows: list[dict[str, Any]] = []
    below: Evaluator = direct
    for level in range(levels + 1):
        flawed, right = (_works(seed, level, depth, items, n) for n in (1, 0))
        missing: Sequence[str | None] = (None, *HELPERS) if level else (None,)
        full: Evaluator = below
        for name in missing:
            one = Assisted(below, checker, keeps, name) if level else below
            full = one if name is None else full
            expected = expected_claims(direct, checker, level, keeps, name)
            rows.append(_row(one, level, name, flawed, right, expected, f"{seed} {level} {name}"))
        below = full
    return rows


def expected_claims(
    direct: Direct, checker: Checker, level: int, keeps: float, without: str | None = None
) -> tuple[float, float]:
    """(chance that the flaw is claimed, false claims per right work): this module's formulas."""
    found = direct.sensitivity * (keeps * checker.true) ** level
    false = direct.false * (2 * keeps * checker.false) ** level
    if without == "checker":
        return found / checker.true, false / checker.false
    return (found, false) if without is None else (found / 2, false / 2)


def _works(seed: int, level: int, depth: int, items: int, flaws: int) -> list[Trace]:
    rng = random.Random(f"recursive {seed} {level} {flaws}")
    return [make_trace(rng, depth << level, flaws=flaws, kinds=SAME_LENGTH) for _ in range(items)]


def _row(
    evaluator: Evaluator,
    level: int,
    without: str | None,
    flawed: Sequence[Trace],
    right: Sequence[Trace],
    expected: tuple[float, float],
    seed: str,
) -> dict[str, Any]:
    rng = random.Random(f"evaluators {seed}")
    hits = [t.first_error in evaluator.claims(t, range(len(t)), rng) for t in flawed]
    false = [float(len(evaluator.claims(t, range(len(t)), rng))) for t in right]
    return {
        "level": level,
        "steps": len(right[0]),
        "without": without or "nobody",
        "found": rate(hits).as_dict(),
        "found_expected": expected[0],
        "false_claims": mean(false).as_dict(),
        "false_claims_expected": expected[1],
    }
