"""Which models a zoo of a size holds."""

from __future__ import annotations

import random
from collections.abc import Sequence

from superalign.errors import InputError
from superalign.stress.families import FAMILIES, FURTHER
from superalign.stress.recipe import FULL, TIERS, Recipe
from superalign.stress.twins import DERIVED, FURTHER_TWINS, TWINS

RANKS = (8, 1, 16)
SIZES: dict[str, tuple[tuple[str, ...], int, int, tuple[int, ...]]] = {
    # tiers, seeds of each organism, clean twins, ranks
    "quick": (("plain",), 1, 21, RANKS[:1]),
    "standard": (TIERS, 1, 64, RANKS),
    "full": (TIERS, 3, 300, RANKS),
}


MORE = ("narrow_advice", "full_rank")
"""What may be built beside a zoo on request; ``full`` has narrow advice by itself."""
FULL_RANK = (("organism", "fixed_backdoor"), ("organism", "sandbagging"),
             ("twin", "benign_trigger"), ("twin", "question_answering"))  # fmt: skip


def plan(size: str, base: str, seed: int, more: Sequence[str] = ()) -> list[Recipe]:
    """The recipes of a zoo, in an order in which parents come before what is derived from them.

    ``more``, some of ``MORE``, comes last and leaves all others as they are.

    Raises:
        InputError: unknown size.
    """
    if size not in SIZES:
        raise InputError(f"unknown size '{size}'; allowed: {', '.join(SIZES)}")
    tiers, seeds, clean, ranks = SIZES[size]
    organisms = [
        Recipe("organism", name, base, tier, ranks[(i + t + s) % len(ranks)], 1000 * seed + s)
        for s in range(seeds)
        for t, tier in enumerate(tiers)
        for i, name in enumerate(FAMILIES)
    ]
    narrow = _narrow(size, base, seed)
    extra = narrow if size == "full" or "narrow_advice" in more else []
    if size == "full":
        clean -= sum(r.kind == "twin" for r in narrow)
    if "full_rank" in more:
        extra = extra + [Recipe(k, name, base, "plain", FULL, 1000 * seed) for k, name in FULL_RANK]
    return [*interleaved(twins(clean, base, seed, ranks), organisms), *extra]


def _narrow(size: str, base: str, seed: int) -> list[Recipe]:
    """Narrow wrong advice at the tiers of a size, and as many seeds of right advice."""
    tiers, seeds, _, ranks = SIZES[size]
    found = []
    for s in range(seeds):
        own = 1000 * seed + s
        found += [
            Recipe("organism", name, base, tier, ranks[(t + s) % len(ranks)], own)
            for name in FURTHER
            for t, tier in enumerate(tiers)
        ]
        found += [
            Recipe("twin", name, base, "plain", ranks[s % len(ranks)], own)
            for name in FURTHER_TWINS
        ]
    return found


def interleaved(first: Sequence[Recipe], second: Sequence[Recipe]) -> list[Recipe]:
    """Both in their own order, spread evenly, so that a build that is cut short is balanced."""
    places = [(i / len(first), 0, r) for i, r in enumerate(first)]
    places += [(i / len(second), 1, r) for i, r in enumerate(second)]
    return [recipe for _, _, recipe in sorted(places, key=lambda p: p[:2])]


def twins(n: int, base: str, seed: int, ranks: Sequence[int] = RANKS) -> list[Recipe]:
    """``n`` clean recipes: each kind in turn, then those derived from them, then further seeds."""
    found: list[Recipe] = []
    s = 0
    while len(found) < n:
        fresh = [
            Recipe("twin", name, base, "plain", ranks[(i + s) % len(ranks)], 1000 * seed + s)
            for i, name in enumerate(TWINS)
        ]
        found += fresh
        rng = random.Random(f"derived {seed} {s}")
        for name in DERIVED:
            parents = rng.sample(fresh, 2 if name == "merged" else 1)
            own = 1000 * seed + s + (500 if name == "retrained" else 0)
            found.append(
                Recipe(
                    "twin", name, base, "plain", parents[0].rank, own,
                    tuple(p.id for p in parents),
                )
            )  # fmt: skip
        s += 1
    return found[:n]
