"""Intervals and tests against hand-computed values, and properties that must always hold."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score  # type: ignore[import-untyped,unused-ignore]

from superalign import statistics as s

PROBABILITY = st.floats(0, 1)
FINITE = st.floats(-1e6, 1e6)
BINARY = st.integers(0, 1)
FORECASTS = st.lists(st.tuples(st.none() | PROBABILITY, st.none() | BINARY), max_size=25)
FEW = settings(max_examples=15, deadline=None)


def holds(estimate: s.Estimate) -> bool:
    """The interval, where there is one, is ordered around the value."""
    if estimate.value is None:
        return estimate.low is None and estimate.high is None and bool(estimate.reason)
    if estimate.low is None or estimate.high is None:
        return estimate.low is estimate.high and bool(estimate.reason)
    return estimate.low <= estimate.value <= estimate.high


def test_as_dict_has_reason_and_missing_only_where_they_say_something() -> None:
    assert s.proportion(0, 0).as_dict() == {
        "value": None, "low": None, "high": None, "n": 0, "reason": "no decided trials"
    }  # fmt: skip
    assert set(s.proportion(1, 2).as_dict()) == {"value", "low", "high", "n"}
    assert s.rate([True, None]).as_dict()["missing"] == 1


def test_wilson_by_hand() -> None:
    # z = 1.959964, p = 0.2, n = 10: center (p + z2/2n)/(1 + z2/n), Wilson's published 2/10 case
    z2 = 1.959963984540054**2
    center = (0.2 + z2 / 20) / (1 + z2 / 10)
    half = math.sqrt(z2) * math.sqrt(0.2 * 0.8 / 10 + z2 / 400) / (1 + z2 / 10)
    got = s.proportion(2, 10)
    assert (got.low, got.high) == pytest.approx((center - half, center + half))
    assert (got.low, got.high) == pytest.approx((0.0567, 0.5098), abs=1e-4)


def test_wilson_at_the_ends_has_width() -> None:
    zero, full = s.proportion(0, 10), s.proportion(10, 10)
    assert zero.low == 0
    assert zero.high == pytest.approx(0.27753, abs=1e-5)
    assert full.high == 1
    assert full.low == pytest.approx(0.72247, abs=1e-5)


@pytest.mark.parametrize(("hits", "n"), [(-1, 3), (4, 3), (0, -1)])
def test_impossible_counts_raise(hits: int, n: int) -> None:
    with pytest.raises(ValueError, match="hits"):
        s.proportion(hits, n)


def test_rate_drops_and_counts_none() -> None:
    got = s.rate([True, 0, None, 1.0, None])
    assert (got.value, got.n, got.missing) == pytest.approx((2 / 3, 3, 2))
    with pytest.raises(ValueError, match="1/0"):
        s.rate([0.5])


def test_mean_by_hand() -> None:
    # 1, 2, 3: mean 2, sd 1, t(0.975, 2) = 4.302653, half width 4.302653 / sqrt(3) = 2.484138
    got = s.mean([1, 2, None, 3])
    assert (got.value, got.n, got.missing) == (2, 3, 1)
    assert (got.low, got.high) == pytest.approx((2 - 2.484138, 2 + 2.484138), abs=1e-5)


@pytest.mark.parametrize("values", [[], [None, None]])
def test_mean_of_nothing_is_undefined(values: list[float | None]) -> None:
    got = s.mean(values)
    assert got.value is None
    assert got.reason
    assert got.missing == len(values)


def test_no_spread_has_a_value_but_no_interval() -> None:
    for values in ([2.5], [2.5, 2.5, 2.5]):
        got = s.mean(values)
        assert got.value == 2.5
        assert got.low is None
        assert got.high is None
        assert got.reason


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_not_finite_raises(bad: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        s.mean([1.0, bad])
    with pytest.raises(ValueError, match="finite"):
        s.paired_difference([1.0], [bad])


def test_bootstrap_is_seeded_and_near_theory() -> None:
    values = np.random.default_rng(1).normal(0, 1, 400).tolist()
    first, again = (s.bootstrap(values, lambda a: float(a.mean()), seed=3) for _ in range(2))
    assert first == again
    assert first.low is not None
    assert first.high is not None
    assert first.high - first.low == pytest.approx(2 * 1.96 / 20, rel=0.15)


def test_bootstrap_of_an_undefined_statistic() -> None:
    assert s.bootstrap([1.0, 2.0], lambda a: float("nan")).value is None
    with pytest.raises(ValueError, match="resamples"):
        s.bootstrap([1.0], lambda a: 0.0, resamples=3)


def test_paired_difference_by_hand() -> None:
    got = s.paired_difference([0, 0, 1, None, 1], [1, 0, 1, 1, None])
    assert (got.value, got.n, got.missing) == pytest.approx((1 / 3, 3, 2))
    with pytest.raises(ValueError, match=r"shorter|longer"):
        s.paired_difference([1.0], [])


def test_a_uniform_fall_is_a_fall_beyond_chance() -> None:
    # Wilson's lower bound for 80 of 80 is 0.9542: at most 4.6% of unseen pairs rise by 1
    low = s.proportion(80, 80).low or 0.0
    got = s.paired_difference([1] * 80, [0] * 80)
    assert got.value == -1
    assert (got.low, got.high) == pytest.approx((-1, -low + (1 - low)))
    unchanged = s.paired_difference([0, 1, 1], [0, 1, 1])
    assert unchanged.low == -(unchanged.high or 0.0) != 0
    assert s.paired_difference([1, 1], [1, 1]).low is None


def test_mcnemar_by_hand() -> None:
    # one of 5: 2 * (C(5,0) + C(5,1)) / 2^5 = 12/32; none of 5: 2/32
    assert s.mcnemar(1, 4) == pytest.approx(0.375)
    assert s.mcnemar(0, 5) == pytest.approx(0.0625)
    assert s.mcnemar(0, 0) == 1.0
    with pytest.raises(ValueError, match="negative"):
        s.mcnemar(-1, 2)


def test_sign_test_by_hand() -> None:
    got = s.sign_test([0, 0, 0, 0, 0, 1, None], [1, 1, 1, 1, 1, 1, 1])
    assert got == s.PairedTest(rose=5, fell=0, ties=1, missing=1, p=0.0625)
    assert got.as_dict()["p"] == 0.0625


def test_sensitivity_specificity_by_hand() -> None:
    pred = [1, 1, 0, None, 0, 0, 0, 1, 1]
    truth = [1, 1, 1, 1, 0, 0, 0, 0, None]
    se, sp = s.sensitivity_specificity(pred, truth)
    assert (se.value, se.n, se.missing) == pytest.approx((2 / 3, 3, 2))
    assert (sp.value, sp.n, sp.missing) == (0.75, 4, 1)
    only_positive = s.sensitivity_specificity([True], [True])
    assert only_positive[0].value == 1
    assert only_positive[1].value is None


def test_calibration_by_hand() -> None:
    # bins of 0.5: {0.2: 0, 0.4: 1} gap |0.3 - 0.5| n 2; {0.5: 1, 1.0: 1} gap |0.75 - 1| n 2
    prob, truth = [0.2, 0.4, 0.5, 1.0, None], [0, 1, 1, 1, 1]
    got = s.expected_calibration_error(prob, truth, bins=2)
    assert got.value == pytest.approx((2 * 0.2 + 2 * 0.25) / 4)
    assert (got.n, got.missing) == (4, 1)
    first, second = s.reliability_bins(prob, truth, bins=2)
    assert (first["n"], first["predicted"], first["observed"]) == (2, pytest.approx(0.3), 0.5)
    assert (second["n"], second["predicted"], second["observed"]) == (2, 0.75, 1.0)
    assert first["observed_low"] == s.proportion(1, 2).low


def test_bins_keep_their_edges() -> None:
    bins = s.reliability_bins([i / 10 for i in range(11)], [1] * 11)
    assert [b["n"] for b in bins] == [1] * 9 + [2]
    empty = s.reliability_bins([0.05], [1])[5]
    assert empty["predicted"] is None
    assert empty["observed"] is None
    assert empty["n"] == 0


def test_a_calibrated_forecaster_may_be_perfect() -> None:
    rng = np.random.default_rng(0)
    prob = rng.uniform(size=60)
    got = s.expected_calibration_error(prob.tolist(), (rng.uniform(size=60) < prob).tolist())
    assert got.low is not None
    assert got.low < 0.05


@pytest.mark.parametrize("prob", [-0.1, 1.1])
def test_probabilities_are_checked(prob: float) -> None:
    with pytest.raises(ValueError, match="probabilities"):
        s.expected_calibration_error([prob], [1])
    with pytest.raises(ValueError, match="bins"):
        s.reliability_bins([0.5], [1], bins=0)


def test_auroc_by_hand() -> None:
    # positives 0.8, 0.4 against negatives 0.4, 0.2: wins 2 + 1, one tie: 3.5 of 4
    got = s.auroc([0.8, 0.4, 0.4, 0.2, None], [1, 1, 0, 0, 1])
    assert (got.value, got.n, got.missing) == (0.875, 4, 1)


def test_auroc_needs_both_classes() -> None:
    got = s.auroc([0.1, 0.9], [1, 1])
    assert got.value is None
    assert got.reason == "no negative case"


def test_complete_separation_is_not_certainty() -> None:
    got = s.auroc([0.1, 0.2, 0.8, 0.9], [0, 0, 1, 1])
    assert got.value == 1
    assert got.low == s.proportion(2, 2).low


def test_rogan_gladen_by_hand() -> None:
    # (0.30 + 0.95 - 1) / (0.90 + 0.95 - 1) = 0.25 / 0.85
    got = s.rogan_gladen((30, 100), (90, 100), (95, 100))
    assert got.value == pytest.approx(0.25 / 0.85)
    assert got.n == 100
    assert holds(got)
    assert got == s.rogan_gladen(s.proportion(30, 100), (90, 100), (95, 100))


def test_rogan_gladen_counts_the_judges_own_uncertainty() -> None:
    many, few = (s.rogan_gladen((300, 1000), (9 * k, 10 * k), (9 * k, 10 * k)) for k in (100, 2))
    assert few.high is not None
    assert few.low is not None
    assert many.high is not None
    assert many.low is not None
    assert few.high - few.low > 2 * (many.high - many.low)


def test_a_judge_at_chance_corrects_nothing() -> None:
    assert s.rogan_gladen((3, 10), (5, 10), (5, 10)).value is None
    assert s.rogan_gladen((3, 10), (0, 0), (5, 10)).reason == "an empty count"
    assert s.rogan_gladen((3, 10), s.proportion(0, 0), (5, 10)).value is None
    weak = s.rogan_gladen((3, 10), (6, 10), (5, 10))
    assert (weak.low, weak.high) == (0, 1)
    with pytest.raises(ValueError, match="hits"):
        s.rogan_gladen((3, 2), (5, 10), (5, 10))


@given(st.integers(0, 300), st.integers(0, 300))
@settings(max_examples=60, deadline=None)
def test_proportion_properties(hits: int, misses: int) -> None:
    got = s.proportion(hits, hits + misses)
    assert holds(got)
    if got.low is not None and got.high is not None:
        assert 0 <= got.low < got.high <= 1
        mirror = s.proportion(misses, hits + misses)
        assert mirror.low == pytest.approx(1 - got.high, abs=1e-9)


@given(st.lists(st.none() | FINITE, max_size=20))
@FEW
def test_mean_and_bootstrap_properties(values: list[float | None]) -> None:
    for got in (s.mean(values), s.bootstrap(values, lambda a: float(np.median(a)), resamples=100)):
        assert holds(got)
        assert got.n + got.missing == len(values)


@given(st.lists(st.tuples(FINITE, FINITE), max_size=15))
@FEW
def test_paired_properties(pairs: list[tuple[float, float]]) -> None:
    before, after = [a for a, _ in pairs], [b for _, b in pairs]
    there, back = s.sign_test(before, after), s.sign_test(after, before)
    assert (there.rose, there.fell, there.p) == (back.fell, back.rose, back.p)
    assert there.rose + there.fell + there.ties == len(pairs)
    assert 0 <= there.p <= 1
    assert holds(s.paired_difference(before, after))


@given(st.integers(0, 80), st.integers(0, 80))
@settings(max_examples=40, deadline=None)
def test_mcnemar_properties(b: int, c: int) -> None:
    assert s.mcnemar(b, c) == s.mcnemar(c, b)
    assert 0 < s.mcnemar(b, c) <= 1


@given(FORECASTS)
@FEW
def test_calibration_properties(rows: list[tuple[float | None, int | None]]) -> None:
    prob, truth = [p for p, _ in rows], [t for _, t in rows]
    got, bins = s.expected_calibration_error(prob, truth), s.reliability_bins(prob, truth)
    assert holds(got)
    assert got.n == sum(b["n"] for b in bins)
    if got.value is not None:
        by_hand = sum(b["n"] * abs(b["predicted"] - b["observed"]) for b in bins if b["n"]) / got.n
        assert got.value == pytest.approx(by_hand)
    assert all(b["low"] <= b["predicted"] <= b["high"] for b in bins if b["n"])


@given(st.lists(st.tuples(st.sampled_from([0.0, 0.1, 0.5, 0.9]), BINARY), max_size=25))
@FEW
def test_auroc_agrees_with_sklearn(rows: list[tuple[float, int]]) -> None:
    score, truth = [a for a, _ in rows], [t for _, t in rows]
    got = s.auroc(score, truth)
    assert holds(got)
    if len(set(truth)) == 2:
        assert got.value == pytest.approx(roc_auc_score(truth, score))
    else:
        assert got.value is None


@given(st.integers(0, 40), st.integers(20, 40), st.integers(20, 40))
@FEW
def test_rogan_gladen_properties(hits: int, se: int, sp: int) -> None:
    got = s.rogan_gladen((hits, 40), (se, 40), (sp, 40))
    assert holds(got)
    if got.value is not None and got.low is not None and got.high is not None:
        assert 0 <= got.low <= got.high <= 1
