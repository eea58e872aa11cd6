"""``superalign explain`` from end to end on the tiny model, and its mistakes."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

import toy
from commands import Command, one_line
from superalign.explaining import command


@pytest.fixture
def folder(base: Path) -> Path:
    return toy.model_folder(base)


@pytest.fixture
def few(tmp_path: Path) -> Path:
    path = tmp_path / "texts.txt"
    path.write_text("\n".join(toy.NEUTRAL_TEXTS[:8]))
    return path


def test_an_index_is_made_searched_and_shown(superalign: Command, folder: Path, few: Path) -> None:
    told = superalign("explain", folder, "--texts", few, "--out", "index", "--json")
    assert told.code == 0, told.err
    summary = json.loads(told.out)
    assert summary == json.loads(Path("index/summary.json").read_text())
    assert (summary["neurons"], summary["texts"]) == (128, 8)
    names = {p.name for p in Path("index").iterdir()}
    assert names == {"neurons.sqlite", "report.html", "blocks", "config.yaml", "summary.json"}
    found = json.loads(superalign("explain", "index", "--find", "the", "--json").out)["neurons"]
    assert found
    assert {"layer", "number", "explanation", "natural", "examples"} <= set(found[0])
    printed = superalign("explain", "index", "--find", "the")
    assert printed.out.startswith(f"{found[0]['layer']}:{found[0]['number']}  ")
    assert superalign("explain", "index", "--find", "zyx").out == "nothing reads 'zyx'\n"


def test_a_sample_with_a_language_model(superalign: Command, folder: Path, few: Path) -> None:
    told = superalign(
        "explain", folder, "--neurons", 1, "--explainer", folder, "--texts", few,
        "--out", "sample", "--json",
    )  # fmt: skip
    assert told.code == 0, told.err
    summary = json.loads(told.out)
    assert len(summary["neurons"]) == 2
    assert "spoken" in summary["by_layer"][0]
    assert "Language model" in Path("sample/report.html").read_text()


def test_directions_of_a_file(superalign: Command, folder: Path, few: Path, tmp_path: Path) -> None:
    path = tmp_path / "mine.safetensors"
    save_file({"mine.1": torch.arange(32.0)}, path)
    told = superalign("explain", folder, "--direction", path, "--texts", few, "--out", "d")
    assert told.code == 0, told.err
    assert told.out.splitlines()[0].startswith("mine.1 + (layer 1, correlation ")
    rows = json.loads(Path("d/summary.json").read_text())["directions"]
    assert len(rows) == 2
    assert {"promotes", "steered", "steered_null", "causal"} <= set(rows[0])


def test_features_of_an_autoencoder_that_is_trained_and_read_again(
    superalign: Command, folder: Path, few: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "STEPS", 100)
    options = ("--layer", 1, "--texts", few, "--json")
    told = superalign("explain", folder, "--features", "train", *options, "--out", "f")
    assert told.code == 0, told.err
    summary = json.loads(told.out)
    assert summary["reconstruction"]["features"] == 64
    assert {"natural", "null", "causal"} <= set(summary["means"])
    assert "Sparse autoencoder" in Path("f/report.html").read_text()
    made = "f/autoencoder.safetensors"
    again = superalign("explain", folder, "--features", made, *options, "--out", "g")
    same = json.loads(again.out)
    for first, second in zip(summary["features"], same["features"], strict=True):
        assert first["scored"] == pytest.approx(second["scored"], abs=1e-5)
    assert not Path("g/autoencoder.safetensors").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--find", "x", "--neurons", "2"], ["--find and --neurons"]),
        (["--find", "x", "--texts", "empty.txt"], ["drop --texts and --out"]),
        (["--explainer", "m"], ["--explainer goes with --neurons"]),
        (["--layer", "2"], ["--layer goes with --direction or --features"]),
        (["--base", "m"], ["--base goes with --direction"]),
        (["--features", "train"], ["--features goes with --layer"]),
        (["--features", "train", "--layer", "9"], ["allowed are 0 to 2"]),
        (["--features", "nowhere.safetensors", "--layer", "1"], ["--features", "nowhere"]),
        (["--find", "water"], ["no index at", "superalign explain"]),
        (["--direction", "nowhere.safetensors"], ["--direction", "nowhere.safetensors"]),
        (["--direction", "change"], ["--base"]),
        (["--texts", "nowhere.txt"], ["--texts", "nowhere.txt"]),
        (["--neurons", "1", "--texts", "empty.txt"], ["at least 2"]),
    ],
)
def test_mistakes_are_one_line(
    superalign: Command, folder: Path, arguments: list[str], words: list[str]
) -> None:
    Path("empty.txt").write_text("\n \n")
    out = [] if "--find" in arguments else ["--out", "run"]
    one_line(superalign("explain", folder, *arguments, *out), *words)
    assert not Path("run").exists()
