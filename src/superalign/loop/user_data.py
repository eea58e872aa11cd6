"""The user's own files in the loop: one half is attacked and learnt from, the other only measured."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from superalign.config import DataConfig
from superalign.evaluation import measure as m
from superalign.evaluation.files import measured
from superalign.models import LanguageModel
from superalign.records import Query, Split
from superalign.tasks.files import FileTask

PER_ROUND = 24  # rows of each file that a round asks
MEASURED = 200  # held-out rows of each file that are measured


class UserData:
    """The files named in the configuration, read once.

    Raises:
        InputError: a file cannot be read or lacks a field.
    """

    def __init__(self, files: Sequence[DataConfig]) -> None:
        self.tasks = [
            FileTask(f.path, f.text_field, f.answer_field, f.label_field, f.kind) for f in files
        ]

    def training(self, seed: int) -> list[Query]:
        """Rows for one round, from every file's training half."""
        return [q for task in self.tasks for q in _rows(task, PER_ROUND, seed, "train")]

    def evaluate(
        self, model: LanguageModel, seed: int, max_new_tokens: int
    ) -> dict[str, dict[str, Any]]:
        """Estimates of every file's held-out half, by ``file: quantity``."""
        found = {}
        for task in self.tasks:
            rows = _rows(task, MEASURED, seed, "held_out")
            graded = m.measure(model, rows, max_new_tokens=max_new_tokens)
            for name, estimate in measured(graded, task.domain).items():
                found[f"{task.path.name}: {name}"] = estimate
        return found


def _rows(task: FileTask, most: int, seed: int, split: Split) -> list[Query]:
    family = f"{task.path.name}:{split}"
    n = sum(query.family == family for query in task.queries)
    return task.generate(min(most, n), seed=seed, split=split)
