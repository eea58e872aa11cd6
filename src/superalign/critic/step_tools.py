"""What tools can tell of a step without a model: sums recomputed, and where its numbers come from.

The calculator finds a false sum. Provenance finds a number that neither the question, nor an
earlier step, nor a sum of this step accounts for: a wrong copy leaves such an orphan unless the
wrong number also stands somewhere before. None of this knows what the question means, and nothing
but "first" and "last" says where a step stands, so that it holds for longer solutions too.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from superalign.critic.steps import Solution
from superalign.tasks.mathematics_steps import Step, verify_steps

Array = npt.NDArray[np.float32]
NUMBER = re.compile(r"(?<![\w.])\d{1,3}(?:,\d{3})+(?!\d)|(?<![\w.])\d{1,15}(?:\.\d{1,9})?")
OPERATIONS = "+-*/"
SPELT = {
    w: Fraction(i)
    for i, w in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve".split()
    )
} | {
    "half": Fraction(1, 2), "twice": Fraction(2), "double": Fraction(2), "dozen": Fraction(12),
    "triple": Fraction(3), "third": Fraction(1, 3), "quarter": Fraction(1, 4),
    "thrice": Fraction(3), "week": Fraction(7), "year": Fraction(12), "day": Fraction(24),
    "hour": Fraction(60), "minute": Fraction(60), "percent": Fraction(100), "%": Fraction(100),
}  # fmt: skip
WORD = re.compile(r"[a-z]+|%")
LOGIC = re.compile(r"\b(?:(yes|no) (and|or) |not )(yes|no) = (yes|no)\b")
TOOLS = (
    "false sums", "sums", "orphan numbers", "share of orphans", "orphan operands",
    "numbers", "questions's numbers new here", "question's numbers unused so far",
    "result used later", "result is whole", "result is negative", "result seen before",
    "result larger than all before", "adds", "subtracts", "multiplies", "divides",
    "first", "last", "words", "only repeats",
    "operands that the step before gave", "operands from earlier results",
    "operands from the question", "same operands as an earlier sum",
)  # fmt: skip


def numbers(text: str) -> list[Fraction]:
    """All plain numbers of a text, in order; thousands commas and decimals are read."""
    return [Fraction(m.replace(",", "")) for m in NUMBER.findall(text)]


def tool_features(solution: Solution) -> Array:
    """(steps, len(TOOLS)): what the tools say of each step, given the question and those before."""
    asked = numbers(solution.question)
    known = set(asked) | _spelt(solution.question)
    unused, rows = set(asked), []
    results_before: set[Fraction] = set()
    before: set[Fraction] = set()
    worked: set[tuple[Fraction, ...]] = set()
    written = [numbers(step) for step in solution.steps]
    for i, step in enumerate(solution.steps):
        sums = verify_steps(step)
        row = _row(solution, i, sums, written, known, unused, results_before)
        operands = _operands(sums)
        rows.append(row + _provenance(operands, before, results_before, set(asked), worked))
        unused -= set(written[i])
        before = {s.value for s in sums}
        worked.add(tuple(sorted(operands)))
        results_before |= before
        known |= set(written[i]) | before
    return np.asarray(rows, dtype=np.float32)


def false_sum(step: str) -> Step | None:
    """The first equation of a step that recomputing shows to be false."""
    return next((s for s in verify_steps(step) if not s.ok), None)


def false_logic(step: str) -> int:
    """How many statements such as "yes and no = yes" of a step are false."""
    return sum(_truth(*m) != (m[3] == "yes") for m in LOGIC.findall(step))


def _truth(a: str, operation: str, b: str, _: str) -> bool:
    one, other = a == "yes", b == "yes"
    return {"and": one and other, "or": one or other, "": not other}[operation]


def _operands(sums: Sequence[Step]) -> list[Fraction]:
    return [x for s in sums for x in numbers(s.equation.partition("=")[0])]


def _provenance(
    operands: Sequence[Fraction],
    before: set[Fraction],
    results: set[Fraction],
    asked: set[Fraction],
    worked: set[tuple[Fraction, ...]],
) -> list[float]:
    """Where the operands of a step's sums come from; shares are 0 without operands."""
    n = max(1, len(operands))
    return [
        *(sum(x in pool for x in operands) / n for pool in (before, results, asked)),
        float(bool(operands) and tuple(sorted(operands)) in worked),
    ]


def _spelt(text: str) -> set[Fraction]:
    return {SPELT[w] for w in WORD.findall(text.lower()) if w in SPELT}


def _row(
    solution: Solution,
    i: int,
    sums: Sequence[Step],
    written: Sequence[list[Fraction]],
    known: set[Fraction],
    unused: set[Fraction],
    results_before: set[Fraction],
) -> list[float]:
    step, here = solution.steps[i], written[i]
    made = {s.value for s in sums}
    orphans = [x for x in here if x not in known and x not in made]
    operands = _operands(sums)
    result = sums[-1].value if sums else (here[-1] if here else None)
    later = {x for row in written[i + 1 :] for x in row}
    signs = "".join(s.equation for s in sums).translate(str.maketrans("×x·÷−", "***/-"))
    n, total = max(1, len(here)), len(solution.steps)
    return [
        sum(not s.ok for s in sums) + false_logic(step),
        len(sums),
        len(orphans),
        len(orphans) / n,
        sum(x not in known and x not in made for x in operands),
        np.log1p(len(here)),
        len(set(here) & unused),
        len(unused - set(here)) / max(1, len(unused)) if unused else 0.0,
        float(result in later) if i + 1 < total else 1.0,
        float(result is None or result.denominator == 1),
        float(result is not None and result < 0),
        float(result in known or result in results_before),
        float(result is not None and bool(known) and result > max(known)),
        *(float(sign in signs) for sign in OPERATIONS),
        float(i == 0),
        float(i == total - 1),
        np.log1p(len(step.split())),
        float(bool(here) and not sums and all(x in known for x in here)),
    ]
