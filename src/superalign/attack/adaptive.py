"""Which operator to try on which goal: one interface for learning allocation and its baselines.

The loop's allocators (``allocation``) see arms of (domain, operator). A campaign attacks many goals
at once, each until it is solved, and what worked on one goal is evidence for the others.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
from scipy.special import gammaln

from superalign.attack.allocation import EpsilonGreedyAllocator, UniformAllocator

Array = npt.NDArray[np.float64]
SHAPES: Array = np.array([0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0])
SWEEPS = 6  # of the coordinate updates; more change no mean by 1% on the recorded campaigns


class GoalAllocator(Protocol):
    """Chooses operators for goals and learns from what they did."""

    def choose(self, goal: str, cluster: str, n: int, rng: random.Random) -> list[str]:
        """``n`` operators to try on ``goal``, which belongs to ``cluster``."""
        ...

    def observe(self, goal: str, cluster: str, operator: str, value: float) -> None:
        """Record one query: 1 for a success, 0 for none, between them for how near it came."""
        ...


@dataclass(frozen=True)
class Spread:
    """Shapes of the factors' Gamma priors: the smaller, the more its values differ.

    Attributes:
        family: of an attack family over all goals.
        operator: of an operator within its family.
        goal: of a goal over all operators: how weak it is.
        cluster: of an operator on a cluster of goals; None: learned from what the queries show.
        pair: of an operator on a single goal; None: likewise.
    """

    family: float = 1.0
    operator: float = 1.0
    goal: float = 4.0
    cluster: float | None = None
    pair: float | None = 1.0


class FactorThompson:
    """Thompson sampling where a success rate is a product of factors that goals and operators share.

    The rate of an operator on a goal is ``level`` × family × operator × goal × (operator on the
    cluster) × (operator on the goal). Each factor has a Gamma prior with mean 1, successes count as
    Poisson (rates are small), and so each factor's posterior given the others' means is a Gamma
    again: shape + successes over shape + expected successes. A failure on a goal that resists
    everything thus says little against an operator, and a success there says much. A choice draws
    the factors that all goals share, and takes those of a goal at their means.

    Args:
        operators: name → attack family.
        level: success rate expected of a query before anything is known, in (0, 1).
        spread: how much the factors differ.
        sharpness: draws come from the posterior with shape and rate times this, > 0. At 1 that is
            Thompson's rule, which assumes a long future; a goal has few queries and is left at its
            first success, so exploring must pay at once.
        known: operator → successes and queries in an earlier campaign.
        trust: weight of such a query, in [0, 1].

    Sources: Thompson (1933), Biometrika 25:285; sharper posteriors: Chapelle & Li (2011), NIPS;
        Gamma-Poisson factors with these updates: Cemgil (2009), Computational Intelligence and
        Neuroscience 785152, and Gopalan, Hofman & Blei (2015), UAI, arXiv 1311.1704.
    """

    def __init__(
        self,
        operators: Mapping[str, str],
        *,
        level: float = 0.02,
        spread: Spread | None = None,
        sharpness: float = 20.0,
        known: Mapping[str, tuple[float, float]] | None = None,
        trust: float = 0.2,
    ) -> None:
        if not operators:
            raise ValueError("an allocator needs at least one operator")
        if not 0 < level < 1:
            raise ValueError(f"level {level} is outside (0, 1)")
        if sharpness <= 0:
            raise ValueError(f"sharpness {sharpness} must be positive")
        self.operators, self.level, self.sharpness = tuple(operators), level, sharpness
        self.spread = spread or Spread()
        if any(shape is not None and shape <= 0 for shape in vars(self.spread).values()):
            raise ValueError("the shapes of a spread must be positive")
        families = list(dict.fromkeys(operators.values()))
        self._family = np.array([families.index(f) for f in operators.values()])
        self._column = {name: i for i, name in enumerate(self.operators)}
        self._earlier = self._expected(known or {}, trust)
        self._rows: dict[str, int] = {}
        self._clusters: dict[str, int] = {}
        self._cluster_of: list[int] = []
        self._hits, self._asked = np.zeros((2, 0, len(self.operators)))
        self._fitted: _Posterior | None = None

    def choose(self, goal: str, cluster: str, n: int, rng: random.Random) -> list[str]:
        """Each choice draws the rates anew, so that a batch spreads as the posterior does."""
        return [self.operators[int(np.argmax(self.draw(goal, cluster, rng)))] for _ in range(n)]

    def draw(self, goal: str, cluster: str, rng: random.Random) -> Array:
        """Success rates of all operators on ``goal``, drawn from the posterior: (operators,)."""
        row = self._row(goal, cluster)
        if self._fitted is None:
            self._fitted = self._fit()
        chance = np.random.default_rng(rng.getrandbits(64))
        fitted, of_goal = self._fitted, self._fitted.goal[row]
        family, operator = (
            chance.gamma(self.sharpness * shape) / (self.sharpness * rate)
            for shape, rate in (fitted.family, fitted.operator)
        )
        shared = self.level * family[self._family] * operator
        rate = shared * of_goal * fitted.cluster[self._cluster_of[row]]
        pair: Array = (fitted.pair + self._hits[row]) / (fitted.pair + self._asked[row] * rate)
        drawn: Array = rate * pair
        return drawn

    def observe(self, goal: str, cluster: str, operator: str, value: float) -> None:
        """See :class:`GoalAllocator`."""
        row, column = self._row(goal, cluster), self._column[operator]
        self._hits[row, column] += value
        self._asked[row, column] += 1
        self._fitted = None

    def _row(self, goal: str, cluster: str) -> int:
        if goal not in self._rows:
            self._rows[goal] = len(self._rows)
            self._cluster_of.append(self._clusters.setdefault(cluster, len(self._clusters)))
            empty = np.zeros((1, len(self.operators)))
            self._hits, self._asked = (
                np.vstack([self._hits, empty]),
                np.vstack([self._asked, empty]),
            )
            self._fitted = None
        return self._rows[goal]

    def _expected(self, known: Mapping[str, tuple[float, float]], trust: float) -> Array:
        """(2, operators): successes of an earlier campaign, and those expected at ``level``."""
        rows = [known.get(name, (0.0, 0.0)) for name in self.operators]
        return trust * np.array([[hits, self.level * n] for hits, n in rows]).T

    def _fit(self) -> _Posterior:
        """Coordinate updates of all factors; columns sum over goals, rows over operators."""
        spread, hits = self.spread, self._hits
        of_goal = np.array(self._cluster_of)
        in_family = np.eye(self._family.max() + 1)[self._family]  # (operators, families)
        in_cluster = np.eye(len(self._clusters))[of_goal]  # (goals, clusters)
        family, operator = np.ones(in_family.shape[1]), np.ones(len(self.operators))
        goal, cluster = np.ones(len(hits)), np.ones((len(self._clusters), len(self.operators)))
        pair = np.ones_like(hits)
        for _ in range(SWEEPS):
            there = self.level * self._asked * goal[:, None] * cluster[of_goal] * pair
            families = (
                spread.family + hits.sum(0) @ in_family,
                spread.family + (there.sum(0) * operator) @ in_family,
            )
            family = families[0] / families[1]
            operators = (
                spread.operator + hits.sum(0) + self._earlier[0],
                spread.operator + there.sum(0) * family[self._family] + self._earlier[1],
            )
            operator = operators[0] / operators[1]
            shared = self.level * self._asked * family[self._family] * operator
            expected = (shared * cluster[of_goal] * pair).sum(1)
            goal = (spread.goal + hits.sum(1)) / (spread.goal + expected)
            shared = shared * goal[:, None]
            expected = in_cluster.T @ (shared * pair)
            of_cluster = spread.cluster or likeliest_shape(in_cluster.T @ hits, expected)
            cluster = (of_cluster + in_cluster.T @ hits) / (of_cluster + expected)
            expected = shared * cluster[of_goal]
            of_pair = spread.pair or likeliest_shape(hits, expected)
            pair = (of_pair + hits) / (of_pair + expected)
        return _Posterior(families, operators, goal, cluster, of_pair)


@dataclass(frozen=True)
class _Posterior:
    """Shape and rate of the factors that all goals share, means of the others, the pairs' shape."""

    family: tuple[Array, Array]
    operator: tuple[Array, Array]
    goal: Array
    cluster: Array
    pair: float


def likeliest_shape(hits: Array, expected: Array) -> float:
    """Shape of a Gamma factor with mean 1 that makes ``hits`` likeliest: the largest of equal ones.

    Each count is Poisson with its factor times ``expected``, so without the factor it is negative
    binomial. A small shape says that the factor differs much from place to place.
    """
    asked = expected > 0
    h, e = hits[asked][:, None], expected[asked][:, None]
    logs = gammaln(SHAPES + h) - gammaln(SHAPES) + SHAPES * np.log(SHAPES / (SHAPES + e))
    logs -= h * np.log(SHAPES + e)
    return float(SHAPES[::-1][np.argmax(logs.sum(0)[::-1])])


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


def goal_allocator(
    kind: str,
    operators: Mapping[str, str],
    known: Mapping[str, tuple[float, float]] | None = None,
) -> GoalAllocator:
    """The allocator called ``kind``: thompson, uniform or epsilon_greedy (with epsilon 0.2).

    Args:
        kind: which.
        operators: name → attack family.
        known: operator → successes and queries of an earlier campaign; the baselines ignore it.

    Raises:
        ValueError: no such kind.
    """
    arms = [("", name) for name in operators]
    if kind == "thompson":
        return FactorThompson(operators, known=known)
    if kind == "uniform":
        return Pooled(UniformAllocator(arms))
    if kind == "epsilon_greedy":
        return Pooled(EpsilonGreedyAllocator(arms, epsilon=0.2))
    raise ValueError(f"unknown allocation '{kind}'; allowed: thompson, uniform, epsilon_greedy")
