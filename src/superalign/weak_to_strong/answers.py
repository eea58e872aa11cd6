"""From a weak supervisor's sampled answers to what a student is taught: pure rules, without truth.

A supervisor answers a problem many times. How the samples fall is its soft label; what the student
itself believes of the sampled answers before it is taught anything is further evidence.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from superalign.weak_to_strong.method import Family


@dataclass(frozen=True)
class Evidence:
    """What is known of one problem without its truth.

    ``first`` is the supervisor's greedy answer (None: none could be read). ``votes`` maps each
    sampled answer to its share of all samples, most frequent first; samples without an answer vote
    for nothing, so that the sum is at most 1. ``own`` is the untaught student's belief in each of
    these answers, which sums to 1.
    """

    first: str | None
    votes: dict[str, float]
    own: dict[str, float]


@dataclass(frozen=True)
class Taught:
    """An answer to teach and how much it counts, in (0, 1]."""

    answer: str
    weight: float


Rule = Callable[[Sequence[Evidence]], list[Taught | None]]
"""What is taught of each problem, from what is known of all of them."""


def votes(answers: Sequence[str | None]) -> dict[str, float]:
    """Shares of all samples, most frequent first, ties in the order of their coming."""
    counts = Counter(a for a in answers if a is not None)
    return {answer: count / len(answers) for answer, count in counts.most_common()}


def beliefs(logprobs: dict[str, float]) -> dict[str, float]:
    """Log-probabilities of the candidates as shares that sum to 1."""
    if not logprobs:
        return {}
    top = max(logprobs.values())
    raw = {answer: math.exp(value - top) for answer, value in logprobs.items()}
    total = sum(raw.values())
    return {answer: value / total for answer, value in raw.items()}


def naive(rows: Sequence[Evidence]) -> list[Taught | None]:
    """The supervisor's one greedy answer, whole."""
    return [None if row.first is None else Taught(row.first, 1.0) for row in rows]


def self_consistency(rows: Sequence[Evidence]) -> list[Taught | None]:
    """The most frequent sample, weighted by its share of the samples."""
    return [Taught(*next(iter(row.votes.items()))) if row.votes else None for row in rows]


def selective_consistency(rows: Sequence[Evidence]) -> list[Taught | None]:
    """The most frequent sample where the student too finds it the likeliest; else nothing."""
    return [
        Taught(t.answer, 1.0) if t and max(row.own, key=row.own.__getitem__) == t.answer else None
        for row, t in zip(rows, self_consistency(rows), strict=True)
    ]


def tempered_product(rows: Sequence[Evidence]) -> list[Taught | None]:
    """The answer of the highest votes × own belief ^ ``exponent(rows)``, weighted by its share.

    The share of samples without an answer is doubt, and takes its part of the weight.
    """
    power = exponent(rows)
    return [_product(row, power) for row in rows]


def _product(row: Evidence, power: float) -> Taught | None:
    joint = {answer: share * row.own[answer] ** power for answer, share in row.votes.items()}
    total = sum(joint.values())
    if total <= 0:
        return None
    answer = max(joint, key=joint.__getitem__)
    return Taught(answer, joint[answer] / total * sum(row.votes.values()))


def exponent(rows: Sequence[Evidence]) -> float:
    """How far the student's own belief is to be trusted, in [0, 1]: a temperature, without truth.

    The power g under which own^g, normalised over each problem's candidates, predicts the votes
    best (a conditional logit of one coefficient; McFadden 1974). A student that knows nothing of the task
    does not know either what is answered, and gets 0.
    """
    seen = [row for row in rows if len(row.votes) > 1]

    def likelihood(power: float) -> float:
        total = 0.0
        for row in seen:
            logs = {a: power * math.log(max(row.own[a], 1e-9)) for a in row.votes}
            norm = math.log(sum(math.exp(x) for x in logs.values()))
            total += sum(share * (logs[a] - norm) for a, share in row.votes.items())
        return total

    return max((step / 20 for step in range(21)), key=likelihood)


@dataclass(frozen=True)
class AnswerMethod:
    """A rule with what the report says of it."""

    rule: Rule
    family: Family
    source: str


METHODS: dict[str, AnswerMethod] = {
    "naive": AnswerMethod(naive, "baseline", "arXiv 2312.09390"),
    "self_consistency": AnswerMethod(self_consistency, "denoising", "arXiv 2203.11171, 2210.11610"),
    "selective_consistency": AnswerMethod(
        selective_consistency, "denoising", "arXiv 1911.00068, 2407.13647"
    ),
    "default": AnswerMethod(
        tempered_product,
        "default",
        "this project; a product of experts (Hinton 2002) of the votes and the student's own belief",
    ),
}
