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
from superalign.evaluation.bias import Stereotype, bias_scores, stereotype
from superalign.evaluation.fields import required, texts
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
        answer: the right answer's index among the choices or its text.
        choices: list of all answers; None where they are given otherwise.
        wrong: the wrong answer, or a list of them.
        same: answers that every question has, instead of a field.
        context: what is told before the question, if anything.
        group: what accuracy is split by, if by anything.
    """

    text: str
    answer: str
    choices: str | None = None
    wrong: str | None = None
    same: tuple[str, ...] = ()
    context: str | None = None
    group: str | None = None


@dataclass(frozen=True)
class ChoiceItem:
    """A question, its different answers, the right one's place among them, and its group.

    ``bias`` says which answer follows a stereotype, in files that tell.
    """

    prompt: str
    choices: tuple[str, ...]
    right: int
    group: str = ""
    bias: Stereotype | None = None


def choice_items(path: Path, fields: ChoiceFields, limit: int) -> list[ChoiceItem]:
    """At most ``limit`` questions of a file, those with the lowest hash.

    Raises:
        InputError: the file cannot be read, or a row lacks a field or has no two different answers.
    """
    if sum(map(bool, (fields.choices, fields.wrong, fields.same))) != 1:
        raise InputError(
            f"{path}: kind 'choice' needs the answers once; "
            "allowed: --choices-field, --wrong-field or --choices"
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
    picks = likeliest(model, items, progress)
    summary = {
        "schema": "superalign.evaluate/1",
        "command": "evaluate",
        "model": model.name,
        "weight_hash": model.weight_hash,
        "data": str(path),
        "kind": "choice",
        "measured": accuracies(items, picks),
    }
    told = [(i.bias, i.right, pick) for i, pick in zip(items, picks, strict=True) if i.bias]
    return summary | ({"bias": bias_scores(told)} if told else {})


def likeliest(
    model: LanguageModel, items: Sequence[ChoiceItem], progress: Progress = silent
) -> list[int | None]:
    """The place of each question's likeliest answer by log-probability per token; None for a tie."""
    picks: list[int | None] = []
    for start in range(0, len(items), BATCH):
        part = items[start : start + BATCH]
        rows = model.choose([item.prompt for item in part], [item.choices for item in part])
        for row in rows:
            best = max(score.per_token for score in row)
            places = [k for k, score in enumerate(row) if score.per_token == best]
            picks.append(places[0] if len(places) == 1 else None)
        progress("choices", min(1.0, (start + BATCH) / len(items)))
    return picks


def accuracies(
    items: Sequence[ChoiceItem], picks: Sequence[int | None]
) -> dict[str, dict[str, Any]]:
    """``accuracy``, ``chance`` and ``accuracy, GROUP`` of each group, each ``{value, low, high, n}``.

    Ties between likeliest answers count as wrong. ``chance`` is what guessing would get on these items.
    """
    right = [pick == item.right for item, pick in zip(items, picks, strict=True)]
    found = {
        "accuracy": proportion(sum(right), len(right)).as_dict(),
        "chance": mean([1 / len(item.choices) for item in items]).as_dict(),
    }
    for group in sorted({item.group for item in items} - {""}):
        own = [hit for hit, item in zip(right, items, strict=True) if item.group == group]
        found[f"accuracy, {group}"] = proportion(sum(own), len(own)).as_dict()
    return found


def _item(where: str, row: dict[str, Any], fields: ChoiceFields) -> ChoiceItem:
    question, answer = str(required(where, row, fields.text)), required(where, row, fields.answer)
    if fields.context is not None:
        question = f"{required(where, row, fields.context)}\n{question}"
    listed, named = list(fields.same), "choices"
    if not listed:
        named = str(fields.choices or fields.wrong)
        listed = texts(where, row, named)
    if fields.wrong is not None:
        listed, answer = [str(answer), *(x for x in listed if x != str(answer))], 0
    place = _place(where, answer, listed)
    if len(set(listed)) < max(2, len(listed)):
        raise InputError(f"{where}: field '{named}'; allowed: two or more answers, all different")
    group = "" if fields.group is None else str(required(where, row, fields.group))
    bias = stereotype(where, row, listed) if fields.choices is not None else None
    return ChoiceItem(question, tuple(listed), place, group, bias)


def _place(where: str, answer: Any, listed: list[str]) -> int:
    if isinstance(answer, str) and answer in listed:
        return listed.index(answer)
    place = int(answer) if str(answer).isdecimal() else -1
    if not 0 <= place < len(listed):
        raise InputError(
            f"{where}: the answer '{answer}'; allowed: one of the choices or 0 to {len(listed) - 1}"
        )
    return place
