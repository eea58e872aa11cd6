"""Critic to learner: the same work, revised as each critic says, and the same number of updates.

The learner has worked problems, some wrongly. An arm turns that work into demonstrations, always as
many: *none* imitates it as it is, *binary reward* only what reached the right answer, a *critic* what
it leaves alone as it is and what it claims as revised: its fix stands at the claimed line and what
follows is executed anew. The critic is worth what the learner gains in ground truth on new problems.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

from superalign.critic.step_reader import question_prompt
from superalign.critic.steps import step_of
from superalign.models.local import LocalModel
from superalign.oversight.critics import Critic
from superalign.oversight.traces import Line, Trace, read_line
from superalign.records import Claim
from superalign.statistics import mcnemar, paired_difference, rate

ANSWER_TOKENS = 26  # per step of the longest trace


def revised(trace: Trace, claims: Sequence[Claim]) -> Trace:
    """``trace`` with the first claim's fix in place and the rest executed from there.

    A claim without a fix that can be read as a step revises nothing.
    """
    for claim in claims:
        position = step_of(claim)
        index = None if position is None else trace.pending(position)
        if position is None or index is None or claim.fix is None:
            continue
        if read_line(claim.fix) is None:
            continue
        kept = [*trace.lines[:position], Line(claim.fix, index)]
        made = Trace(trace.problem, tuple(kept))
        while (text := made.due(len(made))) is not None:
            made = Trace(trace.problem, (*made.lines, Line(text, made.pending(len(made)))))
        return made
    return trace


def reached(trace: Trace) -> bool:
    """Whether the work ends in the right answer."""
    last = len(trace.problem.instructions) - 1
    return trace.state(len(trace)).get(last) == trace.problem.answer


def lessons(
    work: Sequence[Trace], critics: Mapping[str, Critic], seed: int
) -> dict[str, list[Trace]]:
    """Demonstrations by arm, as many as there is work in each."""
    rng = random.Random(f"lessons {seed}")
    right = [t for t in work if reached(t)]
    arms = {"none": list(work)}
    if right:
        arms["binary reward"] = [rng.choice(right) for _ in work]
    for name, critic in critics.items():
        arms[name] = [revised(t, critic.claims(t)) for t in work]
    return arms


def solves(model: LocalModel, problems: Sequence[Trace]) -> list[bool]:
    """Whether the model's greedy work on each problem ends in the right answer.

    It works without a calculator; the line of the last step decides. Work that cannot be read is
    wrong: the model was asked for an answer and gave none.
    """
    longest = max(len(t.problem.instructions) for t in problems)
    outs = model.generate(
        [question_prompt(t.problem.question) for t in problems],
        max_new_tokens=ANSWER_TOKENS * longest,
        temperature=0.0,
        stop=("\nQuestion", "\n\n"),
        raw=True,
    )
    return [_answers(out[0].text, trace) for out, trace in zip(outs, problems, strict=True)]


def _answers(text: str, trace: Trace) -> bool:
    readings = [r for line in text.splitlines() if (r := read_line(line)) is not None]
    count = len(trace.problem.instructions)
    return len(readings) >= count and readings[count - 1].result == trace.problem.answer


def comparison(
    outcomes: Mapping[str, Sequence[bool]], before: Sequence[bool]
) -> list[dict[str, Any]]:
    """Accuracy and gain by arm on the same problems, and each arm against binary reward."""
    binary = outcomes.get("binary reward")
    rows = []
    for name, after in outcomes.items():
        row: dict[str, Any] = {
            "name": name,
            "accuracy": rate(after).as_dict(),
            "gain": paired_difference(
                [float(b) for b in before], [float(a) for a in after]
            ).as_dict(),
        }
        if binary is not None:
            rose = sum(a and not b for a, b in zip(after, binary, strict=True))
            fell = sum(b and not a for a, b in zip(after, binary, strict=True))
            row["versus_binary"] = {"rose": rose, "fell": fell, "p": mcnemar(rose, fell)}
        rows.append(row)
    return rows
