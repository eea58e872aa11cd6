"""From records to token trees: what the trainers consume."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from superalign.models.local import LocalModel
from superalign.models.packing import Tree
from superalign.records import Demonstration, Preference, Query

DECIDED_EARLY = frozenset({"safety", "benign"})
"""Domains in which the first words of an answer decide: it refuses or it does not."""
WHOLE = 8  # one in so many answers to requests is learnt to its end, so that refusals do end
RAW_TOKENS = 32  # of each piece of plain text


@dataclass(frozen=True)
class Example:
    """A tree with what the losses need to know of it.

    One completion: a demonstration. Two: a preference, chosen first. ``weight`` >= 0 scales its
    pull, ``probability`` in [0, 1] is the belief in it. ``keep``: the first completion is the
    frozen model's own, and the learner is held to the frozen distribution along it; otherwise it is
    imitated.
    """

    tree: Tree
    weight: float
    probability: float
    keep: bool = False

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
    model: LocalModel,
    records: Sequence[Demonstration | Preference],
    *,
    opening: int | None = None,
    unfinished: str = "\u2026",
) -> list[Example]:
    """Encode records with the model's template. A completion that ends in ``unfinished`` was cut
    off: it is trained without that mark and without the end-of-turn token.

    ``opening``: of answers to requests only so many first tokens are taken, except for one refusal
    in eight. They decide between help and refusal, and the frozen model knows how to go on.
    """
    return [_example(model, record, opening, unfinished) for record in records]


def _example(
    model: LocalModel, record: Demonstration | Preference, opening: int | None, unfinished: str
) -> Example:
    texts = (
        (record.completion,)
        if isinstance(record, Demonstration)
        else (record.chosen, record.rejected)
    )
    completions = [
        model.encode_completion(t.removesuffix(unfinished), end=not t.endswith(unfinished))
        for t in texts
    ]
    if opening is not None and record.query.domain in DECIDED_EARLY:
        whole = not record.keeps and int(record.id[:8], 16) % WHOLE == 0
        completions = [c if whole and i == 0 else c[:opening] for i, c in enumerate(completions)]
    tree = Tree(model.encode(record.query.chat), tuple(completions))
    return Example(tree, record.weight, record.probability, record.keeps)


def raw_text_examples(
    model: LocalModel, openings: Sequence[str], n: int, *, seed: int
) -> list[Example]:
    """``n`` pieces of plain text that ``model`` itself continues from ``openings``, to be kept.

    The frozen model's own text needs no corpus, and its distribution along it is the one to hold.
    """
    texts = model.generate(
        openings, n=-(-n // len(openings)), max_new_tokens=RAW_TOKENS, seed=seed, raw=True
    )
    found = [
        Example(Tree(model.encode(opening, raw=True), (c.tokens,)), 1.0, 1.0, keep=True)
        for opening, row in zip(openings, texts, strict=True)
        for c in row
        if c.tokens
    ]
    return found[:n]
