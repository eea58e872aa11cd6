"""The task contract: fresh queries with ground truth, and one grader for evaluation and reward."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import Protocol

from superalign.errors import InputError
from superalign.records import Query, Split, Verdict


class Task(Protocol):
    """A domain with families, a split by family, a generator and a grader.

    Attributes:
        domain: the task's name in records and reports.
        families: family name → the split it belongs to; a held-out family never enters training.
            The built-in ones were drawn by seed from families that had been for training while
            the recipe was tuned (docs/loop.md).
    """

    domain: str
    families: dict[str, Split]

    def generate(
        self, n: int, *, seed: int, split: Split, families: Sequence[str] | None = None
    ) -> list[Query]:
        """``n`` distinct fresh queries from ``split``, balanced over its families (or those given).

        The same arguments give the same queries; different seeds give (nearly) disjoint ones.
        """
        ...

    def grade(self, query: Query, text: str) -> Verdict:
        """Ground truth's verdict on ``text`` as an answer to ``query``. Pure and deterministic."""
        ...


def family_cycle(families: dict[str, Split], split: Split, only: Sequence[str] | None) -> list[str]:
    """The families of ``split`` (restricted to ``only``), in a stable order.

    Raises:
        ValueError: ``only`` names a family that is not in the split.
    """
    names = [name for name, part in families.items() if part == split]
    if only is None:
        return names
    missing = set(only) - set(names)
    if missing:
        raise ValueError(f"families {sorted(missing)} are not in split '{split}'; allowed: {names}")
    return list(only)


def seeded(*parts: object) -> random.Random:
    """A generator seeded by ``parts`` alone: independent of the process, order and hash seed."""
    return random.Random("\x1f".join(map(str, parts)))


def in_turn(
    domain: str, names: Sequence[str], streams: Sequence[Iterator[Query]], n: int
) -> list[Query]:
    """``n`` queries, one of each family's stream after the other.

    Raises:
        InputError: a family has no more distinct queries.
    """
    found = []
    for k in range(n):
        query = next(streams[k % len(names)], None)
        if query is None:
            raise InputError(
                f"{domain} family '{names[k % len(names)]}' has no more distinct queries; ask for fewer"
            )
        found.append(query)
    return found
