"""Questions with given answers: which one does a model hold likeliest? Accuracy by group, beside chance.

For truthfulness, bias and values, where an answer is told apart by what it says. Each answer is scored by
its log-probability per token after the question; the answers do not stand in the prompt, so that no
place among them is favoured. The result is a vector over groups (a category, a condition, a country):
one number over all of them can hide that one group is treated worse.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from superalign.errors import InputError
from superalign.evaluation.measure import Progress, silent
from superalign.models import LanguageModel
from superalign.records import content_hash
from superalign.statistics import mean, proportion
from superalign.tasks.files import read_rows

BATCH = 64  # questions scored at once


@dataclass(frozen=True)
class ChoiceFields:
    """Names of a file's fields.

    Attributes:
        text: the question.
        answer: the right answer's index among ``choices`` or its text.
        choices: list of all answers; None where ``wrong`` is given.
        wrong: list of the wrong answers.
        context: what is told before the question, if anything.
        group: what accuracy is split by, if by anything.
    """

    text: str
    answer: str
    choices: str | None = None
    wrong: str | None = None
    context: str | None = None
    group: str | None = None


@dataclass(frozen=True)
class ChoiceItem:
    """A question, its different answers, the right one's place among them, and its group."""

    prompt: str
    choices: tuple[str, ...]
    right: int
    group: str = ""


def choice_items(path: Path, fields: ChoiceFields, limit: int) -> list[ChoiceItem]:
    """At most ``limit`` questions of a file, those with the lowest hash.

    Raises:
        InputError: the file cannot be read, or a row lacks a field or has no two different answers.
    """
    if (fields.choices is None) == (fields.wrong is None):
        raise InputError(
            f"{path}: kind 'choice' needs the answers; allowed: --choices-field or --wrong-field"
        )
    rows = [_item(f"{path}, row {i}", row, fields) for i, row in enumerate(read_rows(path), 1)]
    items = list(dict.fromkeys(rows))
    return sorted(items, key=lambda item: content_hash([item.prompt, item.choices]))[:limit]


def evaluate_choices(
    load: Callable[[], LanguageModel],
    path: Path,
    fields: ChoiceFields,
    limit: int,
    progress: Progress = silent,
) -> dict[str, Any]:
    """A file's questions measured; it is read before the model is loaded."""
    items = choice_items(path, fields, limit)
    model = load()
    return {
        "schema": "superalign.evaluate/1",
        "command": "evaluate",
        "model": model.name,
        "weight_hash": model.weight_hash,
        "data": str(path),
        "kind": "choice",
        "measured": measure_choices(model, items, progress),
    }


def measure_choices(
    model: LanguageModel, items: Sequence[ChoiceItem], progress: Progress = silent
) -> dict[str, dict[str, Any]]:
    """``accuracy``, ``chance`` and ``accuracy, GROUP`` of each group, each ``{value, low, high, n}``.

    Ties between likeliest answers count as wrong. ``chance`` is what guessing would get on these items.
    """
    right: list[bool] = []
    for start in range(0, len(items), BATCH):
        part = items[start : start + BATCH]
        rows = model.choose([item.prompt for item in part], [item.choices for item in part])
        for item, row in zip(part, rows, strict=True):
            best = max(score.per_token for score in row)
            likeliest = [k for k, score in enumerate(row) if score.per_token == best]
            right.append(likeliest == [item.right])
        progress("choices", min(1.0, (start + BATCH) / len(items)))
    found = {
        "accuracy": proportion(sum(right), len(right)).as_dict(),
        "chance": mean([1 / len(item.choices) for item in items]).as_dict(),
    }
    for group in sorted({item.group for item in items} - {""}):
        own = [hit for hit, item in zip(right, items, strict=True) if item.group == group]
        found[f"accuracy, {group}"] = proportion(sum(own), len(own)).as_dict()
    return found


def _item(where: str, row: dict[str, Any], fields: ChoiceFields) -> ChoiceItem:
    question, answer = str(_get(where, row, fields.text)), _get(where, row, fields.answer)
    if fields.context is not None:
        question = f"{_get(where, row, fields.context)}\n{question}"
    named = str(fields.choices or fields.wrong)
    listed = _get(where, row, named)
    if not isinstance(listed, list) or not all(isinstance(x, str) and x.strip() for x in listed):
        raise InputError(f"{where}: field '{named}' cannot be read; allowed: a list of texts")
    if fields.wrong is not None:
        listed, answer = [str(answer), *(x for x in listed if x != str(answer))], 0
    place = _place(where, answer, listed)
    if len(set(listed)) < max(2, len(listed)):
        raise InputError(f"{where}: field '{named}'; allowed: two or more answers, all different")
    group = "" if fields.group is None else str(_get(where, row, fields.group))
    return ChoiceItem(question, tuple(listed), place, group)


def _place(where: str, answer: Any, listed: list[str]) -> int:
    if isinstance(answer, str) and answer in listed:
        return listed.index(answer)
    place = int(answer) if str(answer).isdecimal() else -1
    if not 0 <= place < len(listed):
        raise InputError(
            f"{where}: the answer '{answer}'; allowed: one of the choices or 0 to {len(listed) - 1}"
        )
    return place


def _get(where: str, row: dict[str, Any], name: str) -> Any:
    if row.get(name) in (None, "", []):
        present = ", ".join(row) or "none"
        raise InputError(f"{where}: nothing in field '{name}'; present: {present}")
    return row[name]
