"""Agreement beyond chance between a judge and a reference."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from superalign.statistics.estimates import (
    RESAMPLES,
    Array,
    Estimate,
    known_pairs,
    percentile,
    undefined,
)


def cohen_kappa(
    first: Sequence[float | None],
    second: Sequence[float | None],
    groups: Sequence[object] | None = None,
    seed: int = 0,
) -> Estimate:
    """Cohen's kappa of two raters with a percentile bootstrap interval.

    Args:
        first: one rater's categories as numbers; None is missing.
        second: the other's.
        groups: what belongs together (e.g. answers to one prompt) and is drawn together.
        seed: of the resampling.

    Returns:
        An undefined estimate when both raters use one and the same category only.

    Raises:
        ValueError: different lengths.

    Source: Cohen (1960), Educational and Psychological Measurement 20:37.
    """
    pairs, missing = known_pairs(first, second)
    present = [i for i, (a, b) in enumerate(zip(first, second, strict=True)) if None not in (a, b)]
    labels = [groups[i] if groups is not None else i for i in present]
    value = _kappa(pairs)
    if value is None:
        return undefined("both raters use one category only", len(pairs), missing)
    _, group_of = np.unique(np.array([str(x) for x in labels]), return_inverse=True)
    members = [np.flatnonzero(group_of == g) for g in range(group_of.max() + 1)]
    rng = np.random.default_rng(seed)
    draws = []
    for _ in range(RESAMPLES):
        chosen = rng.integers(0, len(members), len(members))
        drawn = _kappa(pairs[np.concatenate([members[g] for g in chosen])])
        if drawn is not None:
            draws.append(drawn)
    return percentile(value, draws, len(pairs), missing)


def _kappa(pairs: Array) -> float | None:
    if len(pairs) == 0:
        return None
    observed = float((pairs[:, 0] == pairs[:, 1]).mean())
    chance = sum(
        float((pairs[:, 0] == c).mean() * (pairs[:, 1] == c).mean()) for c in np.unique(pairs)
    )
    return None if chance >= 1 else (observed - chance) / (1 - chance)
