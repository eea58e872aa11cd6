"""Reward heads against what their losses must give, and label noise that only one of them undoes."""

import numpy as np
import numpy.typing as npt
import pytest
from scipy.special import logit
from sklearn.linear_model import LogisticRegression

from superalign.critic.reward_model import (
    Features,
    PairLoss,
    fit_outcomes,
    fit_pairs,
    worst_step,
)
from superalign.critic.step_reader import StepViews
from superalign.errors import InputError

RNG = np.random.default_rng(0)
ROWS = RNG.normal(size=(600, 3))
TRUE = np.array([1.5, -1.0, 0.0])


def test_the_outcome_model_is_logistic_regression() -> None:
    hit = RNG.random(600) < 1 / (1 + np.exp(-(ROWS @ TRUE + 0.5)))
    ridge = 1e-2
    ours = fit_outcomes(ROWS, hit.astype(float), ridge)
    theirs = LogisticRegression(C=1 / (2 * ridge * len(ROWS)), tol=1e-10).fit(ROWS, hit)
    assert ours.weights == pytest.approx(theirs.coef_[0], abs=1e-3)
    assert ours.bias == pytest.approx(theirs.intercept_[0], abs=1e-3)


def test_soft_labels_are_values() -> None:
    one = np.ones((10, 1))
    found = fit_outcomes(one, [0.8] * 5 + [0.6] * 5, ridge=0.0)
    assert found(one)[0] == pytest.approx(logit(0.7), abs=1e-4)
    with pytest.raises(ValueError, match="better and worse"):
        fit_outcomes(one, [1.0] * 10)


@pytest.mark.parametrize(
    ("loss", "noise", "probability"),
    [("plain", 0.0, 0.8), ("smoothed", 0.2, 0.8), ("robust", 0.2, 0.68)],
)
def test_a_pairs_difference_is_the_log_odds_that_the_loss_asks_for(
    loss: PairLoss, noise: float, probability: float
) -> None:
    better, worse = np.ones((4, 1)), np.zeros((4, 1))
    belief = 1.0 if loss == "smoothed" else probability
    found = fit_pairs(better, worse, loss=loss, noise=noise, probability_P=[belief] * 4, ridge=0.0)
    assert found(better)[0] - found(worse)[0] == pytest.approx(logit(0.8), abs=1e-3)


def flipped(noise: float) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    a, b = RNG.normal(size=(2, 20_000, 3))
    first = RNG.random(len(a)) < 1 / (1 + np.exp(-(a - b) @ TRUE))
    first ^= RNG.random(len(a)) < noise
    return np.where(first[:, None], a, b), np.where(first[:, None], b, a)


def test_only_the_robust_loss_undoes_flipped_labels() -> None:
    better, worse = flipped(0.3)
    plain = fit_pairs(better, worse, ridge=0.0).weights
    robust = fit_pairs(better, worse, loss="robust", noise=0.3, ridge=0.0).weights
    assert robust == pytest.approx(TRUE, abs=0.12)
    assert np.linalg.norm(plain) < 0.6 * np.linalg.norm(TRUE)


def test_a_rate_of_one_half_and_no_pairs_are_refused() -> None:
    with pytest.raises(InputError, match="flip_rate"):
        fit_pairs(ROWS[:4], ROWS[4:8], loss="robust", noise=0.5)
    with pytest.raises(ValueError, match="needs pairs"):
        fit_pairs(ROWS[:0], ROWS[:0])


def test_features_have_one_row_per_step_and_per_solution() -> None:
    views = [
        StepViews(
            RNG.normal(size=(n, 4)).astype(np.float32),
            RNG.normal(size=(n, 2)).astype(np.float32),
            RNG.normal(size=(n, 10)).astype(np.float16),
        )
        for n in (2, 3, 5)
    ]
    features = Features(views)
    assert features.steps(views[1]).shape == (3, 4 + 2 + 10)
    assert features.solutions(views).shape == (3, 4 * 16)
    assert worst_step(np.array([0.3, -1.0, 2.0])) == -1.0
