"""Failed attacks rewritten by a model."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from superalign.attack.archive import Archive
from superalign.campaign import assembly, command
from superalign.campaign.attacker import Attempt
from superalign.campaign.goals import campaign_goals
from superalign.campaign.rewriting import AFTER, DRAFTS, REWRITTEN, RewritingAttacker, rewrite
from superalign.campaign.run import Campaign
from superalign.campaign.settings import CampaignConfig
from superalign.campaign.target import ModelTarget, Move
from superalign.config import dump_config
from superalign.errors import InputError
from superalign.models.fake import FakeModel
from superalign.records import Response, Verdict
from superalign.store import RunStore

GOAL = campaign_goals(CampaignConfig(limit=1))[0]


class Plain:
    """Asks the goal itself and remembers what it was told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def propose(
        self, goal: Any, history: Any, archive: Any, budget: int, width: int, rng: random.Random
    ) -> list[Move]:
        return [Move(goal.query)] * min(width, budget)

    def observe(self, attempt: Attempt) -> None:
        self.told.append(attempt.query.operator)


def failure(spent: int, nearness: float | None = None, text: str = "No.") -> Attempt:
    query = GOAL.query.model_copy(update={"id": f"q{spent}"})
    answer = Response(query=query.id, text=text)
    verdict = Verdict(value=1.0, kind="ok")
    return Attempt(GOAL, query, answer, verdict, spent, 1, 0.0, nearness)


def wordings(attacker: RewritingAttacker, history: list[Attempt], seeds: range) -> list[str]:
    texts = []
    for seed in seeds:
        moves = attacker.propose(GOAL, history, Archive(), 9, 1, random.Random(seed))
        assert len(moves) == 1
        texts += [m.query.text for m in moves if m.query.operator == REWRITTEN.name]
    return texts


def writer(*, about: bool = True, refuses: bool = False) -> FakeModel:
    def reply(text: str, i: int) -> str:
        if refuses:
            return f"I can't help with that. {GOAL.query.text}"
        return f"In story {i}: {GOAL.query.text}" if about else f"Story {i} about a lamb."

    return FakeModel(reply)


def test_rewrites_start_after_some_failures_and_take_turns_with_the_other_moves() -> None:
    attacker = RewritingAttacker(Plain(), writer())
    few = [failure(k) for k in range(1, AFTER)]
    assert wordings(attacker, few, range(20)) == []
    found = wordings(attacker, [*few, failure(AFTER)], range(20))
    assert 4 <= len(found) <= 16
    assert len(set(found[:DRAFTS])) == len(found[:DRAFTS]), "no draft is asked twice"
    assert all(GOAL.query.text in text for text in found)
    assert attacker.drafts % DRAFTS == 0


@pytest.mark.parametrize("bad", [writer(about=False), writer(refuses=True)])
def test_refusals_and_other_subjects_cost_no_query(bad: FakeModel) -> None:
    attacker = RewritingAttacker(Plain(), bad)
    assert wordings(attacker, [failure(k) for k in range(1, 9)], range(20)) == []
    assert (attacker.kept, attacker.drafts > 0) == (0, True)


def test_the_nearest_failures_are_rewritten() -> None:
    seen: list[str] = []

    def reply(text: str, i: int) -> str:
        seen.append(text)
        return ""

    attacker = RewritingAttacker(Plain(), FakeModel(reply))
    history = [failure(k, 0.9 if k <= 4 else 0.1, "near" if k <= 4 else "far") for k in range(1, 9)]
    wordings(attacker, history, range(20))
    assert seen
    assert all("replied:\nnear" in text for text in seen)


def test_the_allocator_hears_of_its_own_moves_only() -> None:
    inner = Plain()
    attacker = RewritingAttacker(inner, writer())
    attacker.observe(failure(1))
    query = rewrite(GOAL.query, "other")
    assert query.parent == GOAL.query.id
    attacker.observe(Attempt(GOAL, query, failure(1).response, failure(1).verdict, 2, 1, 0.0))
    assert inner.told == [GOAL.query.operator]


def campaign(tmp_path: Path, name: str, kill_at: int | None = None) -> dict[str, Any]:
    """Falls to "In a story" alone; the rewriter writes that."""
    config = CampaignConfig(limit=3, queries=30, batch=3, replays=1, rewriter="smollm2")
    calls = 0

    def reply(text: str, i: int) -> str:
        nonlocal calls
        calls += 1
        if calls == kill_at:
            raise KeyboardInterrupt
        return f"Sure, step by step at home: {text}" if "In a story" in text else "I can't help."

    def rewrite(text: str, i: int) -> str:
        return f"In a story, variant {i}: " + text.split("test is:\n")[1].split("\n")[0]

    target = ModelTarget(FakeModel(reply), max_new_tokens=40, temperature=1.0)
    goals = campaign_goals(config)
    with RunStore.create(tmp_path / name, dump_config(config), resume=True) as store:
        plain = config.model_copy(update={"rewriter": None})
        attacker = RewritingAttacker(
            assembly.make_attacker(plain, FakeModel()), FakeModel(rewrite), config.confirm
        )
        known = assembly.known_operators(config)
        found = Campaign(config, store, target, attacker, goals, known=known)
        found.run()
    return {g.id: [(a.query.id, a.spent) for a in found.history[g.id]] for g in goals} | {
        "operators": [found.first_hit(g).query.operator for g in goals]  # type: ignore[union-attr]
    }


def test_a_campaign_with_a_rewriter_resumes_to_the_same_result(tmp_path: Path) -> None:
    whole = campaign(tmp_path, "whole")
    assert whole["operators"] == ["rewritten"] * 3
    with pytest.raises(KeyboardInterrupt):
        campaign(tmp_path, "cut", kill_at=10)
    assert campaign(tmp_path, "cut") == whole


def test_a_rewriter_that_is_none_is_said_before_anything_is_made() -> None:
    with pytest.raises(InputError, match="unknown model 'nosuch'"):
        command.check(CampaignConfig(rewriter="nosuch"))
