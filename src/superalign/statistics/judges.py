"""How far a judge, a probability or a score can be believed, and what to do about its errors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from superalign.statistics.estimates import (
    LEVEL,
    RESAMPLES,
    Array,
    Estimate,
    Values,
    known_pairs,
    known_values,
    listed,
    percentile,
    proportion,
    quantiles,
    require_binary,
    spreadless,
    undefined,
)

Counts = tuple[int, int] | Estimate


def sensitivity_specificity(
    pred: Sequence[bool | float | None], truth: Sequence[bool | float | None]
) -> tuple[Estimate, Estimate]:
    """Share of positives called positive, and of negatives called negative (Wilson intervals).

    A None prediction is an abstention: missing for the class it belongs to. A pair without truth
    belongs to no class and is missing in both.

    Raises:
        ValueError: different lengths, or entries that are neither 0, 1 nor None.
    """
    rows = list(zip(listed(pred), listed(truth), strict=True))
    for name, entries in (("pred", [p for p, _ in rows]), ("truth", [t for _, t in rows])):
        require_binary(known_values(entries)[0], name)
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
        return undefined("no pair of probability and truth", missing=missing)
    value = _calibration_error(pairs, bins)
    rng = np.random.default_rng(seed)
    draws = (pairs[rng.integers(0, len(pairs), len(pairs))] for _ in range(RESAMPLES))
    low, high = quantiles([_calibration_error(d, bins) for d in draws])
    if low == high:
        return spreadless(value, len(pairs), missing)
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
    pairs, missing = known_pairs(score, truth)
    require_binary(pairs[:, 1], "truth")
    positive, negative = pairs[pairs[:, 1] == 1, 0], pairs[pairs[:, 1] == 0, 0]
    if not len(positive) or not len(negative):
        absent = "positive" if not len(positive) else "negative"
        return undefined(f"no {absent} case", len(pairs), missing)
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
    return percentile(value, draws, len(pairs), missing)


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
    counts = [known_counts(c) for c in (apparent, sensitivity, specificity)]
    n = counts[0][1]
    if any(total == 0 for _, total in counts):
        return undefined("an empty count", n)
    p, se, sp = (hits / total for hits, total in counts)
    if se + sp <= 1:
        return undefined("the judge is no better than chance (sensitivity + specificity <= 1)", n)
    value = float(np.clip((p + sp - 1) / (se + sp - 1), 0, 1))
    rng = np.random.default_rng(seed)
    p_R, se_R, sp_R = (rng.beta(h + 0.5, t - h + 0.5, 5 * RESAMPLES) for h, t in counts)
    usable = se_R + sp_R > 1
    if usable.mean() < (1 + LEVEL) / 2:
        return Estimate(value, 0.0, 1.0, n)
    draws = ((p_R + sp_R - 1) / (se_R + sp_R - 1))[usable]
    return percentile(value, np.clip(draws, 0, 1).tolist(), n, 0)


def _recall(rows: list[tuple[float | None, float | None]], positive: bool) -> Estimate:
    """Share of the cases of one class that were called by that class."""
    mine = [p for p, t in rows if t is not None and bool(t) == positive]
    decided = [p for p in mine if p is not None]
    missing = len(mine) - len(decided) + sum(t is None for _, t in rows)
    if not decided:
        reason = f"no decided {'positive' if positive else 'negative'} case"
        return undefined(reason, missing=missing)
    return proportion(sum(bool(p) == positive for p in decided), len(decided), missing)


def _forecasts(prob: Values, truth: Values, bins: int) -> tuple[Array, int]:
    if bins < 1:
        raise ValueError(f"bins must be at least 1, got {bins}")
    pairs, missing = known_pairs(prob, truth)
    if ((pairs[:, 0] < 0) | (pairs[:, 0] > 1)).any():
        raise ValueError("probabilities must lie in [0, 1]")
    require_binary(pairs[:, 1], "truth")
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


def known_counts(counts: Counts) -> tuple[int, int]:
    """(hits, n) of counts or of an estimate made by ``proportion``."""
    if isinstance(counts, Estimate):
        return round((counts.value or 0.0) * counts.n), counts.n if counts.value is not None else 0
    hits, n = counts
    if not 0 <= hits <= n:
        raise ValueError(f"need 0 <= hits <= n, got {hits=}, {n=}")
    return int(hits), int(n)
