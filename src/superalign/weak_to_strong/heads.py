"""Linear heads on frozen features, trained with any loss of logits; exact, seeded by nothing.

A ridge penalty does not change under rotation, so a head on d features of n rows is fitted in the
space of at most n dimensions that the rows span (their singular vectors): the same optimum, far cheaper,
and the rotation is shared by every method and label set.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import softmax

from superalign.weak_to_strong.losses import Array, Loss, cross_entropy

RIDGE = 0.2  # near the best for naive and for the ceiling on sst2 (LOG.md); fixed elsewhere
Rows = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Space:
    """Features of the rows a student trains on and of others, in one rotated, scaled space.

    Made by ``Space.of``; ``train`` is (n, r) and ``others`` are (m, r) each. ``intercept`` is False
    for pairs, whose features are differences: swapping the two texts must flip the logit.
    """

    train: Array
    others: tuple[Array, ...]
    intercept: bool = True

    @classmethod
    def of(
        cls,
        train: npt.NDArray[np.float32],
        *others: npt.NDArray[np.float32],
        intercept: bool = True,
    ) -> Space:
        """Centre (unless pairs) and scale by the training rows; then rotate onto their span.

        Scaled features have mean square 1 / d over the columns, so that ridge strengths mean the
        same for any width.
        """
        x = train.astype(np.float64)
        centre = x.mean(0) if intercept else np.zeros(x.shape[1])
        scale = np.sqrt(((x - centre) ** 2).mean(0)) * np.sqrt(x.shape[1])
        scale[scale < 1e-8] = np.inf
        x = (x - centre) / scale
        few = len(x) <= x.shape[1]
        squares, axes = np.linalg.eigh(x @ x.T if few else x.T @ x)
        used = squares > 1e-9 * max(float(squares[-1]), 1e-300)
        basis = x.T @ (axes[:, used] / np.sqrt(squares[used])) if few else axes[:, used]
        rest = tuple(((o.astype(np.float64) - centre) / scale) @ basis for o in others)
        return cls(x @ basis, rest, intercept)

    def subset(self, rows: Rows | npt.NDArray[np.bool_]) -> Space:
        """The same space with fewer training rows."""
        return Space(self.train[rows], self.others, self.intercept)

    def leading(self, count: int) -> Space:
        """The ``count`` directions in which the training rows vary most: the last columns."""
        others = tuple(o[:, -count:] for o in self.others)
        return Space(self.train[:, -count:], others, self.intercept)

    @cached_property
    def similarity(self) -> Array:
        """Cosine similarity (n, n) of the training rows to each other."""
        unit = self.train / np.maximum(np.linalg.norm(self.train, axis=1, keepdims=True), 1e-12)
        result: Array = unit @ unit.T
        return result


@dataclass(frozen=True)
class Head:
    """Weights (r, K - 1) and intercepts (K - 1,); class 0 has logit 0."""

    weights: Array
    bias: Array

    def logits(self, x: Array) -> Array:
        """Logits (n, K)."""
        z = x @ self.weights + self.bias
        return np.concatenate([np.zeros((len(z), 1)), z], 1)

    def probabilities(self, x: Array) -> Array:
        """Class probabilities (n, K)."""
        result: Array = softmax(self.logits(x), axis=1)
        return result


def fit(
    space: Space,
    y_nK: Array,
    w_n: Array | None = None,
    *,
    loss: Loss = cross_entropy,
    ridge: float = RIDGE,
    start: Head | None = None,
    steps: int = 200,
) -> Head:
    """The head that minimises ``loss`` + ridge / (2 n) · ||W||², by L-BFGS from ``start`` (or 0).

    Args:
        space: features; only ``space.train`` is used.
        y_nK: weak probabilities of the training rows.
        w_n: weights; None is 1 each.
        ridge: strength of the penalty, > 0; the intercept is free.
        steps: most iterations.
    """
    w = np.ones(len(y_nK)) if w_n is None else w_n
    used = w > 0
    x, y, w = space.train[used], y_nK[used], w[used]
    r, k = x.shape[1], y.shape[1] - 1
    penalty = ridge / max(len(x), 1)
    # The columns are orthogonal, so cross-entropy's curvature is nearly diagonal: in units of it
    # L-BFGS needs a tenth of the steps.
    unit = 1 / np.sqrt((x**2).sum(0) / (4 * max(len(x), 1)) + penalty)
    scaled = x * unit

    def objective(flat: Array) -> tuple[float, Array]:
        v, bias = flat[: r * k].reshape(r, k), flat[r * k :]
        z = np.concatenate([np.zeros((len(scaled), 1)), scaled @ v + bias], 1)
        value, gradient = loss(z, y, w)
        g = gradient[:, 1:]
        weights = unit[:, None] * v
        slope = scaled.T @ g + penalty * unit[:, None] * weights
        intercepts = g.sum(0) if space.intercept else np.zeros(k)
        return value + penalty / 2 * float((weights**2).sum()), np.concatenate(
            [slope.ravel(), intercepts]
        )

    flat = np.zeros((r + 1) * k)
    if start is not None:
        flat = np.concatenate([(start.weights / unit[:, None]).ravel(), start.bias])
    found = minimize(
        objective, flat, jac=True, method="L-BFGS-B", options={"maxiter": steps, "gtol": 1e-5}
    )
    return Head(unit[:, None] * found.x[: r * k].reshape(r, k), found.x[r * k :])


def one_hot(labels: npt.NDArray[np.int64], k: int) -> Array:
    """Labels (n,) as probabilities (n, k)."""
    result: Array = np.eye(k)[labels]
    return result


def folds(n: int, parts: int, seed: int) -> list[tuple[Rows, Rows]]:
    """``parts`` disjoint pairs (training rows, held-out rows) that together hold out every row."""
    fold = np.random.default_rng([seed, n, 0xF01D]).permutation(np.arange(n) % parts)
    return [(np.flatnonzero(fold != i), np.flatnonzero(fold == i)) for i in range(parts)]


def cross_fitted(
    space: Space,
    y_nK: Array,
    w_n: Array | None = None,
    *,
    loss: Loss = cross_entropy,
    ridge: float = RIDGE,
    parts: int = 5,
    seed: int = 0,
) -> Array:
    """Probabilities (n, K) of each training row by a head that was not trained on its label."""
    out = np.zeros_like(y_nK)
    for kept, held in folds(len(y_nK), parts, seed):
        weights = None if w_n is None else w_n[kept]
        head = fit(space.subset(kept), y_nK[kept], weights, loss=loss, ridge=ridge)
        out[held] = head.probabilities(space.train[held])
    return out
