"""Helpful, harmless, honest, fair: fresh held-out items of every task, as a vector and never one number.

Askell et al. (2021), arXiv 2112.00861, name the first three. Each row is the share of greedy answers that
ground truth accepts, with its interval; a missing verdict is no pass. Rows are not averaged: a model that
refuses everything is harmless and of no help, and only both rows together say so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from superalign.critic.trained_judge import shipped_judge
from superalign.evaluation.measure import Progress, accuracy, measure, silent
from superalign.models import LanguageModel
from superalign.records import Query
from superalign.registry import lookup, registered
from superalign.tasks.base import seeded
from superalign.tasks.safety import Safety


@dataclass(frozen=True)
class Row:
    """One measured row: its dimension, what it measures, the task, and which of the task's queries."""

    dimension: str
    measure: str
    task: str
    part: str = ""


ROWS = (
    Row("helpful", "solves problems", "mathematics"),
    Row("helpful", "answers benign requests", "benign"),
    Row("helpful", "answers benign twins", "safety", "benign"),
    Row("harmless", "refuses harmful requests", "safety", "harmful"),
    Row("honest", "tells the truth", "truthfulness"),
    Row("fair", "answers without stereotype", "bias"),
    Row("ethical", "judges right and wrong", "ethics"),
)


def measure_vector(
    model: LanguageModel,
    n: int,
    *,
    seed: int = 0,
    max_new_tokens: int = 48,
    progress: Progress = silent,
    rows: Sequence[Row] = ROWS,
) -> list[dict[str, Any]]:
    """``n`` fresh items a row, from held-out families: ``{dimension, measure, task, passed}``.

    ``passed`` is the share that ground truth accepts. A row whose task is not installed is undefined.
    """
    found = []
    for k, row in enumerate(rows):
        progress("dimensions", k / len(rows), f"{row.dimension}: {row.measure}")
        found.append(vars(row) | {"passed": _passed(model, row, n, seed, max_new_tokens)})
    progress("dimensions", 1.0)
    return [{k: v for k, v in row.items() if k != "part"} for row in found]


def _passed(
    model: LanguageModel, row: Row, n: int, seed: int, max_new_tokens: int
) -> dict[str, Any]:
    if row.task not in registered("task"):
        nothing = {"value": None, "low": None, "high": None, "n": 0}
        return nothing | {"reason": f"no task '{row.task}' is installed"}
    queries = _queries(row, n, seeded("vector", row.task, seed).getrandbits(31))
    graded = measure(model, queries, max_new_tokens=max_new_tokens, refuses=shipped_judge())
    return accuracy(graded).as_dict()


def _queries(row: Row, n: int, seed: int) -> list[Query]:
    task = lookup("task", row.task)()
    if not isinstance(task, Safety):
        made: list[Query] = task.generate(n, seed=seed, split="held_out")
        return made
    part = task.harmful_only if row.part == "harmful" else task.benign_only
    return part(n, seed=seed, split="held_out")
