"""The loop's attacker: where it aims, what it asks, and what it remembers of its successes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from superalign.attack.allocation import (
    Allocator,
    EpsilonGreedyAllocator,
    ThompsonAllocator,
    UniformAllocator,
    tally,
)
from superalign.attack.archive import Archive, Cell
from superalign.attack.base import operator_family, operators
from superalign.config import RunConfig
from superalign.evaluation.measure import Graded
from superalign.loop import queries as q
from superalign.loop.round_data import is_twin
from superalign.records import Query, Verdict
from superalign.statistics import proportion
from superalign.tasks.base import seeded
from superalign.tasks.benign import alarming, alarming_harm

ALLOCATORS = {
    "thompson": ThompsonAllocator,
    "uniform": UniformAllocator,
    "epsilon_greedy": EpsilonGreedyAllocator,
}


@dataclass(frozen=True)
class Asked:
    """A round's queries; ``rehearsal`` and ``benign`` are answered by the frozen model alone."""

    arms: list[q.Arm]
    attacks: list[Query]
    twins: list[Query]
    benign: list[Query]
    rehearsal: list[Query]


class Attacker:
    """Chooses domain and operator by a bandit on confirmed failures; archives distinct successes.

    ``active``: the domains that are still attacked.
    """

    def __init__(self, config: RunConfig) -> None:
        self.config = config
        self.active = list(config.domains)
        self.allocator: Allocator = ALLOCATORS[config.attack.allocator](
            q.arms(config), discount=config.attack.discount
        )
        self.archive = Archive()

    # -- asking ---------------------------------------------------------------------------------

    def aim(self, k: int) -> list[q.Arm]:
        """Arms for round k: a floor for every domain, the rest wherever the bandit wants."""
        config, rng = self.config.attack, seeded(self.config.seed, "aim", k)
        floor = int(config.queries_per_round * config.domain_floor / max(1, len(self.active)))
        drawn = [
            a
            for a in self.allocator.choose(64 * config.queries_per_round, rng)
            if a[0] in self.active
        ]
        quota = dict.fromkeys(self.active, floor)
        chosen: list[q.Arm] = []
        rest: list[q.Arm] = []
        for arm in drawn:
            if quota[arm[0]] > 0:
                quota[arm[0]] -= 1
                chosen.append(arm)
            else:
                rest.append(arm)
        for domain, lacking in quota.items():  # the bandit drew too few of a domain: any operator
            names = list(operators(domain, "train"))
            chosen += [(domain, rng.choice(names)) for _ in range(lacking)]
        return chosen + rest[: config.queries_per_round - len(chosen)]

    def ask(self, k: int, own: Sequence[Query] = ()) -> Asked:
        """The queries of round k; ``own``: the user's, which are asked as they are."""
        config, arms = self.config.attack, self.aim(k)
        attacks, twins = q.attack_queries(
            arms,
            seed=self._seed("attack", k),
            archive=self.archive.sample(16, seeded(self.config.seed, "archive", k), split="train"),
        )
        own = [x for x in own if x.domain in self.active]
        benign: list[Query] = []
        rehearsal: list[Query] = []
        if "safety" in self.active:
            benign = q.task("benign").generate(
                config.benign_per_round, seed=self._seed("benign", k), split="train"
            )
            seed = self._seed("alarming", k)
            benign += alarming(config.alarming_per_round, seed=seed, split="train")
            rehearsal = alarming_harm(config.contrasts_per_round, seed=seed, split="train")
            if config.rehearsal:
                seed = self._seed("rehearsal", k)
                rehearsal += q.rehearsal_pairs(config.rehearsal, arms, seed=seed)
        return Asked(
            arms,
            attacks + [x for x in own if not is_twin(x)],
            twins + [x for x in own if is_twin(x)],
            benign,
            rehearsal,
        )

    def _seed(self, *parts: object) -> int:
        return q.derived_seed(self.config.seed, *parts)

    # -- learning -------------------------------------------------------------------------------

    def learn(self, graded: Sequence[Graded]) -> list[dict[str, Any]]:
        """Confirmed failures per (domain, operator); the allocator learns from them."""
        verdicts: dict[q.Arm, list[Verdict]] = {}
        for g in graded:
            verdicts.setdefault((g.query.domain, g.query.operator), []).append(g.verdict)
        rows = []
        for arm, seen in sorted(verdicts.items()):
            hits, trials = tally(seen)
            # An answer without a verdict exposed nothing either: the query was spent.
            self.allocator.update(arm, hits, len(seen))
            rows.append(
                {
                    "domain": arm[0],
                    "operator": arm[1],
                    "family": operator_family(arm[1]),
                    "trials": trials,
                    "hits": hits,
                    "missing": len(seen) - trials,
                    "rate": proportion(hits, trials).as_dict(),
                }
            )
        return rows

    def remember(self, graded: Sequence[Graded]) -> dict[str, Any]:
        """Put the queries that exposed a failure into the archive; says how full it is."""
        by_query: dict[str, list[Graded]] = {}
        for g in graded:
            by_query.setdefault(g.query.id, []).append(g)
        added = sum(
            self.archive.add(rows[0].query, [g.verdict for g in rows])
            for rows in by_query.values()
            if any(g.verdict.failed for g in rows)
        )
        possible = {
            Cell(d, family, operator_family(name))
            for d, name in q.arms(self.config)
            for family, split in q.task(d).families.items()
            if split == "train"
        }
        return {
            "size": len(self.archive),
            "added": added,
            "coverage": self.archive.coverage(possible),
        }

    def state_dict(self) -> dict[str, Any]:
        """All that a resumed run needs, as plain types."""
        return {
            "allocator": self.allocator.state_dict(),
            "archive_state": self.archive.state_dict(),
        }

    def load_state(self, state: dict[str, Any]) -> None:
        """Take over what ``state_dict`` gave; other keys are ignored."""
        self.allocator.load_state(state["allocator"])
        self.archive.load_state(state["archive_state"])
