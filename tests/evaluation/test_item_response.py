"""The two-parameter logistic model against parameters that made the answers."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

from superalign.evaluation.item_response import Items, ability, fit_items

NAN = float("nan")


def simulated(models: int, items: int, seed: int) -> tuple[np.ndarray, np.ndarray, Items]:
    """Answers, abilities and the items they were drawn from."""
    rng = np.random.default_rng(seed)
    theta = rng.standard_normal(models)
    true = Items(np.exp(0.4 * rng.standard_normal(items)), rng.standard_normal(items))
    right = (rng.random((models, items)) < true.chance(theta)).astype(float)
    return right, theta, true


def test_it_recovers_the_items_that_made_the_answers() -> None:
    right, _, true = simulated(600, 30, 0)
    found = fit_items(right)
    assert np.corrcoef(found.difficulty, true.difficulty)[0, 1] > 0.97
    assert np.corrcoef(np.log(found.discrimination), np.log(true.discrimination))[0, 1] > 0.85
    assert np.abs(found.difficulty - true.difficulty).mean() < 0.15
    assert found.discrimination.mean() == pytest.approx(true.discrimination.mean(), rel=0.1)


def test_abilities_and_their_deviations_are_honest() -> None:
    right, theta, true = simulated(400, 40, 1)
    found = [ability(true, row) for row in right]
    mean, deviation = np.array([(a.mean, a.deviation) for a in found]).T
    assert np.corrcoef(mean, theta)[0, 1] > 0.9
    covered = np.abs(mean - theta) < 1.96 * deviation
    assert 0.92 <= covered.mean() <= 0.98


def test_ability_does_not_move_when_half_of_the_items_are_exchanged() -> None:
    right, _, true = simulated(200, 60, 2)
    order = np.argsort(true.difficulty)
    easy, hard = right.copy(), right.copy()
    easy[:, order[30:]], hard[:, order[:30]] = NAN, NAN
    gap = [ability(true, e).mean - ability(true, h).mean for e, h in zip(easy, hard, strict=True)]
    assert abs(np.mean(gap)) < 0.1
    assert np.nanmean(easy) - np.nanmean(hard) > 0.2  # the raw share does


def test_missing_answers_are_left_out() -> None:
    right, _, _ = simulated(600, 12, 3)
    rng = np.random.default_rng(0)
    holes = np.where(rng.random(right.shape) < 0.3, NAN, right)
    whole, part = fit_items(right), fit_items(holes)
    assert np.abs(whole.difficulty - part.difficulty).mean() < 0.2
    nothing = ability(whole, [NAN] * 12)
    assert (nothing.n, round(nothing.mean, 6)) == (0, 0.0)
    assert nothing.deviation == pytest.approx(1.0, abs=0.01)


def test_items_that_all_or_none_get_right_stay_finite() -> None:
    right = np.array([[1, 0, 1], [1, 0, 0], [1, 0, 1], [1, 0, 0]], dtype=float)
    found = fit_items(right)
    assert np.isfinite(found.difficulty).all()
    assert found.difficulty[0] < found.difficulty[2] < found.difficulty[1]


def test_information_is_that_of_the_closed_form_and_largest_at_the_difficulty() -> None:
    items = Items(np.array([1.0, 2.0]), np.array([0.0, 1.5]))
    p = expit(2.0 * (1.0 - 1.5))
    assert items.information(1.0)[0, 1] == pytest.approx(4 * p * (1 - p))
    assert items.most_informative(1.5, 1) == [1]
    assert items.most_informative(-1.0, 2) == [0, 1]


def test_other_tables_are_refused() -> None:
    with pytest.raises(ValueError, match="at least two models"):
        fit_items([[1.0, 0.0]])
    with pytest.raises(ValueError, match="are 1"):
        fit_items([[1.0, 0.5], [0.0, 1.0]])
