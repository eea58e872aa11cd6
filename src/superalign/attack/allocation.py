"""Which operator to try next: bandits over arms (domain, operator).

The learner is trained between rounds, so an operator that worked may stop working: counts are
discounted once a round. A round is a ``choose`` with the ``update`` calls that follow it.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol

from superalign.records import Verdict

Arm = tuple[str, str]


def tally(verdicts: Iterable[Verdict]) -> tuple[int, int]:
    """Confirmed failures and trials among ``verdicts``; a missing verdict is not a trial."""
    decided = [verdict for verdict in verdicts if verdict.value is not None]
    return sum(verdict.failed for verdict in decided), len(decided)


class Allocator(Protocol):
    """Spends a budget of attempts over arms and learns from what they hit."""

    def choose(self, n: int, rng: random.Random) -> list[Arm]:
        """``n`` arms to try in one batch; an arm may come more than once."""
        ...

    def update(self, arm: Arm, hits: int, trials: int) -> None:
        """Record ``hits`` confirmed failures in ``trials`` decided attempts."""
        ...

    def state_dict(self) -> dict[str, Any]:
        """The state as plain JSON types."""
        ...

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Take over a state made by ``state_dict`` for the same arms."""
        ...


class _Counting:
    """Discounted hits and trials per arm, shared by all allocators."""

    def __init__(self, arms: Iterable[Arm], discount: float = 1.0) -> None:
        self.arms: tuple[Arm, ...] = tuple(dict.fromkeys(arms))
        if not self.arms:
            raise ValueError("an allocator needs at least one arm")
        if not 0.0 <= discount <= 1.0:
            raise ValueError(f"discount {discount} is outside [0, 1]")
        self.discount = discount
        self.hits: dict[Arm, float] = dict.fromkeys(self.arms, 0.0)
        self.trials: dict[Arm, float] = dict.fromkeys(self.arms, 0.0)
        self._round_open = False

    def _score(self, arm: Arm, rng: random.Random) -> float:
        raise NotImplementedError

    def choose(self, n: int, rng: random.Random) -> list[Arm]:
        """``n`` arms, each drawn anew; ends the round that went before."""
        self._round_open = False
        return [self._draw(rng) for _ in range(n)]

    def _draw(self, rng: random.Random) -> Arm:
        return _best(self.arms, lambda arm: self._score(arm, rng), rng)

    def update(self, arm: Arm, hits: int, trials: int) -> None:
        """Record a result; the first one after a ``choose`` discounts what was known before."""
        if arm not in self.hits:
            raise ValueError(f"unknown arm {arm}")
        if not 0 <= hits <= trials:
            raise ValueError(f"{hits} hits in {trials} trials is impossible")
        if not self._round_open:
            self._forget()
        self.hits[arm] += hits
        self.trials[arm] += trials

    def _forget(self) -> None:
        self._round_open = True
        for arm in self.arms:
            self.hits[arm] *= self.discount
            self.trials[arm] *= self.discount

    def rate(self, arm: Arm) -> float | None:
        """Discounted hit rate of ``arm``; None while it has no trials."""
        return self.hits[arm] / self.trials[arm] if self.trials[arm] > 0 else None

    def state_dict(self) -> dict[str, Any]:
        """Counts per arm and whether a round is open, as plain JSON types."""
        arms = [[*arm, self.hits[arm], self.trials[arm]] for arm in self.arms]
        return {"arms": arms, "round_open": self._round_open}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Take over the counts of ``state``.

        Raises:
            ValueError: the state was made for other arms.
        """
        counts = {(domain, name): (hits, trials) for domain, name, hits, trials in state["arms"]}
        if set(counts) != set(self.arms):
            differing = sorted(set(counts) ^ set(self.arms))
            raise ValueError(f"the allocator's state is for other arms; they differ in {differing}")
        for arm, (hits, trials) in counts.items():
            self.hits[arm], self.trials[arm] = float(hits), float(trials)
        self._round_open = bool(state["round_open"])


def _best(arms: Sequence[Arm], score: Callable[[Arm], float], rng: random.Random) -> Arm:
    """The arm with the highest score; ties are broken at random."""
    scores = [score(arm) for arm in arms]
    top = max(scores)
    return rng.choice([arm for arm, value in zip(arms, scores, strict=True) if value == top])


class ThompsonAllocator(_Counting):
    """Thompson sampling with Beta posteriors; the prior itself is never discounted.

    Args:
        arms: pairs (domain, operator).
        prior: pseudo-counts of hits and misses; (1, 3) expects one hit in four.
        discount: weight that a round's counts keep in the next round; 1 never forgets.
    """

    def __init__(
        self,
        arms: Iterable[Arm],
        *,
        prior: tuple[float, float] = (1.0, 1.0),
        discount: float = 0.9,
    ) -> None:
        super().__init__(arms, discount)
        if min(prior) <= 0:
            raise ValueError(f"prior {prior} must be positive")
        self.prior = prior

    def posterior(self, arm: Arm) -> tuple[float, float]:
        """Parameters of the arm's Beta posterior."""
        hits, trials = self.hits[arm], self.trials[arm]
        return self.prior[0] + hits, self.prior[1] + max(trials - hits, 0.0)

    def _score(self, arm: Arm, rng: random.Random) -> float:
        return rng.betavariate(*self.posterior(arm))


class UniformAllocator(_Counting):
    """Every arm alike, whatever it hits: the baseline that learning must beat."""

    def _draw(self, rng: random.Random) -> Arm:
        return rng.choice(self.arms)


class EpsilonGreedyAllocator(_Counting):
    """The best hit rate so far, or with probability ``epsilon`` any arm; untried arms come first.

    Without discount by default, as the baseline is commonly used.
    """

    def __init__(self, arms: Iterable[Arm], *, epsilon: float = 0.2, discount: float = 1.0) -> None:
        super().__init__(arms, discount)
        if not 0.0 <= epsilon <= 1.0:
            raise ValueError(f"epsilon {epsilon} is outside [0, 1]")
        self.epsilon = epsilon

    def _draw(self, rng: random.Random) -> Arm:
        return rng.choice(self.arms) if rng.random() < self.epsilon else super()._draw(rng)

    def _score(self, arm: Arm, rng: random.Random) -> float:
        rate = self.rate(arm)
        return 2.0 if rate is None else rate
