"""Losses of a student's logits against soft weak labels, each with its gradient.

Shapes: n rows, K classes. ``z_nK`` are logits, ``y_nK`` the weak probabilities (rows sum to 1),
``w_n`` non-negative weights. A loss returns its weighted sum over the rows, divided by the sum of
the weights, and the gradient (n, K) of that number with respect to the logits. Where a target is
made from the student's own prediction, the target is held constant, as in the sources.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy.special import log_softmax

Array = npt.NDArray[np.float64]
Loss = Callable[[Array, Array, Array], tuple[float, Array]]
FLOOR = 1e-7


def cross_entropy(z_nK: Array, y_nK: Array, w_n: Array) -> tuple[float, Array]:
    """−Σ_k y_k log p_k: soft-label cross-entropy (forward KL up to the labels' entropy)."""
    logp = log_softmax(z_nK, axis=1)
    return _reduced(-(y_nK * logp).sum(1), np.exp(logp) - y_nK, w_n)


def reverse_kl(z_nK: Array, y_nK: Array, w_n: Array) -> tuple[float, Array]:
    """Σ_k p_k (log p_k − log y_k): mode-seeking, so it may ignore labels it does not believe.

    Source: arXiv 2502.11107. Labels are clipped to [0.02, 0.98] times the rest: a hard label would
    make the divergence infinite.
    """
    logp = log_softmax(z_nK, axis=1)
    ratio = logp - np.log(_clipped(y_nK))
    return _through_softmax(np.exp(logp), ratio, w_n, constant=False)


def reverse_cross_entropy(z_nK: Array, y_nK: Array, w_n: Array) -> tuple[float, Array]:
    """−Σ_k p_k log y_k, without reverse KL's entropy term. Source: arXiv 2505.24313."""
    p = np.exp(log_softmax(z_nK, axis=1))
    return _through_softmax(p, -np.log(_clipped(y_nK)), w_n, constant=True)


def generalized_cross_entropy(q: float = 0.7) -> Loss:
    """(1 − p_y^q) / q averaged over the label's distribution: between cross-entropy (q → 0) and
    absolute error (q = 1), which is robust to symmetric label noise. Source: arXiv 1805.07836."""

    def loss(z_nK: Array, y_nK: Array, w_n: Array) -> tuple[float, Array]:
        p = np.exp(log_softmax(z_nK, axis=1))
        powered = np.maximum(p, FLOOR) ** q
        # d/dz_j of -p_k^q / q is -p_k^q (1[k=j] - p_j)
        gradient = -(y_nK * powered) + (y_nK * powered).sum(1, keepdims=True) * p
        return _reduced((y_nK * (1 - powered)).sum(1) / q, gradient, w_n)

    return loss


def blended(target_nK: Array, share: float) -> Loss:
    """(1 − share) · CE(weak label) + share · CE(``target_nK``): the form of the auxiliary losses
    of arXiv 2312.09390, where the target is the student's own hardened prediction."""

    def loss(z_nK: Array, y_nK: Array, w_n: Array) -> tuple[float, Array]:
        return cross_entropy(z_nK, (1 - share) * y_nK + share * target_nK, w_n)

    return loss


def backward_corrected(transition_KK: Array) -> Loss:
    """CE against labels corrected by the inverse of the noise's transition matrix.

    ``transition_KK[i, j]`` is the probability that the supervisor says j where i is true. The
    corrected loss is an unbiased estimate of the loss on clean labels; single targets may leave
    [0, 1], which makes the loss unbounded below, so the head's ridge is what bounds it.
    Source: Natarajan et al. (2013); Patrini et al. (2017), arXiv 1609.03683. For pairs this is
    rDPO's correction, arXiv 2403.00409.
    """
    inverse = np.linalg.inv(transition_KK)

    def loss(z_nK: Array, y_nK: Array, w_n: Array) -> tuple[float, Array]:
        return cross_entropy_any(z_nK, y_nK @ inverse, w_n)

    return loss


def forward_corrected(transition_KK: Array) -> Loss:
    """CE of the *noisy* label under the prediction sent through the transition matrix, p T.

    Bounded, unlike the backward correction. Source: arXiv 1609.03683, theorem 2.
    """

    def loss(z_nK: Array, y_nK: Array, w_n: Array) -> tuple[float, Array]:
        p = np.exp(log_softmax(z_nK, axis=1))
        noisy = np.maximum(p @ transition_KK, FLOOR)
        per_class = -(y_nK / noisy) @ transition_KK.T  # d loss / d p
        gradient = p * (per_class - (p * per_class).sum(1, keepdims=True))
        return _reduced(-(y_nK * np.log(noisy)).sum(1), gradient, w_n)

    return loss


def cross_entropy_any(z_nK: Array, y_nK: Array, w_n: Array) -> tuple[float, Array]:
    """Cross-entropy for targets that sum to 1 but may be negative."""
    logp = log_softmax(z_nK, axis=1)
    return _reduced(-(y_nK * logp).sum(1), np.exp(logp) * y_nK.sum(1, keepdims=True) - y_nK, w_n)


def _clipped(y_nK: Array, floor: float = 0.02) -> Array:
    clipped = np.maximum(y_nK, floor)
    result: Array = clipped / clipped.sum(1, keepdims=True)
    return result


def _through_softmax(p: Array, cost: Array, w_n: Array, *, constant: bool) -> tuple[float, Array]:
    """Σ_k p_k c_k and its gradient p_j (c_j − Σ p c); c = log p − log y has ∂c/∂z summing to 0."""
    del constant  # both costs give the same form: Σ_k p_k ∂(log p_k)/∂z = 0
    expected = (p * cost).sum(1)
    return _reduced(expected, p * (cost - expected[:, None]), w_n)


def _reduced(per_row: Array, gradient: Array, w_n: Array) -> tuple[float, Array]:
    total = max(float(w_n.sum()), FLOOR)
    return float((w_n * per_row).sum() / total), gradient * (w_n / total)[:, None]
