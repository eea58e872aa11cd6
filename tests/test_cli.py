"""The command line: what it prints, its exit codes, and one line for each mistake."""

from __future__ import annotations

import builtins
import errno
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest
import torch
import yaml
from transformers.utils import logging

import toy
from superalign import cli, files, load_model
from superalign.config import Sizes, dump_config
from superalign.loop import run as loop
from superalign.models import LocalModel, loading
from superalign.records import Label
from superalign.store import RunStore


class Told(NamedTuple):
    """What a command left behind."""

    code: int
    out: str
    err: str


Command = Callable[..., Told]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.getbasetemp()


@pytest.fixture
def superalign(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> Command:
    """Run a command in an empty current folder."""
    place = tmp_path / "here"
    place.mkdir()
    monkeypatch.chdir(place)
    monkeypatch.setattr(loading, "embedded_folder", lambda: pytest.fail("loads the real model"))
    logging.disable_progress_bar()  # as main() does it in a process of its own, through a variable

    def command(*arguments: object) -> Told:
        monkeypatch.setattr(sys, "argv", ["superalign", *map(str, arguments)])
        capfd.readouterr()
        with pytest.raises(SystemExit) as stop:
            cli.main()
        told = capfd.readouterr()
        assert isinstance(stop.value.code, int)
        return Told(stop.value.code, told.out, told.err)

    return command


@pytest.fixture
def small(base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration file of the tiny model's smallest run."""
    monkeypatch.setattr(loop, "DEV", Sizes(safety=2, benign=2, mathematics=2, ethics=2))
    config = toy.settings(
        toy.model_folder(base), rounds=1, critic={"seed_items": 12, "explain": False}
    )
    path = tmp_path / "small.yaml"
    path.write_text(dump_config(config))
    return path


def one_line(told: Told, *words: str) -> None:
    """Exit 2, nothing on standard output, one line on standard error with these words in it."""
    assert told.code == 2, told
    assert told.out == ""
    lines = told.err.splitlines()
    assert len(lines) == 1, told.err
    assert lines[0].startswith("superalign: ")
    for word in words:
        assert word in lines[0], (word, lines[0])


# -- bad input ------------------------------------------------------------------------------------

RUN = ("run", "--out", "made")
BAD: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "unknown model": ((*RUN, "--model", "gpt-99"), ("'gpt-99'", "allowed: smollm2", "hf:", "run:")),
    "model option": ((*RUN, "--model", "smollm2@heads=2"), ("@heads=2", "allowed: @layers=K")),
    "missing gguf": ((*RUN, "--model", "gguf:no.gguf"), ("no such file 'no.gguf'",)),
    "missing run": ((*RUN, "--model", "run:nowhere"), ("no such run folder 'nowhere'",)),
    "folder without a model": ((*RUN, "--model", "."), ("cannot load model",)),
    "empty model": ((*RUN, "--model", ""), ("model",)),
    "missing config": ((*RUN, "--config", "no.yaml"), ("no.yaml", "No such file")),
    "config typo": (
        (*RUN, "--set", "learner.algoritm=sft"),
        ("'learner.algoritm'", "did you mean 'algorithm'?", "allowed: "),
    ),
    "wrong type": ((*RUN, "--set", "rounds=many"), ("'rounds'", "many", "whole number, >= 1")),
    "out of range": ((*RUN, "--set", "rounds=0"), ("'rounds'", "0", ">= 1")),
    "wrong choice": (
        (*RUN, "--set", "learner.algorithm=rlhf"),
        ("rlhf", "one of sft, dpo, ppo, grpo, rloo"),
    ),
    "set without value": ((*RUN, "--set", "rounds"), ("--set rounds", "key=value")),
    "unknown domain": (
        (*RUN, "--set", "domains=[safety, chess]"),
        ("'chess'", "allowed: safety, mathematics, ethics"),
    ),
    "no such device": ((*RUN, "--device", "cuda:77"), ("'cuda:77'", "available here: cpu")),
    "device in config": ((*RUN, "--set", "device=tpu"), ("'tpu'", "available here: cpu")),
    "wrong flag": (("run", "--modle", "smollm2"), ("--modle", "--model")),
    "unknown command": (("rum",), ("'rum'", "run", "doctor")),
    "seed that is no number": ((*RUN, "--seed", "x"), ("--seed", "integer")),
    "negative seed": ((*RUN, "--seed", "-1"), ("--seed -1", "allowed are 0 to 4294967295")),
    "resume of nothing": (("run", "--resume", "nowhere"), ("nowhere is not a run", "config.yaml")),
    "report of nothing": (("report", "nowhere"), ("nowhere is not a run",)),
    "label of nothing": (("label", "nowhere"), ("nowhere is not a run",)),
    "export of nothing": (
        ("export", "nothing", "--out", "made"),
        ("'nothing'", "allowed: smollm2"),
    ),
    "generate without input": (("generate", "--out", "made"), ("--in",)),
    "no answers asked for": (
        ("generate", "--in", "x", "--out", "made", "--n", "0"),
        ("--n", "greater than or equal to 1"),
    ),
    "unknown kind": (
        ("evaluate", "smollm2", "--data", "x.jsonl", "--kind", "chess"),
        ("'chess'", "allowed: safety, benign, mathematics"),
    ),
    "missing data": (
        ("evaluate", "smollm2", "--data", "no.jsonl", "--kind", "benign"),
        ("no.jsonl", "No such file"),
    ),
}


@pytest.mark.parametrize(("arguments", "words"), BAD.values(), ids=BAD.keys())
def test_a_mistake_is_one_line_and_leaves_nothing(
    superalign: Command, arguments: tuple[str, ...], words: tuple[str, ...]
) -> None:
    one_line(superalign(*arguments), *words)
    assert list(Path.cwd().iterdir()) == []


DATA: dict[str, tuple[str, bytes, tuple[str, ...]]] = {
    "empty": ("x.jsonl", b"", ("x.jsonl", "no rows")),
    "blank lines": ("x.jsonl", b"\n\n", ("x.jsonl", "no rows")),
    "not UTF-8": ("x.jsonl", b'{"text": "caf\xe9"}\n', ("x.jsonl, line 1", "UTF-8")),
    "not JSON": ("x.jsonl", b'{"text": }', ("x.jsonl, line 1", "bad JSON")),
    "not an object": ("x.jsonl", b"[1]\n", ("x.jsonl", "line 1")),
    "unknown format": ("x.docx", b"text", ("x.docx", "allowed: .jsonl")),
    "other fields": ("x.jsonl", b'{"request": "hi"}\n', ("x.jsonl, ", " 1: ", "request")),
    "not gzip": ("x.jsonl.gz", b"plain", ("x.jsonl.gz", "cannot be read")),
}


@pytest.mark.parametrize(("name", "content", "words"), DATA.values(), ids=DATA.keys())
@pytest.mark.parametrize("command", ["evaluate", "generate"])
def test_a_data_file_that_cannot_be_used_is_named(
    superalign: Command, command: str, name: str, content: bytes, words: tuple[str, ...]
) -> None:
    Path(name).write_bytes(content)
    given = {
        "evaluate": ("evaluate", "smollm2", "--data", name, "--kind", "benign"),
        "generate": ("generate", "--in", name, "--out", "made"),
    }[command]
    one_line(superalign(*given), *words)
    assert [p.name for p in Path.cwd().iterdir()] == [name]


@pytest.mark.parametrize(
    "row",
    [
        {"prompt": 5},
        {"prompt": ["a"]},
        {"messages": [{"content": "x"}]},
        {"messages": [{"role": "user"}]},
        {"messages": [{"role": "robot", "content": "x"}]},
        {"messages": "hello"},
        {"prompt": ""},
        {"messages": []},
    ],
    ids=str,
)
def test_a_prompt_of_the_wrong_shape_is_named_by_its_row(
    superalign: Command, row: dict[str, Any]
) -> None:
    Path("x.jsonl").write_text('{"prompt": "fine"}\n' + json.dumps(row) + "\n")
    one_line(superalign("generate", "--in", "x.jsonl", "--out", "made"), "x.jsonl", "row 2")
    assert not Path("made").exists()


def test_a_folder_is_no_data_file(superalign: Command) -> None:
    Path("x.jsonl").mkdir()
    one_line(superalign("evaluate", "smollm2", "--data", "x.jsonl", "--kind", "benign"), "x.jsonl")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ("bad.yaml is empty", "allowed keys: model")),
        ("rounds: [1", ("bad.yaml", "not YAML")),
        ("rounds: 1\nrounds: 2\n", ("bad.yaml", "line 2", "twice")),
        ("- rounds\n", ("bad.yaml", "key: value")),
        ("human: {budgt: 3}\n", ("'human.budgt'", "bad.yaml", "did you mean 'budget'?")),
    ],
)
def test_a_bad_configuration_file_is_named(
    superalign: Command, text: str, words: tuple[str, ...]
) -> None:
    Path("bad.yaml").write_text(text)
    one_line(superalign(*RUN, "--config", "bad.yaml"), *words)
    assert not Path("made").exists()


def test_a_folder_that_is_taken_is_left_alone(superalign: Command, small: Path) -> None:
    Path("mine").mkdir()
    Path("mine/thesis.txt").write_text("years of work")
    one_line(
        superalign("run", "--config", small, "--out", "mine"),
        "--out mine",
        "not empty",
        "new folder",
    )
    assert [p.name for p in Path("mine").iterdir()] == ["thesis.txt"]
    Path("file").write_text("x")
    one_line(superalign("run", "--config", small, "--out", "file"), "--out file")
    assert Path("file").read_text() == "x"


def test_a_finished_run_is_not_overwritten(superalign: Command, small: Path, base: Path) -> None:
    _, path = toy.finished(base)
    one_line(
        superalign("run", "--config", small, "--out", path), f"continue it with --resume {path}"
    )


def test_resume_of_a_folder_that_is_no_run(superalign: Command) -> None:
    Path("notes").mkdir()
    one_line(superalign("run", "--resume", "notes"), "notes is not a run", "records.sqlite")
    assert list(Path("notes").iterdir()) == []


@pytest.mark.parametrize(
    "extra",
    [("--seed", "0"), ("--set", "rounds=1"), ("--out", "x"), ("--model", "smollm2")],
    ids=lambda extra: extra[0],
)
def test_resume_takes_no_other_settings(
    superalign: Command, base: Path, extra: tuple[str, str]
) -> None:
    _, path = toy.finished(base)
    one_line(superalign("run", "--resume", path, *extra), "--resume", f"drop {extra[0]}")


def test_a_model_in_8_bit_integers_is_not_trained(
    superalign: Command, small: Path, base: Path
) -> None:
    name = f"{toy.model_folder(base)}@weights=int8"
    told = superalign("run", "--config", small, "--model", name, "--out", "made")
    one_line(told, "@weights=int8", "generates and scores only")
    assert not Path("made").exists()


def test_a_nearly_full_disk_stops_before_anything_is_made(
    superalign: Command, small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = SimpleNamespace(total=1, used=1, free=2**20)
    monkeypatch.setattr(files.shutil, "disk_usage", lambda _: usage)
    one_line(superalign("run", "--config", small, "--out", "made"), "disk full", "200 MB")
    assert list(Path.cwd().iterdir()) == []


def test_a_disk_that_fills_up_is_one_line_and_the_run_goes_on_later(
    superalign: Command, small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    finish = RunStore.finish_phase

    def full(self: RunStore, name: str, *rest: Any, **more: Any) -> Any:
        if name == "round 1 update":
            with files.storing(self.path):
                raise OSError(errno.ENOSPC, "No space left on device")
        return finish(self, name, *rest, **more)

    with monkeypatch.context() as patch:
        patch.setattr(RunStore, "finish_phase", full)
        told = superalign("run", "--config", small, "--out", "made", "--json")
    assert told.code == 2
    assert told.out == ""
    last = told.err.splitlines()[-1]
    assert "disk full" in last
    assert "resume" in last
    assert superalign("run", "--resume", "made", "--json").code == 0


def test_generate_says_so_before_the_work_when_it_cannot_write(
    superalign: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LocalModel, "generate", lambda *_, **__: pytest.fail("worked for nothing"))
    Path("x.jsonl").write_text('{"prompt": "hi"}\n')
    one_line(superalign("generate", "--in", "x.jsonl", "--out", "no/where/y.jsonl"), "no/where")
    Path("taken").mkdir()
    one_line(superalign("generate", "--in", "x.jsonl", "--out", "taken"), "taken")


SCRIPT = """
import sys
from superalign.cli import main
for arguments in (["run", "--set", "roundz=2"], ["generate", *sys.argv[1:]]):
    sys.argv = ["superalign", *arguments]
    try:
        main()
    except SystemExit as stop:
        print(stop.code)
"""


def test_a_real_process_prints_one_line_per_mistake_and_no_bars(base: Path, tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_text('{"prompt": "hi"}\n')
    given = ["--model", str(toy.model_folder(base)), "--in", "x.jsonl", "--out", "y.jsonl"]
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *given],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(Path(cli.__file__).parent.parent.parent)},
    )
    assert done.stdout.split() == ["2", "0"]
    one_line(Told(2, "", done.stderr), "'roundz'", "did you mean 'rounds'?")
    assert (tmp_path / "y.jsonl").exists()


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
