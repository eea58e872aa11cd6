"""A benchmark that renews itself."""

from __future__ import annotations

from collections import Counter

import pytest

from superalign.evaluation.renewal import SENTINELS, Tally, next_round, shares
from superalign.tasks.mathematics import Mathematics


def test_a_familys_share_follows_the_spread_of_its_answers() -> None:
    found = shares({"even": Tally(50, 100), "easy": Tally(90, 100)}, 100)
    even, easy = (Tally(r, 100).variance ** 0.5 for r in (50, 90))
    assert found["even"] == round(100 * even / (even + easy))
    assert sum(found.values()) == 100


def test_variance_is_that_of_the_beta_posterior() -> None:
    assert Tally(0, 0).variance == pytest.approx(1 / 6)  # integral of p (1 - p)
    assert Tally(3, 4).variance == pytest.approx(4 * 2 / (6 * 7))


def test_a_saturated_family_keeps_sentinels_only() -> None:
    tallies = {"solved": Tally(100, 100), "lucky": Tally(10, 10), "open": Tally(20, 100)}
    assert [t.saturated for t in tallies.values()] == [True, False, False]  # ten right prove little
    found = shares(tallies, 60)
    assert found["solved"] == SENTINELS
    assert sum(found.values()) == 60


def test_where_all_are_saturated_all_share_alike() -> None:
    assert shares({"a": Tally(99, 99), "b": Tally(99, 99)}, 9) == {"a": 5, "b": 4}


def test_each_round_has_fresh_items_and_follows_the_last() -> None:
    task = Mathematics()
    families = [name for name, part in task.families.items() if part == "train"]
    first = next_round(task, [], 100, seed=0, split="train")
    assert {q.family for q in first} == set(families)
    solved = {families[0]: Tally(200, 200)}
    second = next_round(task, [solved], 100, seed=0, split="train")
    assert len(first) == len(second) == 100
    assert Counter(q.family for q in second)[families[0]] == SENTINELS
    assert not {q.text for q in first} & {q.text for q in second}
    again = next_round(task, [solved], 100, seed=0, split="train")
    assert [q.id for q in again] == [q.id for q in second]


def test_too_few_items_are_refused() -> None:
    with pytest.raises(ValueError, match="too few"):
        shares({"a": Tally(0, 0), "b": Tally(0, 0)}, 1)
    with pytest.raises(ValueError, match="at least one family"):
        shares({}, 5)
