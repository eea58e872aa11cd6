"""Rollouts: worked problems from a writer that errs, and what every step of them is worth.

A *writer* goes on from the first lines of a trace. The value of a step is the chance that the work
reaches the right answer from there, estimated by the share of rollouts that do. For the faulty writer
it is known: with chance e of an error at each line, right work with m lines to come reaches the answer
with chance (1−e)^m, and work that has gone wrong hardly ever does.

Source: arXiv 2312.08935 (there the writer is a language model; ``ModelWriter`` is one here).
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from superalign.critic.step_reader import question_prompt
from superalign.models import LanguageModel
from superalign.oversight.flaws import SAME_LENGTH, flawed_line
from superalign.oversight.lessons import reached
from superalign.oversight.problems import FAMILIES
from superalign.oversight.traces import Line, Problem, Trace, apply, read_line

LINE_TOKENS = 26
LARGEST = 10**6


class Writer(Protocol):
    """Works problems, now and then wrongly."""

    def write(self, starts: Sequence[Trace], n: int, seed: int) -> list[list[Trace]]:
        """``n`` works that go on from each start (whose lines they keep) to the end."""
        ...


@dataclass(frozen=True)
class FaultyWriter:
    """Executes each instruction and writes a flawed line instead with chance ``error``."""

    error: float

    def write(self, starts: Sequence[Trace], n: int, seed: int) -> list[list[Trace]]:
        """Independent works; the same seed gives the same ones."""
        rng = random.Random(f"writer {seed}")
        return [[self._work(start, rng) for _ in range(n)] for start in starts]

    def _work(self, start: Trace, rng: random.Random) -> Trace:
        problem, lines = start.problem, list(start.lines)
        state = start.state(len(start))
        for i in range(len(problem.instructions)):
            if i in state:
                continue
            values = problem.values(i, state)
            operation = problem.instructions[i].operation
            written, flaw = (operation, values, apply(operation, values)), ""
            if rng.random() < self.error:
                found = flawed_line(problem, i, written, state, SAME_LENGTH, rng)
                if found is not None and abs(found[0][2]) <= LARGEST:
                    written, flaw = found
            state[i] = written[2]
            lines.append(Line(problem.write(i, *written), i, flaw))
        return Trace(problem, tuple(lines))


@dataclass(frozen=True)
class ModelWriter:
    """A language model goes on line by line; a line that cannot be read ends the work.

    Flaws are found by executing: a line is flawed if it is not the step that is due.
    """

    model: LanguageModel
    temperature: float = 1.0

    def write(self, starts: Sequence[Trace], n: int, seed: int) -> list[list[Trace]]:
        """All works in one batch."""
        longest = max(len(s.problem.instructions) - len(s) for s in starts)
        prompts = [
            question_prompt(s.problem.question) + "".join(f"{x.text}\n" for x in s.lines)
            for s in starts
        ]
        outs = self.model.generate(
            prompts,
            n=n,
            max_new_tokens=max(1, LINE_TOKENS * longest),
            temperature=self.temperature,
            stop=("\nQuestion", "\n\n"),
            seed=seed,
            raw=True,
        )
        return [
            [read_work(start, out.text) for out in row]
            for start, row in zip(starts, outs, strict=True)
        ]


def read_work(start: Trace, text: str) -> Trace:
    """``start`` continued by the lines of ``text`` that can be read, up to the problem's end."""
    made = start
    for line in text.splitlines():
        index, reading = made.pending(len(made)), read_line(line.strip())
        if index is None or reading is None:
            break
        due = made.due(len(made))
        right = due is not None and read_line(due) == reading
        written = Line(line.strip(), index, "" if right else "wrong step")
        made = Trace(made.problem, (*made.lines, written))
    return made


def problems(
    seed: int, count: int, steps: Sequence[int], families: Sequence[str] = ()
) -> list[Problem]:
    """Fresh problems with steps and families by turns."""
    rng, names = random.Random(f"rollouts {seed}"), list(families) or sorted(FAMILIES)
    return [FAMILIES[names[i % len(names)]](rng, rng.choice(list(steps))) for i in range(count)]


def pools(writer: Writer, asked: Sequence[Problem], n: int, seed: int) -> list[list[Trace]]:
    """``n`` works of each problem from the start. Works without a line are left out."""
    found = writer.write([Trace(p, ()) for p in asked], n, seed)
    return [[t for t in row if len(t)] for row in found]


def step_values(writer: Writer, traces: Sequence[Trace], n: int, seed: int) -> list[list[float]]:
    """By trace, the share of ``n`` rollouts after each of its lines that reach the right answer.

    After the last line there is nothing left to write, so its value is 0 or 1.
    """
    starts = [Trace(t.problem, t.lines[: i + 1]) for t in traces for i in range(len(t))]
    open_ = [s for s in starts if s.pending(len(s)) is not None]
    rows = iter(writer.write(open_, n, seed) if open_ else [])
    shares = [
        float(reached(s)) if s.pending(len(s)) is None else sum(reached(t) for t in next(rows)) / n
        for s in starts
    ]
    found, at = [], 0
    for trace in traces:
        found.append(shares[at : at + len(trace)])
        at += len(trace)
    return found
