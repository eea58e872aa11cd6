"""Attacks that need the weights: steering along the refusal direction, and suffix search.

They are operators of a campaign like any other, one level of access above activations. What they
compute before a query is asked is no query, but counts in GFLOP.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from superalign.attack.base import Operator, derive
from superalign.attack.phrasing import action
from superalign.attack.token_search import SuffixSearch
from superalign.campaign.target import ModelTarget, Move, Played, Target, gflop_per_token
from superalign.models import LocalModel
from superalign.records import Message, Query, Split
from superalign.tasks.base import seeded

STEPS = 6  # of the suffix search before each query


class _WithWeights:
    """Asks the goal plainly; what happens to the model or the prompt is the target's part."""

    name = ""
    family = ""
    split: Split = "held_out"
    domains: frozenset[str] = frozenset()

    def propose(self, goal: Query, rng: random.Random, archive: Sequence[Query]) -> Query:
        """See :class:`superalign.attack.base.Operator`."""
        return derive(goal, self, goal.messages)


class Ablated(_WithWeights):
    """The model without the component of its states along the refusal direction."""

    name = "refusal_ablated"
    family = "steering"


class Subtracted(_WithWeights):
    """The model with the refusal direction subtracted after one layer."""

    name = "refusal_subtracted"
    family = "steering"


class SuffixSearched(_WithWeights):
    """The goal with a suffix that gradients found; later attempts on the goal search on from it."""

    name = "suffix_search"
    family = "token search"

    def suffix(self, goal: Query, asked: Sequence[Query]) -> str:
        """The suffix of the latest of this operator's queries on ``goal``; empty without one."""
        return asked[-1].text.removeprefix(goal.text) if asked else ""


STEERED = (Ablated.name, Subtracted.name)
"""Operators whose attack is not in the prompt: a suite of prompts cannot hold it."""


def white_box_operators() -> dict[str, Operator]:
    """The operators that need the weights, by name."""
    made: tuple[Operator, ...] = (Ablated(), Subtracted(), SuffixSearched())
    return {operator.name: operator for operator in made}


def can_search(model: LocalModel) -> bool:
    """Whether the suffix search works on ``model``: it needs the fast path's gradients."""
    return model.slow_because is None and not model.int8


class WhiteBoxTarget:
    """Another target's model, of which steered views answer the steered operators' moves.

    Args:
        model: the attacked model.
        views: the steered model for each operator of ``STEERED``.
        make: a target of a model.
        seed: of the suffix searches.
    """

    def __init__(
        self,
        model: LocalModel,
        views: Mapping[str, LocalModel],
        make: Callable[[LocalModel], ModelTarget],
        seed: int,
    ) -> None:
        self.name, self.model, self.seed = model.name, model, seed
        self._plain: Target = make(model)
        self._steered: dict[str, Target] = {name: make(view) for name, view in views.items()}

    def play(self, moves: Sequence[Move], *, n: int, seed: int) -> list[list[Played]]:
        """See :class:`superalign.campaign.target.Target`; GFLOP with those of the searches."""
        found = [self._searched(move) for move in moves]
        rows: dict[int, list[Played]] = {}
        for name in dict.fromkeys(_view(move) for move, _ in found):
            at = [i for i, (move, _) in enumerate(found) if _view(move) == name]
            target = self._steered.get(name, self._plain)
            played = target.play([found[i][0] for i in at], n=n, seed=seed)
            rows |= dict(zip(at, played, strict=True))
        return [
            [replace(p, gflop=p.gflop + found[i][1] / n) for p in rows[i]]
            for i in range(len(moves))
        ]

    def _searched(self, move: Move) -> tuple[Move, float]:
        """The move with the suffix that was found for it, and the GFLOP of the search."""
        if move.suffix is None:
            return move, 0.0
        query = move.query
        seed = seeded(self.seed, query.text, move.suffix).getrandbits(31)
        search = SuffixSearch(
            self.model, query.text, opening_of(query), start=move.suffix, seed=seed
        )
        text = query.text + search.run(steps=STEPS).suffix
        last = Message(role="user", content=text)
        asked = Query(
            **query.model_dump(exclude={"id", "messages"}), messages=(*query.messages[:-1], last)
        )
        return Move(asked), gflop_per_token(self.model) * search.tokens


def opening_of(goal: Query) -> str:
    """How an answer begins that does what the goal asks."""
    act = action(goal.goal or goal.text)
    return "Sure, here is how:" if act is None else f"Sure, here is how to {act}:"


def _view(move: Move) -> str:
    return move.query.operator if move.query.operator in STEERED else ""
