"""What worked: distinct, confirmed successes, kept diverse as MAP-Elites keeps them.

Cells cross the task's family with the attack's family; each keeps its few best entries. A prompt
that nearly repeats one already kept is turned away, in whatever cell it would fall.
"""

from __future__ import annotations

import random
import zlib
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from superalign.attack.allocation import tally
from superalign.attack.base import operator_family
from superalign.records import Query, Split, Verdict


class Cell(NamedTuple):
    """Where an entry belongs."""

    domain: str
    family: str
    attack: str


@dataclass(frozen=True)
class Entry:
    """One success with its evidence: ``failures`` in ``samples`` decided answers."""

    query: Query
    failures: int
    samples: int
    attack: str

    @property
    def score(self) -> float:
        """Failure rate over the samples."""
        return self.failures / self.samples

    @property
    def rank(self) -> tuple[float, float]:
        """Order within a cell: the rate shrunk by the rule of succession, so that n counts."""
        return (self.failures + 1) / (self.samples + 2), self.score

    @property
    def cell(self) -> Cell:
        """The entry's cell."""
        return Cell(self.query.domain, self.query.family, self.attack)


class Archive:
    """Distinct confirmed successes, the ``capacity`` best in each cell.

    Args:
        capacity: entries kept per cell.
        threshold: Jaccard similarity of character 4-grams from which prompts count as the same.
    """

    def __init__(self, capacity: int = 8, threshold: float = 0.8) -> None:
        if capacity < 1:
            raise ValueError(f"capacity {capacity} must be at least 1")
        self.capacity = capacity
        self._cells: dict[Cell, list[Entry]] = {}
        self._similar = _SimilarTexts(threshold)

    def __len__(self) -> int:
        return sum(map(len, self._cells.values()))

    @property
    def entries(self) -> list[Entry]:
        """All entries, cell by cell in order of the cells' names, the best of a cell first."""
        return [entry for cell in sorted(self._cells) for entry in self._cells[cell]]

    @property
    def cells(self) -> dict[Cell, list[Entry]]:
        """The filled cells."""
        return {cell: list(entries) for cell, entries in self._cells.items()}

    def add(self, query: Query, verdicts: Sequence[Verdict], attack: str | None = None) -> bool:
        """Offer ``query`` with the ground-truth verdicts on its sampled answers; True if kept.

        Missing verdicts count as nothing. ``attack`` is the cell's style; by default the family of
        the query's operator.

        Raises:
            ValueError: no verdict confirms a failure.
        """
        failures, samples = tally(verdicts)
        if not failures:
            raise ValueError(f"query {query.id} has no failure that ground truth confirms")
        return self._insert(
            Entry(query, failures, samples, attack or operator_family(query.operator))
        )

    def _insert(self, entry: Entry) -> bool:
        held = self._cells.get(entry.cell, [])
        full = len(held) >= self.capacity
        if full and entry.rank <= held[-1].rank:
            return False
        text = prompt_text(entry.query)
        if self._similar.contains(text):
            return False
        if full:
            self._similar.remove(held.pop().query.id)
        self._similar.add(entry.query.id, text)
        held = sorted([*held, entry], key=lambda kept: kept.rank, reverse=True)
        self._cells[entry.cell] = held
        return True

    def coverage(self, possible: Collection[Cell]) -> float | None:
        """Share of the ``possible`` cells that are filled; None when there are none."""
        cells = set(possible)
        return len(cells & self._cells.keys()) / len(cells) if cells else None

    def sample(self, n: int, rng: random.Random, split: Split | None = None) -> list[Query]:
        """Up to ``n`` different queries, spread over the cells as evenly as they allow.

        Args:
            n: how many.
            rng: source of chance.
            split: only queries of this split; an operator that trains must not see held-out ones.
        """
        piles = [
            [entry.query for entry in self._cells[cell] if split in (None, entry.query.split)]
            for cell in sorted(self._cells)
        ]
        for pile in piles:
            rng.shuffle(pile)
        taken: list[Query] = []
        while len(taken) < n and (piles := [pile for pile in piles if pile]):
            rng.shuffle(piles)
            taken += [pile.pop() for pile in piles[: n - len(taken)]]
        return taken

    def state_dict(self) -> dict[str, Any]:
        """Everything as plain JSON types."""
        return {
            "capacity": self.capacity,
            "threshold": self._similar.threshold,
            "entries": [
                {
                    "query": entry.query.model_dump(mode="json"),
                    "failures": entry.failures,
                    "samples": entry.samples,
                    "attack": entry.attack,
                }
                for entry in self.entries
            ],
        }

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Replace the content by that of ``state``."""
        self.capacity = int(state["capacity"])
        self._cells = {}
        self._similar = _SimilarTexts(float(state["threshold"]))
        for kept in state["entries"]:
            query = Query.model_validate(kept["query"])
            entry = Entry(query, int(kept["failures"]), int(kept["samples"]), str(kept["attack"]))
            self._cells.setdefault(entry.cell, []).append(entry)
            self._similar.add(query.id, prompt_text(query))


def prompt_text(query: Query) -> str:
    """All turns of a query, as one text."""
    return "\n".join(message.content for message in query.messages)


def grams(text: str) -> frozenset[str]:
    """Character 4-grams of ``text``, case and white space made even."""
    even = " ".join(text.lower().split())
    return frozenset(even[i : i + 4] for i in range(max(1, len(even) - 3)))


class _SimilarTexts:
    """Near-duplicate search: MinHash bands find candidates, exact Jaccard decides.

    With 20 bands of 4 rows a pair at similarity 0.8 is missed with probability 3e-5.
    """

    bands, rows = 20, 4

    def __init__(self, threshold: float) -> None:
        if not 0.5 <= threshold <= 1.0:
            raise ValueError(f"threshold {threshold} is outside [0.5, 1]")
        self.threshold = threshold
        fixed = np.random.default_rng(20241)
        size = self.bands * self.rows
        self._factors = fixed.integers(1, 2**63, size, dtype=np.uint64) | np.uint64(1)
        self._offsets = fixed.integers(0, 2**63, size, dtype=np.uint64)
        self._grams: dict[str, frozenset[str]] = {}
        self._buckets: defaultdict[tuple[int, bytes], set[str]] = defaultdict(set)

    def contains(self, text: str) -> bool:
        """Whether a kept text is as similar as the threshold."""
        own = grams(text)
        near = {name for key in self._keys(own) for name in self._buckets.get(key, ())}
        return any(self._jaccard(own, self._grams[name]) >= self.threshold for name in near)

    def add(self, name: str, text: str) -> None:
        """Keep ``text`` under ``name``."""
        self._grams[name] = grams(text)
        for key in self._keys(self._grams[name]):
            self._buckets[key].add(name)

    def remove(self, name: str) -> None:
        """Forget the text kept under ``name``."""
        for key in self._keys(self._grams.pop(name)):
            self._buckets[key].discard(name)

    def _keys(self, own: frozenset[str]) -> list[tuple[int, bytes]]:
        codes: NDArray[np.uint64] = np.array([zlib.crc32(g.encode()) for g in own], np.uint64)
        hashed = (codes[:, None] * self._factors + self._offsets) >> np.uint64(32)
        lowest = hashed.min(axis=0).reshape(self.bands, self.rows)
        return [(band, row.tobytes()) for band, row in enumerate(lowest)]

    @staticmethod
    def _jaccard(a: frozenset[str], b: frozenset[str]) -> float:
        shared = len(a & b)
        return shared / (len(a) + len(b) - shared)
