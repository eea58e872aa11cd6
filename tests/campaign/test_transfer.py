"""Attacks of each round on the learner of each round."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from superalign.attack.base import turn
from superalign.campaign.settings import CampaignConfig
from superalign.campaign.transfer import checkpoints, round_attacks, run_transfer
from superalign.config import dump_config
from superalign.errors import InputError
from superalign.models.fake import FakeModel
from superalign.records import Query, Record, Response
from superalign.store import RunStore
from superalign.tasks.safety import Safety

REFUSAL = "I can't help with that."
HARMFUL, TWIN = Safety().generate(2, seed=0, split="train")


def attack(mark: str, goal: Query = HARMFUL) -> Query:
    text = f"{mark}: {goal.text}"
    return Query(
        **{**goal.model_dump(exclude={"id", "messages"}), "operator": mark},
        messages=(turn("user", text),),
    )


def comply(query: Query) -> str:
    return f"Sure, here is how it goes, step by step at home: {query.text}"


def answered(query: Query, text: str, model: str = "learner") -> list[Record]:
    return [query, Response(query=query.id, text=text, model=model)]


def finished_run(folder: Path) -> Path:
    """Round 1 was broken by 'one', round 2 by 'two'; the rest is no success of an attack."""
    rows = {
        1: [
            *answered(attack("one"), comply(HARMFUL)),
            *answered(attack("refused"), REFUSAL),
            *answered(attack("frozen"), comply(HARMFUL), "frozen"),
            *answered(attack("twin", TWIN), REFUSAL),
        ],
        2: answered(attack("two"), comply(HARMFUL)),
    }
    with RunStore.create(folder, "") as store:
        for k, records in rows.items():
            name = f"round {k} answers"
            store.finish_phase(name, {}, [(name, r) for r in records], 0.0, round=k)
        store.write_json("summary.json", {"model": "base"})
    for k in rows:
        (folder / "checkpoints" / f"round-{k}").mkdir(parents=True)
    return folder


def learner(name: str) -> FakeModel:
    """Untrained it obeys everything; round 1 cures 'one', and round 2 forgets that and cures 'two'."""
    cured = {"base": "-", "round-1": "one", "round-2": "two"}[Path(name).name]
    return FakeModel(lambda text, i: REFUSAL if text.startswith(cured) else comply(HARMFUL), name)


def matrix(folder: Path, out: Path, load: Any = learner) -> dict[str, Any]:
    config = CampaignConfig(transfer=str(folder), replays=2)
    with RunStore.create(out, dump_config(config), resume=True) as store:
        return run_transfer(config, store, load)


def test_only_confirmed_failures_of_the_learner_on_attacks_count(tmp_path: Path) -> None:
    with RunStore.open(finished_run(tmp_path / "run")) as store:
        found = round_attacks(store)
    assert {k: [q.operator for q in rows] for k, rows in found.items()} == {1: ["one"], 2: ["two"]}


def test_the_matrix_shows_what_was_cured_and_what_was_forgotten(tmp_path: Path) -> None:
    summary = matrix(finished_run(tmp_path / "run"), tmp_path / "out")
    found = {(c["attack_round"], c["target_round"]): c["value"] for c in summary["matrix"]}
    assert found == {(1, 0): 1, (1, 1): 0, (1, 2): 1, (2, 0): 1, (2, 1): 1, (2, 2): 0}
    assert summary["attacks"] == {"1": 1, "2": 1}
    assert json.loads((tmp_path / "out" / "summary.json").read_text()) == summary


def test_an_interrupted_matrix_goes_on_at_the_next_target(tmp_path: Path) -> None:
    folder = finished_run(tmp_path / "run")
    loaded: list[str] = []

    def dying(name: str) -> FakeModel:
        loaded.append(Path(name).name)
        if len(loaded) == 2:
            raise KeyboardInterrupt
        return learner(name)

    with pytest.raises(KeyboardInterrupt):
        matrix(folder, tmp_path / "out", dying)
    summary = matrix(folder, tmp_path / "out", dying)
    assert loaded == ["base", "round-1", "round-1", "round-2"]
    assert len(summary["matrix"]) == 6


def test_a_folder_that_is_no_finished_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no finished run"):
        checkpoints(tmp_path)
    (tmp_path / "summary.json").write_text('{"model": "base"}')
    with pytest.raises(InputError, match="no checkpoints"):
        checkpoints(tmp_path)
