"""Performance gap recovered, with its interval and with *undefined* where it has no meaning.

PGR = (student − weak) / (ceiling − weak), arXiv 2312.09390. Uncertainty has two sources: which rows
happen to be in the test set, and the seeds. A two-way bootstrap draws both, and weak, student and
ceiling are taken from the same draw, so that what they share cancels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import stats

from superalign.statistics import sign_test
from superalign.weak_to_strong.losses import Array

DRAWS = 1000
LEVEL = 0.95


@dataclass(frozen=True)
class Draws:
    """Resampling weights of one task: seeds (D, S) and test rows (D, m), each summing to 1.

    Rows are drawn by whole groups. All methods of a task share them.
    """

    seeds: Array
    rows: Array

    @classmethod
    def of(cls, seeds: int, groups: Sequence[str], rng: np.random.Generator) -> Draws:
        """``DRAWS`` draws with replacement."""
        _, member = np.unique(np.array(groups), return_inverse=True)
        n = int(member.max()) + 1
        picked = rng.multinomial(n, np.full(n, 1 / n), DRAWS)[:, member].astype(np.float64)
        drawn = rng.multinomial(seeds, np.full(seeds, 1 / seeds), DRAWS) / seeds
        return cls(drawn, picked / picked.sum(1, keepdims=True))

    def means(self, right_Sm: Array) -> Array:
        """The mean of ``right_Sm`` under every draw (D,)."""
        result: Array = np.einsum("dm,dm->d", self.seeds @ right_Sm, self.rows)
        return result


@dataclass(frozen=True)
class Measured:
    """A value with its draws; ``value`` is None when undefined, for ``reason``."""

    value: float | None
    draws: Array = field(default_factory=lambda: np.empty(0))
    reason: str = ""

    def as_dict(self, n_seeds: int, n: int) -> dict[str, Any]:
        """``{value, low, high, n_seeds, n}`` and the reason where there is one."""
        if self.value is None:
            out: dict[str, Any] = {"value": None, "low": None, "high": None}
        else:
            low, high = interval(self.draws)
            out = {
                "value": self.value,
                "low": min(low, self.value),
                "high": max(high, self.value),
            }
        out |= {"n_seeds": n_seeds, "n": n}
        return out | ({"reason": self.reason} if self.reason else {})


def interval(draws: Array) -> tuple[float, float]:
    """The central 95% of the draws."""
    tail = (1 - LEVEL) / 2
    low, high = np.nanquantile(draws, [tail, 1 - tail])
    return float(low), float(high)


def accuracy(right_Sm: Array, draws: Draws) -> Measured:
    """Share of right answers over seeds and rows."""
    return Measured(float(right_Sm.mean()), draws.means(right_Sm))


def recovered(weak: Measured, student: Measured, ceiling: Measured) -> Measured:
    """PGR; undefined when the interval of ceiling − weak reaches 0: the gap is within noise."""
    if weak.value is None or student.value is None or ceiling.value is None:
        return Measured(None, reason="not measured")
    gap = ceiling.draws - weak.draws
    low, high = interval(gap)
    if low <= 0:
        return Measured(
            None,
            reason=f"ceiling - weak is within noise: {ceiling.value - weak.value:.3f} "
            f"[{low:.3f}, {high:.3f}]",
        )
    with np.errstate(divide="ignore", invalid="ignore"):
        draws = np.where(gap > 0, (student.draws - weak.draws) / gap, np.nan)
    return Measured((student.value - weak.value) / (ceiling.value - weak.value), draws)


@dataclass(frozen=True)
class Cell:
    """What one method reached on one task: the accuracies that PGR is made of."""

    weak: Measured
    student: Measured
    ceiling: Measured


def pooled(
    cells: Mapping[str, Cell], naive: Mapping[str, Cell], rng: np.random.Generator
) -> dict[str, Any]:
    """One method over all tasks where PGR is defined, and against naive on the same tasks.

    ``pgr`` is the ratio of summed gains to summed gaps: tasks count by their gap, so that a small
    noisy gap cannot dominate; the unweighted ``mean_pgr`` and ``median_pgr`` stand beside it. The
    intervals draw tasks, too: they speak of other tasks like these. ``p`` is that of an exact
    (at most 2¹² signs, else drawn) sign-flip test of the tasks' accuracy differences against naive.
    """
    names = [n for n, c in cells.items() if recovered(c.weak, c.student, c.ceiling).value is not None]
    compared = [n for n in names if n in naive]
    if not names:
        return {"pgr": _absent("PGR is defined on no task"), "n_tasks": 0}
    picks = rng.integers(0, len(names), (DRAWS, len(names)))
    each = [recovered(c.weak, c.student, c.ceiling).value or 0.0 for c in map(cells.get, names) if c]
    out: dict[str, Any] = {
        "pgr": _ratio([cells[n] for n in names], picks),
        "mean_pgr": float(np.mean(each)),
        "median_pgr": float(np.median(each)),
        "n_tasks": len(names),
        "tasks": names,
    }
    if compared:
        picks = rng.integers(0, len(compared), (DRAWS, len(compared)))
        out["versus_naive"] = _difference(
            [cells[n] for n in compared], [naive[n] for n in compared], picks, rng
        )
    return out


def _absent(reason: str) -> dict[str, Any]:
    return {"value": None, "low": None, "high": None, "n": 0, "reason": reason}


def _sums(cells: Sequence[Cell], picks: npt.NDArray[np.int64]) -> tuple[float, Array]:
    def gain_gap(c: Cell) -> tuple[Array, Array]:
        return c.student.draws - c.weak.draws, c.ceiling.draws - c.weak.draws

    gains, gaps = (np.stack(x, 1) for x in zip(*map(gain_gap, cells), strict=True))
    rows = np.arange(len(picks))[:, None]
    value = sum((c.student.value or 0) - (c.weak.value or 0) for c in cells) / sum(
        (c.ceiling.value or 0) - (c.weak.value or 0) for c in cells
    )
    return value, gains[rows, picks].sum(1) / gaps[rows, picks].sum(1)


def _ratio(cells: Sequence[Cell], picks: npt.NDArray[np.int64]) -> dict[str, Any]:
    value, draws = _sums(cells, picks)
    low, high = interval(draws)
    return {"value": value, "low": low, "high": high, "n": len(cells)}


def _difference(
    cells: Sequence[Cell],
    naive: Sequence[Cell],
    picks: npt.NDArray[np.int64],
    rng: np.random.Generator,
) -> dict[str, Any]:
    value, draws = _sums(cells, picks)
    base, base_draws = _sums(naive, picks)
    low, high = interval(draws - base_draws)
    ours = [c.student.value or 0.0 for c in cells]
    theirs = [c.student.value or 0.0 for c in naive]
    test = sign_test(theirs, ours)
    return {
        "difference": value - base,
        "low": low,
        "high": high,
        "p": sign_flip(np.array(ours) - np.array(theirs), rng),
        "n": len(cells),
        "better": test.rose,
        "worse": test.fell,
        "sign_test_p": test.p,
    }


def sign_flip(differences: Array, rng: np.random.Generator) -> float:
    """Two-sided p-value of the mean under random signs: exact up to 12 differences, else drawn."""
    n = len(differences)
    if n <= 12:
        signs = 1 - 2 * ((np.arange(2**n)[:, None] >> np.arange(n)) & 1)
    else:
        signs = 1 - 2 * rng.integers(0, 2, (20000, n))
    flipped = np.abs((signs * differences).sum(1))
    return float((flipped >= abs(float(differences.sum())) - 1e-12).mean())


def paired(right_Sm: Array, base_Sm: Array, draws: Draws) -> dict[str, Any]:
    """Difference of two accuracies on the same rows and seeds, with the t test over seeds."""
    value = float((right_Sm - base_Sm).mean())
    low, high = interval(draws.means(right_Sm - base_Sm))
    per_seed = (right_Sm - base_Sm).mean(1)
    varied = len(per_seed) > 1 and float(np.ptp(per_seed)) > 0
    p = float(stats.ttest_1samp(per_seed, 0).pvalue) if varied else None
    return {
        "difference": value,
        "low": min(low, value),
        "high": max(high, value),
        "p_over_seeds": p,
        "n_seeds": len(per_seed),
        "n": int(right_Sm.shape[1]),
    }
