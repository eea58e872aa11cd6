"""Reward models end to end on a tiny model, and their refusals."""

import json
from pathlib import Path
from typing import Any

import pytest

import toy
from superalign.config import dump_config
from superalign.critic.overoptimisation import best_of_n_kl
from superalign.errors import InputError
from superalign.oversight import command, reward_run
from superalign.oversight.reward_settings import RewardConfig
from superalign.oversight.run import run_oversee
from superalign.oversight.settings import OverseeConfig
from superalign.report.oversight import write_oversight_report
from superalign.store import RunStore

SMALL = RewardConfig(
    enabled=True, problems=20, samples=3, rollouts=2, tests=6, pool=4, steps=(3,), error=0.25,
    noise=(0.0, 0.3), draws=2,
)  # fmt: skip


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return toy.model_folder(tmp_path_factory.getbasetemp())


def run(path: Path, tiny: Path, reward: RewardConfig = SMALL) -> dict[str, Any]:
    config = OverseeConfig(model=str(tiny), reward=reward, dtype="float32", device="cpu")
    with RunStore.create(path, dump_config(config), resume=True) as store:
        return run_oversee(config, store, lambda *_: None)


@pytest.fixture(scope="module")
def summary(tmp_path_factory: pytest.TempPathFactory, tiny: Path) -> dict[str, Any]:
    return run(tmp_path_factory.mktemp("rewards") / "run", tiny)


def test_every_reward_model_is_examined_and_pushed(summary: dict[str, Any]) -> None:
    assert [r["name"] for r in summary["reward_models"]] == ["outcome", "process", "pairwise"]
    assert summary["arms"] == []
    for row in summary["reward_models"]:
        assert set(row["auroc"]) >= {"value", "low", "high", "n"}
        assert row["auroc"]["n"] == summary["items"] == 24
        assert row["qualification"]["sensitivity"]["n"] > 0
        assert [r["n"] for r in row["best_of_n"]] == [1, 2, 4]
        assert row["best_of_n"][2]["kl"] == pytest.approx(best_of_n_kl(4))
        assert row["best_of_n"][0]["truth"]["n"] == 6
        assert row["tilt"][0]["kl"] == 0
        assert set(row["gao"]["best of n"]) == {"alpha", "beta"}
        sampled = row["best_of_n"][0]["truth"]["value"]
        assert sampled == pytest.approx(summary["works"]["right"]["value"])


def test_flipped_labels_are_drawn_for_every_loss(summary: dict[str, Any]) -> None:
    found = [(r["loss"], r["noise"]) for r in summary["label_noise"]]
    losses = ("plain", "smoothed", "robust")
    assert found == [(loss, noise) for noise in (0.0, 0.3) for loss in losses]
    clean = [r["pair_accuracy"]["value"] for r in summary["label_noise"][:3]]
    assert clean == pytest.approx([clean[0]] * 3)  # without noise the losses are one


def test_the_same_seed_gives_the_same_and_what_was_read_is_kept(
    tmp_path: Path, tiny: Path, summary: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object) -> dict[str, Any]:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(reward_run, "_trained_and_tested", stop)
        with pytest.raises(KeyboardInterrupt):
            run(tmp_path / "run", tiny)

    def unread(*_: object) -> None:
        raise AssertionError("a resumed run reads nothing twice")

    monkeypatch.setattr(reward_run, "read_solutions", unread)
    again = run(tmp_path / "run", tiny)
    assert again["reward_models"] == summary["reward_models"]


def test_the_report_and_the_table_show_them(summary: dict[str, Any], tmp_path: Path) -> None:
    page = write_oversight_report(summary, tmp_path / "report.html").read_text()
    assert "Reward models" in page
    assert "<svg" in page
    assert [line[0] for line in command.lines(summary)] == ["outcome", "process", "pairwise"]
    assert len(command.header(summary)) == len(next(command.lines(summary)))
    assert json.loads(json.dumps(summary)) == summary


def test_mistakes_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="shares from 0 to below"):
        command.settings(None, ["reward.noise=[0.5]"], None, None, None, [], True, {})
    file = tmp_path / "f.jsonl"
    file.write_text("{}")
    with pytest.raises(InputError, match="two runs"):
        command.settings(None, [], None, None, file, [file], True, {})
    found = command.settings(None, [], None, None, None, [], True, {})
    assert found.reward.enabled
