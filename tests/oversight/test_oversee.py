"""The whole command: config, summary, report, exit codes, resuming."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

import toy
from superalign import cli
from superalign.config import dump_config
from superalign.oversight.run import run_oversee
from superalign.oversight.settings import OverseeConfig
from superalign.report.oversight import write_oversight_report
from superalign.store import RunStore

QUANTITIES = (
    "accuracy gap_recovered rescued misled ece swap_flip asd judge_tokens detection specificity"
).split()
SMALL = OverseeConfig(items=60, steps=6, pressure=(1, 4))


def quiet(*_: object) -> None: ...


def run(tmp_path: Path, config: OverseeConfig = SMALL) -> dict[str, Any]:
    with RunStore.create(tmp_path / "run", dump_config(config)) as store:
        return run_oversee(config, store, quiet)


def superalign(*arguments: str, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr("sys.argv", ["superalign", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return int(ended.value.code or 0)


def test_the_summary_has_every_arm_with_its_quantities(tmp_path: Path) -> None:
    summary = run(tmp_path)
    names = [a["name"] for a in summary["arms"]]
    wanted = (
        "unaided critique rebuttal placebo shuffled consultancy debate decomposition full_access"
    )
    assert set(wanted.split()) <= set(names)
    for arm in summary["arms"]:
        for quantity in QUANTITIES:
            value = arm[quantity]
            assert set(value) >= {"value", "low", "high", "n"}
            assert value["value"] is not None or value["reason"]
    assert summary == json.loads((tmp_path / "run" / "summary.json").read_text())
    page = write_oversight_report(summary, tmp_path / "report.html").read_text()
    assert "https://" not in page
    for name in names:
        assert f">{name}<" in page


def test_the_same_seed_gives_the_same_and_a_finished_run_stays(tmp_path: Path) -> None:
    first = run(tmp_path)
    with RunStore.open(tmp_path / "run", write=True) as store:
        again = run_oversee(SMALL, store, quiet)
    assert again["arms"] == first["arms"]
    assert again["pressure"] == first["pressure"]


def test_an_uninformative_setting_says_so(tmp_path: Path) -> None:
    everything = SMALL.model_copy(update={"judge": SMALL.judge.model_copy(update={"looks": 6})})
    summary = run(tmp_path, everything)
    assert summary["informative"] is False
    assert "full access" in summary["reason"]
    assert summary["arms"][1]["gap_recovered"]["value"] is None


def test_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    options = ["--judge", "noisy", "--items", "40", "--set", "pressure=[1]", "--json"]
    assert superalign("oversee", *options, "--out", str(out), monkeypatch=monkeypatch) == 0
    summary = json.loads(capsys.readouterr().out)
    assert summary["judge"]["name"] == "noisy"
    assert yaml.safe_load((out / "config.yaml").read_text())["judge"]["kind"] == "noisy"
    assert (out / "report.html").is_file()
    assert [p.name for p in (out / "figures").iterdir()] == ["pressure.svg"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--judge", "perfect"], "allowed: one of exact, learned, noisy, person"),
        (["--set", "families=[poetry]"], "unknown family 'poetry'; allowed: arithmetic"),
        (["--score", "nowhere.jsonl"], "nothing to learn from; allowed: --learn FILE"),
        (["--judge", "person"], "a person as judge needs a terminal"),
        (["--items", "3"], "'items' cannot be 3"),
    ],
)
def test_a_mistake_is_one_line(
    options: list[str],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    code = superalign("oversee", *options, "--out", str(tmp_path / "x"), monkeypatch=monkeypatch)
    told = capsys.readouterr().err
    assert code == 2
    assert said in told
    assert told.strip().count("\n") == 0


def test_resume_takes_no_other_options(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ("--resume", str(tmp_path), "--judge", "noisy", "--items", "9", "--json")
    assert superalign("oversee", *given, monkeypatch=monkeypatch) == 2
    assert "drop --judge, --items" in capsys.readouterr().err


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return toy.model_folder(tmp_path_factory.getbasetemp())


def test_a_critic_is_scored_on_a_file(tmp_path: Path, model_folder: Path) -> None:
    learn, scored = tmp_path / "learn.jsonl", tmp_path / "scored.jsonl"
    sums = "{0}*4=<<{0}*4={1}>>{1}\\n{1}+2=<<{1}+2={2}>>{2}"
    learn.write_text(
        "\n".join(
            f'{{"question": "Ann has {i} bags of 4 nuts and 2 more.", "answer": "{4 * i + 2}", '
            f'"solution": "{sums.format(i, 4 * i, 4 * i + 2)}"}}'
            for i in range(2, 62)
        )
    )
    scored.write_text(
        '{"question": "3 bags of 4?", "steps": ["3*4=12", "so 12"], "label": -1}\n'
        '{"question": "3 bags of 5?", "steps": ["3+5=8", "so 8"], "label": 0}\n'
        '{"question": "3 bags of 6?", "steps": ["3*6=18", "18+1=20"], "label": 1}\n'
    )
    score = SMALL.score.model_copy(update={"file": str(scored), "learn": (str(learn),)})
    config = SMALL.model_copy(update={"score": score, "model": str(model_folder)})
    summary = run(tmp_path, config)
    assert [s["subset"] for s in summary["scores"]] == ["all"]
    rows = {c["name"]: c for c in summary["scores"][0]["critics"]}
    assert rows["trained"]["f1"]["n"] == 3
    assert rows["calculator"]["accuracy_wrong"]["value"] == 0.5
    assert summary["critic"]["own_data"][0]["f1"]["n"] == 12
    assert (tmp_path / "run" / "checkpoints" / "critic" / "step_head.safetensors").is_file()
    page = write_oversight_report(summary, tmp_path / "report.html").read_text()
    assert "No arms" in page


def test_the_trained_critic_and_the_learned_judge_run_through(
    tmp_path: Path, model_folder: Path
) -> None:
    critic = SMALL.critic.model_copy(update={"kind": "trained", "items": 50, "steps": (3,)})
    judge = SMALL.judge.model_copy(
        update={"kind": "learned", "items": 30, "model": str(model_folder)}
    )
    learner = SMALL.learner.model_copy(update={"items": 4, "tests": 20, "steps": 3})
    changes = {
        "critic": critic, "judge": judge, "learner": learner, "model": str(model_folder),
        "items": 20, "steps": 4, "tests": 20, "gap": (3,), "pressure": (1,),
    }  # fmt: skip
    summary = run(tmp_path, SMALL.model_copy(update=changes))
    tests = summary["critic"]["tests"]
    assert [t["length"] for t in tests] == ["trained length", "twice the length"]
    assert tests[0]["critics"][0]["name"] == "trained"
    assert {r["name"] for r in summary["critic"]["learner"]} >= {"none", "gold critique"}
    assert summary["critic"]["gap"][0]["steps"] == 3
    assert summary["judge"]["name"].startswith("learned")
    assert "First-error F1" in write_oversight_report(summary, tmp_path / "r.html").read_text()
