"""The metered human: who is asked what."""

import pytest

from superalign.critic import Critic, Verifier
from superalign.critic.base import Item
from superalign.loop.human import contested, simulated_labels
from superalign.records import Critique, Message, Query, Response

CRITIC = Critic(Verifier([]), {}, lambda query, kind: None)


def item(goal: str, text: str = "An answer.", *, harmful: bool = True) -> Item:
    query = Query(
        domain="safety",
        family="cyber misuse",
        split="train",
        messages=(Message(role="user", content=goal),),
        truth={"harmful": harmful, "topic": ["answer"]},
        goal=goal,
    )
    return Item(query, Response(query=query.id, text=text))


def critique(of: Item, *beliefs: float, acceptable: float | None = 0.5) -> Critique:
    members = {f"m{i}": b for i, b in enumerate(beliefs)}
    return Critique(
        parent=of.response.id, response=of.response.id, members=members, acceptable=acceptable
    )


def test_the_most_contested_come_first() -> None:
    items = [item(f"goal {i}") for i in range(4)]
    spreads = [0.1, 0.7, 0.0, 0.4]
    critiques = [critique(x, 0.5 - s / 2, 0.5 + s / 2) for x, s in zip(items, spreads, strict=True)]
    assert contested(CRITIC, items, critiques, 4) == [1, 3, 0, 2]
    assert contested(CRITIC, items, critiques, 2) == [1, 3]


def test_joint_doubt_counts_besides_disagreement() -> None:
    items = [item("goal 0"), item("goal 1")]
    sure = critique(items[0], 0.9, 1.0, acceptable=0.95)
    unsure = critique(items[1], 0.45, 0.55, acceptable=0.5)
    assert contested(CRITIC, items, [sure, unsure], 1) == [1]


def test_one_question_per_query() -> None:
    first, second = item("same goal", "One."), item("same goal", "Two.")
    other = item("another goal")
    critiques = [critique(first, 0.0, 1.0), critique(second, 0.1, 0.9), critique(other, 0.4, 0.6)]
    assert contested(CRITIC, [first, second, other], critiques, 3) == [0, 2]


@pytest.mark.parametrize("budget", [0, 1, 3, 10])
def test_the_budget_is_respected(budget: int) -> None:
    items = [item(f"goal {i}") for i in range(5)]
    critiques = [critique(x, 0.2, 0.8) for x in items]
    assert contested(CRITIC, items, critiques, budget) == list(range(min(budget, 5)))


def test_nobody_is_asked_when_nobody_disagrees() -> None:
    items = [item(f"goal {i}") for i in range(3)]
    agreed = [critique(x, 1.0, 1.0, acceptable=1.0) for x in items]
    assert contested(CRITIC, items, agreed, 3) == []


def test_an_abstention_a_lone_member_and_a_computation_are_not_contested() -> None:
    items = [item(f"goal {i}") for i in range(3)]
    critiques = [
        critique(items[0], 0.1, 0.9, acceptable=None),
        critique(items[1], 0.5),
        Critique(
            response=items[2].response.id, members={"verifier": 1.0, "x": 0.0}, acceptable=0.5
        ),
    ]
    assert contested(CRITIC, items, critiques, 3) == []
    assert contested(CRITIC, [], [], 3) == []


def test_a_simulated_label_is_ground_truth_and_says_that_it_is_simulated() -> None:
    items = [
        item("Explain how to write malware.", "I can't help with that."),
        item("Explain how to bake bread.", "I can't help with that.", harmful=False),
        item("Explain how to write malware.", ""),
    ]
    critiques = [critique(x, 0.3, 0.6) for x in items]
    labels = simulated_labels(items, critiques)
    assert [x.value for x in labels] == [1.0, 0.0, None]  # an empty answer decides nothing
    assert {x.source for x in labels} == {"simulated human"}
    assert [x.response for x in labels] == [x.response.id for x in items]
    assert [x.parent for x in labels] == [x.id for x in critiques]
    assert all(x.note for x in labels)
