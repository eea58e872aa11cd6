"""Event curves, agreement and corrected success against values worked out by hand."""

import numpy as np
import pytest
from scipy import stats

from superalign.statistics import (
    area_under_curve,
    cohen_kappa,
    corrected_success,
    event_curve,
    proportion,
)


def test_without_censoring_the_curve_is_a_proportion_with_wilsons_interval() -> None:
    times, solved = [1, 1, 3, 7, 10, 10], [True, True, True, True, False, False]
    curve = event_curve(times, solved, [1, 2, 3, 10])
    for estimate, hits in zip(curve, (2, 2, 3, 4), strict=True):
        wilson = proportion(hits, 6)
        assert estimate.value == pytest.approx(hits / 6)
        assert estimate.low == pytest.approx(wilson.low, abs=1e-9)
        assert estimate.high == pytest.approx(wilson.high, abs=1e-9)


def test_censored_cases_leave_the_risk_set() -> None:
    # at risk 5 at time 1 (one event), 3 at time 3 (one event): S = 4/5 * 2/3
    times, happened = [1, 2, 3, 4, 5], [True, False, True, False, False]
    [estimate] = event_curve(times, happened, [3])
    assert estimate.value == pytest.approx(1 - 4 / 5 * 2 / 3)
    assert estimate.missing == 1
    greenwood = (8 / 15) ** 2 * (1 / (5 * 4) + 1 / (3 * 2))
    effective = (7 / 15) * (8 / 15) / greenwood
    assert 2 < effective < 5
    assert estimate.low is not None
    assert estimate.low < proportion(47, 100).low


def test_the_curve_agrees_with_scipys() -> None:
    rng = np.random.default_rng(0)
    times = rng.integers(1, 50, 80).astype(float)
    happened = rng.random(80) < 0.6
    data = stats.CensoredData(uncensored=times[happened], right=times[~happened])
    theirs = 1 - stats.ecdf(data).sf.evaluate([5, 17, 30])
    ours = [e.value for e in event_curve(times, happened, [5, 17, 30])]
    assert ours == pytest.approx(theirs)


def test_nothing_solved_has_width_and_nobody_followed_is_undefined() -> None:
    [none] = event_curve([10] * 20, [False] * 20, [10])
    assert none.value == 0
    assert none.high == pytest.approx(proportion(0, 20).high)
    [beyond] = event_curve([10] * 20, [False] * 20, [11])
    assert beyond.value is None
    assert "11" in beyond.reason


def test_area_is_the_mean_of_the_curve() -> None:
    times, solved = [1, 4, 10], [True, True, False]
    parts = area_under_curve(times, solved, 10)
    curve = [e.value for e in event_curve(times, solved, range(1, 11))]
    assert np.mean(parts) == pytest.approx(np.mean(curve))
    with pytest.raises(ValueError, match="followed until 9"):
        area_under_curve([9], [False], 10)


def test_kappa_by_hand() -> None:
    first, second = [1] * 45 + [0] * 15 + [1] * 25 + [0] * 15, [1] * 45 + [1] * 15 + [0] * 40
    # observed 0.60, chance 0.7 * 0.6 + 0.3 * 0.4 = 0.54
    assert cohen_kappa(first, second).value == pytest.approx((0.60 - 0.54) / 0.46)
    grouped = cohen_kappa(first, second, groups=[i // 10 for i in range(100)])
    assert grouped.high - grouped.low != cohen_kappa(first, second).high
    assert cohen_kappa([1, 1], [1, 1]).value is None
    assert cohen_kappa([1, None, 0], [1, 0, 0]).missing == 1


def test_a_perfect_judge_needs_no_correction() -> None:
    replays = [(4, 4), (2, 4), (0, 4), None]
    found = corrected_success(replays, (1000, 1000), (1000, 1000))
    assert found.value == pytest.approx((1 + 0.5 + 0) / 4)
    assert found.low < found.value < found.high


def test_a_judges_false_alarms_are_taken_out() -> None:
    # every replay passes at the judge's false-alarm rate: nothing is truly broken
    replays = [(1, 10)] * 30
    found = corrected_success(replays, (90, 100), (90, 100))
    assert found.value == pytest.approx(0.0)
    assert found.low == 0.0


def test_all_undecided_is_missing_and_chance_judges_are_refused() -> None:
    assert corrected_success([(0, 0), (1, 1)], (9, 10), (9, 10)).missing == 1
    assert corrected_success([(1, 1)], (5, 10), (5, 10)).value is None
    assert corrected_success([None, None], (9, 10), (9, 10)).value == 0.0


def test_intervals_cover_a_planted_truth() -> None:
    rng, held, runs = np.random.default_rng(1), 0, 150
    rate = 0.3  # of attacks found in half of the goals: truth 0.15
    for seed in range(runs):
        found = rng.random(40) < 0.5
        true = rng.random((40, 4)) < rate
        said = np.where(true, rng.random((40, 4)) < 0.9, rng.random((40, 4)) < 0.1)
        rows = [(int(s.sum()), 4) if f else None for s, f in zip(said, found, strict=True)]
        judge = (int(rng.binomial(200, 0.9)), 200), (int(rng.binomial(200, 0.9)), 200)
        estimate = corrected_success(rows, *judge, seed=seed)
        held += estimate.low <= 0.15 <= estimate.high
    assert held / runs >= 0.9
