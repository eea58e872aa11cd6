"""One line, exit 2 and nothing half-written for each mistake on the command line."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import toy
from commands import Command, Told, one_line
from superalign import cli, files
from superalign.config import dump_config, load_config
from superalign.models import LocalModel
from superalign.store import RunStore

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
        ("'chess'", "allowed: vector, safety, benign, mathematics"),
    ),
    "choices of another kind": (
        ("evaluate", "smollm2", "--data", "x", "--kind", "benign", "--group-field", "g"),
        ("--group-field with --kind benign", "allowed: with --kind choice, pair"),
    ),
    "choices without the right answer": (
        ("evaluate", "smollm2", "--data", "x.jsonl", "--kind", "choice"),
        ("--kind choice needs", "--answer-field"),
    ),
    "choices and fresh rows": (
        (
            "evaluate",
            "smollm2",
            "--data",
            "x",
            "--kind",
            "choice",
            "--answer-field",
            "a",
            "--fresh",
            "y",
        ),
        ("--fresh with --kind choice",),
    ),
    "a file for the vector": (
        ("evaluate", "smollm2", "--data", "x.jsonl"),
        ("--data with --kind vector", "allowed: with --kind safety"),
    ),
    "a judge without labels": (
        ("evaluate", "smollm2", "--kind", "judge", "--answer-field", "a", "--wrong-field", "b"),
        ("--kind judge needs --data",),
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


def test_a_run_that_another_process_writes_is_named_before_a_model_loads(
    superalign: Command, small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("superalign.models.load_model", lambda *_, **__: pytest.fail("loaded"))
    with RunStore.create(Path("busy"), dump_config(load_config(small, []))):
        one_line(superalign("run", "--resume", "busy"), "busy", "in use by process")


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
