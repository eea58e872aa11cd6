"""A tree of rewrites: which branches grow on, and what is cut."""

from __future__ import annotations

import random
import zlib
from collections.abc import Sequence
from typing import Any

import pytest

from superalign.attack.archive import Archive
from superalign.campaign.attacker import Attempt
from superalign.campaign.goals import campaign_goals
from superalign.campaign.rewriting import REWRITTEN, rewrite
from superalign.campaign.settings import CampaignConfig
from superalign.campaign.target import Move
from superalign.campaign.tree import (
    BRANCHES,
    DEPTH,
    PAIRS,
    SKILL,
    WIDTH,
    TopicJudge,
    TreeAttacker,
    _known_pairs,
    frontier,
)
from superalign.errors import InputError
from superalign.models import Score
from superalign.models.fake import FakeModel
from superalign.records import Query, Response, Verdict

GOAL = campaign_goals(CampaignConfig(limit=1))[0]


class Plain:
    def propose(
        self, goal: Any, history: Any, archive: Any, budget: int, width: int, rng: random.Random
    ) -> list[Move]:
        return [Move(goal.query)] * min(width, budget)

    def observe(self, attempt: Attempt) -> None:
        pass


def asked(query: Query, spent: int, nearness: float | None = None, text: str = "No.") -> Attempt:
    answer, verdict = Response(query=query.id, text=text), Verdict(value=1.0, kind="ok")
    return Attempt(GOAL, query, answer, verdict, spent, 1, 0.0, nearness)


def child(parent: Query, text: str) -> Query:
    made = rewrite(GOAL.query, text).model_dump(exclude={"id"})
    return Query(**made | {"parent": parent.id})


def others(n: int) -> list[Attempt]:
    """Failures of other operators, each nearer than the one before."""
    queries = [GOAL.query.model_copy(update={"id": f"q{k}", "operator": "plain"}) for k in range(n)]
    return [asked(q, k + 1, k / 10, f"No, {k}.") for k, q in enumerate(queries)]


def drafts() -> FakeModel:
    """Rewrites that differ by what they rewrite."""

    def reply(text: str, i: int) -> str:
        return f"In story {i}: {GOAL.query.text} After {zlib.crc32(text.encode())}"

    return FakeModel(reply)


def test_the_best_failures_are_the_roots_and_the_best_of_a_level_its_branches() -> None:
    history = others(7)
    assert frontier(history) == (0, history[-WIDTH:])
    level = [asked(child(history[-1].query, f"r{k}"), 8 + k, k % 3 / 10) for k in range(6)]
    depth, branches = frontier([*history, *level])
    assert depth == 1
    assert {b.nearness for b in branches} == {0.1, 0.2}
    deeper = asked(child(level[0].query, "s"), 20, 0.0)
    assert frontier([*history, *level, deeper]) == (2, [deeper])


def test_a_tree_that_is_deep_enough_gives_way_to_a_new_one() -> None:
    history = others(5)
    for k in range(DEPTH):
        assert frontier(history)[0] == k
        history.append(asked(child(history[-1].query, f"level {k}"), 9 + k, 0.9))
    assert frontier(history) == (0, history[1:5])


def test_without_log_probabilities_the_judge_says_what_came_nearest() -> None:
    texts = ["I can't help with that.", "Sure, here are the steps. First, you", "I'm sorry, but I"]
    made = [
        asked(child(GOAL.query, f"r{k}"), k + 1, None, text) for k, text in enumerate(texts * 2)
    ]
    _, branches = frontier(made)
    assert branches[-1].response.text == texts[1]
    assert texts[1] in {b.response.text for b in branches[-2:]}


def test_children_are_recorded_under_what_they_rewrite() -> None:
    attacker, history = TreeAttacker(Plain(), drafts()), others(6)

    def drawn(known: list[Attempt]) -> list[Query]:
        moves = attacker.propose(GOAL, known, Archive(), 60, 60, random.Random(0))
        return [m.query for m in moves if m.query.operator == REWRITTEN.name]

    made = drawn(history)
    assert {q.parent for q in made} == {a.query.id for a in history[-WIDTH:]}
    assert attacker.counts["deepest"] == 1
    assert attacker.drafts == attacker.kept == len(made) == WIDTH * BRANCHES
    level = [asked(q, 10 + k, k / 100, f"No, {k}!") for k, q in enumerate(made)]
    assert {q.parent for q in drawn([*history, *level])} == {q.id for q in made[-WIDTH:]}
    assert attacker.counts["deepest"] == 2


class Reader(FakeModel):
    """Tells the known pairs apart where it has the skill, and guesses where it has not."""

    def __init__(self, skill: bool) -> None:
        super().__init__()
        self.same = set(_known_pairs(0)[0]) if skill else None

    def choose(
        self, prompts: Sequence[Any], choices: Sequence[Sequence[str]], *, raw: bool = False
    ) -> list[list[Score]]:
        rows = []
        for k, prompt in enumerate(prompts):
            said = prompt.split("Request 1: ")[1].split("\n\nDo both")[0]
            goal, text = said.split("\n\nRequest 2: ")
            yes = k % 7 if self.same is None else (goal, text) in self.same or goal in text
            rows.append([Score(float(yes), 1), Score(0.5, 1)])
        return rows


def test_the_rewriter_is_heard_only_where_it_can_tell() -> None:
    able, unable = TopicJudge(Reader(True)), TopicJudge(Reader(False))
    assert able.heard
    assert able.auroc is not None
    assert able.auroc >= SKILL
    goal, other = (g.query.text for g in campaign_goals(CampaignConfig(limit=2)))
    assert able.on_topic(goal, [f"Please, {goal}", other]) == [f"Please, {goal}"]
    assert not unable.heard
    assert unable.auroc == pytest.approx(0.5, abs=0.2)
    assert unable.on_topic(goal, [other]) == [other]
    assert len(unable.scores([(goal, other)] * PAIRS)) == PAIRS


def test_a_rewriter_that_gives_text_alone_lets_everything_pass() -> None:
    class TextOnly(FakeModel):
        def choose(self, *args: Any, **more: Any) -> Any:
            raise InputError("text only")

    judge = TopicJudge(TextOnly())
    assert (judge.auroc, judge.heard) == (None, False)
    assert judge.on_topic("a", ["b"]) == ["b"]
