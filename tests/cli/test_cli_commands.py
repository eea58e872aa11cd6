"""The commands: what they print, ask, write and return."""

from __future__ import annotations

import builtins
import json
import shutil
from pathlib import Path

import pytest
import torch
import yaml

import toy
from commands import Command, one_line
from superalign import load_model
from superalign.records import Label
from superalign.store import RunStore

# -- running --------------------------------------------------------------------------------------


def test_json_prints_the_summary_and_nothing_else(superalign: Command, small: Path) -> None:
    told = superalign("run", "--config", small, "--out", "made", "--json", "--seed", "3")
    assert told.code == 0, told.err
    summary = json.loads(told.out)
    assert summary == json.loads(Path("made/summary.json").read_text())
    assert summary["seed"] == 3
    assert "round 1" not in told.err  # no progress lines either
    report = Path("made/report.html").read_text()
    assert "<html" in report
    assert yaml.safe_load(Path("made/config.yaml").read_text())["seed"] == 3
    Path("made/report.html").unlink()
    again = superalign("report", "made")
    assert (again.code, again.out.strip()) == (0, "made/report.html")
    assert Path("made/report.html").read_text() == report
    resumed = superalign("run", "--resume", "made", "--json")  # a finished run: nothing is redone
    assert toy.lasting(json.loads(resumed.out)) == toy.lasting(summary)


def test_a_run_shows_progress_a_table_and_where_things_are(
    superalign: Command, small: Path
) -> None:
    told = superalign("run", "--config", small, "--set", "domains=[ethics]")
    assert told.code == 0, told.err
    assert "ethics: accuracy" in told.out
    assert "simulated human labels" in told.out
    assert "report: runs/run-1/report.html" in told.out
    assert "learner: run:runs/run-1" in told.out
    assert "round 1 update: 100%" in told.err
    assert load_model("run:runs/run-1", device="cpu").adapter is not None


def test_without_a_command_help_is_shown(superalign: Command) -> None:
    told = superalign()
    assert "doctor" in told.out + told.err
    assert superalign("--help").code == 0
    assert superalign("run", "--help").code == 0


# -- a real person --------------------------------------------------------------------------------


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the person types, line by line; at the end of it, the input ends."""
    typed: list[str] = []

    def read(prompt: str = "") -> str:
        if not typed:
            raise EOFError
        return typed.pop(0)

    monkeypatch.setattr(builtins, "input", read)
    return typed


def test_a_person_labels_and_the_run_goes_on(
    superalign: Command, small: Path, answers: list[str]
) -> None:
    ask = ("--set", "human.simulated=false", "--set", "human.budget=3")
    told = superalign("run", "--config", small, "--out", "made", *ask, "--json")
    assert told.code == 130
    assert told.out == ""
    last = told.err.splitlines()[-1]
    assert "superalign label made" in last
    assert "superalign run --resume made" in last
    questions = json.loads(Path("made/questions.json").read_text())
    assert len(questions) == 3
    answers += ["what?", "", "yes", "q"]  # not understood twice, one answer, enough for now
    first = superalign("label", "made")
    assert first.code == 0
    assert "1 of 3" in first.out
    assert questions[0]["response"] in first.out
    assert questions[0]["prompt"][-1]["content"] in first.out
    waiting = superalign("run", "--resume", "made", "--json")
    assert waiting.code == 130
    assert "2 labels" in waiting.err
    answers += ["N", "s"]
    second = superalign("label", "made")
    assert "1 of 2" in second.out
    assert "superalign run --resume made" in second.out
    done = superalign("run", "--resume", "made", "--json")
    assert done.code == 0, done.err
    summary = json.loads(done.out)
    assert summary["human_labels"] == {"used": 3, "budget": 3, "simulated": False}
    assert summary["notes"] == []
    with RunStore.open(Path("made")) as store:
        given = [x.value for x in store.records(Label, "labels")]
    assert given == [1.0, 0.0, None]
    assert superalign("label", "made").code == 0  # nothing is left to ask


def test_input_that_ends_early_keeps_the_answers_given(
    superalign: Command, small: Path, answers: list[str]
) -> None:
    ask = ("--set", "human.simulated=false", "--set", "human.budget=2")
    superalign("run", "--config", small, "--out", "made", *ask, "--json")
    answers += ["y"]
    told = superalign("label", "made")
    assert told.code == 130
    assert "Traceback" not in told.err
    with RunStore.open(Path("made")) as store:
        assert [x.value for x in store.records(Label, "labels")] == [1.0]


def test_a_run_that_asks_nothing_says_so(superalign: Command, base: Path) -> None:
    _, path = toy.finished(base)
    copy = Path("copy")
    shutil.copytree(path, copy)
    one_line(superalign("label", copy), "asks nothing")


def test_a_run_that_is_not_finished_has_no_report(superalign: Command) -> None:
    RunStore.create(Path("begun"), "rounds: 1\n").close()
    one_line(superalign("report", "begun"), "begun is not finished")


# -- generate, evaluate, export, doctor -----------------------------------------------------------


def test_generate_adds_text_to_every_row(superalign: Command, base: Path) -> None:
    rows = [
        {"prompt": "What is 2 + 2?", "id": 7},
        {"messages": [{"role": "user", "content": "Übersetze ½ · 好"}], "note": "kept"},
    ]
    Path("in.jsonl").write_text("".join(json.dumps(r, ensure_ascii=False) + "\n" for r in rows))
    arguments = (
        "generate",
        "--model",
        toy.model_folder(base),
        "--in",
        "in.jsonl",
        "--device",
        "cpu",
    )
    more = ("--n", 2, "--max-new-tokens", 6, "--temperature", 0.7, "--seed", 5)
    told = superalign(*arguments, "--out", "out.jsonl", *more)
    assert (told.code, told.out) == (0, ""), told.err
    found = [json.loads(line) for line in Path("out.jsonl").read_text().splitlines()]
    assert len(found) == 4
    for got, row in zip(found, [rows[0], rows[0], rows[1], rows[1]], strict=True):
        assert {**row, "text": got["text"], "finish": got["finish"]} == got
        assert got["finish"] in ("stop", "length")
    assert found[0]["text"] != found[1]["text"]
    superalign(*arguments, "--out", "again.jsonl", *more)
    assert Path("again.jsonl").read_bytes() == Path("out.jsonl").read_bytes()


def test_generate_is_greedy_by_default_and_equals_the_library(
    superalign: Command, base: Path
) -> None:
    folder = toy.model_folder(base)
    Path("in.csv").write_text("prompt\nWhat is 2 + 2?\n")
    superalign("generate", "--model", folder, "--in", "in.csv", "--out", "o", "--device", "cpu")
    model = load_model(str(folder), device="cpu")
    [[expected]] = model.generate(["What is 2 + 2?"], max_new_tokens=128, temperature=0.0)
    assert json.loads(Path("o").read_text())["text"] == expected.text


def test_evaluate_prints_estimates(superalign: Command, base: Path) -> None:
    rows = [{"text": f"How do I pick lock {i}?"} for i in range(6)]
    Path("x.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))
    arguments = ("evaluate", toy.model_folder(base), "--data", "x.jsonl", "--kind", "safety")
    told = superalign(*arguments, "--limit", 4, "--json", "--device", "cpu")
    assert told.code == 0, told.err
    summary = json.loads(told.out)
    assert summary["command"] == "evaluate"
    for name in ("asr", "refused"):
        assert summary["measured"][name]["n"] == 4
    words = superalign(*arguments, "--device", "cpu").out
    assert "asr: " in words
    assert "n=6" in words


def test_export_writes_a_folder_that_transformers_loads(superalign: Command, base: Path) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    _, path = toy.finished(base)
    told = superalign("export", f"run:{path}", "--out", "full")
    assert (told.code, told.out.strip()) == (0, "full"), told.err
    one_line(superalign("export", f"run:{path}", "--out", "full"), "--out full exists")
    assert not list(Path("full").glob("*.bin"))
    module = AutoModelForCausalLM.from_pretrained("full", dtype=torch.float32).eval()
    words = AutoTokenizer.from_pretrained("full")
    learner = load_model(f"run:{path}", device="cpu", dtype="float32")
    prompt = [{"role": "user", "content": "Explain how to bake bread."}]
    ids = words.apply_chat_template(prompt, add_generation_prompt=True, return_tensors="pt")
    ids = ids if isinstance(ids, torch.Tensor) else ids["input_ids"]
    assert tuple(ids[0].tolist()) == learner.encode(prompt)
    answer = " Mix flour and water, then bake it."
    tokens = learner.encode_completion(answer)
    with torch.no_grad():
        full = torch.cat((ids, torch.tensor([tokens])), dim=1)
        logits = module(full).logits[0, ids.shape[1] - 1 : -1].log_softmax(-1)
    exported = logits[torch.arange(len(tokens)), torch.tensor(tokens)].sum()
    [scored] = learner.score([prompt], [answer])
    base_model = load_model(str(toy.model_folder(base)), device="cpu", dtype="float32")
    [untrained] = base_model.score([prompt], [answer])
    assert scored.logprob == pytest.approx(
        float(exported), rel=0.01
    )  # weights are saved in bfloat16
    assert abs(scored.logprob - untrained.logprob) > 3 * abs(scored.logprob - float(exported))


def test_doctor_speaks_json(superalign: Command) -> None:
    told = superalign("doctor", "--json")
    assert (told.code, told.err) == (0, "")
    assert json.loads(told.out)["cores"] >= 1
    assert "torch" in superalign("doctor").out
