"""A benchmark that renews itself: fresh items each round, and most of them where they still tell.

A family that a model always gets right (or never) says nothing about the next model. Each round is
generated from a fresh seed, and a family's share of it follows what an item of the family tells: the
variance of a right answer, p (1 - p). A saturated family keeps a few items, to see it fall again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from superalign.records import Query, Split
from superalign.statistics import Estimate, proportion
from superalign.tasks.base import Task, family_cycle, seeded

SATURATED = 0.9  # a family is, where the lower end of its accuracy's interval reaches this
SENTINELS = 2  # items that a saturated family keeps


@dataclass(frozen=True)
class Tally:
    """Right answers of a family and how many were asked; a missing one was asked and not right."""

    right: int
    asked: int

    @property
    def accuracy(self) -> Estimate:
        """Share of right answers, with Wilson's interval."""
        return proportion(self.right, self.asked)

    @property
    def saturated(self) -> bool:
        """Whether the family is surely solved: the interval's lower end reaches ``SATURATED``."""
        low = self.accuracy.low
        return low is not None and low >= SATURATED

    @property
    def variance(self) -> float:
        """Expected p (1 - p) under a uniform prior on p: 1/6 before anything was asked."""
        a, b = self.right + 1, self.asked - self.right + 1
        return a * b / ((a + b) * (a + b + 1))


def shares(tallies: Mapping[str, Tally], n: int) -> dict[str, int]:
    """How many of ``n`` items each family gets in the next round.

    Saturated families get ``SENTINELS`` each; the others share the rest in proportion to the standard
    deviation of an answer (Neyman's allocation), by largest remainders. Where all are saturated, all
    share alike: then it is time for other families.

    Raises:
        ValueError: no family, or fewer items than the sentinels need.

    Source: Neyman (1934), Journal of the Royal Statistical Society 97:558.
    """
    if not tallies:
        raise ValueError("a benchmark needs at least one family")
    open_ = [name for name, t in tallies.items() if not t.saturated] or list(tallies)
    closed = {name: SENTINELS for name in tallies if name not in open_}
    left = n - sum(closed.values())
    if left < len(open_):
        raise ValueError(f"{n} items are too few for {len(tallies)} families")
    weights = {name: tallies[name].variance ** 0.5 for name in open_}
    exact = {name: left * w / sum(weights.values()) for name, w in weights.items()}
    whole = {name: int(x) for name, x in exact.items()}
    rest = sorted(open_, key=lambda name: (whole[name] - exact[name], name))
    for name in rest[: left - sum(whole.values())]:
        whole[name] += 1
    return {name: (whole | closed)[name] for name in tallies}


def next_round(
    task: Task, earlier: Sequence[Mapping[str, Tally]], n: int, *, seed: int, split: Split
) -> list[Query]:
    """The items of the round after ``earlier`` ones, from a seed of its own.

    Args:
        task: generator of the items.
        earlier: each past round's tallies by family; only the last counts, ability having moved.
        n: number of items.
        seed: of the benchmark; the same seed and round give the same items on every machine.
        split: which families.
    """
    families = family_cycle(task.families, split, None)
    last = earlier[-1] if earlier else {}
    sizes = shares({name: last.get(name, Tally(0, 0)) for name in families}, n)
    fresh = seeded("round", seed, len(earlier)).getrandbits(31)
    return [
        query
        for name, size in sizes.items()
        if size
        for query in task.generate(size, seed=fresh, split=split, families=[name])
    ]
