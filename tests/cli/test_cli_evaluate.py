"""``superalign evaluate`` by kind, from the outside, on the tiny model."""

import json
from pathlib import Path
from typing import Any

import pytest

import toy
from commands import Command

PAIRS = [
    {"more": f"a bad {i}", "less": f"a good {i}", "prompt": "q", "type": "x"} for i in range(4)
]
BLANKS = [{"s": f"The nurse said _ is {i}.", "o": ["he", "she"], "n": i} for i in range(4)]
KINDS: dict[str, tuple[list[dict[str, Any]], tuple[object, ...], tuple[str, ...]]] = {
    "pair": (
        PAIRS,
        ("--text-field", "more", "--other-field", "less", "--group-field", "type"),
        ("preferred", "log_ratio, x"),
    ),
    "blank": (
        BLANKS,
        ("--text-field", "s", "--choices-field", "o", "--number-field", "n"),
        ("probability, option 2", "correlation"),
    ),
    "judge": (
        PAIRS,
        ("--text-field", "prompt", "--answer-field", "less", "--wrong-field", "more"),
        ("agreement", "position", "length_controlled"),
    ),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_measures_its_file(kind: str, superalign: Command, base: Path) -> None:
    rows, fields, names = KINDS[kind]
    Path("x.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    command = ("evaluate", toy.model_folder(base), "--kind", kind, "--data", "x.jsonl", *fields)
    told = superalign(*command, "--json")
    assert told.code == 0, told.err
    summary = json.loads(told.out)
    assert (summary["kind"], summary["data"]) == (kind, "x.jsonl")
    for name in names:
        assert summary["measured"][name]["n"] == 4
    assert f"{names[0]}: " in superalign(*command).out


def test_the_same_answers_for_all_questions(superalign: Command, base: Path) -> None:
    Path("x.jsonl").write_text(
        '{"text": "I agree.", "label": 1}\n{"text": "I do not.", "label": 0}\n'
    )
    command = ("evaluate", toy.model_folder(base), "--kind", "choice", "--data", "x.jsonl")
    told = superalign(*command, "--answer-field", "label", "--choices", "No, Yes", "--json")
    assert told.code == 0, told.err
    assert json.loads(told.out)["measured"]["accuracy"]["n"] == 2


def test_values_are_a_vector_without_a_file(superalign: Command, base: Path) -> None:
    command = ("evaluate", toy.model_folder(base), "--kind", "values")
    summary = json.loads(superalign(*command, "--json").out)
    assert len(summary["profile"]) == 14
    assert summary["measured"] == {}
    words = superalign(*command).out
    assert "privacy, zh (private things stay private): " in words


def test_two_models_are_compared_by_a_third(superalign: Command, base: Path) -> None:
    folder = toy.model_folder(base)
    Path("x.jsonl").write_text('{"text": "Hello."}\n{"text": "Tell me about bread."}\n')
    command = ("evaluate", folder, "--kind", "win_rate", "--data", "x.jsonl", "--judge", folder)
    told = superalign(*command, "--rival", f"{folder}@layers=1", "--critique-tokens", 4, "--json")
    assert told.code == 0, told.err
    summary = json.loads(told.out)
    assert summary["measured"]["win_rate"]["n"] == 2
    assert summary["judge"] == str(folder)
    told = superalign(*command, "--rival", folder)
    assert (told.code, "answer alike" in told.err) == (2, True)


def test_without_a_kind_it_is_the_whole_vector_in_a_folder(superalign: Command, base: Path) -> None:
    command = ("evaluate", toy.model_folder(base), "--limit", 2, "--seed", 3, "--out", "run")
    told = superalign(*command)
    assert told.code == 0, told.err
    assert "harmless: refuses harmful requests: " in told.out
    summary = json.loads(Path("run/summary.json").read_text())
    assert {row["dimension"] for row in summary["vector"]} >= {"helpful", "harmless", "ethical"}
    assert "By dimension" in Path("run/report.html").read_text()
    again = superalign(*command)
    assert (again.code, "exists and is not empty" in again.err) == (2, True)
