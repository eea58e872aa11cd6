"""Training that diverges, bad settings, progress, and what a run must leave alone."""

from pathlib import Path
from typing import Any

import pytest

import toy
from superalign.errors import InputError
from superalign.learner.optimisation import TrainingReport
from superalign.loop import run as loop
from superalign.loop.run import Loop
from superalign.models import LocalModel
from superalign.store import RunStore

Finished = tuple[dict[str, Any], Path]


def test_a_training_that_diverges_ends_in_a_readable_summary_or_one_line(
    folder: Path, model: LocalModel, tmp_path: Path, short: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = TrainingReport("dpo", steps=1, losses=[float("nan")])
    monkeypatch.setattr(loop, "train_offline", lambda *_, **__: report)
    config = toy.settings(folder, **toy.FAST, domains=["ethics"])
    summary = toy.run(config, tmp_path / "run", model)
    assert summary["rounds"][0]["update"]["loss_first"] is None
    text = (tmp_path / "run" / "summary.json").read_text()
    assert "NaN" not in text


def test_a_probe_layer_that_the_model_lacks_is_bad_input(
    folder: Path, model: LocalModel, tmp_path: Path, short: None
) -> None:
    critic = {**toy.FAST["critic"], "probe_layer": 9}
    config = toy.settings(folder, rounds=1, critic=critic, domains=["safety"])
    with pytest.raises(InputError, match="allowed are 0 to 2"):
        toy.run(config, tmp_path / "run", model)


def test_progress_goes_from_none_to_all_of_each_phase(
    folder: Path, model: LocalModel, tmp_path: Path, short: None
) -> None:
    told: list[tuple[str, float]] = []
    config = toy.settings(folder, **toy.FAST)
    toy.run(
        config, tmp_path / "run", model, progress=lambda p, share, note="": told.append((p, share))
    )
    for phase in dict.fromkeys(p for p, _ in told):
        shares = [s for p, s in told if p == phase]
        assert (shares[0], shares[-1]) == (0.0, 1.0), phase
        assert all(0 <= x <= 1 for x in shares), phase


def test_the_loop_leaves_the_base_model_alone(finished: Finished, model: LocalModel) -> None:
    del model.__dict__["base_hash"]  # cached: look at the weights again
    assert model.weight_hash == finished[0]["weight_hash"]


def test_a_loop_made_twice_is_the_same(folder: Path, model: LocalModel, tmp_path: Path) -> None:
    with RunStore.create(tmp_path / "run", "") as store:
        one, two = (Loop(toy.settings(folder), store, model) for _ in range(2))
    assert one.held_out == two.held_out
    assert one.dev == two.dev
    assert one.learner.weight_hash == two.learner.weight_hash
