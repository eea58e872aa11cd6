"""Estimates with their n and 95% interval, and the tests that compare them.

Missing is missing: ``None`` among the inputs is dropped and counted in ``Estimate.missing``, never
read as 0. What cannot be computed is ``None`` with a reason; the mean of nothing is undefined.
NaN and infinities raise, since they are the trace of a bug and not of a missing answer.
Bootstrap intervals are seeded, so the same input gives the same interval.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import stats  # type: ignore[import-untyped,unused-ignore]

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


Counts = tuple[int, int] | Estimate


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
        return _undefined("no decided trials", missing=missing)
    interval = stats.binomtest(int(hits), int(n)).proportion_ci(LEVEL, method="wilson")
    value = hits / n
    low, high = min(float(interval.low), value), max(float(interval.high), value)
    return Estimate(value, max(0.0, low), min(1.0, high), int(n), missing=missing)


def rate(outcomes: Iterable[bool | float | None]) -> Estimate:
    """Share of true outcomes (True/False or 1/0; None is missing), as ``proportion``.

    Raises:
        ValueError: an outcome that is neither 0 nor 1.
    """
    known, missing = _known(outcomes)
    _require_binary(known, "outcomes")
    return proportion(int(known.sum()), len(known), missing)


def mean(values: Values) -> Estimate:
    """Arithmetic mean with Student's t interval; for yes/no outcomes use ``rate``.

    One value, or values that are all equal, have a mean but no interval: they show no spread.

    Raises:
        ValueError: a value that is not finite.
    """
    known, missing = _known(values)
    if len(known) == 0:
        return _undefined("no values", missing=missing)
    center = float(known.mean())
    if np.ptp(known) == 0:
        return _spreadless(float(known[0]), len(known), missing)
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
    known, missing = _known(values)
    if len(known) == 0:
        return _undefined("no values", missing=missing)
    center = float(statistic(known))
    if not math.isfinite(center):
        return _undefined("the statistic is not finite on these values", len(known), missing)
    if np.ptp(known) == 0:
        return _spreadless(center, len(known), missing)
    rng = np.random.default_rng(seed)
    draws = [float(statistic(rng.choice(known, len(known)))) for _ in range(resamples)]
    return _percentile(center, draws, len(known), missing)


def paired_difference(
    before: Sequence[float | None], after: Sequence[float | None], seed: int = 0
) -> Estimate:
    """Mean of ``after - before`` over pairs, resampling pairs; a pair with a None is missing.

    Raises:
        ValueError: different lengths, or a value that is not finite.
    """
    pairs, missing = _known_pairs(before, after)
    result = bootstrap(pairs[:, 1] - pairs[:, 0], _average, seed)
    return Estimate(
        result.value, result.low, result.high, result.n, result.reason.replace("values", "pairs"),
        missing,
    )  # fmt: skip


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
    pairs, missing = _known_pairs(before, after)
    signs = np.sign(pairs[:, 1] - pairs[:, 0])
    rose, fell = int((signs > 0).sum()), int((signs < 0).sum())
    return PairedTest(rose, fell, len(signs) - rose - fell, missing, mcnemar(rose, fell))


def sensitivity_specificity(
    pred: Sequence[bool | float | None], truth: Sequence[bool | float | None]
) -> tuple[Estimate, Estimate]:
    """Share of positives called positive, and of negatives called negative (Wilson intervals).

    A None prediction is an abstention: missing for the class it belongs to. A pair without truth
    belongs to no class and is missing in both.

    Raises:
        ValueError: different lengths, or entries that are neither 0, 1 nor None.
    """
    rows = list(zip(_listed(pred), _listed(truth), strict=True))
    for name, entries in (("pred", [p for p, _ in rows]), ("truth", [t for _, t in rows])):
        _require_binary(_known(entries)[0], name)
    return _recall(rows, True), _recall(rows, False)


def reliability_bins(
    prob: Sequence[float | None], truth: Sequence[bool | float | None], bins: int = 10
) -> list[dict[str, Any]]:
    """What was predicted against what was observed, in ``bins`` equal-width bins over [0, 1].

    Each bin is ``{low, high, predicted, observed, observed_low, observed_high, n}``: mean predicted
    probability, observed share and its Wilson interval, all None in an empty bin. A bin holds
    low <= p < high, the last one also p = 1.

    Raises:
        ValueError: different lengths, probabilities outside [0, 1], truth not 0/1, or bins < 1.
    """
    pairs, _ = _forecasts(prob, truth, bins)
    index = _bin_index(pairs[:, 0], bins)
    return [_reliability_bin(pairs[index == i], i, bins) for i in range(bins)]


def expected_calibration_error(
    prob: Sequence[float | None],
    truth: Sequence[bool | float | None],
    bins: int = 10,
    seed: int = 0,
) -> Estimate:
    """Mean distance of predicted from observed, over equal-width bins weighted by n; in [0, 1].

    The plug-in value is biased upwards at small n, and resampling adds the same bias again; the
    interval is therefore the basic (reflected) bootstrap's, clipped to [0, 1] and widened to hold
    the value.

    Raises:
        ValueError: as ``reliability_bins``.

    Sources: Naeini et al. (2015), AAAI; the bias: Kumar, Liang & Ma (2019), arXiv 1909.10155.
    """
    pairs, missing = _forecasts(prob, truth, bins)
    if len(pairs) == 0:
        return _undefined("no pair of probability and truth", missing=missing)
    value = _calibration_error(pairs, bins)
    rng = np.random.default_rng(seed)
    draws = (pairs[rng.integers(0, len(pairs), len(pairs))] for _ in range(RESAMPLES))
    low, high = _quantiles([_calibration_error(d, bins) for d in draws])
    if low == high:
        return _spreadless(value, len(pairs), missing)
    low, high = min(2 * value - high, value), max(2 * value - low, value)
    return Estimate(value, max(0.0, low), min(1.0, high), len(pairs), missing=missing)


def auroc(
    score: Sequence[float | None], truth: Sequence[bool | float | None], seed: int = 0
) -> Estimate:
    """Probability that a random positive scores above a random negative (ties count half).

    The bootstrap resamples within each class. Where the classes separate completely it has no
    spread; the interval then comes from the k = min(positives, negatives) disjoint pairs, all
    ordered alike: Wilson's for k of k, which is conservative.

    Returns:
        An undefined estimate when one class is missing.

    Raises:
        ValueError: different lengths, a score that is not finite, or truth not 0/1.

    Source: Hanley & McNeil (1982), Radiology 143:29.
    """
    pairs, missing = _known_pairs(score, truth)
    _require_binary(pairs[:, 1], "truth")
    positive, negative = pairs[pairs[:, 1] == 1, 0], pairs[pairs[:, 1] == 0, 0]
    if not len(positive) or not len(negative):
        absent = "positive" if not len(positive) else "negative"
        return _undefined(f"no {absent} case", len(pairs), missing)
    value = _ordered_share(positive, negative)
    if value in (0.0, 1.0):
        k = min(len(positive), len(negative))
        wilson = proportion(k if value else 0, k)
        return Estimate(value, wilson.low, wilson.high, len(pairs), missing=missing)
    rng = np.random.default_rng(seed)
    draws = [
        _ordered_share(rng.choice(positive, len(positive)), rng.choice(negative, len(negative)))
        for _ in range(RESAMPLES)
    ]
    return _percentile(value, draws, len(pairs), missing)


def rogan_gladen(
    apparent: Counts, sensitivity: Counts, specificity: Counts, seed: int = 0
) -> Estimate:
    """True prevalence behind a judge's apparent one: (apparent + sp - 1) / (se + sp - 1).

    Args:
        apparent: (called positive, judged) of the unlabelled cases.
        sensitivity: (called positive, positives) of the cases with known truth.
        specificity: (called negative, negatives) of the cases with known truth.
            Each may be an ``Estimate`` made by ``proportion`` instead.
        seed: of the parametric bootstrap.

    The value is clipped to [0, 1]. The interval redraws all three proportions, each from the
    Jeffreys posterior of its counts, so that 0 of n and n of n are uncertain too. It is [0, 1] when
    more than 2.5% of the draws have a judge no better than chance.

    Returns:
        An undefined estimate when a count is empty or the judge is no better than chance.

    Raises:
        ValueError: a negative count or more hits than trials.

    Sources: Rogan & Gladen (1978), Am. J. Epidemiology 107:71; all three counts as uncertain:
        Lang & Reiczigel (2014), Preventive Veterinary Medicine 113:13.
    """
    counts = [_counts(c) for c in (apparent, sensitivity, specificity)]
    n = counts[0][1]
    if any(total == 0 for _, total in counts):
        return _undefined("an empty count", n)
    p, se, sp = (hits / total for hits, total in counts)
    if se + sp <= 1:
        return _undefined("the judge is no better than chance (sensitivity + specificity <= 1)", n)
    value = float(np.clip((p + sp - 1) / (se + sp - 1), 0, 1))
    rng = np.random.default_rng(seed)
    p_R, se_R, sp_R = (rng.beta(h + 0.5, t - h + 0.5, 5 * RESAMPLES) for h, t in counts)
    usable = se_R + sp_R > 1
    if usable.mean() < (1 + LEVEL) / 2:
        return Estimate(value, 0.0, 1.0, n)
    draws = ((p_R + sp_R - 1) / (se_R + sp_R - 1))[usable]
    return _percentile(value, np.clip(draws, 0, 1).tolist(), n, 0)


def _undefined(reason: str, n: int = 0, missing: int = 0) -> Estimate:
    return Estimate(None, n=n, reason=reason, missing=missing)


def _spreadless(value: float, n: int, missing: int) -> Estimate:
    reason = "one value has no interval" if n == 1 else "no spread to resample"
    return Estimate(value, n=n, reason=reason, missing=missing)


def _listed(values: Iterable[float | None]) -> list[float | None]:
    return [None if v is None else float(v) for v in values]


def _known(values: Iterable[float | None]) -> tuple[Array, int]:
    """The present values as an array, and the number of missing ones."""
    entries = _listed(values)
    known = np.array([v for v in entries if v is not None], dtype=np.float64)
    if not np.isfinite(known).all():
        raise ValueError("values must be finite; a missing value is None")
    return known, len(entries) - len(known)


def _known_pairs(first: Values, second: Values) -> tuple[Array, int]:
    """Complete pairs as an (n, 2) array, and the number of incomplete ones."""
    rows = list(zip(_listed(first), _listed(second), strict=True))
    complete = [(a, b) for a, b in rows if a is not None and b is not None]
    pairs = np.array(complete, dtype=np.float64).reshape(-1, 2)
    if not np.isfinite(pairs).all():
        raise ValueError("values must be finite; a missing value is None")
    return pairs, len(rows) - len(complete)


def _require_binary(values: Array, name: str) -> None:
    if not np.isin(values, (0.0, 1.0)).all():
        raise ValueError(f"{name} must be True/False or 1/0; a missing entry is None")


def _average(values: Array) -> float:
    return float(values.mean())


def _quantiles(draws: Sequence[float]) -> tuple[float, float]:
    tail = (1 - LEVEL) / 2
    low, high = np.nanquantile(np.asarray(draws, dtype=np.float64), [tail, 1 - tail])
    return float(low), float(high)


def _percentile(value: float, draws: Sequence[float], n: int, missing: int) -> Estimate:
    low, high = _quantiles(draws)
    if low == high:
        return _spreadless(value, n, missing)
    return Estimate(value, min(low, value), max(high, value), n, missing=missing)


def _recall(rows: list[tuple[float | None, float | None]], positive: bool) -> Estimate:
    """Share of the cases of one class that were called by that class."""
    mine = [p for p, t in rows if t is not None and bool(t) == positive]
    decided = [p for p in mine if p is not None]
    missing = len(mine) - len(decided) + sum(t is None for _, t in rows)
    if not decided:
        reason = f"no decided {'positive' if positive else 'negative'} case"
        return _undefined(reason, missing=missing)
    return proportion(sum(bool(p) == positive for p in decided), len(decided), missing)


def _forecasts(prob: Values, truth: Values, bins: int) -> tuple[Array, int]:
    if bins < 1:
        raise ValueError(f"bins must be at least 1, got {bins}")
    pairs, missing = _known_pairs(prob, truth)
    if ((pairs[:, 0] < 0) | (pairs[:, 0] > 1)).any():
        raise ValueError("probabilities must lie in [0, 1]")
    _require_binary(pairs[:, 1], "truth")
    return pairs, missing


def _bin_index(prob: Array, bins: int) -> npt.NDArray[np.intp]:
    """Bin of each probability, by the same edges i / bins that the bins report."""
    return np.searchsorted(np.arange(1, bins) / bins, prob, side="right")


def _reliability_bin(pairs: Array, index: int, bins: int) -> dict[str, Any]:
    n = len(pairs)
    observed = proportion(int(pairs[:, 1].sum()), n)
    return {
        "low": index / bins,
        "high": (index + 1) / bins,
        "predicted": float(pairs[:, 0].mean()) if n else None,
        "observed": observed.value,
        "observed_low": observed.low,
        "observed_high": observed.high,
        "n": n,
    }


def _calibration_error(pairs: Array, bins: int) -> float:
    gaps = np.bincount(_bin_index(pairs[:, 0], bins), weights=pairs[:, 0] - pairs[:, 1])
    return float(np.abs(gaps).sum() / len(pairs))


def _ordered_share(positive: Array, negative: Array) -> float:
    """Mann-Whitney's U over the number of pairs."""
    negative = np.sort(negative)
    below = np.searchsorted(negative, positive, side="left")
    not_above = np.searchsorted(negative, positive, side="right")
    return float((below + not_above).sum() / (2 * len(positive) * len(negative)))


def _counts(counts: Counts) -> tuple[int, int]:
    if isinstance(counts, Estimate):
        return round((counts.value or 0.0) * counts.n), counts.n if counts.value is not None else 0
    hits, n = counts
    if not 0 <= hits <= n:
        raise ValueError(f"need 0 <= hits <= n, got {hits=}, {n=}")
    return int(hits), int(n)
