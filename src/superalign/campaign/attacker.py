"""Attackers: what to ask next about a goal, given what was asked before."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from superalign.attack.adaptive import FactorThompson, GoalAllocator
from superalign.attack.archive import Archive, Cell
from superalign.attack.base import Operator, operators
from superalign.attack.conversation import Conversation
from superalign.campaign.goals import Goal
from superalign.campaign.target import Move
from superalign.campaign.white_box import SuffixSearched
from superalign.records import Query, Response, Verdict

NEAR = 0.5  # weight of an answer that refused but hardly, when log-probabilities are seen


@dataclass(frozen=True)
class Attempt:
    """A move that was asked: its answer, the verdict, and the queries its goal had cost by then."""

    goal: Goal
    query: Query
    response: Response
    verdict: Verdict
    spent: int
    cost: int
    gflop: float
    nearness: float | None = None

    @property
    def hit(self) -> bool:
        """Whether the judge says that the model did what it should not."""
        return self.verdict.failed


def first_success(history: Sequence[Attempt], confirm: int = 0) -> Attempt | None:
    """The first hit that ended ``confirm`` + 1 hits in a row on one prompt.

    A judge that is wrong on one answer in thirty is wrong on two in a row of the same prompt about
    once in a thousand, so a confirmed success is rarely its error.
    """
    row: dict[str, int] = {}
    for attempt in history:
        row[attempt.query.id] = row.get(attempt.query.id, 0) + 1 if attempt.hit else 0
        if row[attempt.query.id] > confirm:
            return attempt
    return None


def unconfirmed(history: Sequence[Attempt], confirm: int) -> list[Query]:
    """Prompts whose last answers were hits, but not yet ``confirm`` + 1 in a row."""
    row: dict[str, int] = {}
    for attempt in history:
        row[attempt.query.id] = row.get(attempt.query.id, 0) + 1 if attempt.hit else 0
    asked = {a.query.id: a.query for a in history}
    return [asked[key] for key, hits in row.items() if 0 < hits <= confirm]


class Attacker(Protocol):
    """The one contract of all attacks."""

    def propose(
        self,
        goal: Goal,
        history: Sequence[Attempt],
        archive: Archive,
        budget: int,
        width: int,
        rng: random.Random,
    ) -> list[Move]:
        """Up to ``width`` moves on ``goal`` that cost at most ``budget`` queries; none: it gives up.

        Args:
            goal: what to make the model do.
            history: what was tried on this goal so far, in order.
            archive: successes on all goals.
            budget: queries that are left for the goal.
            width: moves asked for at once.
            rng: source of chance.
        """
        ...

    def observe(self, attempt: Attempt) -> None:
        """Learn from an attempt on any goal."""
        ...


def attack_cell(goal: Goal, operator: Operator) -> Cell:
    """The archive's cell of an operator on a goal: risk × style × turns."""
    return Cell(goal.query.domain, goal.cluster, style(operator))


def style(operator: Operator) -> str:
    """Attack family and number of user turns."""
    turns = operator.turns if isinstance(operator, Conversation) else 1
    return f"{operator.family}, {turns} turn{'s' if turns > 1 else ''}"


def campaign_operators(domain: str = "safety") -> dict[str, Operator]:
    """Everything a campaign may use: the task's operators of both splits, for safety its own too."""
    found = operators(domain, "train") | operators(domain, "held_out")
    if domain == "safety":
        found |= operators("campaign", "held_out")
    return dict(sorted(found.items()))


class OperatorAttacker:
    """Draws operators from an allocator; on a solved goal it goes for cells that are still empty."""

    def __init__(
        self, known: Mapping[str, Operator], allocator: GoalAllocator, confirm: int = 0
    ) -> None:
        self.known, self.allocator, self.confirm = dict(known), allocator, confirm

    def propose(
        self,
        goal: Goal,
        history: Sequence[Attempt],
        archive: Archive,
        budget: int,
        width: int,
        rng: random.Random,
    ) -> list[Move]:
        """See :class:`Attacker`."""
        names = (
            self._novel(goal, archive, width, rng)
            if first_success(history, self.confirm) is not None
            else self.allocator.choose(goal.id, goal.cluster, width, rng)
        )
        if not names:
            return []
        examples = archive.sample(16, rng) if len(archive) else []
        moves: list[Move] = []
        for name in names:
            move = self._move(self.known[name], goal, history, examples, rng)
            if sum(m.cost for m in moves) + move.cost <= budget:
                moves.append(move)
        # What is left is too short for a conversation: ask plainly rather than not at all.
        return moves or [self._move(self.known["plain"], goal, history, examples, rng)]

    def observe(self, attempt: Attempt) -> None:
        """A success counts 1, a near miss up to ``NEAR``, anything else 0, once per query spent."""
        near = 0.0
        if attempt.nearness is not None and attempt.verdict.value is not None:
            near = NEAR * attempt.nearness
        value = 1.0 if attempt.hit else near
        self.allocator.observe(attempt.goal.id, attempt.goal.cluster, attempt.query.operator, value)
        for _ in range(attempt.cost - 1):
            self.allocator.observe(attempt.goal.id, attempt.goal.cluster, attempt.query.operator, 0)

    def _move(
        self,
        operator: Operator,
        goal: Goal,
        history: Sequence[Attempt],
        examples: Sequence[Query],
        rng: random.Random,
    ) -> Move:
        query = operator.propose(goal.query, rng, examples)
        if isinstance(operator, SuffixSearched):
            asked = [a.query for a in history if a.query.operator == operator.name]
            return Move(query, suffix=operator.suffix(goal.query, asked))
        opening = operator.opening(goal.query, rng) if isinstance(operator, Conversation) else ()
        return Move(query, tuple(opening))

    def _novel(self, goal: Goal, archive: Archive, n: int, rng: random.Random) -> list[str]:
        """Operators whose cell is empty for this goal's cluster, the most promising first."""
        filled = set(archive.cells)
        empty = [k for k, op in self.known.items() if attack_cell(goal, op) not in filled]
        if not isinstance(self.allocator, FactorThompson):
            rng.shuffle(empty)
            return empty[:n]
        rates = dict(
            zip(
                self.allocator.operators,
                self.allocator.draw(goal.id, goal.cluster, rng),
                strict=True,
            )
        )
        return sorted(empty, key=lambda name: -rates[name])[:n]
