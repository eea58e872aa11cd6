"""Critic to learner: the same work, revised as each critic says, and the same number of updates.

The learner has worked problems, some wrongly. An arm turns that work into demonstrations, always as
many: *none* imitates it as it is, *binary reward* only what reached the right answer, a *critic* what
it leaves alone as it is and what it claims as revised: its fix stands at the claimed line and what
follows is executed anew. The critic is worth what the learner gains in ground truth on new problems:
right answers, and how far its steps are the ones that are due. The latter leaves sums aside: a small
model learns from a few works which step comes next, and it does not learn to add.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from superalign.critic.step_reader import question_prompt
from superalign.critic.steps import step_of
from superalign.models.local import LocalModel
from superalign.oversight.critics import Critic
from superalign.oversight.traces import Line, Problem, Trace, faithful, read_line, same_step
from superalign.records import Claim
from superalign.statistics import mcnemar, mean, paired_difference, rate

SLACK = 1.25  # work may be so many times as long as the longest right work


class Work(NamedTuple):
    """What a model's own work came to.

    ``right``: it ends in the right answer. ``due``: the share, in [0, 1], of the steps before the
    first that is not the one due, given the results it wrote itself; sums are not counted.
    """

    right: bool
    due: float


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
        rng.shuffle(right)
        arms["binary reward"] = [right[i % len(right)] for i in range(len(work))]
    for name, critic in critics.items():
        arms[name] = [revised(t, critic.claims(t)) for t in work]
    return arms


def works(model: LocalModel, problems: Sequence[Trace]) -> list[Work]:
    """The model's greedy work on each problem, without a calculator, held to the steps that are due.

    Work that cannot be read is wrong: the model was asked for an answer and gave none.
    """
    right = [faithful(t.problem) for t in problems]
    longest = max(sum(len(model.encode_completion(f"{x.text}\n")) for x in t.lines) for t in right)
    outs = model.generate(
        [question_prompt(t.problem.question) for t in problems],
        max_new_tokens=int(SLACK * longest),
        temperature=0.0,
        stop=("\nQuestion", "\n\n"),
        raw=True,
    )
    return [graded(out[0].text, t.problem) for out, t in zip(outs, problems, strict=True)]


def graded(text: str, problem: Problem) -> Work:
    """Written work against what is due in ``problem``; remarks between its steps do no harm."""
    lines = [line for line in text.splitlines() if read_line(line) is not None]
    steps = len(problem.instructions)
    said, due = Trace(problem, ()), 0
    for line in lines[:steps]:
        if not _due(said, line):
            break
        said = Trace(problem, (*said.lines, Line(line, due)))
        due += 1
    last = read_line(lines[steps - 1]) if len(lines) >= steps else None
    return Work(last is not None and last.result == problem.answer, due / steps)


def _due(said: Trace, line: str) -> bool:
    """Whether ``line`` is the step that is due after ``said``, whatever sum it gives."""
    reading, wanted = read_line(line), read_line(said.due(len(said)) or "")
    if reading is None or wanted is None:
        return False
    if said.problem.logical and reading.result not in (0, 1):
        return False
    return same_step(reading._replace(result=wanted.result), wanted)


def comparison(
    outcomes: Mapping[str, Sequence[Sequence[Work]]], before: Sequence[Sequence[Work]]
) -> list[dict[str, Any]]:
    """Accuracy, steps and gain by arm on the same problems, and each arm against binary reward.

    ``outcomes`` and ``before`` hold one list per seed. ``by_seed`` has the gains in steps over binary
    reward of each seed alone: problems of one seed share one learner, and the intervals over all
    problems do not count how much learners differ.
    """
    rows = []
    start = [w for part in before for w in part]
    reward = outcomes.get("binary reward")
    for name, parts in outcomes.items():
        after = [w for part in parts for w in part]
        row: dict[str, Any] = {
            "name": name,
            "accuracy": rate(w.right for w in after).as_dict(),
            "gain": paired_difference(_right(start), _right(after)).as_dict(),
            "steps": mean(w.due for w in after).as_dict(),
            "steps_gain": paired_difference(_due_shares(start), _due_shares(after)).as_dict(),
        }
        if reward is not None:
            row["versus_binary"] = _against(after, [w for part in reward for w in part])
            row["versus_binary"]["by_seed"] = [
                paired_difference(_due_shares(b), _due_shares(a)).value
                for a, b in zip(parts, reward, strict=True)
            ]
        rows.append(row)
    return rows


def _against(after: Sequence[Work], binary: Sequence[Work]) -> dict[str, Any]:
    rose = sum(a.right and not b.right for a, b in zip(after, binary, strict=True))
    fell = sum(b.right and not a.right for a, b in zip(after, binary, strict=True))
    return {
        "rose": rose,
        "fell": fell,
        "p": mcnemar(rose, fell),
        "accuracy": paired_difference(_right(binary), _right(after)).as_dict(),
        "steps": paired_difference(_due_shares(binary), _due_shares(after)).as_dict(),
    }


def _right(works: Sequence[Work]) -> list[float]:
    return [float(w.right) for w in works]


def _due_shares(works: Sequence[Work]) -> list[float]:
    return [w.due for w in works]
