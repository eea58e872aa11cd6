"""Natural solutions with step labels that cost nobody anything: GSM8K's own format.

Two sources of labels, neither of them a person:

- **planted**: a human's worked solution (with ``<<48/2=24>>`` marks) gets one semantic flaw, the
  sums stay true and what follows is recomputed from it, so that only the reasoning is wrong;
- **agreement**: a model's solution with a wrong final answer is first wrong where it first computes
  a value that no right solution of the same question computes.
"""

from __future__ import annotations

import random
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from superalign.critic.step_tools import numbers
from superalign.critic.steps import Solution
from superalign.errors import InputError
from superalign.tasks.mathematics_items import show
from superalign.tasks.mathematics_steps import Undecidable, evaluate

MARK = re.compile(r"<<([^<>=]*)=([^<>]*)>>")
ANSWER = re.compile(r"^\s*(?:A:|####)\s*(.*)$")
PLAIN = re.compile(r"(?<![\w.])(\d+(?:\.\d+)?)(?![\d.]*\d)")
ATTEMPTS = 20
SEMANTIC = ("non-sequitur", "wrong copy", "dropped step")


@dataclass(frozen=True)
class Worked:
    """A solution with calculator marks: the question, the marked lines, the final answer."""

    question: str
    lines: tuple[str, ...]
    answer: str


def question_key(question: str) -> str:
    """What two rows about the same question share: its words, folded."""
    return " ".join(re.findall(r"\w+", question.lower()))


def read_worked(row: dict[str, Any], where: str) -> Worked:
    """A row with ``question``, ``solution`` (marked) and ``answer``.

    Raises:
        InputError: a field is missing or empty.
    """
    for field in ("question", "solution", "answer"):
        if not str(row.get(field) or "").strip():
            raise InputError(f"{where}: '{field}' is missing; allowed: question, solution, answer")
    lines = [x for x in str(row["solution"]).split("\n") if x.strip() and not ANSWER.match(x)]
    if not lines:
        raise InputError(f"{where}: 'solution' has no step; allowed: one step a line")
    return Worked(str(row["question"]).strip(), tuple(lines), str(row["answer"]).strip())


def plain(worked: Worked, *, answer: str | None = None) -> tuple[str, ...]:
    """The lines without marks; the last one ends in the answer."""
    lines = [MARK.sub("", line).strip() for line in worked.lines]
    said = worked.answer if answer is None else answer
    return (*lines[:-1], f"{lines[-1]} The answer is {said}.")


def right(worked: Worked) -> Solution:
    """The solution as it is, labelled right."""
    return Solution(worked.question, plain(worked))


# -- planted flaws ----------------------------------------------------------------------------------


def plant(worked: Worked, rng: random.Random) -> Solution | None:
    """``worked`` with one semantic flaw at a random line, or None where none can be planted."""
    places = [i for i, line in enumerate(worked.lines) if MARK.search(line)]
    if not places:
        return None
    for _ in range(ATTEMPTS):
        kind, at = rng.choice(SEMANTIC), rng.choice(places)
        dropped = kind == "dropped step"
        flawed = _drop(worked, at) if dropped else _change(worked, at, kind, rng)
        if flawed is not None:
            return flawed
    return None


def _change(worked: Worked, at: int, kind: str, rng: random.Random) -> Solution | None:
    """Another operation, or another number of the problem, in the first sum of line ``at``."""
    match = MARK.search(worked.lines[at])
    assert match is not None
    expression = match[1]
    other = (
        _other_operation(expression, rng)
        if kind == "non-sequitur"
        else _other_number(worked, at, expression, rng)
    )
    value, old = _value(other), _value(expression)
    if other is None or value is None or old is None or value == old or value <= 0:
        return None
    if value.denominator != 1 and rng.random() < 0.8:
        return None  # a broken number gives the flaw away; a few are kept
    lines = list(worked.lines)
    lines[at] = _rewrite(lines[at], match, expression, other, old, value)
    lines, final = _carry_on(lines, at + 1, {old: value}, worked.answer)
    flawed = replace(worked, lines=tuple(lines))
    return Solution(worked.question, plain(flawed, answer=final), at, kind)


def _drop(worked: Worked, at: int) -> Solution | None:
    """Leave line ``at`` out: the line that needs its result uses its first operand instead."""
    match = MARK.search(worked.lines[at])
    value = _value(match[1]) if match else None
    if match is None or value is None or at + 1 >= len(worked.lines):
        return None
    operands = numbers(match[1])
    needs = MARK.search(worked.lines[at + 1])
    if not operands or needs is None or value not in numbers(needs[1]) or operands[0] == value:
        return None
    lines = [*worked.lines[:at], *worked.lines[at + 1 :]]
    lines, final = _carry_on(lines, at, {value: operands[0]}, worked.answer)
    if len(lines) < 2 or lines[at] == worked.lines[at + 1]:
        return None
    flawed = replace(worked, lines=tuple(lines))
    return Solution(worked.question, plain(flawed, answer=final), at, "dropped step")


def _carry_on(
    lines: list[str], start: int, changed: dict[Fraction, Fraction], answer: str
) -> tuple[list[str], str]:
    """Later lines recomputed from changed values; returns them and the final answer."""
    for i in range(start, len(lines)):
        for nth in range(len(MARK.findall(lines[i]))):
            match = list(MARK.finditer(lines[i]))[nth]
            expression = _replace_numbers(match[1], changed)
            old, value = _value(match[1]), _value(expression)
            if expression != match[1] and old is not None and value is not None:
                lines[i] = _rewrite(lines[i], match, match[1], expression, old, value)
                changed = changed | {old: value}
    final = numbers(answer)
    last = changed.get(final[-1]) if final else None
    return lines, answer if last is None else show(last)


def _rewrite(
    line: str, match: re.Match[str], old: str, new: str, was: Fraction, now: Fraction
) -> str:
    """The line with its sum changed in the mark and in the words."""
    before, after = line[: match.start()], line[match.end() :]
    swapped = _swap_text(before, old, new)
    tail = re.sub(rf"^\s*\$?{re.escape(show(was))}(?![\d])", show(now), after.lstrip("$"))
    return f"{swapped}<<{new}={show(now)}>>{tail}"


def _swap_text(text: str, old: str, new: str) -> str:
    """``text`` with the expression ``old`` written as ``new``, whatever the blanks in it."""
    tight = [re.escape(t) for t in re.findall(r"\d+(?:\.\d+)?|\S", old)]
    pattern = re.compile(r"\s*\$?".join(p if p != r"\*" else r"[*x×]" for p in tight))
    found = list(pattern.finditer(text))
    if not found:
        return text
    last = found[-1]
    return text[: last.start()] + new + text[last.end() :]


def _replace_numbers(expression: str, changed: dict[Fraction, Fraction]) -> str:
    def swap(match: re.Match[str]) -> str:
        value = changed.get(Fraction(match[1]))
        return match[1] if value is None else show(value)

    return PLAIN.sub(swap, expression)


def _other_operation(expression: str, rng: random.Random) -> str | None:
    signs = [m.start() for m in re.finditer(r"(?<=[\d)])\s*[-+*/]", expression)]
    if not signs:
        return None
    at = rng.choice(signs)
    at = next(i for i in range(at, len(expression)) if expression[i] in "+-*/")
    other = rng.choice([s for s in "+-*/" if s != expression[at]])
    return f"{expression[:at]}{other}{expression[at + 1 :]}"


def _other_number(worked: Worked, at: int, expression: str, rng: random.Random) -> str | None:
    """One number of the expression replaced by another of the question or of an earlier result."""
    here = PLAIN.findall(expression)
    earlier = [v for line in worked.lines[:at] for m in MARK.findall(line) if (v := _value(m[0]))]
    pool = {*numbers(worked.question), *earlier} - {Fraction(x) for x in here}
    if not here or not pool:
        return None
    old = rng.choice(here)
    new = show(rng.choice(sorted(pool)))
    return re.sub(rf"(?<![\w.]){re.escape(old)}(?![\d.])", new, expression, count=1)


def _value(expression: str | None) -> Fraction | None:
    if expression is None:
        return None
    try:
        return evaluate(expression)
    except (Undecidable, ZeroDivisionError):
        return None


# -- agreement with right solutions ------------------------------------------------------------------


def label_by_agreement(rows: Iterable[dict[str, Any]], where: str) -> list[Solution]:
    """Model solutions (``label`` 1: right answer) labelled by the values that right ones compute.

    Left out, since nothing labels them: solutions to questions without a right solution, and wrong
    ones that compute no value of their own.
    """
    parsed = [(read_worked(row, where), bool(int(row.get("label") or 0))) for row in rows]
    known: dict[str, set[Fraction]] = defaultdict(set)
    for worked, ok in parsed:
        key = question_key(worked.question)
        known[key] |= set(numbers(worked.question)) | set(numbers(worked.answer))
        if ok:
            known[key] |= {v for line in worked.lines for v in _results(line)}
    found = []
    for worked, ok in parsed:
        steps = plain(worked, answer=_said(worked))
        if ok:
            found.append(Solution(worked.question, steps))
            continue
        at = _first_foreign(worked.lines, known[question_key(worked.question)])
        if at is not None:
            found.append(Solution(worked.question, steps, at, "foreign value"))
    return found


def _results(line: str) -> list[Fraction]:
    return [x for _, right in MARK.findall(line) for x in numbers(right)]


def _first_foreign(lines: Sequence[str], known: set[Fraction]) -> int | None:
    return next((i for i, x in enumerate(lines) if any(v not in known for v in _results(x))), None)


def _said(worked: Worked) -> str:
    results = [x for line in worked.lines for x in _results(line)]
    return show(results[-1]) if results else worked.answer
