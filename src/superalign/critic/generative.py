"""A generative critic: any language model, asked which step is the first wrong one.

The answer is constrained to "0" (none) and the numbers of the steps, so every output parses. Where the
model gives log-probabilities, the choices are scored and their softmax is the critic's belief, less
what the model says of steps without content (contextual calibration, arXiv 2102.09690). Where it gives
text only, it is asked several times and the shares of its answers are the belief; an answer that is
no allowed number is missing, and a solution on which all are missing gets no opinion.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.special import log_softmax, softmax

from superalign.critic.step_head import Finding
from superalign.critic.steps import Solution
from superalign.models.base import LanguageModel, Prompt

Floats = npt.NDArray[np.float64]
EDGE = 1e-6
CHUNK = 64
ANSWER = re.compile(r"\d+")
ASKED = (
    "Which step is the first one with an error? Answer with the number of that step only, "
    "or with 0 if all steps are right."
)


@dataclass(frozen=True)
class GenerativeCritic:
    """``how``: "choose" scores the allowed answers, "say" samples ``samples`` answers and reads them."""

    model: LanguageModel
    how: Literal["choose", "say"] = "choose"
    samples: int = 8
    calibrated: bool = True

    def findings(
        self, solutions: Sequence[Solution], progress: Callable[[float], None] | None = None
    ) -> list[Finding | None]:
        """One finding per solution; None where no answer could be read."""
        found: list[Finding | None] = []
        for start in range(0, len(solutions), CHUNK):
            part = solutions[start : start + CHUNK]
            beliefs = self._chosen(part) if self.how == "choose" else self._said(part, start)
            found += [None if b is None else from_beliefs(b) for b in beliefs]
            if progress is not None:
                progress(len(found) / len(solutions))
        return found

    def _chosen(self, solutions: Sequence[Solution]) -> list[Floats | None]:
        odds = self._scores(solutions)
        if self.calibrated:
            blank = [Solution("(no question)", ("(no content)",) * len(s.steps)) for s in solutions]
            lengths = {len(s.steps): s for s in blank}
            base = dict(zip(lengths, self._scores(list(lengths.values())), strict=True))
            odds = [o - base[len(s.steps)] for o, s in zip(odds, solutions, strict=True)]
        return [softmax(o) for o in odds]

    def _scores(self, solutions: Sequence[Solution]) -> list[Floats]:
        choices = [[str(i) for i in range(len(s.steps) + 1)] for s in solutions]
        rows = self.model.choose([question(s) for s in solutions], choices)
        return [log_softmax([score.logprob for score in row]) for row in rows]

    def _said(self, solutions: Sequence[Solution], seed: int) -> list[Floats | None]:
        outs = self.model.generate(
            [question(s) for s in solutions], n=self.samples, max_new_tokens=4, seed=seed
        )
        return [
            shares([read_answer(c.text, len(s.steps)) for c in row], len(s.steps))
            for s, row in zip(solutions, outs, strict=True)
        ]


def question(solution: Solution) -> Prompt:
    """What the model is asked about a solution."""
    steps = "\n".join(f"Step {i + 1}: {text}" for i, text in enumerate(solution.steps))
    return f"Question: {solution.question}\n\nSolution:\n{steps}\n\n{ASKED}"


def read_answer(text: str, steps: int) -> int | None:
    """The first number in an answer, None where there is none or it names no step."""
    match = ANSWER.search(text)
    number = int(match[0]) if match else None
    return number if number is not None and number <= steps else None


def shares(answers: Sequence[int | None], steps: int) -> Floats | None:
    """Share of each answer 0..steps among those that could be read; None where none could."""
    known = [a for a in answers if a is not None]
    if not known:
        return None
    counted: Floats = np.bincount(known, minlength=steps + 1) / len(known)
    return counted


def from_beliefs(belief: Floats) -> Finding:
    """A finding from P(no error), P(first error at step 1), …; the hazards that give them."""
    p = np.clip(np.asarray(belief, dtype=np.float64), EDGE, 1)
    p = p / p.sum()
    left = 1 - np.concatenate([[0.0], np.cumsum(p[1:-1])])
    hazards = np.clip(p[1:] / left, EDGE, 1 - EDGE)
    return Finding(hazards, float(1 - p[0]), int(p[1:].argmax()), float(p[1:].max()))


def averaged(findings: Sequence[Finding | None]) -> Finding | None:
    """An ensemble: the mean of its members' beliefs on one solution; the silent are left out."""
    known = [beliefs(f) for f in findings if f is not None]
    return from_beliefs(np.mean(known, axis=0)) if known else None


def beliefs(finding: Finding) -> Floats:
    """P(no error), P(first error at step 1), …"""
    survival = np.cumprod(np.concatenate([[1.0], 1 - finding.hazards]))
    return np.concatenate([[survival[-1]], finding.hazards * survival[:-1]])
