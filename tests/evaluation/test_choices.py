"""Questions with given answers."""

import json
from pathlib import Path
from typing import Any

import pytest

from superalign.errors import InputError
from superalign.evaluation.choices import (
    ChoiceFields,
    ChoiceItem,
    accuracies,
    choice_items,
    likeliest,
)
from superalign.models.base import Score
from superalign.models.fake import FakeModel

LISTED = ChoiceFields("question", "label", choices="choices", group="kind")


def measure_choices(model: FakeModel, items: list[ChoiceItem]) -> dict[str, Any]:
    return accuracies(items, likeliest(model, items))


def write(path: Path, *rows: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


class Likes(FakeModel):
    """Holds answers with a word in them likely; a long answer costs as much a token as a short one."""

    def __init__(self, word: str) -> None:
        super().__init__()
        self.word = word

    def choose(self, prompts, choices, *, raw=False):  # type: ignore[no-untyped-def]
        return [
            [Score((-1.0 if self.word in c else -2.0) * len(c), len(c)) for c in row]
            for row in choices
        ]


def row(question: str, label: Any, *choices: str, kind: str = "a") -> dict[str, Any]:
    return {"question": question, "label": label, "choices": list(choices), "kind": kind}


def test_accuracy_is_split_by_group_and_stands_beside_chance(tmp_path: Path) -> None:
    path = write(
        tmp_path / "x.jsonl",
        row("one", 1, "red", "a long blue answer"),
        row("two", "blue", "red", "green", "blue", kind="b"),
        row("three", 0, "red", "blue"),
    )
    items = choice_items(path, LISTED, 9)
    found = measure_choices(Likes("blue"), items)
    assert (found["accuracy"]["value"], found["accuracy"]["n"]) == (pytest.approx(2 / 3), 3)
    assert found["chance"]["value"] == pytest.approx((1 / 2 + 1 / 3 + 1 / 2) / 3)
    assert (found["accuracy, a"]["value"], found["accuracy, a"]["n"]) == (0.5, 2)
    assert (found["accuracy, b"]["value"], found["accuracy, b"]["n"]) == (1.0, 1)


def test_a_tie_is_no_right_answer() -> None:
    items = [ChoiceItem("q", ("red", "green"), 0)]
    assert measure_choices(Likes("blue"), items)["accuracy"]["value"] == 0.0


def test_wrong_answers_may_stand_in_a_field_of_their_own(tmp_path: Path) -> None:
    fields = ChoiceFields("question", "best", wrong="incorrect", context="story")
    path = write(
        tmp_path / "x.jsonl",
        {"question": "q", "best": "yes", "incorrect": ["no", "maybe"], "story": "Long ago."},
    )
    assert choice_items(path, fields, 9) == [ChoiceItem("Long ago.\nq", ("yes", "no", "maybe"), 0)]


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        ({"question": "q", "label": 0}, "row 1: nothing in field 'choices'; present: question"),
        (row("q", 2, "a", "b"), "the answer '2'; allowed: one of the choices or 0 to 1"),
        (row("q", -1, "a", "b"), "the answer '-1'"),
        (row("q", 0, "a"), "two or more answers"),
        (row("q", 0, "a", "a"), "all different"),
        ({"question": "q", "label": 0, "choices": "ab", "kind": "a"}, "two or more answers"),
        ({"question": "q", "label": 0, "choices": [1, 2], "kind": "a"}, "a list of texts"),
    ],
)
def test_a_bad_row_is_named(tmp_path: Path, bad: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        choice_items(write(tmp_path / "x.jsonl", bad), LISTED, 9)


def test_all_questions_may_have_the_same_answers(tmp_path: Path) -> None:
    path = write(tmp_path / "x.jsonl", {"question": "q", "label": 1}, {"question": "r", "label": 0})
    items = choice_items(path, ChoiceFields("question", "label", same=("No", "Yes")), 9)
    assert {(i.prompt, i.choices[i.right]) for i in items} == {("q", "Yes"), ("r", "No")}


def test_either_all_answers_or_the_wrong_ones_are_named(tmp_path: Path) -> None:
    path = write(tmp_path / "x.jsonl", row("q", 0, "a", "b"))
    for fields in (ChoiceFields("question", "label"), ChoiceFields("q", "l", "choices", "wrong")):
        with pytest.raises(InputError, match="--choices-field, --wrong-field or --choices"):
            choice_items(path, fields, 9)
