"""Planted, typed flaws and harmless decoys: traces whose first error is known by construction."""

from __future__ import annotations

import random
from collections.abc import Sequence

from superalign.oversight.problems import FAMILIES
from superalign.oversight.traces import (
    LOGIC,
    NUMERIC,
    Line,
    Operand,
    Problem,
    Trace,
    apply,
    show,
)

KINDS = ("slip", "wrong copy", "dropped step", "non-sequitur")
SAME_LENGTH = ("slip", "wrong copy", "non-sequitur")
Written = tuple[str, tuple[int, ...], int]  # operation, operands, result


def make_trace(
    rng: random.Random,
    k: int,
    *,
    flaws: int = 0,
    family: str | None = None,
    kinds: Sequence[str] = KINDS,
    decoys: float = 0.0,
) -> Trace:
    """A trace of a fresh problem with k instructions and exactly ``flaws`` planted flaws.

    The flawed instructions are drawn uniformly; the kind is drawn among those that are possible
    there. ``decoys`` is the chance per line of a harmless remark after it, or of swapped operands.
    Values that come after a flaw are worked out from it, so each flaw is the only fault of its line.

    Raises:
        ValueError: more flaws than instructions, or k below 2.
    """
    if k < 2 or not 0 <= flaws <= k:
        raise ValueError(f"need k >= 2 and 0 <= flaws <= k, got {k=}, {flaws=}")
    build = FAMILIES[family or rng.choice(sorted(FAMILIES))]
    while True:
        problem = build(rng, k)
        trace = write_trace(problem, rng, set(rng.sample(range(k), flaws)), kinds, decoys)
        if trace is not None:
            return trace


def write_trace(
    problem: Problem, rng: random.Random, at: set[int], kinds: Sequence[str], decoys: float
) -> Trace | None:
    """One trace of ``problem`` flawed at the instructions ``at``; None where none can be made."""
    state: dict[int, int] = {}
    lines: list[Line] = []
    skipped: int | None = None
    for i, instruction in enumerate(problem.instructions):
        values = problem.values(i, _known(problem, i, state))
        right: Written = (instruction.operation, values, apply(instruction.operation, values))
        written, flaw = right, "dropped step" if skipped is not None else ""
        skipped = None
        if i in at and not flaw:
            dropping = "dropped step" in kinds and rng.random() < 1 / len(kinds)
            if dropping and _droppable(problem, i, at, state):
                skipped = i
                continue
            found = flawed_line(problem, i, right, state, kinds, rng)
            if found is None:
                return None
            written, flaw = found
        state[i] = written[2]
        if abs(state[i]) > 10**6:
            return None
        swap = written[0] in "+*andor" and rng.random() < decoys / 2
        shown = (written[0], written[1][::-1], written[2]) if swap else written
        lines.append(Line(problem.write(i, *shown), i, flaw))
        if rng.random() < decoys / 2:
            lines.append(Line(_remark(problem, i, written)))
    return Trace(problem, tuple(lines))


def _known(problem: Problem, i: int, state: dict[int, int]) -> dict[int, int]:
    """Results before instruction ``i``; a skipped one is taken for its own first operand."""
    known = dict(state)
    for j in range(i):
        if j not in known:
            known[j] = problem.values(j, known)[0]
    return known


def _droppable(problem: Problem, i: int, at: set[int], state: dict[int, int]) -> bool:
    """Whether leaving line ``i`` out makes the next line wrong, and only that one."""
    if i + 1 >= len(problem.instructions) or i + 1 in at:
        return False
    used = [Operand(i, True) in x.operands for x in problem.instructions[i + 1 :]]
    known = _known(problem, i, state)
    values, right = problem.values(i, known), problem.execute(i, known)
    skipped = problem.values(i + 1, known | {i: values[0]})
    here, after = problem.instructions[i], problem.instructions[i + 1]
    repeats = (here.operation, values) == (after.operation, skipped)
    return used[0] and not any(used[1:]) and values[0] != right and not repeats


def flawed_line(
    problem: Problem,
    i: int,
    right: Written,
    state: dict[int, int],
    kinds: Sequence[str],
    rng: random.Random,
) -> tuple[Written, str] | None:
    """A wrong line in place of ``right`` (another result, for a known reason), and its kind."""
    order = [k for k in kinds if k != "dropped step"]
    rng.shuffle(order)
    makers = {"slip": _slip, "wrong copy": _wrong_copy, "non-sequitur": _other_operation}
    for kind in order:
        written = makers[kind](problem, right, state, rng)
        if written is not None and written[2] != right[2]:
            return written, kind
    return None


def _slip(
    problem: Problem, right: Written, state: dict[int, int], rng: random.Random
) -> Written | None:
    """The sum is wrong: by little, by ten, or with two digits exchanged."""
    operation, values, result = right
    if problem.logical:
        return operation, values, 1 - result
    digits = str(abs(result))
    wrong = [result + d for d in (-10, -2, -1, 1, 2, 10)]
    if len(digits) > 1:
        wrong.append(int(digits[:-2] + digits[-1] + digits[-2]))
    wrong = [w for w in wrong if w != result and w > 0]
    return operation, values, rng.choice(wrong)


def _wrong_copy(
    problem: Problem, right: Written, state: dict[int, int], rng: random.Random
) -> Written | None:
    """One operand is another number of the question or of an earlier line, or is misread."""
    operation, values, _ = right
    at = rng.randrange(len(values))
    if problem.logical:
        wrong = [1 - values[at]]
    else:
        pool = {o.value for x in problem.instructions for o in x.operands if not o.result}
        pool |= set(state.values())
        near = {values[at] + d for d in (-10, -1, 1, 10)}
        pool = {p for p in pool if p > 0} or near
        wrong = sorted((pool if rng.random() < 0.6 else near) - {values[at]})
    wrong = [w for w in wrong if w >= 0]
    if not wrong:
        return None
    copied = (*values[:at], rng.choice(wrong), *values[at + 1 :])
    result = apply(operation, copied)
    return None if result < 0 else (operation, copied, result)


def _other_operation(
    problem: Problem, right: Written, state: dict[int, int], rng: random.Random
) -> Written | None:
    """The sum is true but is not what the question asks for here."""
    operation, values, _ = right
    others = [o for o in (LOGIC if problem.logical else NUMERIC) if o != operation]
    if len(values) == 1 or not others:
        return None
    other = rng.choice(others)
    result = apply(other, values)
    return None if result < 0 else (other, values, result)


def _remark(problem: Problem, i: int, written: Written) -> str:
    """A harmless remark about a line: it repeats what the line says."""
    said = show(written[2], problem.logical)
    label = problem.instructions[i].label
    return f"So {label} stands at {said}." if label else f"So far that makes {said}."
