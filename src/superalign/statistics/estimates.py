"""Estimates with their interval, and paired tests."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import stats

Array = npt.NDArray[np.float64]
Values = Iterable[float | None]
Statistic = Callable[[Array], float]
LEVEL = 0.95
RESAMPLES = 2000


@dataclass(frozen=True)
class Estimate:
    """A measured quantity: value, 95% interval, the n behind it and how many inputs were missing.

    ``value`` is None when undefined; ``low`` and ``high`` are None when there is no honest
    interval (one observation, or no spread to resample). ``reason`` says why in both cases.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    n: int = 0
    reason: str = ""
    missing: int = 0

    def as_dict(self) -> dict[str, Any]:
        """``{value, low, high, n}``, with ``reason`` and ``missing`` where they say something."""
        out: dict[str, Any] = {"value": self.value, "low": self.low, "high": self.high, "n": self.n}
        if self.reason:
            out["reason"] = self.reason
        if self.missing:
            out["missing"] = self.missing
        return out


@dataclass(frozen=True)
class PairedTest:
    """Outcome of a sign test: how many pairs rose, fell, tied or were missing, and the p-value."""

    rose: int
    fell: int
    ties: int
    missing: int
    p: float

    def as_dict(self) -> dict[str, Any]:
        """The fields as a plain dict."""
        return dict(vars(self))


def proportion(hits: int, n: int, missing: int = 0) -> Estimate:
    """``hits / n`` with Wilson's score interval, which stays in [0, 1] and has width at 0 and n.

    Args:
        hits: successes, 0 <= hits <= n.
        n: decided trials; ``missing`` ones are not among them.

    Raises:
        ValueError: a negative count or more hits than trials.

    Source: Wilson (1927), JASA 22:209; recommended by Brown, Cai & DasGupta (2001).
    """
    if not 0 <= hits <= n or missing < 0:
        raise ValueError(f"need 0 <= hits <= n and missing >= 0, got {hits=}, {n=}, {missing=}")
    if n == 0:
        return undefined("no decided trials", missing=missing)
    interval = stats.binomtest(int(hits), int(n)).proportion_ci(LEVEL, method="wilson")
    value = hits / n
    low, high = min(float(interval.low), value), max(float(interval.high), value)
    return Estimate(value, max(0.0, low), min(1.0, high), int(n), missing=missing)


def rate(outcomes: Iterable[bool | float | None]) -> Estimate:
    """Share of true outcomes (True/False or 1/0; None is missing), as ``proportion``.

    Raises:
        ValueError: an outcome that is neither 0 nor 1.
    """
    known, missing = known_values(outcomes)
    require_binary(known, "outcomes")
    return proportion(int(known.sum()), len(known), missing)


def mean(values: Values) -> Estimate:
    """Arithmetic mean with Student's t interval; for yes/no outcomes use ``rate``.

    One value, or values that are all equal, have a mean but no interval: they show no spread.

    Raises:
        ValueError: a value that is not finite.
    """
    known, missing = known_values(values)
    if len(known) == 0:
        return undefined("no values", missing=missing)
    center = float(known.mean())
    if np.ptp(known) == 0:
        return spreadless(float(known[0]), len(known), missing)
    half = float(stats.t.ppf((1 + LEVEL) / 2, len(known) - 1) * stats.sem(known))
    return Estimate(center, center - half, center + half, len(known), missing=missing)


def bootstrap(
    values: Values, statistic: Statistic, seed: int = 0, resamples: int = RESAMPLES
) -> Estimate:
    """``statistic(values)`` with a percentile bootstrap interval, widened to hold the value.

    Args:
        values: independent observations; None is missing.
        statistic: maps a float array to a number. Resamples on which it is NaN are left out.
        seed: of the resampling.
        resamples: at least 100.

    Raises:
        ValueError: a value that is not finite, or too few resamples.

    Source: Efron (1979), Annals of Statistics 7:1.
    """
    if resamples < 100:
        raise ValueError(f"resamples must be at least 100, got {resamples}")
    known, missing = known_values(values)
    if len(known) == 0:
        return undefined("no values", missing=missing)
    center = float(statistic(known))
    if not math.isfinite(center):
        return undefined("the statistic is not finite on these values", len(known), missing)
    if np.ptp(known) == 0:
        return spreadless(center, len(known), missing)
    rng = np.random.default_rng(seed)
    draws = [float(statistic(rng.choice(known, len(known)))) for _ in range(resamples)]
    return percentile(center, draws, len(known), missing)


def paired_difference(
    before: Sequence[float | None], after: Sequence[float | None], seed: int = 0
) -> Estimate:
    """Mean of ``after - before`` over pairs, resampling pairs; a pair with a None is missing.

    When all n differences are equal there is nothing to resample. A share of unseen pairs up to
    1 minus Wilson's lower bound for n of n is then granted any difference within the range of the
    values seen, which is conservative for bounded values; without a range there is no interval.

    Raises:
        ValueError: different lengths, or a value that is not finite.
    """
    pairs, missing = known_pairs(before, after)
    differences = pairs[:, 1] - pairs[:, 0]
    if len(pairs) and np.ptp(differences) == 0 < np.ptp(pairs):
        return _uniform_difference(float(differences[0]), float(np.ptp(pairs)), len(pairs), missing)
    return replace(bootstrap(differences, _average, seed), missing=missing)


def mean_difference(first: Values, second: Values, seed: int = 0) -> Estimate:
    """Mean of ``first`` less mean of ``second``, two independent samples; percentile bootstrap.

    Raises:
        ValueError: a value that is not finite.
    """
    (a, missing_a), (b, missing_b) = known_values(first), known_values(second)
    n, missing = len(a) + len(b), missing_a + missing_b
    if not len(a) or not len(b):
        return undefined("an empty sample", n, missing)
    rng = np.random.default_rng(seed)
    draws = [
        _average(rng.choice(a, len(a))) - _average(rng.choice(b, len(b))) for _ in range(RESAMPLES)
    ]
    return percentile(_average(a) - _average(b), draws, n, missing)


def mcnemar(b: int, c: int) -> float:
    """Exact two-sided p-value that ``b`` and ``c`` discordant pairs come from a fair coin.

    No discordant pair is no evidence: p = 1.

    Raises:
        ValueError: a negative count.

    Source: McNemar (1947), Psychometrika 12:153, in its exact binomial form.
    """
    if b < 0 or c < 0:
        raise ValueError(f"counts must not be negative, got {b=}, {c=}")
    return float(stats.binomtest(int(b), int(b + c)).pvalue) if b + c else 1.0


def sign_test(before: Sequence[float | None], after: Sequence[float | None]) -> PairedTest:
    """Exact two-sided sign test over pairs; ties and missing pairs are counted, not used.

    Raises:
        ValueError: different lengths, or a value that is not finite.
    """
    pairs, missing = known_pairs(before, after)
    signs = np.sign(pairs[:, 1] - pairs[:, 0])
    rose, fell = int((signs > 0).sum()), int((signs < 0).sum())
    return PairedTest(rose, fell, len(signs) - rose - fell, missing, mcnemar(rose, fell))


def undefined(reason: str, n: int = 0, missing: int = 0) -> Estimate:
    """An estimate without a value, and why."""
    return Estimate(None, n=n, reason=reason, missing=missing)


def spreadless(value: float, n: int, missing: int) -> Estimate:
    """A value whose interval cannot be told: one observation, or nothing to resample."""
    reason = "one value has no interval" if n == 1 else "no spread to resample"
    return Estimate(value, n=n, reason=reason, missing=missing)


def listed(values: Iterable[float | None]) -> list[float | None]:
    """Floats, with None where missing."""
    return [None if v is None else float(v) for v in values]


def known_values(values: Iterable[float | None]) -> tuple[Array, int]:
    """The present values as an array, and the number of missing ones."""
    entries = listed(values)
    known = np.array([v for v in entries if v is not None], dtype=np.float64)
    if not np.isfinite(known).all():
        raise ValueError("values must be finite; a missing value is None")
    return known, len(entries) - len(known)


def known_pairs(first: Values, second: Values) -> tuple[Array, int]:
    """Complete pairs as an (n, 2) array, and the number of incomplete ones."""
    rows = list(zip(listed(first), listed(second), strict=True))
    complete = [(a, b) for a, b in rows if a is not None and b is not None]
    pairs = np.array(complete, dtype=np.float64).reshape(-1, 2)
    if not np.isfinite(pairs).all():
        raise ValueError("values must be finite; a missing value is None")
    return pairs, len(rows) - len(complete)


def require_binary(values: Array, name: str) -> None:
    """Raise unless all ``values`` are 0 or 1."""
    if not np.isin(values, (0.0, 1.0)).all():
        raise ValueError(f"{name} must be True/False or 1/0; a missing entry is None")


def _uniform_difference(value: float, reach: float, n: int, missing: int) -> Estimate:
    seen = proportion(n, n).low or 0.0
    center, slack = seen * value, (1 - seen) * reach
    return Estimate(value, min(center - slack, value), max(center + slack, value), n, "", missing)


def _average(values: Array) -> float:
    return float(values.mean())


def quantiles(draws: Sequence[float]) -> tuple[float, float]:
    """The interval that holds ``LEVEL`` of ``draws``."""
    tail = (1 - LEVEL) / 2
    low, high = np.nanquantile(np.asarray(draws, dtype=np.float64), [tail, 1 - tail])
    return float(low), float(high)


def percentile(value: float, draws: Sequence[float], n: int, missing: int) -> Estimate:
    """``value`` with the interval of its bootstrap draws, widened to hold it."""
    low, high = quantiles(draws)
    if not low < high:
        return spreadless(value, n, missing)
    return Estimate(value, min(low, value), max(high, value), n, missing=missing)
