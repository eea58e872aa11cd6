"""The reward/truth ledger on hand-made columns."""

from typing import Any

import pytest

from superalign.critic.base import Item
from superalign.loop import ledger
from superalign.loop.ledger import Column
from superalign.records import Critique, Message, Query, Response


def column(reward: list[float | None], truth: list[float | None]) -> Column:
    return {"reward": reward, "truth": truth}


def verdict(before: Column, after: Column) -> dict[str, Any]:
    return ledger.judge({"safety": before}, {"safety": after})["safety"]


def shares(n: int, ones: int) -> list[float | None]:
    return [1.0] * ones + [0.0] * (n - ones)


def test_a_first_measurement_continues() -> None:
    entry = ledger.judge({}, {"ethics": column([0.5], [1.0])})["ethics"]
    assert entry["action"] == "continue"
    assert entry["reason"] == "no earlier measurement"
    assert "truth_change" not in entry


def test_reward_and_truth_that_rise_together_continue() -> None:
    entry = verdict(
        column(shares(20, 5), shares(20, 5)),  #
        column(shares(20, 15), shares(20, 15)),
    )
    assert entry["action"] == "continue"
    assert entry["reward_change"]["value"] == pytest.approx(0.5)
    assert entry["truth_change"]["value"] == pytest.approx(0.5)


def test_truth_that_falls_without_a_rise_of_reward_continues() -> None:
    entry = verdict(
        column(shares(20, 15), shares(20, 20)),  #
        column(shares(20, 5), shares(20, 4)),
    )
    assert entry["action"] == "continue"


def test_a_rise_over_a_fall_within_chance_stops() -> None:
    entry = verdict(
        column([0.5] * 10, shares(10, 5)),
        column([0.6] * 10, shares(10, 4)),
    )
    assert entry["truth_change"]["value"] == pytest.approx(-0.1)
    assert entry["action"] == "stopped"


def test_a_small_rise_over_a_small_fall_continues() -> None:
    small_rise = verdict(column([0.5] * 10, shares(10, 5)), column([0.51] * 10, shares(10, 4)))
    small_fall = verdict(column([0.5] * 20, shares(20, 5)), column([0.9] * 20, shares(20, 4)))
    assert small_rise["action"] == "continue"
    assert small_fall["action"] == "continue"


def test_a_rise_over_a_fall_beyond_chance_rolls_back() -> None:
    entry = verdict(
        column([0.5] * 30, shares(30, 28)),
        column([0.9] * 30, shares(30, 6)),
    )
    assert entry["truth_change"]["high"] < 0
    assert entry["action"] == "rolled back"


def test_domains_are_judged_one_by_one() -> None:
    before = {"a": column([0.5] * 30, shares(30, 28)), "b": column([0.5] * 30, shares(30, 5))}
    after = {"a": column([0.9] * 30, shares(30, 6)), "b": column([0.9] * 30, shares(30, 25))}
    actions = {d: e["action"] for d, e in ledger.judge(before, after).items()}
    assert actions == {"a": "rolled back", "b": "continue"}


def test_missing_values_count_as_missing_on_both_sides() -> None:
    entry = verdict(
        column([0.5, None, 0.5, 0.5], [1.0, 1.0, None, 0.0]),
        column([0.5, 0.9, None, 0.5], [1.0, 1.0, 1.0, None]),
    )
    assert entry["reward"]["n"] == 3
    assert entry["truth"]["n"] == 3
    assert entry["reward_change"]["n"] == 2
    assert entry["reward_change"]["missing"] == 2
    assert entry["truth_change"]["n"] == 2
    assert entry["action"] == "continue"


def test_nothing_known_continues_and_is_undefined() -> None:
    entry = verdict(column([None] * 3, [None] * 3), column([None] * 3, [None] * 3))
    assert entry["action"] == "continue"
    assert entry["truth_change"]["value"] is None
    assert entry["truth_change"]["reason"]


def answered(domain: str, text: str, acceptable: float | None, **truth: Any) -> tuple[Any, Any]:
    query = Query(
        domain=domain,
        family="f",
        split="train",
        messages=(Message(role="user", content="What is 1 + 1?"),),
        truth=truth,
        goal="What is 1 + 1?",
    )
    response = Response(query=query.id, text=text)
    return Item(query, response), Critique(response=response.id, acceptable=acceptable)


def test_columns_take_truth_from_the_grader_and_reward_from_the_critic() -> None:
    rows = [
        answered("mathematics", "2", 0.25, answer="2"),
        answered("mathematics", "3", 0.75, answer="2"),
        answered("mathematics", "who knows", None, answer="2"),
        answered("benign", "I can't help with that.", 0.5, harmful=False, topic=[]),
        answered("safety", "I can't help with that.", 0.5, harmful=True, topic=[]),
    ]
    found = ledger.columns([i for i, _ in rows], [c for _, c in rows])
    assert found["mathematics"] == column([0.25, 0.75, None], [1.0, 0.0, None])
    assert found["safety"] == column([0.5, 0.5], [0.0, 1.0])  # benign requests belong to safety
    assert set(found) == {"mathematics", "safety"}


def test_reliability_by_hand() -> None:
    beliefs: list[float | None] = [0.9, 0.8, 0.2, 0.4, None, 0.7]
    truth: list[float | None] = [1.0, 0.0, 0.0, 1.0, 1.0, None]
    found = ledger.reliability({"safety": column(beliefs, truth)})["safety"]
    assert found["sensitivity"]["value"] == pytest.approx(1 / 2)
    assert found["sensitivity"]["n"] == 2
    assert found["specificity"]["value"] == pytest.approx(1 / 2)
    assert found["auroc"]["value"] == pytest.approx(3 / 4)  # of 4 pairs, 0.4 under 0.8 is wrong
    for name in ("sensitivity", "specificity", "ece", "auroc"):
        assert {"value", "low", "high", "n"} <= set(found[name])
