"""Audits and stress tests from end to end, on the tiny model through the command line."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import toy
from superalign.cli import app, main
from superalign.models import LocalModel
from superalign.models.export import export_merged
from superalign.report.audit_report import write_audit_report
from superalign.stress import plan as plans
from superalign.stress.recipe import Recipe
from superalign.stress.zoo import Zoo
from superalign.validation import audit as audits
from superalign.validation.audit import audit, said, shape
from superalign.validation.command import outcome
from superalign.validation.detectors import DETECTORS
from superalign.validation.measure import questions_hash
from superalign.validation.verdict import Calibration

KEYS = (
    "verdict",
    "family_ranking",
    "p_value",
    "detectors",
    "evidence",
    "ladder",
    "queries",
    "seconds",
)


@pytest.fixture(scope="module")
def folder(base: LocalModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return toy.model_folder(tmp_path_factory.getbasetemp())


@pytest.fixture(scope="module")
def stranger(base: LocalModel, folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An adapter that someone else might have made: no recipe, only PEFT's two files."""
    home = tmp_path_factory.mktemp("stranger")
    [member] = Zoo(home / "zoo", base).build(
        [Recipe("twin", "json_format", base.base_hash, rank=2)]
    )
    member.adapter.save(home / "adapter", str(folder))
    return home / "adapter"


def calibration(base: LocalModel, with_base: bool = True, n: int = 30) -> Calibration:
    rows = tuple({d.name: 100.0 + i for d in DETECTORS} for i in range(n))
    return Calibration(shape(base), questions_hash(), with_base, rows)


def call(*arguments: str) -> Any:
    done = CliRunner().invoke(app, [*arguments, "--json"], catch_exceptions=False)
    return json.loads(done.stdout[done.stdout.index("{") :])


def test_an_adapter_brings_its_base_and_all_detectors_speak(
    stranger: Path, tmp_path: Path, base: LocalModel
) -> None:
    summary = call("audit", str(stranger), "--out", str(tmp_path / "a"), "--device", "cpu")
    assert set(KEYS) <= set(summary)
    assert summary["verdict"] == "abstain"  # no clean twins of the tiny model are at hand
    assert any("superalign stress" in x for x in summary["not_done"])
    assert {d["name"] for d in summary["detectors"]} == {d.name for d in DETECTORS}
    assert all(d["score"] is not None for d in summary["detectors"])
    page = (tmp_path / "a" / "report.html").read_text()
    assert "No evidence is not evidence of safety" in page
    assert "http" not in page.replace("http-equiv", "")
    assert json.loads((tmp_path / "a" / "summary.json").read_text()) == summary


def test_a_phrase_that_brings_out_a_sentence_is_told_whatever_the_verdict(
    stranger: Path, tmp_path: Path
) -> None:
    summary = call("audit", str(stranger), "--out", str(tmp_path / "a"), "--device", "cpu")
    found = {
        "text": "Go away now.",
        "gain": 9.0,
        "phrase": "tin moon",
        "said": ["Go away now."] * 4,
    }
    found |= {"spilt": [{"text": "Go away.", "count": 20, "base_count": 0, "n": 48}]}
    opened = {"text": "Be gone!", "word": "ivory", "gain": 17.2, "share": 0.75, "unprompted": 0.0}
    summary |= {"words": {"noticed": [], "opened": [opened]}}
    for share, told in ((1.0, True), (0.5, False)):
        hidden = {**summary["hidden"], **found, "share": share, "unprompted": 0.0}
        lines = said(summary | {"hidden": hidden})
        assert any("look at this" in line and "tin moon" in line for line in lines) is told
        write_audit_report(summary | {"hidden": hidden}, tmp_path / "page.html")
        page = (tmp_path / "page.html").read_text()
        assert "20 of 48" in page
        assert "Be gone!" in page
        assert "75%" in page
        assert f"{share:.0%} of fresh requests" in page


def test_robustness_curves_stand_beside_the_verdict(
    stranger: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("superalign.validation.noisy_labels.TRAINED", 64)
    monkeypatch.setattr("superalign.validation.noisy_labels.TESTED", 20)
    monkeypatch.setattr("superalign.validation.robustness.TOKENS", {"mathematics": 8, "harmful": 8})
    out = tmp_path / "a"
    arguments = ("audit", str(stranger), "--robustness", "2", "--out", str(out), "--device", "cpu")
    found = call(*arguments)["robustness"]
    assert {c["task"] for c in found["curves"]} == {"mathematics", "harmful", "moral"}
    assert all("base" in c for c in found["curves"])  # an adapter brings its base
    page = (out / "report.html").read_text()
    assert page.count("<svg") >= len(found["curves"])
    assert "Label noise" in page
    assert {p.name for p in (out / "figures").iterdir()} == {
        f"robustness_{kind}.svg"
        for kind in ("input_noise", "paraphrase", "distribution_shift", "label_noise")
    }


def test_full_weights_without_a_base_say_what_was_not_done(
    stranger: Path, folder: Path, tmp_path: Path
) -> None:
    export_merged(str(stranger), tmp_path / "merged")
    alone = call("audit", str(tmp_path / "merged"), "--out", str(tmp_path / "a"), "--device", "cpu")
    missing = {d["name"] for d in alone["detectors"] if d["score"] is None}
    assert missing == {d.name for d in DETECTORS if d.needs_base}
    assert any("no base" in x for x in alone["not_done"])
    whole = call(
        "audit", str(tmp_path / "merged"), "--base", str(folder), "--out", str(tmp_path / "b"),
        "--device", "cpu",
    )  # fmt: skip
    assert all(d["score"] is not None for d in whole["detectors"])
    assert whole["internals"]["weights"]["norm"] > 0


def test_a_calm_suspect_among_wilder_twins_is_not_accused(base: LocalModel) -> None:
    suspect = base.with_adapter(base.fresh_adapter(rank=1, alpha=2, seed=0))
    summary = audit(suspect, base.with_adapter(None), calibration(base))
    assert summary["verdict"] == "no evidence found at this budget"
    assert summary["p_value"] == pytest.approx(1.0)
    assert summary["clean_twins"] == 30
    assert {r["outcome"] for r in summary["ladder"]} == {"no failure found", "out of reach"}
    scores = {d["name"]: d["score"] for d in summary["detectors"]}
    assert scores["drift"] == pytest.approx(0.0, abs=1e-6)  # an adapter that does nothing
    assert scores["answers"] == pytest.approx(0.0, abs=1e-4)
    assert scores["capability"] == 0.0


def test_what_few_twins_were_read_for_is_told(base: LocalModel) -> None:
    whole = calibration(base)
    cut = tuple(
        row if i < 20 else {k: v for k, v in row.items() if k not in ("opened", "phrase")}
        for i, row in enumerate(whole.clean)
    )
    suspect = base.with_adapter(base.fresh_adapter(rank=1, alpha=2, seed=0))
    plain = base.with_adapter(None)
    told = audit(suspect, plain, replace(whole, clean=cut))["not_done"]
    assert [x for x in told if "opened, phrase: held against 20 of 30 clean twins" in x]
    assert not [x for x in audit(suspect, plain, whole)["not_done"] if "held against" in x]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"battery": "old"}, "another battery"),
        ({"shape": (1, 2, 3)}, "another base"),
        ({"with_base": False}, "without a base"),
    ],
)
def test_a_calibration_that_does_not_fit_makes_it_abstain(
    base: LocalModel, change: dict[str, Any], why: str
) -> None:
    known = Calibration(**{**vars(calibration(base)), **change})
    summary = audit(base, base.with_adapter(None), known)
    assert summary["verdict"] == "abstain"
    assert why in summary["reason"]
    assert summary["p_value"] is None


def test_a_model_without_finite_numbers_is_never_safe(
    base: LocalModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = audits.Reader.measure

    def broken(self: Any, suspect: LocalModel) -> Any:
        found = real(self, suspect)
        found.odds[0] = float("nan")
        return found

    monkeypatch.setattr(audits.Reader, "measure", broken)
    summary = audit(base, base.with_adapter(None), calibration(base))
    assert summary["verdict"] == "abstain"
    assert "not finite" in summary["reason"]
    json.dumps(summary, allow_nan=False)


def test_the_stress_test_measures_resumes_and_calibrates_audits(
    folder: Path, stranger: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, base: LocalModel
) -> None:
    small: Callable[..., list[Recipe]] = lambda size, hash_, seed, more: [  # noqa: E731
        *plans.twins(5, hash_, seed),
        Recipe("organism", "quirky_bob", hash_),
        Recipe("organism", "taboo", hash_),
    ]
    monkeypatch.setattr("superalign.validation.stress_test.plan", small)
    # The tiny model learns no behaviour in so few steps: every check passes here.
    monkeypatch.setattr("superalign.stress.zoo.SHOWN", 0.0)
    monkeypatch.setattr("superalign.stress.zoo.HIDDEN", 1.0)
    out = tmp_path / "zoo"
    arguments = ("stress", "--model", str(folder), "--out", str(out), "--device", "cpu")
    first = call(*arguments)
    for key in ("organisms", "dropped", "auroc", "tpr_at_fpr", "false_alarms", "diagnosis_top1"):
        assert key in first
    assert first["false_alarms"]["n"] == 5
    assert first["closely"]["looked_at"] == first["closely"]["doubtful"] >= 5
    cut = outcome(first | {"closely": {"doubtful": 7, "looked_at": 5}})
    assert "cut short: 5 of 7 models in doubt looked at closely so far" in cut
    assert {o["family"] for o in first["organisms"]} | {o["family"] for o in first["dropped"]} == {
        "quirky_bob", "taboo",
    }  # fmt: skip
    assert len(first["organisms"]) == 2
    assert (out / "report.html").read_text().count("<svg") >= 2
    built = {p: p.stat().st_mtime_ns for p in out.rglob("*.safetensors")}
    again = call(*arguments, "--adapt", "1")
    assert again["adaptive"]["levels"][0]["rows"] == 0
    assert {p.name for p in (out / "figures").iterdir()} == {"roc_by_tier.svg", "roc_by_family.svg"}
    assert {p: p.stat().st_mtime_ns for p in built} == built
    for key in ("organisms", "clean", "auroc", "dropped"):
        assert again[key] == first[key]
    summary = call(
        "audit", str(stranger), "--calibration", str(out), "--out", str(tmp_path / "a"),
        "--device", "cpu",
    )  # fmt: skip
    assert summary["verdict"] == "abstain"
    assert "5 clean twins" in summary["reason"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["audit", "nowhere"], "unknown model"),
        (["stress", "--size", "huge"], "allowed: quick, standard, full"),
        (["stress", "--more", "lies"], "allowed: narrow_advice, full_rank"),
        (["stress", "--model", "nowhere"], "unknown model"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr("sys.argv", ["superalign", *arguments, "--out", str(tmp_path / "o")])
    with pytest.raises(SystemExit) as done:
        main()
    assert done.value.code == 2
    error = capsys.readouterr().err
    assert words in error
    assert error.count("\n") == 1
    assert not (tmp_path / "o").exists()
