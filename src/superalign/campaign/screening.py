"""Attacks chosen by what they do inside the model, before an answer is asked for.

With access to activations an attacker need not spend a query to learn that a prompt will be refused:
along the direction in which refused and answered prompts differ, the last token's state says so.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from superalign.attack.archive import Archive
from superalign.campaign.attacker import Attacker, Attempt
from superalign.campaign.goals import Goal
from superalign.campaign.target import Move
from superalign.models import LocalModel
from superalign.records import Query
from superalign.tasks.safety import Safety

PAIRS = 64  # constructed requests of each kind that the direction is taken from
CANDIDATES = 4  # moves looked at for each one asked
DEPTH = 0.6  # share of the layers after which the state is read


class Screen(Protocol):
    """Says how much a prompt looks as if it would be refused."""

    def resistance(self, queries: Sequence[Query]) -> list[float]:
        """One number a prompt; the higher, the surer the refusal."""
        ...


class RefusalDirection:
    """Projection of the last token's state on the direction from answered to refused prompts.

    The direction is the difference of means between harmful requests and their benign twins, plainly
    asked; 0 is their middle and 1 half their distance, so a plain harmful request is near 1 and a
    plain benign one near -1.

    Source: Arditi et al. (2024), NeurIPS, arXiv 2406.11717.
    """

    def __init__(self, model: LocalModel, seed: int = 0) -> None:
        self.model, self.layer = model, max(1, round(DEPTH * model.depth))
        refused, answered = mean_states(model, [self.layer], seed)[:, 0]
        difference = refused - answered
        self._middle = (refused + answered) / 2
        self._direction = 2 * difference / max(float(difference @ difference), 1e-12)

    def resistance(self, queries: Sequence[Query]) -> list[float]:
        """See :class:`Screen`."""
        if not queries:
            return []
        states = self.model.hidden([q.chat for q in queries], [self.layer])[:, 0]
        return [float(x) for x in (states - self._middle) @ self._direction]


def mean_states(model: LocalModel, layers: Sequence[int], seed: int) -> npt.NDArray[np.float32]:
    """Mean last-token states after ``layers``: (2, layers, width), of requests to refuse and to answer.

    The requests are constructed, plainly asked, and of the safety task's training categories.
    """
    task = Safety()
    kinds = (
        make(PAIRS, seed=seed, split="train") for make in (task.harmful_only, task.benign_only)
    )
    return np.stack([model.hidden([q.chat for q in made], layers).mean(0) for made in kinds])


class ScreenedAttacker:
    """Another attacker's moves, of which only those that meet the least resistance are asked.

    A look costs compute but no query. ``looks`` counts them. Conversations are judged by their last
    turn alone, since the replies before it are not there yet.
    """

    def __init__(self, inner: Attacker, screen: Screen, candidates: int = CANDIDATES) -> None:
        if candidates < 1:
            raise ValueError(f"candidates {candidates} must be at least 1")
        self.inner, self.screen, self.candidates, self.looks = inner, screen, candidates, 0

    def propose(
        self,
        goal: Goal,
        history: Sequence[Attempt],
        archive: Archive,
        budget: int,
        width: int,
        rng: random.Random,
    ) -> list[Move]:
        """See :class:`superalign.campaign.attacker.Attacker`."""
        many = self.candidates
        moves = self.inner.propose(goal, history, archive, budget * many, width * many, rng)
        found = self.screen.resistance([m.query for m in moves])
        self.looks += len(moves)
        chosen: list[Move] = []
        for i in sorted(range(len(moves)), key=lambda i: (found[i], i)):
            if len(chosen) < width and sum(m.cost for m in chosen) + moves[i].cost <= budget:
                chosen.append(moves[i])
        return chosen or self.inner.propose(goal, history, archive, budget, 1, rng)

    def observe(self, attempt: Attempt) -> None:
        """See :class:`superalign.campaign.attacker.Attacker`."""
        self.inner.observe(attempt)
