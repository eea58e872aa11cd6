"""Attacks chosen by what they do inside the model."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from superalign.attack.archive import Archive
from superalign.attack.base import turn
from superalign.campaign import assembly
from superalign.campaign.attacker import Attempt
from superalign.campaign.goals import Goal, campaign_goals
from superalign.campaign.screening import RefusalDirection, ScreenedAttacker
from superalign.campaign.settings import CampaignConfig
from superalign.campaign.target import Move
from superalign.errors import InputError
from superalign.models.fake import FakeModel
from superalign.records import Query
from superalign.tasks.safety import Safety

GOAL = campaign_goals(CampaignConfig(limit=1))[0]


def asked(text: str) -> Query:
    return GOAL.query.model_copy(update={"messages": (turn("user", text),)})


class Proposes:
    """Moves of rising cost, in a fixed order."""

    def __init__(self, texts: Sequence[str], cost: int = 1) -> None:
        self.texts, self.cost, self.seen = texts, cost, 0

    def propose(
        self, goal: Goal, history: Any, archive: Any, budget: int, width: int, rng: random.Random
    ) -> list[Move]:
        return [Move(asked(t), ("before",) * (self.cost - 1)) for t in self.texts[:width]]

    def observe(self, attempt: Attempt) -> None:
        self.seen += 1


class ByLength:
    """The longer a prompt, the surer its refusal."""

    def resistance(self, queries: Sequence[Query]) -> list[float]:
        return [float(len(q.text)) for q in queries]


def proposed(attacker: ScreenedAttacker, budget: int, width: int) -> list[str]:
    moves = attacker.propose(GOAL, [], Archive(), budget, width, random.Random(0))
    return [m.query.text for m in moves]


def test_the_least_resisted_of_several_candidates_are_asked() -> None:
    attacker = ScreenedAttacker(Proposes(["four", "three33", "a", "to", "five5"]), ByLength(), 2)
    assert proposed(attacker, 10, 2) == ["a", "to"]
    assert attacker.looks == 4


def test_the_budget_is_kept() -> None:
    dear = ScreenedAttacker(Proposes(["four", "a", "to", "five5"], cost=3), ByLength(), 2)
    assert proposed(dear, 5, 2) == ["a"]


class Pointing(FakeModel):
    """Harmful prompts lie one way along the second coordinate, whatever else they say."""

    depth = 10

    def __init__(self) -> None:
        super().__init__()
        task = Safety()
        made = task.harmful_only(64, seed=0, split="train")
        self.harmful = {q.text for q in made}
        self.layers: list[int] = []

    def hidden(self, texts: Any, layers: Sequence[int], **more: Any) -> Any:
        self.layers += layers
        rng = np.random.default_rng(0)
        rows = 0.1 * rng.standard_normal((len(texts), 1, 4)) + 5.0
        for i, chat in enumerate(texts):
            rows[i, 0, 1] += 3.0 if chat[-1]["content"] in self.harmful else -3.0
        return rows.astype(np.float32)


def test_the_direction_puts_refused_prompts_near_1_and_answered_ones_near_minus_1() -> None:
    model = Pointing()
    direction = RefusalDirection(model)  # type: ignore[arg-type]
    found = direction.resistance([asked(next(iter(model.harmful))), asked("hello")])
    assert found == pytest.approx([1.0, -1.0], abs=0.15)
    assert set(model.layers) == {6}
    assert direction.resistance([]) == []


def test_a_model_that_shows_no_activations_is_refused() -> None:
    with pytest.raises(InputError, match="shows none; allowed: text"):
        assembly.make_attacker(CampaignConfig(feedback="activations"), FakeModel())
