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
    gain = student.draws - weak.draws
    draws = np.divide(gain, gap, out=np.full_like(gap, np.nan), where=gap > 0)
    return Measured((student.value - weak.value) / (ceiling.value - weak.value), draws)


@dataclass(frozen=True)
class Cell:
    """What one method reached on one task: the accuracies that PGR is made of."""

    weak: Measured
    student: Measured
    ceiling: Measured

    @property
    def pgr(self) -> Measured:
        """Performance gap recovered."""
        return recovered(self.weak, self.student, self.ceiling)


Key = tuple[str, str]  # task, supervisor


def pooled(
    cells: Mapping[Key, Cell], naive: Mapping[Key, Cell], rng: np.random.Generator
) -> dict[str, Any]:
    """One method over all tasks where PGR is defined, and against naive on the same tasks.

    ``pgr`` is the ratio of summed gains to summed gaps: tasks count by their gap, so that a small
    noisy gap cannot dominate; the unweighted ``mean_pgr`` and ``median_pgr`` stand beside it. The
    intervals draw tasks, too (with all their supervisors): they speak of other tasks like these.
    ``p`` is that of a sign-flip test of the tasks' accuracy differences against naive.
    """
    keys = [key for key, cell in cells.items() if cell.pgr.value is not None and key in naive]
    if not keys:
        reason = "PGR is defined on no task"
        absent = {"value": None, "low": None, "high": None, "n": 0, "reason": reason}
        return {"pgr": absent, "versus_naive": {"difference": None, "reason": reason}}
    tasks = sorted({task for task, _ in keys})
    picks = rng.integers(0, len(tasks), (DRAWS, len(tasks)))
    times = np.stack([(picks == tasks.index(task)).sum(1) for task, _ in keys], 1)
    value, draws = _ratio([cells[k] for k in keys], times)
    base, base_draws = _ratio([naive[k] for k in keys], times)
    low, high = interval(draws)
    below, above = interval(draws - base_draws)
    each = np.array([cells[k].pgr.value for k in keys])
    change = np.array(
        [
            np.mean(
                [
                    (cells[k].student.value or 0.0) - (naive[k].student.value or 0.0)
                    for k in keys
                    if k[0] == task
                ]
            )
            for task in tasks
        ]
    )
    test = sign_test(np.zeros(len(change)).tolist(), change.tolist())
    return {
        "pgr": {"value": value, "low": min(low, value), "high": max(high, value), "n": len(tasks)},
        "mean_pgr": float(each.mean()),
        "median_pgr": float(np.median(each)),
        "versus_naive": {
            "difference": value - base,
            "low": min(below, value - base),
            "high": max(above, value - base),
            "p": sign_flip(change, rng),
            "n": len(tasks),
            "accuracy": float(change.mean()),
            "better": test.rose,
            "worse": test.fell,
            "sign_test_p": test.p,
        },
    }


def _ratio(cells: Sequence[Cell], times_DC: npt.NDArray[np.int64]) -> tuple[float, Array]:
    """Summed gains over summed gaps: the value, and under draws that take cell c ``times`` times."""
    gains = np.stack([c.student.draws - c.weak.draws for c in cells], 1)
    gaps = np.stack([c.ceiling.draws - c.weak.draws for c in cells], 1)
    value = sum((c.student.value or 0) - (c.weak.value or 0) for c in cells) / sum(
        (c.ceiling.value or 0) - (c.weak.value or 0) for c in cells
    )
    gain, gap = (times_DC * gains).sum(1), (times_DC * gaps).sum(1)
    return value, np.divide(gain, gap, out=np.full_like(gap, np.nan), where=gap > 0)


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
