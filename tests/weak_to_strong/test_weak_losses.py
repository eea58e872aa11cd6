"""Losses against numbers worked out by hand and numerical gradients."""

import math

import numpy as np
import pytest
from scipy.optimize import approx_fprime

from superalign.weak_to_strong import losses
from superalign.weak_to_strong.losses import Loss

Z = np.array([[0.0, math.log(3)], [0.0, 0.0]])  # p = (1/4, 3/4) and (1/2, 1/2)
Y = np.array([[0.2, 0.8], [1.0, 0.0]])
W = np.array([1.0, 3.0])
T = np.array([[0.9, 0.1], [0.3, 0.7]])

ALL: dict[str, Loss] = {
    "cross_entropy": losses.cross_entropy,
    "reverse_kl": losses.reverse_kl,
    "reverse_cross_entropy": losses.reverse_cross_entropy,
    "generalized_cross_entropy": losses.generalized_cross_entropy(0.7),
    "blended": losses.blended(np.array([[0.0, 1.0], [1.0, 0.0]]), 0.5),
    "backward": losses.backward_corrected(T),
    "forward": losses.forward_corrected(T),
}


def by_hand(rows: tuple[float, float]) -> float:
    return (rows[0] * W[0] + rows[1] * W[1]) / W.sum()


CE = (-(0.2 * math.log(0.25) + 0.8 * math.log(0.75)), math.log(2))
CLIPPED = (0.02 / 1.02, 1 / 1.02)  # a hard label, kept finite
HAND = {
    "cross_entropy": by_hand(CE),
    "reverse_kl": by_hand(
        (
            0.25 * math.log(0.25 / 0.2) + 0.75 * math.log(0.75 / 0.8),
            0.5 * math.log(0.5 / CLIPPED[1]) + 0.5 * math.log(0.5 / CLIPPED[0]),
        )
    ),
    "reverse_cross_entropy": by_hand(
        (
            -(0.25 * math.log(0.2) + 0.75 * math.log(0.8)),
            -(0.5 * math.log(CLIPPED[1]) + 0.5 * math.log(CLIPPED[0])),
        )
    ),
    "generalized_cross_entropy": by_hand(
        ((0.2 * (1 - 0.25**0.7) + 0.8 * (1 - 0.75**0.7)) / 0.7, (1 - 0.5**0.7) / 0.7)
    ),
    "blended": by_hand((0.5 * CE[0] - 0.5 * math.log(0.75), CE[1])),
    "forward": by_hand(
        (
            -(0.2 * math.log(0.25 * 0.9 + 0.75 * 0.3) + 0.8 * math.log(0.25 * 0.1 + 0.75 * 0.7)),
            -math.log(0.5 * 0.9 + 0.5 * 0.3),
        )
    ),
}


@pytest.mark.parametrize("name", HAND)
def test_value_by_hand(name: str) -> None:
    assert ALL[name](Z, Y, W)[0] == pytest.approx(HAND[name], rel=1e-12)


@pytest.mark.parametrize("name", ALL)
def test_gradient_is_that_of_the_value(name: str) -> None:
    rng = np.random.default_rng(1)
    z, y = rng.normal(size=(4, 2)), rng.dirichlet([1, 1], 4)
    w = rng.uniform(0.5, 2, 4)
    loss = ALL[name] if name != "blended" else losses.blended(rng.dirichlet([1, 1], 4), 0.5)
    numeric = approx_fprime(z.ravel(), lambda flat: loss(flat.reshape(4, 2), y, w)[0], 1e-6)
    assert loss(z, y, w)[1].ravel() == pytest.approx(numeric, abs=1e-5)


def test_the_backward_correction_is_unbiased() -> None:
    """Averaged over the noise, the corrected loss is the clean one (Natarajan et al. 2013, lemma 1)."""
    corrected = losses.backward_corrected(T)
    one = np.ones(1)
    for truth in (0, 1):
        noisy = [corrected(Z[:1], np.eye(2)[[told]], one)[0] for told in (0, 1)]
        clean = losses.cross_entropy(Z[:1], np.eye(2)[[truth]], one)[0]
        assert T[truth] @ noisy == pytest.approx(clean)


def test_a_weight_of_zero_takes_a_row_out() -> None:
    value, gradient = losses.cross_entropy(Z, Y, np.array([1.0, 0.0]))
    assert value == pytest.approx(CE[0])
    assert gradient[1].tolist() == [0, 0]
