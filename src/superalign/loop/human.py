"""The metered human: what is asked, and what a simulated one answers."""

from __future__ import annotations

from collections.abc import Sequence

from superalign.critic import Critic
from superalign.critic.base import Item
from superalign.evaluation.measure import grade
from superalign.records import Critique, Label


def contested(
    critic: Critic, items: Sequence[Item], critiques: Sequence[Critique], n: int
) -> list[int]:
    """Indices of the ``n`` answers on which the critic's members disagree most, one per query.

    Answers on which nobody disagrees are not worth a label, so fewer may come.
    """
    scores = [critic.disagreement(c) for c in critiques]
    chosen: list[int] = []
    asked: set[str] = set()
    for i in sorted(range(len(items)), key=lambda i: (-scores[i], i)):
        if len(chosen) == n or scores[i] <= 0.0:
            break
        if items[i].query.id not in asked:
            asked.add(items[i].query.id)
            chosen.append(i)
    return chosen


def simulated_labels(items: Sequence[Item], critiques: Sequence[Critique]) -> list[Label]:
    """Labels read off ground truth, marked as simulated. A missing verdict stays missing."""
    graded = grade([i.query for i in items], [i.response for i in items])
    return [
        Label(
            parent=c.id,
            response=g.response.id,
            value=g.verdict.value,
            source="simulated human",
            note=g.verdict.reason,
        )
        for g, c in zip(graded, critiques, strict=True)
    ]
