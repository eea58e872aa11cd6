"""Solutions step by step: what a step critic reads, says and is measured by."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from superalign.records import Claim, Critique

STEP = re.compile(r"^step (\d+)$")


@dataclass(frozen=True)
class Solution:
    """A question and the written steps of its solution (at least one).

    ``first_error`` is the index from 0 of the first wrong step, None when all are right; it means
    nothing unless ``labelled``. ``kind`` names the error where it is known.
    """

    question: str
    steps: tuple[str, ...]
    first_error: int | None = None
    kind: str = ""
    labelled: bool = True

    @property
    def text(self) -> str:
        """The steps, one a line."""
        return "\n".join(self.steps)


def location(step: int) -> str:
    """How a claim names the step with index ``step`` from 0: "step 1" is the first."""
    return f"step {step + 1}"


def step_of(claim: Claim) -> int | None:
    """The index from 0 of the step that a claim names; None when it names no step."""
    match = STEP.match(claim.location)
    return int(match[1]) - 1 if match else None


def first_claimed(critique: Critique) -> int | None:
    """The earliest step that a critique calls wrong; None when it calls none wrong."""
    steps = [s for c in critique.claims if c.kind != "ok" and (s := step_of(c)) is not None]
    return min(steps, default=None)


def first_error_scores(
    found: Sequence[int | None], truth: Sequence[int | None]
) -> tuple[list[bool], list[bool]]:
    """Hits on erroneous solutions (exact first step) and on correct ones (nothing claimed).

    Raises:
        ValueError: different lengths.
    """
    pairs = list(zip(found, truth, strict=True))
    return [f == t for f, t in pairs if t is not None], [f is None for f, t in pairs if t is None]


def harmonic_f1(wrong: Sequence[bool], right: Sequence[bool]) -> float:
    """Harmonic mean of the accuracies on erroneous and on correct solutions; NaN without either.

    Source: ProcessBench, arXiv 2412.06559, section 2.
    """
    if not wrong or not right:
        return float("nan")
    a, b = sum(wrong) / len(wrong), sum(right) / len(right)
    return 2 * a * b / (a + b) if a + b else 0.0
