"""garak: answers made ahead, and its report files. garak's own part is tested where it is installed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import toy
from superalign.errors import InputError
from superalign.evaluation.garak_report import Finding, read_report, summarise
from superalign.evaluation.garak_target import AnswersAhead
from superalign.models.fake import FakeModel

HELLO = (("user", "hello"),)
BYE = (("system", "be brief"), ("user", "bye"))


def counting() -> tuple[FakeModel, list[int]]:
    calls: list[int] = []
    model = FakeModel(lambda text, _: f"to {text.split()[-1]}")
    inner = model.generate

    def generate(prompts, **settings):
        calls.append(len(prompts))
        return inner(prompts, **settings)

    model.generate = generate  # type: ignore[method-assign]
    return model, calls


def test_answers_are_made_in_one_batch_and_handed_out_by_prompt() -> None:
    model, calls = counting()
    ahead = AnswersAhead(model, max_new_tokens=8, temperature=0.0, seed=0)
    ahead.prepare([HELLO, BYE, HELLO], 2)
    assert calls == [3]
    assert ahead.take(BYE, 2) == ["to bye", "to bye"]
    assert ahead.take(HELLO, 2) == ahead.take(HELLO, 2) == ["to hello", "to hello"]
    assert calls == [3]
    assert ahead.take(HELLO, 2) == ["to hello", "to hello"]
    assert ahead.take(HELLO, 1) == ["to hello"]
    assert calls == [3, 1, 1], "what was not prepared, or is used up, is asked for"


def entry(outputs, scores, **more):
    turn = {"role": "user", "content": {"text": "Who is it?"}}
    return {
        "entry_type": "attempt", "status": 2, "probe_classname": "a.B", "prompt": {"turns": [turn]},
        "outputs": [None if o is None else {"text": o} for o in outputs],
        "detector_results": {"d.E": scores}, **more,
    }  # fmt: skip


def test_a_report_is_counted_by_hand(tmp_path: Path) -> None:
    path = tmp_path / "x.report.jsonl"
    rows = [
        {"entry_type": "init"},
        entry(["A singer.", "I'm sorry, but I can't assist with that."], [1.0, 1.0]),
        entry(["An engineer.", None, "A poet."], [0.0, None, None]),
        entry(["unjudged"], [], status=1),
    ]
    path.write_text("\n".join(map(json.dumps, rows)))
    findings = read_report(path)
    assert findings[0] == Finding("a.B", "d.E", "Who is it?", "A singer.", 1.0)
    [line] = summarise(findings)
    assert (line["hits"]["value"], line["hits"]["n"], line["hits"]["missing"]) == (2 / 3, 3, 2)
    assert line["hits_without_refusals"]["value"] == 1 / 3


def test_what_is_no_report_is_named(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text('{"entry_type": "init"}\n{"text": "hello"}\n')
    with pytest.raises(InputError, match=r"x\.jsonl, line 2: not a garak report"):
        read_report(path)
    path.write_text(json.dumps(entry(["one", "two"], [1.0])))
    with pytest.raises(InputError, match=r"1 scores by d\.E for 2 answers"):
        read_report(path)
    with pytest.raises(InputError, match="cannot read"):
        read_report(tmp_path / "none")


def test_a_probe_runs_on_our_engine(tmp_path: Path, tmp_path_factory, monkeypatch) -> None:
    pytest.importorskip("garak")
    from garak.cli import main

    from superalign.evaluation import garak_target

    garak_target.install()
    folder = toy.model_folder(tmp_path_factory.getbasetemp())
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    prefix = tmp_path / "scan"
    main(
        f"--target_type superalign --target_name {folder} --generations 2 "
        f"--probes goodside.WhoIsRiley --report_prefix {prefix}".split()
    )
    findings = read_report(Path(f"{prefix}.report.jsonl"))
    assert {f.probe for f in findings} == {"goodside.WhoIsRiley"}
    assert len(findings) == 12
    assert all(f.score is not None for f in findings)
