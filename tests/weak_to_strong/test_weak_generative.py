"""Written answers: the problems' split, what is taught, the folder that a run leaves."""

import json
from pathlib import Path
from typing import Any

import pytest
from weak_toy import Command

import toy
from superalign.errors import InputError
from superalign.models import LocalModel, load_model
from superalign.store import RunStore
from superalign.weak_to_strong import generative
from superalign.weak_to_strong.answers import METHODS, Taught
from superalign.weak_to_strong.problems import load_problems
from superalign.weak_to_strong.settings import TaskSource
from superalign.weak_to_strong.splits import split


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> LocalModel:
    return toy.model(tmp_path_factory.getbasetemp())


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generative, "EPOCHS", 1)
    monkeypatch.setattr(generative, "SAMPLES", 2)


@pytest.fixture
def options(tmp_path_factory: pytest.TempPathFactory) -> list[object]:
    folder = toy.model_folder(tmp_path_factory.getbasetemp())
    return [
        "--data", "task:mathematics:average,rounding", "--model", folder,
        "--supervisor", f"{folder}@layers=1", "--seeds", "2", "--set", "problems=60",
        "--device", "cpu", "--set", "dtype=float32",
    ]  # fmt: skip


def test_problems_about_the_same_numbers_stay_on_one_side() -> None:
    problems = load_problems(TaskSource(path="task:mathematics"), 240)
    cut = split(problems, 3)
    parts = [{problems.groups[i] for i in rows} for rows in (cut.supervisor, cut.student, cut.test)]
    assert not parts[0] & parts[1]
    assert not (parts[0] | parts[1]) & parts[2]
    assert sum(map(len, (cut.supervisor, cut.student, cut.test))) == 240
    assert list(split(problems, 4).test) == list(cut.test)
    assert problems.queries[0].messages[0].role == "system"
    assert all(q.split == "train" for q in problems.queries)


@pytest.mark.parametrize("family", ["addition_two_digit", "geography"])
def test_held_out_and_unknown_families_are_refused(family: str) -> None:
    with pytest.raises(InputError, match=f"no training family '{family}'; allowed: .*rounding"):
        load_problems(TaskSource(path=f"task:mathematics:{family}"), 60)


def test_the_student_learns_what_it_is_taught(
    model: LocalModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After many visits the tiny model believes the taught answer, right or wrong."""
    fast = generative.TRAINING.model_copy(update={"learning_rate": 0.03})
    monkeypatch.setattr(generative, "TRAINING", fast)
    problems = load_problems(TaskSource(path="task:mathematics:rounding"), 60)
    rows = generative._Rows(problems, list(problems.queries[:4]))
    again = [q for q in rows.queries for _ in range(40)]
    student = generative.taught(model, again, [Taught("38", 1.0)] * len(again), seed=0)
    before, after = (rows.own(m, [["38", "12", "5"]] * 4) for m in (model, student))
    assert all(row["38"] < 0.5 for row in before)
    assert all(row["38"] > 0.9 for row in after)
    assert generative.taught(model, rows.queries, [None] * 4, seed=0) is model


def test_labels_of_no_weight_take_no_visit(
    model: LocalModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every student takes as many visits, however many labels it is left with."""
    problems = load_problems(TaskSource(path="task:mathematics:rounding"), 60)
    seen: list[int] = []
    monkeypatch.setattr(
        generative, "train_offline", lambda m, many, c, seed: seen.append(len(many))
    )
    queries = list(problems.queries[:6])
    generative.taught(model, queries, [Taught("7", 1.0)] * 6, seed=0)
    generative.taught(model, queries, [Taught("7", 1.0), Taught("8", 0.0), *[None] * 4], seed=0)
    assert seen == [6 * generative.EPOCHS] * 2


def test_no_rule_sees_the_truth(model: LocalModel, quick: None) -> None:
    """The student rows' truth is changed: every label and every student's answer stays."""
    problems = load_problems(TaskSource(path="task:mathematics:rounding"), 60)
    known = set(split(problems, 0).student)
    turned = tuple(
        q.model_copy(update={"truth": q.truth | {"answer": "1"}}) if i in known else q
        for i, q in enumerate(problems.queries)
    )
    other = type(problems)(problems.name, turned, problems.groups)
    both: list[dict[str, Any]] = [
        generative.run_seed(p, model, {"weak": model}, METHODS, 0, lambda *_: None)
        for p in (problems, other)
    ]
    for name, said in both[0]["answers"].items():
        if name != "ceiling":
            assert said == both[1]["answers"][name]


def test_a_run_leaves_a_complete_folder_and_resumes(
    w2s: Command,
    options: list[object],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    quick: None,
) -> None:
    real, done = generative.run_seed, []

    def once(*arguments: Any) -> dict[str, Any]:
        if done:
            raise KeyboardInterrupt
        done.append(arguments[4])
        return real(*arguments)

    monkeypatch.setattr(generative, "run_seed", once)
    assert w2s(*options, "--out", "made")[0] == 130
    monkeypatch.setattr(generative, "run_seed", real)
    code, out, err = w2s("--resume", "made", "--json")
    assert code == 0, err
    summary = json.loads(out)
    task = summary["tasks"][0]
    assert (task["task"], task["kind"]) == ("mathematics:average,rounding", "generative")
    assert task["n"] == {
        "supervisor": 20,
        "student": 20,
        "test": 20,
        "missing": 0,
        "true_labels": 20,
    }
    assert [m["name"] for m in task["methods"]] == list(METHODS)
    for method in task["methods"]:
        for part in ("weak", "student", "ceiling", "pgr"):
            assert {"value", "low", "high", "n_seeds"} <= set(method[part])
    assert "mathematics:average,rounding" in (tmp_path / "made/report.html").read_text()
    with RunStore.open(tmp_path / "made") as store:
        assert [p.name for p in store.phases()] == [
            f"problems mathematics:average,rounding, seed {s}" for s in (0, 1)
        ]


def test_one_line_for_a_supervisor_or_method_that_cannot_write(
    w2s: Command, options: list[object]
) -> None:
    code, _, err = w2s(*options, "--supervisor", "bow", "--out", "a")
    assert (code, err.count("\n")) == (2, 1)
    assert "supervisor 'bow' writes no answers" in err
    code, _, err = w2s(*options, "--method", "graph_smoothing", "--out", "b")
    assert (code, err.count("\n")) == (2, 1)
    assert "'graph_smoothing' has no form for written answers; allowed: naive, self_" in err


@pytest.mark.slow
def test_the_truth_teaches_the_real_model_more_than_its_shallower_cut() -> None:
    """One seed of the table in docs/weak_to_strong.md, without methods: weak and ceiling."""
    named = (
        "subtraction_three_digit,multiplication_one_by_two,multiplication_two_by_one,division_exact"
    )
    problems = load_problems(TaskSource(path=f"task:mathematics:{named}"), 210)
    student, weak = load_model("smollm2"), load_model("smollm2@layers=26")
    made = generative.run_seed(problems, student, {"weak": weak}, {}, 0, lambda *_: None)
    right = {name: said.count("0") / len(said) for name, said in made["answers"].items()}
    assert right["ceiling"] > right["weak"] + 0.1
