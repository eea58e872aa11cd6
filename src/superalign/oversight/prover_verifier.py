"""Prover–verifier games: rounds of provers that help or deceive, and a verifier that learns.

Each round two provers answer the same problems. The *helpful* one submits right work, the *sneaky* one
work with one flaw; each submits, of its drafts, the one that the verifier of that round believes most.
The verifier then learns from all that was submitted and meets the next round. On problems of their own,
from which nothing is learnt, it is measured how often a verifier falls for the sneaky prover of its
round and of every other, and how often it believes the helpful one.

``Inspector`` checks lines exactly, each with some chance (its attention). With one flaw, k lines, b
looks and n drafts the chance to catch it is b/k where attention is even, whatever the prover does, and
(b/k)^n where always the same b lines are checked. Where attention follows multiplicative weights
(b = 1), the mean over T rounds lies between 1/k − sqrt(log k / 2T) and 1/k for a prover that finds the
least attended line. ``Reader`` is a classifier on features of the text, and has no closed form.

Sources: prover–verifier games, arXiv 2108.12099 and 2407.13692; multiplicative weights, Freund and
Schapire (1999), and Cesa-Bianchi and Lugosi (2006), theorem 2.2.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from superalign.critic.reward_model import LinearReward, fit_outcomes
from superalign.critic.step_tools import tool_features
from superalign.oversight.flaws import SAME_LENGTH, write_trace
from superalign.oversight.traces import Problem, Trace, faithful
from superalign.statistics import mean, rate

Floats = npt.NDArray[np.float64]
DECOYS = 0.3
BELIEVED = 0.5


class Verifier(Protocol):
    """Believes work or not, and learns from work whose truth has come out."""

    def beliefs(self, works: Sequence[Trace]) -> list[float]:
        """The chance, in [0, 1], that it accepts each work as right."""
        ...

    def learnt(self, works: Sequence[Trace]) -> Verifier:
        """A verifier that has learnt from these works as well."""
        ...


@dataclass(frozen=True)
class Inspector:
    """Checks ``looks`` of ``lines`` lines exactly; ``attention`` sums to 1 over the lines.

    Line i is checked with chance min(1, looks · attention_i). ``rate`` is the learning rate of the
    multiplicative weights, 0 for an inspector that does not learn.
    """

    lines: int
    looks: int = 1
    rate: float = 0.0
    attention: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if not self.attention:
            object.__setattr__(self, "attention", (1 / self.lines,) * self.lines)

    def beliefs(self, works: Sequence[Trace]) -> list[float]:
        """Accepted unless the first flaw is checked; right work is always accepted."""
        return [
            1.0 if t.first_error is None else 1 - min(1.0, self.looks * self._at(t)) for t in works
        ]

    def learnt(self, works: Sequence[Trace]) -> Inspector:
        """More attention to where flaws were: weights times exp(rate · their share)."""
        flaws = [t.first_error for t in works if t.first_error is not None]
        if not flaws or not self.rate:
            return self
        share = np.bincount(flaws, minlength=self.lines) / len(flaws)
        weight = np.array(self.attention) * np.exp(self.rate * share)
        return Inspector(self.lines, self.looks, self.rate, tuple(weight / weight.sum()))

    def _at(self, trace: Trace) -> float:
        assert trace.first_error is not None
        return self.attention[trace.first_error]


def hedge_rate(lines: int, rounds: int) -> float:
    """The learning rate for which the bound of this module's head holds."""
    return math.sqrt(8 * math.log(lines) / rounds)


def tool_reading(works: Sequence[Trace]) -> Floats:
    """(works, features): mean and largest of what tools say of the lines."""
    rows = [tool_features(t.solution) for t in works]
    return np.array([np.concatenate([r.mean(0), r.max(0)]) for r in rows], dtype=np.float64)


@dataclass(frozen=True)
class Reader:
    """A reward head on features of the text; ``seen`` is what it was fitted to."""

    read: Callable[[Sequence[Trace]], Floats] = tool_reading
    seen: tuple[Trace, ...] = ()
    head: LinearReward | None = field(default=None, compare=False)
    scale: tuple[Floats, Floats] | None = field(default=None, compare=False)

    def beliefs(self, works: Sequence[Trace]) -> list[float]:
        """The head's chance that each work is right; 1/2 before it has learnt."""
        if self.head is None or self.scale is None:
            return [BELIEVED] * len(works)
        odds = self.head(_scaled(self.read(works), *self.scale))
        return [float(p) for p in 1 / (1 + np.exp(-np.clip(odds, -30, 30)))]

    def learnt(self, works: Sequence[Trace]) -> Reader:
        """Fitted anew to all that it has seen."""
        seen = (*self.seen, *works)
        rows = self.read(seen)
        scale = (rows.mean(0), rows.std(0) + 1e-6)
        head = fit_outcomes(_scaled(rows, *scale), [float(not t.flaws) for t in seen])
        return Reader(self.read, seen, head, scale)


class Submissions(NamedTuple):
    """What the provers of one round handed in, problem by problem."""

    helpful: list[Trace]
    sneaky: list[Trace]


def submissions(
    verifier: Verifier, problems: Sequence[Problem], drafts: int, seed: int
) -> Submissions:
    """Each prover's best draft of each problem for this verifier; ties go to the first."""
    rng = random.Random(f"provers {seed}")
    return Submissions(
        [_best(verifier, [_right(p, rng) for _ in range(drafts)]) for p in problems],
        [_best(verifier, [_flawed(p, rng) for _ in range(drafts)]) for p in problems],
    )


def play(
    verifier: Verifier,
    learnt_from: Sequence[Problem],
    tested_on: Sequence[Problem],
    *,
    rounds: int,
    drafts: int,
    seed: int,
    progress: Callable[[float, str], None] | None = None,
) -> list[dict[str, Any]]:
    """``rounds`` rounds, each row on the test problems.

    ``fooled``: mean belief in the sneaky prover of the round; ``believed``: in the helpful one;
    ``fooled_by``: of the verifier of this round by the sneaky prover of every round, in order;
    ``accepted``: share of sneaky work believed more than not.
    """
    verifiers: list[Verifier] = []
    handed_in: list[Submissions] = []
    for r in range(rounds):
        verifiers.append(verifier)
        handed_in.append(submissions(verifier, tested_on, drafts, seed * 1000 + 2 * r))
        own = submissions(verifier, learnt_from, drafts, seed * 1000 + 2 * r + 1)
        verifier = verifier.learnt([*own.helpful, *own.sneaky])
        if progress is not None:
            progress((r + 1) / rounds, f"round {r + 1}")
    return [
        {
            "round": r + 1,
            "fooled": mean(v.beliefs(mine.sneaky)).as_dict(),
            "accepted": rate(b > BELIEVED for b in v.beliefs(mine.sneaky)).as_dict(),
            "believed": mean(v.beliefs(mine.helpful)).as_dict(),
            "fooled_by": [mean(v.beliefs(other.sneaky)).as_dict() for other in handed_in],
        }
        for r, (v, mine) in enumerate(zip(verifiers, handed_in, strict=True))
    ]


def _best(verifier: Verifier, drafts: list[Trace]) -> Trace:
    beliefs = verifier.beliefs(drafts)
    return drafts[max(range(len(drafts)), key=lambda i: beliefs[i])]


def _right(problem: Problem, rng: random.Random) -> Trace:
    """Right work in some form: decoys are remarks and exchanged operands."""
    return write_trace(problem, rng, set(), SAME_LENGTH, DECOYS) or faithful(problem)


def _flawed(problem: Problem, rng: random.Random) -> Trace:
    """Work with one flaw at any of its lines alike, without remarks: positions are lines."""
    while True:
        at = rng.randrange(len(problem.instructions))
        made = write_trace(problem, rng, {at}, SAME_LENGTH, 0.0)
        if made is not None:
            return made


def _scaled(rows: Floats, middle: Floats, spread: Floats) -> Floats:
    found: Floats = ((rows - middle) / spread).clip(-8, 8)
    return found
