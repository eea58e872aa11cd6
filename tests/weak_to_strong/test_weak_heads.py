"""Heads against scikit-learn's logistic regression, and the rotation that must not matter."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from superalign.weak_to_strong.heads import Space, cross_fitted, fit, folds, one_hot

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 8)).astype(np.float32)
Y = (X[:, 0] + 0.5 * RNG.normal(size=60) > 0).astype(np.int64)
NEW = RNG.normal(size=(20, 8)).astype(np.float32)


@pytest.mark.parametrize("ridge", [0.1, 1.0, 10.0])
def test_the_head_is_scikit_learns(ridge: float) -> None:
    space = Space.of(X, NEW)
    centre = X.mean(0)
    scale = X.std(0) * np.sqrt(8)
    peer = LogisticRegression(C=1 / ridge, tol=1e-8, max_iter=2000).fit((X - centre) / scale, Y)
    ours = fit(space, one_hot(Y, 2), ridge=ridge).probabilities(space.others[0])
    assert ours == pytest.approx(peer.predict_proba((NEW - centre) / scale), abs=2e-3)


def test_more_columns_than_rows_give_the_same_head() -> None:
    """Two copies of every column halve each weight's scale and change nothing."""
    narrow, wide = Space.of(X[:5], NEW), Space.of(np.tile(X[:5], 4), np.tile(NEW, 4))
    assert wide.train.shape[1] <= 5
    y = one_hot(np.array([0, 1, 0, 1, 1]), 2)
    first, second = (fit(s, y).probabilities(s.others[0]) for s in (narrow, wide))
    assert first == pytest.approx(second, abs=1e-4)


def test_swapping_a_pair_flips_the_answer() -> None:
    space = Space.of(X, NEW, -NEW, intercept=False)
    head = fit(space, one_hot(Y, 2))
    p, swapped = (head.probabilities(o) for o in space.others)
    assert p == pytest.approx(swapped[:, ::-1])


def test_three_classes_sum_to_one_and_are_learnt() -> None:
    labels = np.digitize(X[:, 1], [-0.5, 0.5])
    space = Space.of(X, X)
    p = fit(space, one_hot(labels, 3), ridge=0.01).probabilities(space.others[0])
    assert p.sum(1) == pytest.approx(np.ones(60))
    assert (p.argmax(1) == labels).mean() > 0.9


def test_folds_hold_out_every_row_once() -> None:
    held = np.concatenate([h for _, h in folds(13, 5, 0)])
    assert sorted(held) == list(range(13))
    assert all(not set(kept) & set(held) for kept, held in folds(13, 5, 0))


def test_cross_fitted_answers_never_saw_their_label() -> None:
    """Pure noise can be memorised, but not by a head that did not see the row's label."""
    noise = np.random.default_rng(5).integers(0, 2, 60)
    space = Space.of(np.random.default_rng(6).normal(size=(60, 200)).astype(np.float32))
    seen = fit(space, one_hot(noise, 2)).probabilities(space.train).argmax(1)
    unseen = cross_fitted(space, one_hot(noise, 2)).argmax(1)
    assert (seen == noise).mean() == 1
    assert (unseen == noise).mean() < 0.75
