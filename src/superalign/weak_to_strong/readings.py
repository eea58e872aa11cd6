"""One student from all its readings: ridge heads, averaged, with wanted class shares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.stats import chi2

from superalign.weak_to_strong.heads import Space
from superalign.weak_to_strong.losses import Array
from superalign.weak_to_strong.ridge import Regressed, regress


@dataclass(frozen=True)
class Taught:
    """Scores of rows left out (n, K) and of the test rows (m, K); what each reading explained."""

    left_out: Array
    test: Array
    explained: dict[str, float]


def teach(
    views: Mapping[str, Space], target_nK: Array, w_n: Array, shares_K: Array | None
) -> Taught:
    """Regress ``target_nK`` on every reading, average, and shift the classes to ``shares_K``.

    Readings are *not* weighted by how well they predict the target: where that is a weak label, it
    favours the readings that share the supervisor's errors. ``shares_K`` None: no shift (pairs).
    """
    found = {name: regress(space, target_nK, w_n) for name, space in views.items()}
    left_out, test = consensus(found)
    shift = 0.0 if shares_K is None else share_shift(left_out, shares_K)
    explained = {name: r.explained for name, r in found.items()}
    return Taught(left_out + shift, test + shift, explained)


def consensus(found: dict[str, Regressed]) -> tuple[Array, Array]:
    """The readings' answers, scaled alike and averaged: left-out (n, K) and test (m, K)."""
    scale = {name: max(float(r.left_out.std()), 1e-12) for name, r in found.items()}
    left_out = np.mean([r.left_out / scale[name] for name, r in found.items()], 0)
    test = np.mean([r.test / scale[name] for name, r in found.items()], 0)
    return left_out, test


def salience(views: Mapping[str, Space], target_nK: Array, w_n: Array, leading: int) -> float:
    """How much of what the readings explain of a target their ``leading`` directions explain.

    The ratio of two squared correlations of left-out answers with the target; about 0 to 1, above
    it where the other directions only add noise. What a model is asked most easily varies most in
    its states (arXiv 2312.09390, section 5, and 2212.03827 call it salient). 0 where all directions
    together explain no more than chance would once in a thousand: of two numbers that are nearly
    nothing the ratio says nothing.
    """
    parts = []
    for spaces in ({n: s.leading(leading) for n, s in views.items()}, views):
        left_out, _ = consensus({n: regress(s, target_nK, w_n) for n, s in spaces.items()})
        known = w_n > 0
        parts.append(_squared_correlation(left_out[known], target_nK[known]))
    chance = float(chi2.isf(0.001, 1)) / max(int(known.sum()), 1)  # n · r² is about χ²(1)
    return parts[0] / parts[1] if parts[1] > chance else 0.0


def _squared_correlation(a_nK: Array, b_nK: Array) -> float:
    """r², and 0 for r < 0: left-out answers to noise tend to the other side of the mean."""
    a, b = a_nK - a_nK.mean(0), b_nK - b_nK.mean(0)
    total = float((a**2).sum() * (b**2).sum())
    return max(float((a * b).sum()), 0.0) ** 2 / total if total > 0 else 0.0


def share_shift(scores_nK: Array, shares_K: Array) -> Array:
    """Shifts (K,) of the scores under which the most probable classes have the wanted shares.

    With two classes exact up to ties; with more by iterative scaling.
    """
    n, k = scores_nK.shape
    if k == 2:
        cut = float(np.quantile(scores_nK[:, 1] - scores_nK[:, 0], 1 - shares_K[1]))
        return np.array([cut / 2, -cut / 2])
    shift = np.zeros(k)
    for step in range(200):
        now = np.bincount((scores_nK + shift).argmax(1), minlength=k) / n
        shift += 0.5 / (1 + step / 20) * float(scores_nK.std()) * (shares_K - now)
    return shift
