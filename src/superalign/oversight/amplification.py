"""Decomposition: answer a question twice as deep from two answers half as deep, and distil.

Level 0 answers questions of ``depth`` steps. Level n splits its question in two, lets level n-1
answer the first half, hands that answer to the second half, and is then distilled: a fresh answerer
that imitates the pair, with an error of its own. With chance a of a right answer at level 0, a
distillation that keeps an answer with chance q, and errors that never mend one another,
a_n = q · a_{n-1}², which is what is compared with the measurement. ``votes`` repeats each half and
takes the majority, the only help against the growth of the error here.

Source: iterated amplification, arXiv 1810.08575.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass
from typing import Any, Protocol

from superalign.oversight.flaws import make_trace
from superalign.oversight.traces import Problem
from superalign.statistics import rate

State = dict[int, int]
FAR = 1009  # a wrong result is off by up to this much, so that errors hardly ever cancel


class Answerer(Protocol):
    """Executes instructions ``span`` of a problem from the results before; returns all results."""

    def answer(self, problem: Problem, span: range, state: State, rng: random.Random) -> State:
        """Results up to the end of ``span``."""
        ...


@dataclass(frozen=True)
class Stepwise:
    """Executes step by step and gets each result wrong with chance ``error``."""

    error: float

    def answer(self, problem: Problem, span: range, state: State, rng: random.Random) -> State:
        """One faulty or faithful execution."""
        found = dict(state)
        for i in span:
            found[i] = problem.execute(i, found)
            if rng.random() < self.error:
                found[i] += rng.randint(1, FAR)
        return found


@dataclass(frozen=True)
class Amplified:
    """Two calls of ``below``, each the majority of ``votes``, then kept with chance ``keeps``."""

    below: Answerer
    votes: int = 1
    keeps: float = 1.0

    def answer(self, problem: Problem, span: range, state: State, rng: random.Random) -> State:
        """The second half's results, given the first half's."""
        middle = span.start + len(span) // 2
        found = dict(state)
        for part in (range(span.start, middle), range(middle, span.stop)):
            runs = [self.below.answer(problem, part, found, rng) for _ in range(self.votes)]
            last = Counter(r[part.stop - 1] for r in runs).most_common(1)[0][0]
            found = next(r for r in runs if r[part.stop - 1] == last)
        if rng.random() >= self.keeps:
            found[span.stop - 1] += rng.randint(1, FAR)
        return found


def error_growth(
    answerer: Answerer,
    *,
    depth: int,
    levels: int,
    items: int,
    seed: int,
    votes: int = 1,
    keeps: float = 1.0,
) -> list[dict[str, Any]]:
    """Accuracy by level on fresh chains of ``depth · 2^level`` steps, beside the formula.

    The formula starts from the accuracy measured at level 0; it holds for one vote only and is None
    for more.
    """
    rows: list[dict[str, Any]] = []
    expected: float | None = None
    for level in range(levels + 1):
        rng = random.Random(f"growth {seed} {level}")
        right = [_right(answerer, depth << level, rng) for _ in range(items)]
        accuracy = rate(right)
        if level == 0:
            expected = accuracy.value
        elif expected is not None:
            expected = keeps * expected**2 if votes == 1 else None
        rows.append(
            {
                "level": level,
                "steps": depth << level,
                "accuracy": accuracy.as_dict(),
                "expected": expected,
            }
        )
        answerer = Amplified(answerer, votes, keeps)
    return rows


def _right(answerer: Answerer, steps: int, rng: random.Random) -> bool:
    problem = make_trace(rng, steps, family="arithmetic").problem
    found = answerer.answer(problem, range(steps), {}, rng)
    return found[steps - 1] == problem.answer
