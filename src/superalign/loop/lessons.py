"""From answers and critiques to training records: what the learner is to imitate and to prefer.

Only the critic's word decides (a human's label is part of it); ground truth is never read here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from superalign.config import LearnerConfig
from superalign.critic.base import Item
from superalign.evaluation.measure import UNFINISHED
from superalign.learner.examples import Rollout
from superalign.loop.queries import variants
from superalign.loop.round_data import RoundData
from superalign.records import Critique, Demonstration, Preference, Query, Response
from superalign.tasks.base import seeded
from superalign.tasks.refusal import degenerate, refusal
from superalign.tasks.safety import refusal_text

MIN_CONFIDENCE = 0.2
SURE = 0.8
Lesson = Demonstration | Preference


class Labeller(Protocol):
    """Whose word labels training data: critiques of answers, and P(harmful request) or None."""

    def judge(self, items: Sequence[Item]) -> list[Critique]:
        """One critique per item; ``acceptable`` is None where it abstains."""
        ...

    def harm(self, queries: Sequence[Query]) -> list[float | None]:
        """P(harmful) per query; None where it abstains."""
        ...


def as_target(response: Response) -> str:
    """An answer as a training target: one cut off by the token limit is marked unfinished."""
    return response.text if response.finished else response.text + UNFINISHED


def round_lessons(
    data: RoundData,
    critiques: Sequence[Critique],
    critic: Labeller,
    config: LearnerConfig,
    *,
    seed: int,
) -> list[Lesson]:
    """Everything that a round teaches; ``critiques`` are those of ``data.items``."""
    refused = [refusal_text(x.family, seed=seed + n) for n, x in enumerate(data.rehearsal)]
    refusals = refused or [refusal_text("", seed=seed)]
    taught = lessons(data.items, critiques, refusals=refusals, anchors=data.anchors, seed=seed)
    helped = [Item(x, data.anchors[x.id]) for x in data.benign]
    taught += anchor_lessons(helped, critic.judge(helped), refusals, seed=seed)
    harm = critic.harm(data.rehearsal)
    taught += rehearsal_lessons(data.rehearsal, harm, refused, data.anchors)
    for domain in ("mathematics", "ethics"):
        failed = [
            i.query
            for i, c in zip(data.items, critiques, strict=True)
            if i.query.domain == domain and c.acceptable is not None and c.acceptable < 0.5
        ]
        if failed:
            fresh = variants(failed, config.variants, most=config.most_variants, seed=seed)
            taught += verified_lessons(fresh)
    return taught


def lessons(
    items: Sequence[Item],
    critiques: Sequence[Critique],
    *,
    refusals: Sequence[str],
    anchors: dict[str, Response],
    seed: int,
) -> list[Lesson]:
    """At most one record per query.

    - a fault that the verifier found: its worked answer is imitated;
    - a fault in the critic's judgement: its fix is preferred to the answer;
    - help given where help is right: the frozen model's own help (the answer, where that has none)
      is preferred to a refusal, so refusing all is punished;
    - a refusal where help is right: the frozen model's own help (``anchors``) is preferred;
    - a right answer elsewhere: imitated.
    """
    by_query: dict[str, list[tuple[Item, Critique]]] = {}
    for item, critique in zip(items, critiques, strict=True):
        by_query.setdefault(item.query.id, []).append((item, critique))
    found = (
        _lesson(rows, refusals, anchors.get(query_id), seed) for query_id, rows in by_query.items()
    )
    return [lesson for lesson in found if lesson is not None]


def _lesson(
    rows: Sequence[tuple[Item, Critique]],
    refusals: Sequence[str],
    anchor: Response | None,
    seed: int,
) -> Lesson | None:
    judged = [
        (item, c, c.acceptable)
        for item, c in rows
        if c.acceptable is not None and c.confidence >= MIN_CONFIDENCE
    ]
    if not judged:
        return None
    worst = min(judged, key=lambda row: row[2])
    if worst[2] < 0.5:
        return _correction(worst[0], worst[1], anchor)
    best = max(judged, key=lambda row: row[2])
    return _confirmation(best[0], best[1], best[2], refusals, anchor, seed)


def _correction(item: Item, critique: Critique, anchor: Response | None) -> Lesson | None:
    query, rejected = item.query, item.response
    belief = 1 - (critique.acceptable or 0.0)
    fix = next((c.fix for c in critique.claims if c.fix), None)
    if fix is None and anchor is not None and helps(anchor):
        fix = as_target(anchor)
    if fix is None or fix == rejected.text:
        return None
    if "verifier" in critique.members or not rejected.text:
        # What was computed needs no contrast with what went wrong: imitating it is half the cost.
        return Demonstration(
            parent=critique.id,
            query=query,
            completion=fix,
            source=critique.critic,
            probability=belief,
        )
    return Preference(
        parent=critique.id,
        query=query,
        chosen=fix,
        rejected=as_target(rejected),
        source=critique.critic,
        probability=belief,
        keeps=anchor is not None and fix == as_target(anchor),
    )


def _confirmation(
    item: Item,
    critique: Critique,
    belief: float,
    refusals: Sequence[str],
    anchor: Response | None,
    seed: int,
) -> Lesson | None:
    query, text = item.query, as_target(item.response)
    if query.domain in ("safety", "benign") and not refusal(item.response.text):
        keeps = anchor is not None and helps(anchor)
        if anchor is not None and keeps:
            # A sample at temperature 1 is a noisy thing to imitate: its likelihood term outweighed
            # the refusals. The frozen model's greedy help says the same and stays put.
            text = as_target(anchor)
        against = seeded(seed, query.id).choice(list(refusals))
        return Preference(
            parent=critique.id,
            query=query,
            chosen=text,
            rejected=against,
            source=critique.critic,
            probability=belief,
            keeps=keeps,
        )
    return Demonstration(
        parent=critique.id,
        query=query,
        completion=text,
        source=critique.critic,
        probability=belief,
    )


def helps(response: Response) -> bool:
    """Whether an answer is neither a refusal nor nonsense."""
    return not refusal(response.text) and not degenerate(response.text)


def anchor_lessons(
    items: Sequence[Item], critiques: Sequence[Critique], refusals: Sequence[str], *, seed: int
) -> list[Preference]:
    """The frozen model's own help where the critic finds it right: kept, and preferred to a refusal.

    Keeping alone let refusals through: the divergence sees what the frozen model would say, and a
    refusal's first word is common in help too.
    """
    return [
        Preference(
            parent=item.response.id,
            query=item.query,
            chosen=as_target(item.response),
            rejected=seeded(seed, item.query.id).choice(list(refusals)),
            source="frozen reference",
            probability=c.acceptable,
            keeps=True,
        )
        for item, c in zip(items, critiques, strict=True)
        if helps(item.response) and c.acceptable is not None and c.acceptable >= 0.5
    ]


def rehearsal_lessons(
    queries: Sequence[Query],
    harm: Sequence[float | None],
    refusals: Sequence[str],
    anchors: dict[str, Response],
) -> list[Lesson]:
    """Requests that only the critic has judged, where it is sure: the refusal of harm preferred to
    the frozen model's help, its help preferred to the refusal where there is no harm."""
    found: list[Lesson] = []
    for query, p_harm, refused in zip(queries, harm, refusals, strict=True):
        if p_harm is None:
            continue
        anchor = anchors.get(query.id)
        help_ = as_target(anchor) if anchor is not None and helps(anchor) else None
        if p_harm >= SURE and help_ is None:
            found.append(
                Demonstration(
                    parent=query.id,
                    query=query,
                    completion=refused,
                    source="critic",
                    probability=p_harm,
                )
            )
        elif help_ is not None and not 1 - SURE < p_harm < SURE:
            harmful = p_harm >= SURE
            found.append(
                Preference(
                    parent=query.id,
                    query=query,
                    chosen=refused if harmful else help_,
                    rejected=help_ if harmful else refused,
                    source="critic",
                    probability=max(p_harm, 1 - p_harm),
                    keeps=not harmful,
                )
            )
    return found


def verified_lessons(queries: Sequence[Query]) -> list[Demonstration]:
    """Worked answers of fresh problems, made and checked by the verifier."""
    return [
        Demonstration(parent=q.id, query=q, completion=q.fix, source="verifier")
        for q in queries
        if q.fix
    ]


def rollouts(items: Sequence[Item], critiques: Sequence[Critique]) -> list[Rollout]:
    """Sampled answers with the critic's belief as reward; None where it abstained."""
    return [
        Rollout(item.query, item.response.tokens, item.response.logprobs, c.acceptable)
        for item, c in zip(items, critiques, strict=True)
    ]
