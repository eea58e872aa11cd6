"""Files of solutions with steps: to score a critic on (ProcessBench's format) or to learn from."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from superalign.critic.steps import Solution
from superalign.errors import InputError
from superalign.oversight.chat_style import as_chat
from superalign.oversight.worked_solutions import (
    label_by_agreement,
    plant,
    question_key,
    read_worked,
    right,
)
from superalign.tasks.files import read_rows

ALL = "all"


def read_scored(path: Path, limit: int | None = None) -> dict[str, list[Solution]]:
    """Labelled solutions by subset: rows with ``question``, ``steps`` (list) and ``label``.

    ``label`` is the index from 0 of the first wrong step, -1 when all are right; ``subset`` groups
    rows (absent: one group "all"). ``limit`` takes that many rows of each subset, spread evenly.

    Raises:
        InputError: a row lacks a field, or a label is no step of its solution.
    """
    found: dict[str, list[Solution]] = {}
    for i, row in enumerate(read_rows(path)):
        found.setdefault(str(row.get("subset") or ALL), []).append(
            _scored(row, f"{path}, row {i + 1}")
        )
    if not found:
        raise InputError(f"{path} has no rows; allowed: question, steps, label")
    if limit is None:
        return found
    return {k: v[:: max(1, -(-len(v) // limit))][:limit] for k, v in found.items()}


def _scored(row: dict[str, Any], where: str) -> Solution:
    question = row.get("question") or row.get("problem")
    steps, label = row.get("steps"), row.get("label")
    if not isinstance(question, str) or not question.strip():
        raise InputError(
            f"{where}: 'question' is missing; allowed: question (or problem), steps, label"
        )
    if not isinstance(steps, list) or not steps or not all(isinstance(s, str) for s in steps):
        raise InputError(f"{where}: 'steps' cannot be read; allowed: a list of texts, at least one")
    if isinstance(label, bool) or not isinstance(label, int) or not -1 <= label < len(steps):
        raise InputError(f"{where}: 'label' is {label!r}; allowed: -1 to {len(steps) - 1}")
    return Solution(
        question, tuple(s.strip() or "(empty)" for s in steps), None if label < 0 else label
    )


def read_learned(
    paths: Sequence[Path], unseen: set[str], count: int, seed: int
) -> tuple[list[Solution], dict[str, int]]:
    """Up to ``count`` labelled solutions to learn from, about as many from each file.

    Files are in GSM8K's marked format (``question``, ``solution``, ``answer``). Rows with ``label``
    (1: the final answer is right) are a model's solutions and are labelled by agreement with right
    ones; others are worked solutions, of which one half gets a planted flaw. All are retold in a chat
    model's manner. Questions in ``unseen`` (keys) are left out whole, so nothing that is scored is
    learnt from.

    Raises:
        InputError: a row lacks a field, or nothing is left.
    """
    counts = {"left out because their question is scored": 0}
    found: list[Solution] = []
    for path in paths:
        rows = list(read_rows(path))
        kept = [r for r in rows if question_key(str(r.get("question") or "")) not in unseen]
        counts["left out because their question is scored"] += len(rows) - len(kept)
        rng = random.Random(f"learn {seed}")
        share = -(-count // len(paths))
        if kept and all("label" in r for r in kept):
            own = label_by_agreement(kept, str(path))
            rng.shuffle(own)
            own = own[:share]
        else:
            rng.shuffle(kept)
            own = _planted(kept[:share], str(path), rng)
        counts[path.parent.name or path.name] = len(own)
        found += [as_chat(solution, rng) for solution in own]
    if not found:
        raise InputError("nothing to learn from; allowed: files with question, solution, answer")
    return found, counts


def _planted(rows: Sequence[dict[str, Any]], where: str, rng: random.Random) -> list[Solution]:
    """One solution per row, flawed ones and right ones in turn."""
    found = []
    for i, row in enumerate(rows):
        worked = read_worked(row, where)
        flawed = plant(worked, rng) if i % 2 else None
        found.append(flawed or right(worked))
    return found
