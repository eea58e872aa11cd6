"""Ridge regression onto soft labels, with exact leave-one-out answers and no iteration.

In a ``Space`` the training columns are orthogonal, so every ridge strength costs two products. The
left-out answer of row i is (ŷ_i − h_i y_i) / (1 − h_i), with h the diagonal of the hat matrix
(Allen 1974, PRESS). The strength is the one that predicts *weak* labels best where they were left
out: no truth is involved.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from superalign.weak_to_strong.heads import Space
from superalign.weak_to_strong.losses import Array

STRENGTHS = tuple(float(10**e) for e in np.arange(-3, 2.1, 0.5))


@dataclass(frozen=True)
class Regressed:
    """Answers to a target (n, K): ``left_out`` (n, K) of rows not seen, ``test`` (m, K).

    ``explained`` is 1 − the left-out squared error over that of the mean (0 for pairs): at most 1,
    below 0 where the view says nothing about the labels.
    """

    left_out: Array
    test: Array
    strength: float
    explained: float


def regress(
    space: Space, target_nK: Array, w_n: Array, strengths: Sequence[float] = STRENGTHS
) -> Regressed:
    """Ridge regression of ``target_nK`` with the strength of the least left-out error.

    Rows of weight 0 are not fitted; their left-out answer is the fit's. Other weights count as 1.
    """
    used = w_n > 0
    x, y = space.train[used], target_nK[used]
    if not used.all():
        return _partly(space, x, y, used, strengths)
    squares = (x**2).sum(0)
    unit = x / np.sqrt(squares)
    mean = y.mean(0) if space.intercept else np.zeros(y.shape[1])
    onto = unit.T @ (y - mean)
    total = float(((y - mean) ** 2).sum())
    best: tuple[float, float, Array] | None = None
    for strength in strengths:
        shrink = squares / (squares + strength)
        hat = unit**2 @ shrink + (1 / len(x) if space.intercept else 0.0)
        fitted = unit @ (shrink[:, None] * onto) + mean
        left_out = (fitted - hat[:, None] * y) / np.maximum(1 - hat, 1e-9)[:, None]
        error = float(((y - left_out) ** 2).sum())
        if best is None or error < best[0]:
            best = error, strength, left_out
    assert best is not None
    error, strength, left_out = best
    weights = (np.sqrt(squares) / (squares + strength))[:, None] * onto
    explained = 1 - error / total if total > 0 else 0.0
    return Regressed(left_out, space.others[0] @ weights + mean, strength, explained)


def _partly(
    space: Space, x: Array, y: Array, used: np.ndarray, strengths: Sequence[float]
) -> Regressed:
    """``regress`` on some rows: their own axes are found anew; the other rows are as new ones."""
    mean = x.mean(0) if space.intercept else np.zeros(x.shape[1])
    squares, axes = np.linalg.eigh((x - mean).T @ (x - mean))
    axes = axes[:, squares > 1e-9 * max(float(squares[-1]), 1e-300)]
    rest = np.concatenate([space.train[~used], space.others[0]])
    turned = Space((x - mean) @ axes, ((rest - mean) @ axes,), space.intercept)
    found = regress(turned, y, np.ones(len(x)), strengths)
    left_out = np.empty((len(used), y.shape[1]))
    left_out[used] = found.left_out
    left_out[~used] = found.test[: int((~used).sum())]
    return Regressed(left_out, found.test[int((~used).sum()) :], found.strength, found.explained)
