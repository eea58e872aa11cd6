"""Ridge regression against scikit-learn's, left-out answers against leaving out."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from superalign.weak_to_strong.heads import Space
from superalign.weak_to_strong.ridge import regress

RNG = np.random.default_rng(0)
X = RNG.normal(size=(30, 6)).astype(np.float32)
NEW = RNG.normal(size=(9, 6)).astype(np.float32)
Y = np.stack([X[:, 0] + RNG.normal(size=30), X[:, 1] ** 2], 1)


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("strength", [0.01, 1.0])
def test_answers_are_scikit_learns_and_left_out_ones_those_of_refitting(
    intercept: bool, strength: float
) -> None:
    space = Space.of(X, NEW, intercept=intercept)
    found = regress(space, Y, np.ones(30), [strength])
    peer = Ridge(alpha=strength, fit_intercept=intercept).fit(space.train, Y)
    assert found.test == pytest.approx(peer.predict(space.others[0]), abs=1e-8)
    for i in range(30):
        rest = np.arange(30) != i
        one = Ridge(alpha=strength, fit_intercept=intercept).fit(space.train[rest], Y[rest])
        assert found.left_out[i] == pytest.approx(one.predict(space.train[[i]])[0], abs=1e-7)
    if intercept:
        errors = Y - found.left_out
        assert found.explained == pytest.approx(
            1 - (errors**2).sum() / ((Y - Y.mean(0)) ** 2).sum()
        )


def test_the_strength_with_the_least_left_out_error_is_taken() -> None:
    space = Space.of(X, NEW)
    each = [regress(space, Y, np.ones(30), [s]) for s in (0.001, 0.1, 1.0, 100.0)]
    chosen = regress(space, Y, np.ones(30), (0.001, 0.1, 1.0, 100.0))
    assert chosen.explained == max(e.explained for e in each)


def test_rows_of_weight_zero_are_as_new_rows() -> None:
    w = np.ones(30)
    w[:8] = 0
    space = Space.of(X, NEW)
    found = regress(space, Y, w, [0.3])
    peer = Ridge(alpha=0.3).fit(space.train[8:], Y[8:])
    assert found.test == pytest.approx(peer.predict(space.others[0]), abs=1e-8)
    assert found.left_out[:8] == pytest.approx(peer.predict(space.train[:8]), abs=1e-8)
