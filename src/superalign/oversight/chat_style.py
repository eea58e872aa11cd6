"""Terse worked solutions told the way chat models tell theirs, with the label carried along.

What a critic learns from is written in a few words a line; what it is asked about opens by restating
the question, joins its steps with connectives, sets sums in LaTeX and closes with a boxed answer.
Nothing that can be right or wrong is changed, so the first wrong step stays the first wrong one.
"""

from __future__ import annotations

import random
import re

from superalign.critic.steps import Solution

OPENINGS = (
    "To find out {asked}, we need to break the problem down step by step.",
    "Let's work through the problem step by step to find {asked}.",
    "To solve this problem, we go through what is given and then answer: {asked}?",
    "We need to determine {asked}. Let's start with what is known.",
)
FIRST = ("First, ", "To begin with, ", "Start with the following. ", "")
NEXT = ("Next, ", "Then, ", "Now, ", "After that, ", "Second, ", "")
CLOSINGS = (
    "Therefore, the answer is \\boxed{{{answer}}}.",
    "So, the final answer is \\(\\boxed{{{answer}}}\\).",
    "Therefore, the answer is {answer}.",
)
ANSWER = re.compile(r"\s*The answer is (?P<answer>\S+)\.$")
LINKED = re.compile(r"(?:So|Then|Thus|Therefore|Hence|Finally|Next|First|Now)\b")
SUM = re.compile(r"\$?\d[\d,.]*(?:\s*[-+*/x]\s*\$?\d[\d,.]*)+\s*=\s*\$?\d[\d,]*(?:\.\d+)?")
OPENED, MERGED, SET = (
    0.75,
    0.2,
    0.5,
)  # chances: to restate the question, to join steps, to use LaTeX


def as_chat(solution: Solution, rng: random.Random) -> Solution:
    """``solution`` in a chat model's manner; ``first_error`` names the same step in its new place."""
    steps, first = list(solution.steps), solution.first_error
    closing = ANSWER.search(steps[-1])
    if closing:
        steps[-1] = steps[-1][: closing.start()]
    latex = rng.random() < SET
    told = [_told(step, rng, first=i == 0, latex=latex) for i, step in enumerate(steps)]
    told, first = _merged(told, first, rng)
    if rng.random() < OPENED:
        told.insert(0, rng.choice(OPENINGS).format(asked=_asked(solution.question)))
        first = None if first is None else first + 1
    if closing:
        told.append(rng.choice(CLOSINGS).format(answer=closing["answer"]))
    return Solution(solution.question, tuple(told), first, solution.kind, solution.labelled)


def _asked(question: str) -> str:
    """The last sentence of a question, as it stands inside another sentence."""
    last = re.split(r"(?<=[.?!])\s+", question.strip())[-1].rstrip("?.! ")
    return last[:1].lower() + last[1:]


def _told(step: str, rng: random.Random, *, first: bool, latex: bool) -> str:
    lead = "" if LINKED.match(step) else rng.choice(FIRST if first else NEXT)
    common = step.partition(" ")[0] in ("The", "He", "She", "They", "It", "In", "There", "If")
    body = step[:1].lower() + step[1:] if lead.endswith(", ") and common else step
    said = f"{lead}{body}".rstrip()
    if latex:
        said = SUM.sub(lambda m: f"\\({_set(m[0])}\\)", said)
    return said if said.endswith((".", "!", "?", ")")) else f"{said}."


def _set(written: str) -> str:
    return re.sub(r"\s*[*x]\s*", r" \\times ", written).replace("$", "\\$")


def _merged(
    steps: list[str], first: int | None, rng: random.Random
) -> tuple[list[str], int | None]:
    """Some neighbours joined into one step; a joined step is wrong if either was."""
    joined: list[str] = []
    at = None
    for i, step in enumerate(steps):
        if joined and len(steps) > 2 and rng.random() < MERGED:
            joined[-1] += f" {step}"
        else:
            joined.append(step)
        if i == first:
            at = len(joined) - 1
    return joined, at
