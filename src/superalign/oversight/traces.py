"""Tasks whose every step can be executed: a program, its question in words, its worked trace.

A *problem* is a list of instructions over given numbers (or yes/no facts) and earlier results. A
*trace* works through it line by line; a line may be flawed, so what a line says and what it should
have said, given the lines before it, are both computed and never guessed.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from superalign.critic.steps import Solution

NUMERIC: dict[str, Callable[[int, int], int]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
}
LOGIC: dict[str, Callable[[int, int], int]] = {"and": operator.and_, "or": operator.or_}
LARGEST = 9999
WORDS = ("no", "yes")
LINE = re.compile(
    r"(?:^|[:=] )(?:(?P<not>not (?P<x>yes|no))|(?P<a>-?\d+|yes|no) (?P<op>[-+*]|and|or) (?P<b>-?\d+|yes|no))"
    r" = (?P<r>-?\d+|yes|no)\.?$"
)
ANSWER = re.compile(r"(?P<r>-?\d+|yes|no)\.?$")


class Operand(NamedTuple):
    """A given value, or the result of instruction ``value`` when ``result``."""

    value: int
    result: bool = False


@dataclass(frozen=True)
class Instruction:
    """``operation`` on one operand ("not") or two; ``label`` opens its line ("" for none)."""

    operation: str
    operands: tuple[Operand, ...]
    label: str = ""


@dataclass(frozen=True)
class Problem:
    """A question and the instructions that answer it, the last one's result being the answer."""

    family: str
    question: str
    instructions: tuple[Instruction, ...]

    def values(self, index: int, state: Mapping[int, int]) -> tuple[int, ...]:
        """Operands of an instruction, given the results written so far."""
        return tuple(
            state[o.value] if o.result else o.value for o in self.instructions[index].operands
        )

    def execute(self, index: int, state: Mapping[int, int]) -> int:
        """What an instruction gives, given the results written so far."""
        return apply(self.instructions[index].operation, self.values(index, state))

    def rest(self, state: Mapping[int, int]) -> int:
        """The answer when every instruction without a result is executed faithfully."""
        known = dict(state)
        for i in range(len(self.instructions)):
            if i not in known:
                known[i] = self.execute(i, known)
        return known[len(self.instructions) - 1]

    @property
    def answer(self) -> int:
        """The right answer."""
        return self.rest({})

    @property
    def logical(self) -> bool:
        """Whether the values are yes and no."""
        return self.instructions[0].operation in ("not", *LOGIC)

    def write(self, index: int, operation: str, values: tuple[int, ...], result: int) -> str:
        """A line in the problem's own form."""
        said = [show(v, self.logical) for v in (*values, result)]
        sum_ = f"not {said[0]}" if operation == "not" else f"{said[0]} {operation} {said[1]}"
        label = self.instructions[index].label
        return f"{label}: {sum_} = {said[-1]}" if label else f"{sum_} = {said[-1]}"


class Reading(NamedTuple):
    """What a line says: an operation, its operands, the result."""

    operation: str
    values: tuple[int, ...]
    result: int

    @property
    def adds_up(self) -> bool:
        """Whether the line's own sum is true."""
        return apply(self.operation, self.values) == self.result


@dataclass(frozen=True)
class Line:
    """A written line. ``performs`` is its instruction, None for a harmless remark (decoy)."""

    text: str
    performs: int | None = None
    flaw: str = ""


@dataclass(frozen=True)
class Trace:
    """A worked problem. ``flaws`` are the positions of flawed lines, ascending."""

    problem: Problem
    lines: tuple[Line, ...]

    @property
    def flaws(self) -> tuple[int, ...]:
        """Positions of the lines that introduce an error."""
        return tuple(i for i, line in enumerate(self.lines) if line.flaw)

    @property
    def first_error(self) -> int | None:
        """Position of the first wrong line, None when all are right."""
        return next(iter(self.flaws), None)

    def __len__(self) -> int:
        return len(self.lines)

    @property
    def solution(self) -> Solution:
        """What a step critic reads, with the label."""
        kind = "" if self.first_error is None else self.lines[self.first_error].flaw
        texts = tuple(line.text for line in self.lines)
        return Solution(self.problem.question, texts, self.first_error, kind)

    def state(self, before: int) -> dict[int, int]:
        """Results written in the lines before position ``before``."""
        found: dict[int, int] = {}
        for line in self.lines[:before]:
            reading = read_line(line.text)
            if line.performs is not None and reading is not None:
                found[line.performs] = reading.result
        return found

    def pending(self, position: int) -> int | None:
        """The instruction that is due at ``position``: the first without a line before it."""
        done = {line.performs for line in self.lines[:position]}
        return next((i for i in range(len(self.problem.instructions)) if i not in done), None)

    def due(self, position: int) -> str | None:
        """The right line at ``position``, given those before it; None when nothing is due."""
        index = self.pending(position)
        if index is None:
            return None
        state = self.state(position)
        instruction = self.problem.instructions[index]
        values = self.problem.values(index, state)
        return self.problem.write(
            index, instruction.operation, values, self.problem.execute(index, state)
        )

    def repaired(self, position: int, fix: str) -> int | None:
        """The answer after ``fix`` stands at ``position`` and all that follows is executed anew.

        None when the fix cannot be read, its own sum is false, or nothing is due there. A fix that
        drops an instruction cannot pass: the instruction that is due takes its result.
        """
        reading, index = read_line(fix), self.pending(position)
        if reading is None or index is None or not reading.adds_up:
            return None
        return self.problem.rest(self.state(position) | {index: reading.result})

    def fix_holds(self, position: int, fix: str) -> bool:
        """Whether the fix is the step that is due and re-execution then reaches the right answer.

        Operands may be exchanged where that changes nothing. Where lines before ``position`` are
        flawed, the right answer is out of reach and no fix there holds.
        """
        due, reading = self.due(position), read_line(fix)
        wanted = None if due is None else read_line(due)
        if wanted is None or reading is None:
            return False
        return same_step(reading, wanted) and self.repaired(position, fix) == self.problem.answer


def same_step(said: Reading, due: Reading) -> bool:
    """Whether two steps are the same but for operands exchanged where that changes nothing."""
    return said == due or (
        said.operation == due.operation != "-"
        and sorted(said.values) == sorted(due.values)
        and said.result == due.result
    )


def apply(operation: str, values: tuple[int, ...]) -> int:
    """The operation on its operands; yes is 1 and no is 0."""
    if operation == "not":
        return 1 - values[0]
    table = NUMERIC if operation in NUMERIC else LOGIC
    return table[operation](values[0], values[1])


def show(value: int, logical: bool) -> str:
    """A value as lines write it."""
    return WORDS[value] if logical else str(value)


def read_line(text: str) -> Reading | None:
    """What a line says, None where it says nothing that can be executed."""
    match = LINE.search(text.strip())
    if match is None:
        return None
    values: tuple[int, ...]
    if match["not"]:
        values, operation = (_value(match["x"]),), "not"
    else:
        values, operation = (_value(match["a"]), _value(match["b"])), match["op"]
    if (match["r"] in WORDS) == (operation in NUMERIC):
        return None
    words = [match[k] in WORDS for k in ("a", "b") if match[k] is not None]
    if any(w == (operation in NUMERIC) for w in words):
        return None
    return Reading(operation, values, _value(match["r"]))


def _value(word: str) -> int:
    return WORDS.index(word) if word in WORDS else int(word)


def faithful(problem: Problem) -> Trace:
    """The trace without a flaw."""
    state: dict[int, int] = {}
    lines = []
    for i, instruction in enumerate(problem.instructions):
        values = problem.values(i, state)
        state[i] = problem.execute(i, state)
        lines.append(Line(problem.write(i, instruction.operation, values, state[i]), i))
    return Trace(problem, tuple(lines))
