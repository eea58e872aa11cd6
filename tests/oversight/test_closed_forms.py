"""Protocols give what exact looks must give: n = 2,000 items, half of them flawed."""

from functools import cache
from typing import Any

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
from superalign.oversight.protocols import Item, consultancy, debate
from superalign.oversight.traces import Trace
from superalign.statistics import rate

K, N = 8, 2000


@cache
def traces() -> list[Trace]:
    return judged_traces(0, N, K)


def items(recall: float, false: float = 0.0) -> list[Item]:
    return items_of(traces(), Planted(recall, false), 0)


@pytest.mark.parametrize(("looks", "recall"), [(2, 0.6), (3, 0.9)])
def test_every_arm_gives_its_formula(looks: int, recall: float) -> None:
    found = run_arms(items(recall), Exact(), looks)
    rows = compare(expected_detection(K, looks, recall), found["arms"])
    assert len(rows) == 7
    wrong = [(r["name"], r["expected"], r["measured"]) for r in rows if not r["holds"]]
    assert len(wrong) <= 1, wrong  # 95% intervals: one in seven may miss by chance
    for row in rows:
        assert row["measured"]["value"] == pytest.approx(row["expected"], abs=0.05)
        assert row["measured"]["n"] == N // 2
    assert found["informative"]
    by_name: dict[str, Any] = {a["name"]: a for a in found["arms"]}
    assert by_name["full_access"]["gap_recovered"]["value"] == 1
    assert abs(by_name["placebo"]["gap_recovered"]["value"]) == 0  # the same looks: the same items
    assert all(a["specificity"]["value"] == 1 for a in found["arms"])


def flagged(arm: Any, judged: list[Item], looks: int) -> float:
    return float(rate(arm(i, Exact(), looks).flawed > 0.5 for i in judged if i.flawed).value or 0.0)


def test_a_pointer_that_is_wrong_costs_a_look() -> None:
    judged = items(0.6, 1.0)
    from superalign.oversight.protocols import critique

    assert flagged(critique, judged, 2) == pytest.approx(expected_pointer(K, 2, 0.6), abs=0.05)


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
