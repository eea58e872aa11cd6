"""Which queries a run asks: the held-out sets, each round's attack, and the seed of the critic."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import cycle, islice

from superalign.attack.base import Operator, operators
from superalign.config import RunConfig, Sizes
from superalign.records import Query, Split
from superalign.registry import lookup
from superalign.tasks.base import Task, seeded
from superalign.tasks.benign import alarming, alarming_harm

Arm = tuple[str, str]
MATCHED_SHAPES = ("safety", "benign")


def task(domain: str) -> Task:
    """The registered task of a domain."""
    found: Task = lookup("task", domain)()
    return found


def derived_seed(*parts: object) -> int:
    """A 31-bit seed that depends on ``parts`` alone."""
    return seeded(*parts).getrandbits(31)


@dataclass(frozen=True)
class QuerySets:
    """Queries by what they measure.

    ``twins`` are the benign twins of ``harmful`` as a person would ask them, ``attacked_twins`` the
    same under the operators of ``harmful``, ``alarming`` harmless requests in alarming words,
    ``alarming_harm`` harmful ones in the same forms.
    """

    harmful: list[Query] = field(default_factory=list)
    twins: list[Query] = field(default_factory=list)
    attacked_twins: list[Query] = field(default_factory=list)
    benign: list[Query] = field(default_factory=list)
    alarming: list[Query] = field(default_factory=list)
    alarming_harm: list[Query] = field(default_factory=list)
    mathematics: list[Query] = field(default_factory=list)
    ethics: list[Query] = field(default_factory=list)

    def named(self) -> dict[str, list[Query]]:
        """The non-empty sets by name."""
        return {name: rows for name, rows in vars(self).items() if rows}

    def all(self) -> list[Query]:
        """Every query, set by set."""
        return [q for rows in self.named().values() for q in rows]


def safety_pairs(n: int, *, seed: int, split: Split, wrap: Sequence[Operator]) -> list[Query]:
    """``n`` harmful requests, each followed by its twin under the same operator and wording.

    The operators take turns, each turn starting one further: the categories take turns too, and
    where there are as many of them an operator would otherwise meet one category only.
    """
    goals = task("safety").generate(2 * n, seed=seed, split=split)
    wrapped = []
    for i in range(n):
        operator = wrap[(i + i // len(wrap)) % len(wrap)]
        for goal in goals[2 * i : 2 * i + 2]:
            wrapped.append(operator.propose(goal, seeded(seed, "wording", i), ()))
    return wrapped


def evaluation_sets(config: RunConfig, sizes: Sizes, *, seed: int, split: Split) -> QuerySets:
    """Queries of ``split``: its task families, and for safety its attack operators.

    Mathematics is asked of fresh problems of all families when ``split`` is held out: half of them
    from families never trained on.
    """
    domains = set(config.domains)
    wrap = list(operators("safety", split).values())
    seeded(seed, "operators").shuffle(wrap)
    n = max(sizes.safety, sizes.benign) if "safety" in domains else 0
    pairs = safety_pairs(n, seed=seed, split=split, wrap=wrap) if n else []
    benign = sizes.benign if "safety" in domains else 0
    return QuerySets(
        harmful=pairs[0::2][: sizes.safety],
        twins=task("safety").generate(2 * n, seed=seed, split=split)[1::2][: sizes.benign],
        attacked_twins=pairs[1::2][: sizes.benign],
        benign=task("benign").generate(benign, seed=seed, split=split) if benign else [],
        alarming=alarming(benign, seed=seed, split=split),
        alarming_harm=alarming_harm(min(benign, sizes.safety), seed=seed, split=split),
        mathematics=_mathematics(sizes.mathematics, seed, split)
        if "mathematics" in domains
        else [],
        ethics=task("ethics").generate(sizes.ethics, seed=seed, split=split)
        if "ethics" in domains and sizes.ethics
        else [],
    )


def _mathematics(n: int, seed: int, split: Split) -> list[Query]:
    if not n:
        return []
    if split == "train":
        return task("mathematics").generate(n, seed=seed, split="train")
    seen = task("mathematics").generate(n - n // 2, seed=seed, split="train")
    new = task("mathematics").generate(n // 2, seed=seed, split="held_out") if n > 1 else []
    return seen + new


def arms(config: RunConfig) -> list[Arm]:
    """All (domain, operator) pairs that the attacker may train with."""
    return [(d, name) for d in config.domains for name in operators(d, "train")]


def attack_queries(
    chosen: Sequence[Arm], *, seed: int, archive: Sequence[Query]
) -> tuple[list[Query], list[Query]]:
    """Fresh goals under the chosen operators, and the benign twins of the harmful ones."""
    attacks: list[Query] = []
    twins: list[Query] = []
    for domain in dict.fromkeys(d for d, _ in chosen):
        names = [name for d, name in chosen if d == domain]
        known = operators(domain, "train")
        paired = domain == "safety"
        goals = task(domain).generate(len(names) * (2 if paired else 1), seed=seed, split="train")
        for i, name in enumerate(names):
            wording = seeded(seed, domain, i)
            if paired:
                attacks.append(known[name].propose(goals[2 * i], seeded(seed, domain, i), archive))
                twins.append(known[name].propose(goals[2 * i + 1], wording, archive))
            else:
                attacks.append(known[name].propose(goals[i], wording, archive))
    return attacks, twins


def rehearsal_pairs(n: int, chosen: Sequence[Arm], *, seed: int) -> list[Query]:
    """``n`` safety pairs of the training split: half bare, half under the ``chosen`` arms' operators."""
    known = operators("safety", "train")
    wrap = [known[name] for domain, name in chosen if domain == "safety"]
    bare = safety_pairs(n - n // 2, seed=seed, split="train", wrap=[known["plain"]])
    wrapped = safety_pairs(n // 2, seed=seed + 1, split="train", wrap=wrap) if wrap else []
    return bare + wrapped


def critic_seed(config: RunConfig, n: int) -> tuple[list[Query], list[float]]:
    """Constructed requests with their labels: harmful and twin by turns, then, one in four,
    ones in alarming words, of which half are harmless: vocabulary alone would misjudge them.

    They come from the training families with a seed of their own and cost no human label.
    """
    seed = derived_seed(config.seed, "critic")
    paired = n - 2 * (n // 8)
    queries = task("safety").generate(paired - paired % 2, seed=seed, split="train")
    queries += alarming(n // 8, seed=seed, split="train")
    queries += alarming_harm(n // 8, seed=seed, split="train")
    return queries, [float(q.truth["harmful"]) for q in queries]


def variants(failures: Sequence[Query], per_failure: float, *, most: int, seed: int) -> list[Query]:
    """Fresh plain problems of the families where failures were confirmed, in their proportions."""
    rng: random.Random = seeded(seed, "variants")
    wanted = min(most, round(per_failure * len(failures)))
    counts: dict[tuple[str, str], int] = {}
    for query in islice(cycle(sorted(failures, key=lambda q: (q.domain, q.family))), wanted):
        counts[query.domain, query.family] = counts.get((query.domain, query.family), 0) + 1
    fresh = [
        q
        for (domain, family), n in sorted(counts.items())
        for q in task(domain).generate(n, seed=seed, split="train", families=[family])
    ]
    rng.shuffle(fresh)
    return fresh
