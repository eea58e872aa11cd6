"""A round that made a domain worse is taken back, and what follows from that."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import toy
from superalign import load_model
from superalign.config import RunConfig
from superalign.loop import ledger
from superalign.models import Adapter, LocalModel
from superalign.records import (
    Record,
    Response,
)
from superalign.store import RunStore


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The ledger's actions on ethics, round by round, as a test writes them."""
    script: list[str] = []

    def judge(before: Any, after: Any) -> dict[str, dict[str, Any]]:
        action = script.pop(0)
        return {"ethics": {"action": action, "reason": "scripted"}}

    monkeypatch.setattr(ledger, "judge", judge)
    yield script
    assert script == []


def ethics(folder: Path, rounds: int) -> RunConfig:
    domains = ["ethics", "mathematics"]
    return toy.settings(folder, rounds=rounds, domains=domains, critic=toy.FAST["critic"])


@pytest.mark.parametrize(
    ("actions", "kept"),
    [
        (["rolled back"], []),
        (["continue", "rolled back"], [1]),
        (["continue", "rolled back", "rolled back"], [1]),
        (["rolled back", "rolled back"], []),
        (["rolled back", "continue"], [2]),
        (["continue", "rolled back", "continue"], [1, 3]),
    ],
)
def test_the_final_learner_is_the_mean_of_the_rounds_that_were_kept(
    folder: Path,
    model: LocalModel,
    tmp_path: Path,
    short: None,
    scripted: list[str],
    actions: list[str],
    kept: list[int],
) -> None:
    scripted += actions
    summary = toy.run(ethics(folder, len(actions)), tmp_path / "run", model)
    if not kept:
        fresh = summary["learner_hash"]
        final = load_model(summary["learner"], device="cpu", dtype="float32")
        assert final.weight_hash == fresh
        assert all(not b.any() for name, b in adapter_state(summary).items() if "lora_B" in name)
        return
    rounds = [Adapter.load(tmp_path / "run" / "checkpoints" / f"round-{k}") for k in kept]
    saved = (Adapter.mean(rounds) if len(rounds) > 1 else rounds[0]).state()
    final_state = adapter_state(summary)
    assert saved.keys() == final_state.keys()
    assert all((saved[name] == final_state[name]).all() for name in saved)


def adapter_state(summary: dict[str, Any]) -> dict[str, Any]:
    return Adapter.load(Path(summary["learner"])).state()


@pytest.mark.parametrize("action", ["stopped", "rolled back"])
def test_a_stopped_domain_is_attacked_no_further(
    folder: Path,
    model: LocalModel,
    tmp_path: Path,
    short: None,
    scripted: list[str],
    action: str,
) -> None:
    scripted += [action, "continue"]
    summary = toy.run(ethics(folder, 2), tmp_path / "run", model)
    attacked = [{a["domain"] for a in r["attacks"]} for r in summary["rounds"]]
    assert attacked == [{"ethics", "mathematics"}, {"mathematics"}]
    assert set(summary["held_out"]) >= {"ethics", "mathematics"}


def test_after_a_roll_back_the_ledger_compares_with_what_was_kept(
    folder: Path, model: LocalModel, tmp_path: Path, short: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[Any, Any]] = []
    actions = ["rolled back", "continue"]

    def judge(before: Any, after: Any) -> dict[str, dict[str, Any]]:
        seen.append((before, after))
        return {"ethics": {"action": actions[len(seen) - 1], "reason": "scripted"}}

    phases: list[str] = []
    records = RunStore.records

    def spy(self: RunStore, kind: type[Record], phase: str | None = None) -> Any:
        if kind is Response and len(seen) == 1:
            phases.append(str(phase))
        return records(self, kind, phase)

    monkeypatch.setattr(ledger, "judge", judge)
    monkeypatch.setattr(RunStore, "records", spy)
    toy.run(ethics(folder, 2), tmp_path / "run", model)
    assert "dev before" in phases  # round 1 was undone: its answers are not the learner's
    assert "round 1 judge" not in phases
