"""Protocols give what exact looks must give: n = 2,000 items, half of them flawed."""

from functools import cache

import pytest

from superalign.oversight.closed_forms import (
    compare,
    expected_detection,
    expected_lying,
    expected_pointer,
)
from superalign.oversight.critics import Planted
from superalign.oversight.experiment import items_of, judged_traces, run_arms
from superalign.oversight.judges import Exact
from superalign.oversight.protocols import (
    ARMS,
    Arm,
    Item,
    consultancy,
    critique,
    debate,
    unaided_words,
)
from superalign.oversight.traces import Trace
from superalign.statistics import Estimate, rate

K, N = 8, 2000


@cache
def traces() -> list[Trace]:
    """N flawed traces and as many right ones, by turns."""
    return judged_traces(0, 2 * N, K)


@cache
def items(recall: float, false: float = 0.0) -> list[Item]:
    """The flawed ones, with what a critic says."""
    return items_of(traces()[1::2], Planted(recall, false), 0)


def detection(arm: Arm, judged: list[Item], looks: int) -> Estimate:
    return rate(arm(i, Exact(), looks).flawed > 0.5 for i in judged)


@pytest.mark.parametrize(("looks", "recall"), [(2, 0.6), (3, 0.9)])
def test_every_arm_gives_its_formula(looks: int, recall: float) -> None:
    expected = expected_detection(K, looks, recall)
    found = [
        {"name": name, "detection": detection(ARMS[name], items(recall), looks).as_dict()}
        for name in expected
    ]
    rows = compare(expected, found)
    assert len(rows) == 7
    assert all(r["measured"]["n"] == N for r in rows)
    assert [(r["name"], r["expected"], r["measured"]) for r in rows if not r["holds"]] == []


def test_right_traces_are_never_called_flawed_and_placebo_changes_nothing() -> None:
    right = items_of(traces()[:200:2], Planted(0.6), 0)
    for name, arm in ARMS.items():
        assert detection(arm, right, 2).value == 0, name
    judged = items(0.6)
    for item in judged[:200]:
        assert ARMS["placebo"](item, Exact(), 2).flawed == ARMS["unaided"](item, Exact(), 2).flawed


def flagged(arm: Arm, judged: list[Item], looks: int) -> float:
    return detection(arm, judged, looks).value or 0.0


def test_a_pointer_that_is_wrong_costs_a_look() -> None:
    estimate = detection(critique, items(0.6, 1.0), 2)
    assert estimate.low is not None
    assert estimate.high is not None
    assert estimate.low <= expected_pointer(K, 2, 0.6) <= estimate.high


@pytest.mark.parametrize("order", ["simultaneous", "sequential"])
def test_an_honest_debater_who_points_at_the_flaw_wins(order: str) -> None:
    assert flagged(debate(order=order), items(1.0), 2) == 1.0
    assert flagged(debate(order=order, swapped=True), items(1.0), 2) == 1.0


@pytest.mark.parametrize("looks", [1, 4, 7])
def test_a_lying_consultant_hides_the_flaw(looks: int) -> None:
    assert flagged(consultancy(side="lying"), items(1.0), looks) == expected_lying(K, looks) == 0.0
    assert flagged(consultancy(16, side="lying"), items(1.0), looks) == 0.0


def test_formulas_by_hand() -> None:
    assert expected_detection(10, 3, 0.5)["unaided"] == pytest.approx(0.3)
    assert expected_detection(10, 3, 0.5)["critique"] == pytest.approx(0.5 + 0.5 * 0.3)
    assert expected_pointer(5, 3, 0.0) == pytest.approx(0.5)
    assert expected_lying(5, 5) == 1.0


def test_the_same_words_without_help_buy_what_they_buy() -> None:
    """Placebo's words are spent on nothing; decomposition's would let the judge read every line."""
    critic = Planted(0.8, 0.0, 0, "planted")
    items = items_of(judged_traces(3, 400, 8), critic, 3)
    arms = {a["name"]: a for a in run_arms(items, Exact(), 2)["arms"]}
    assert arms["unaided"]["unaided_same_words"]["value"] >= arms["unaided"]["accuracy"]["value"]
    assert arms["decomposition"]["unaided_same_words"]["value"] > 0.95
    critique = arms["critique"]
    assert critique["accuracy"]["value"] > critique["unaided_same_words"]["value"] + 0.1
    assert critique["versus_same_words"]["p"] < 1e-6
    for item in items[:50]:
        assert unaided_words(item, Exact(), 20).tokens <= 20
