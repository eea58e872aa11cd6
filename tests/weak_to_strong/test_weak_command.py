"""``superalign w2s`` on the tiny model: the folder it leaves, resuming, and one line per mistake."""

import json
from pathlib import Path

import pytest
import weak_toy
import yaml
from weak_toy import Command

import toy
from superalign.store import RunStore
from superalign.weak_to_strong import run as module


@pytest.fixture
def options(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> list[object]:
    folder = toy.model_folder(tmp_path_factory.getbasetemp())
    data = weak_toy.write(tmp_path / "reviews.jsonl", weak_toy.reviews(150))
    return [
        "--data", data, "--model", folder, "--supervisor", f"{folder}@layers=1",
        "--supervisor", "bow", "--seeds", "2", "--method", "log_confidence",
        "--method", "dawid_skene", "--device", "cpu", "--set", "dtype=float32",
    ]  # fmt: skip


def test_a_run_leaves_a_complete_folder(
    w2s: Command, options: list[object], tmp_path: Path
) -> None:
    code, out, err = w2s(*options, "--out", "made", "--json")
    assert code == 0, err
    summary = json.loads(out)
    assert summary == json.loads((tmp_path / "made/summary.json").read_text())
    assert summary["command"] == "w2s"
    assert [t["supervisor"] for t in summary["tasks"]][1] == "bow"
    assert set(summary["pooled"]) == {"naive", "log_confidence", "dawid_skene", "default"}
    page = (tmp_path / "made/report.html").read_text()
    for words in ("Performance gap recovered", "dawid_skene", "reviews, labelled by bow", "<svg"):
        assert words in page
    assert "http" not in page.replace("http-equiv", "")
    kept = yaml.safe_load((tmp_path / "made/config.yaml").read_text())
    assert (kept["seeds"], kept["rows"]) == (2, 1200)


def test_the_same_seed_gives_the_same_numbers(w2s: Command, options: list[object]) -> None:
    first, second = (json.loads(w2s(*options, "--out", o, "--json")[1]) for o in ("a", "b"))
    for summary in (first, second):
        for key in ("seconds", "seconds_per_phase", "peak_memory_bytes"):
            summary.pop(key)
    assert first == second


def test_a_killed_run_goes_on_with_the_tasks_that_are_left(
    w2s: Command, options: list[object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = weak_toy.write(tmp_path / "more.jsonl", weak_toy.reviews(150, seed=1))
    real, asked = module.run_task, []

    def stopping(task: object, *rest: object) -> object:
        asked.append(task.name)  # type: ignore[attr-defined]
        if len(asked) == 2:
            raise KeyboardInterrupt
        return real(task, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "run_task", stopping)
    code, _, err = w2s(*options, "--data", other, "--out", "cut")
    assert code == 130
    assert "continue with: superalign w2s --resume cut" in err
    code, out, err = w2s("--resume", "cut", "--json")
    assert code == 0, err
    assert asked == ["reviews", "more", "more"]
    assert len(json.loads(out)["tasks"]) == 4
    with RunStore.open(tmp_path / "cut") as store:
        assert store.phase_done("task more")


def test_people_read_a_table(w2s: Command, options: list[object]) -> None:
    code, out, err = w2s(*options, "--out", "made")
    assert code == 0, err
    assert "pooled" in out
    assert "report.html" in out
    assert "training heads on reviews: 100%" in err


def test_fine_tuned_students_stand_beside_their_own_ceiling(
    w2s: Command, options: list[object], tmp_path: Path
) -> None:
    small = ("--seeds", "2", "--rows", "90", "--method", "fine_tuned_naive")
    few = [*options[:6], *options[-4:], *small]
    code, out, err = w2s(*few, "--set", "fine_tuning=full", "--out", "made", "--json")
    assert code == 0, err
    [task] = json.loads(out)["tasks"]
    assert {m["name"] for m in task["methods"]} == {"naive", "fine_tuned_naive", "default"}
    assert task["tuned_ceiling"]["n"] == task["n"]["test"]
    assert "ceiling of the fine-tuned student" in (tmp_path / "made/report.html").read_text()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "no data; allowed: --data FILE"),
        (["--data", "missing.jsonl"], "missing.jsonl: cannot be read"),
        (["--data", "reviews.jsonl", "--method", "magic"], "unknown method 'magic'; allowed: "),
        (["--data", "reviews.jsonl", "--supervisor", "noisy:2,1"], "SENSITIVITY,SPECIFICITY"),
        (["--data", "reviews.jsonl", "--seeds", "1"], "'seeds' cannot be 1"),
        (["--data", "reviews.jsonl", "--label-field", "mark"], "no row has field 'mark'"),
        (["--text-field", "text"], "--text-field goes with --data"),
        (["--set", "speed=3", "--data", "reviews.jsonl"], "unknown key 'speed'"),
        (["--data", "reviews.jsonl", "--set", "transfer=[reviews>x]"], "FROM>TO among reviews"),
        (["--resume", "nothing"], "nothing"),
    ],
)
def test_a_mistake_is_one_line_and_exit_2(
    w2s: Command, options: list[object], arguments: list[str], words: str
) -> None:
    code, _, err = (
        w2s(*arguments, "--model", options[3]) if "--resume" not in arguments else w2s(*arguments)
    )
    assert code == 2
    assert words in err
    assert err.strip().count("\n") == 0
