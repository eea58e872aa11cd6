"""From records to token trees: what the trainers consume."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from superalign.models.local import LocalModel
from superalign.models.packing import Tree
from superalign.records import Demonstration, Preference, Query


@dataclass(frozen=True)
class Example:
    """A tree with what the losses need to know of it.

    One completion: a demonstration. Two: a preference, chosen first. ``weight`` >= 0 scales its
    pull, ``probability`` in [0, 1] is the belief in it.
    """

    tree: Tree
    weight: float
    probability: float

    @property
    def is_pair(self) -> bool:
        """Whether it is a preference."""
        return len(self.tree.completions) == 2


@dataclass(frozen=True)
class Rollout:
    """One sampled answer with its reward; None: the critic abstained, the reward is missing."""

    query: Query
    tokens: tuple[int, ...]
    logprobs: tuple[float, ...]
    reward: float | None


def encode(
    model: LocalModel, records: Sequence[Demonstration | Preference], *, unfinished: str = "\u2026"
) -> list[Example]:
    """Encode records with the model's template. A completion that ends in ``unfinished`` was cut
    off: it is trained without that mark and without the end-of-turn token."""
    examples = []
    for record in records:
        texts = (
            (record.completion,)
            if isinstance(record, Demonstration)
            else (record.chosen, record.rejected)
        )
        completions = tuple(
            model.encode_completion(t.removesuffix(unfinished), end=not t.endswith(unfinished))
            for t in texts
        )
        tree = Tree(model.encode(record.query.chat), completions)
        examples.append(Example(tree, record.weight, record.probability))
    return examples
