"""Which operator to try on which goal: one interface for learning allocation and its baselines.

The loop's allocators (``allocation``) see arms of (domain, operator). A campaign attacks many goals
at once, each until it is solved, and what worked on one goal is evidence for the others.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Protocol

from superalign.attack.allocation import EpsilonGreedyAllocator, UniformAllocator


class GoalAllocator(Protocol):
    """Chooses operators for goals and learns from what they did."""

    def choose(self, goal: str, cluster: str, n: int, rng: random.Random) -> list[str]:
        """``n`` operators to try on ``goal``, which belongs to ``cluster``."""
        ...

    def observe(self, goal: str, cluster: str, operator: str, value: float) -> None:
        """Record one query: 1 for a success, 0 for none, between them for how near it came."""
        ...


class HierarchicalThompson:
    """Thompson sampling where a goal borrows from its cluster, and the cluster from all goals.

    The success rate of an operator on a goal is drawn in three steps: over all goals from a Beta
    posterior; for the cluster from a Beta whose prior has that draw as its mean and ``cluster_size``
    as its size; for the goal likewise with the cluster's draw and ``goal_size``. A small
    ``goal_size`` means that goals differ much: an operator that failed on this goal is left soon,
    however well it does elsewhere.

    Args:
        operators: their names.
        prior: pseudo-counts of success and failure of an operator over all goals.
        cluster_size: how many queries elsewhere count as one cluster's own evidence at most.
        goal_size: the same for one goal.

    Sources: Thompson (1933), Biometrika 25:285; hierarchical bandits: Hong et al. (2022),
        arXiv 2111.06929, of which this is a two-step approximation with Beta draws.
    """

    def __init__(
        self,
        operators: Sequence[str],
        *,
        prior: tuple[float, float] = (1.0, 9.0),
        cluster_size: float = 8.0,
        goal_size: float = 3.0,
    ) -> None:
        if not operators:
            raise ValueError("an allocator needs at least one operator")
        if min(*prior, cluster_size, goal_size) <= 0:
            raise ValueError("prior and sizes must be positive")
        self.operators = tuple(operators)
        self.prior, self.cluster_size, self.goal_size = prior, cluster_size, goal_size
        self._counts: dict[tuple[str, ...], list[float]] = {}

    def choose(self, goal: str, cluster: str, n: int, rng: random.Random) -> list[str]:
        """Each choice draws all rates anew, so that a batch spreads as the posterior does."""
        return [
            max(self.operators, key=lambda name: self.draw(goal, cluster, name, rng))
            for _ in range(n)
        ]

    def draw(self, goal: str, cluster: str, operator: str, rng: random.Random) -> float:
        """A success rate of ``operator`` on ``goal`` from the posterior."""
        rate = self._beta(self.prior, (operator,), rng)
        for size, key in (
            (self.cluster_size, (operator, cluster)),
            (self.goal_size, (operator, cluster, goal)),
        ):
            rate = self._beta((size * rate, size * (1 - rate)), key, rng)
        return rate

    def observe(self, goal: str, cluster: str, operator: str, value: float) -> None:
        """See :class:`GoalAllocator`."""
        for key in ((operator,), (operator, cluster), (operator, cluster, goal)):
            counts = self._counts.setdefault(key, [0.0, 0.0])
            counts[0] += value
            counts[1] += 1 - value

    def _beta(self, prior: tuple[float, float], key: tuple[str, ...], rng: random.Random) -> float:
        hits, misses = self._counts.get(key, (0.0, 0.0))
        return rng.betavariate(max(prior[0] + hits, 1e-6), max(prior[1] + misses, 1e-6))


class Pooled:
    """A baseline of ``allocation``: one rate per operator, the same for every goal."""

    def __init__(self, inner: UniformAllocator | EpsilonGreedyAllocator) -> None:
        self._inner = inner

    def choose(self, goal: str, cluster: str, n: int, rng: random.Random) -> list[str]:
        """What the baseline chooses, whatever the goal."""
        return [name for _, name in self._inner.choose(n, rng)]

    def observe(self, goal: str, cluster: str, operator: str, value: float) -> None:
        """Only successes count, as in the baselines' source."""
        self._inner.update(("", operator), int(value >= 1.0), 1)


def goal_allocator(kind: str, operators: Sequence[str]) -> GoalAllocator:
    """The allocator called ``kind``: thompson, uniform or epsilon_greedy (with epsilon 0.2).

    Raises:
        ValueError: no such kind.
    """
    arms = [("", name) for name in operators]
    if kind == "thompson":
        return HierarchicalThompson(operators)
    if kind == "uniform":
        return Pooled(UniformAllocator(arms))
    if kind == "epsilon_greedy":
        return Pooled(EpsilonGreedyAllocator(arms, epsilon=0.2))
    raise ValueError(f"unknown allocation '{kind}'; allowed: thompson, uniform, epsilon_greedy")
