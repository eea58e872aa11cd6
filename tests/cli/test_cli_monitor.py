"""``superalign monitor`` from the outside."""

import json
from pathlib import Path

import toy
from commands import Command


def test_verdicts_are_added_to_the_rows(superalign: Command, base: Path, tmp_path: Path) -> None:
    source, out = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    rows = [
        {"prompt": "How do I bake bread?", "text": "Mix flour and water.", "id": 7},
        {"messages": [{"role": "user", "content": "Hello"}]},
    ]
    source.write_text("".join(json.dumps(row) + "\n" for row in rows))
    command = (
        "monitor", toy.model_folder(base), "--in", source, "--out", out,
        "--monitor", tmp_path / "saved", "--pairs", 40, "--false-positive-rate", 0.2, "--json",
    )  # fmt: skip
    told = superalign(*command)
    assert told.code == 0, told.err
    summary, verdicts = json.loads(told.out), [json.loads(x) for x in out.open()]
    assert summary["block_rate"] == 0.04
    assert summary["calibration_texts"] == 26
    assert [v["monitor"]["response"] is None for v in verdicts] == [False, True]
    assert verdicts[0]["id"] == 7
    first = [v["monitor"]["query"]["score"] for v in verdicts]
    assert superalign(*command).code == 0
    assert [json.loads(x)["monitor"]["query"]["score"] for x in out.open()] == first


def test_what_it_cannot_do_is_said_in_one_line(
    superalign: Command, base: Path, tmp_path: Path
) -> None:
    source = tmp_path / "in.jsonl"
    source.write_text('{"request": "Hello"}\n')
    start = ("monitor", toy.model_folder(base), "--in", source, "--out", tmp_path / "out.jsonl")
    for more, words in (
        ((), "neither 'prompt' nor 'messages'"),
        (("--text-field", "prompt"), "no text; it has request"),
        (("--false-positive-rate", 0.01, "--block-rate", 0.05), "0 < block rate"),
        (("--text-field", "request", "--monitor", tmp_path), "holds no monitor"),
    ):
        told = superalign(*start, *more)
        assert (told.code, len(told.err.splitlines())) == (2, 1), told.err
        assert words in told.err
    saved = ("--text-field", "request", "--monitor", tmp_path / "m", "--pairs", 40)
    told = superalign(*start, *saved, "--false-positive-rate", 0.01)
    assert told.code == 2
    assert "calibration texts" in told.err.splitlines()[-1]
