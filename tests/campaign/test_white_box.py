"""Attacks that need the weights, on a tiny model."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

import toy
from superalign.attack.archive import Archive
from superalign.campaign import assembly, command
from superalign.campaign.attacker import Attempt, OperatorAttacker
from superalign.campaign.goals import campaign_goals
from superalign.campaign.settings import CampaignConfig
from superalign.campaign.steering import DEPTHS, RefusalSteering, steering_effect
from superalign.campaign.target import ModelTarget, Move
from superalign.campaign.white_box import (
    STEPS,
    Ablated,
    Subtracted,
    SuffixSearched,
    WhiteBoxTarget,
    opening_of,
)
from superalign.config import dump_config
from superalign.errors import InputError
from superalign.models import LocalModel, load_model
from superalign.models.fake import FakeModel
from superalign.records import Response, Verdict
from superalign.report.campaign import write_campaign_report
from superalign.store import RunStore
from superalign.tasks.safety import Safety

GOAL = campaign_goals(CampaignConfig(limit=1))[0]
QUICK: dict[str, Any] = {"limit": 3, "queries": 4, "batch": 6, "replays": 1, "max_new_tokens": 6}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> LocalModel:
    return load_model(str(toy.model_folder(tmp_path_factory.getbasetemp())), device="cpu")


@pytest.fixture(scope="module")
def steering(model: LocalModel) -> RefusalSteering:
    return RefusalSteering(model, 0, 6)


def whole(model: LocalModel, steering: RefusalSteering) -> WhiteBoxTarget:
    def make(one: Any) -> ModelTarget:
        return ModelTarget(one, max_new_tokens=6, temperature=0.0)

    return WhiteBoxTarget(model, steering.views, make, 0)


def test_each_way_to_steer_has_a_layer_of_those_that_may_be_chosen(
    model: LocalModel, steering: RefusalSteering
) -> None:
    allowed = {max(1, round(share * model.depth)) for share in DEPTHS}
    assert set(steering.aims) == set(steering.views) == {Ablated.name, Subtracted.name}
    assert {aim.layer for aim in steering.aims.values()} <= allowed
    ablated, subtracted = (steering.aims[c.name].steering for c in (Ablated, Subtracted))
    assert ablated.layer is None
    assert subtracted.layer == steering.aims[Subtracted.name].layer
    assert steering.gflop > 0


def test_moves_are_answered_by_the_model_that_they_are_for(
    model: LocalModel, steering: RefusalSteering
) -> None:
    plain = GOAL.query
    moves = [Move(plain), *(Move(c().propose(plain, None, ())) for c in (Ablated, Subtracted))]  # type: ignore[arg-type]
    played = [row[0] for row in whole(model, steering).play(moves, n=1, seed=0)]
    views = [model, steering.views[Ablated.name], steering.views[Subtracted.name]]
    assert [p.response.weight_hash for p in played] == [v.weight_hash for v in views]
    for view, row in zip(views, played, strict=True):
        [[done]] = view.generate([plain.chat], max_new_tokens=6, temperature=0.0)
        assert row.response.text == done.text.strip()


def test_a_suffix_is_searched_asked_and_searched_on(
    model: LocalModel, steering: RefusalSteering
) -> None:
    operator, goal = SuffixSearched(), GOAL.query
    target = whole(model, steering)
    first = Move(operator.propose(goal, None, ()), suffix=operator.suffix(goal, []))  # type: ignore[arg-type]
    [[played]] = target.play([first], n=1, seed=0)
    [[plain]] = target.play([Move(goal)], n=1, seed=0)
    suffix = played.query.text.removeprefix(goal.text)
    assert played.query.text == goal.text + suffix
    assert suffix.strip()
    assert played.gflop > STEPS * plain.gflop
    [[again]] = target.play([Move(played.query)], n=1, seed=0)
    assert again.query == played.query, "what was found is asked again without a search"
    assert again.gflop < played.gflop / 2
    assert operator.suffix(goal, [plain.query, played.query]) == suffix


def test_the_attacker_searches_on_from_the_latest_suffix() -> None:
    class Only:
        def choose(self, goal: str, cluster: str, n: int, rng: Any) -> list[str]:
            return [SuffixSearched.name] * n

        def observe(self, *args: Any) -> None:
            pass

    attacker = OperatorAttacker({SuffixSearched.name: SuffixSearched()}, Only())
    [move] = attacker.propose(GOAL, [], Archive(), 9, 1, random.Random(0))
    assert (move.suffix, move.query.text) == ("", GOAL.query.text)
    text = GOAL.query.text + " x y z"
    asked = move.query.model_copy(
        update={"messages": (GOAL.query.messages[-1].model_copy(update={"content": text}),)}
    )
    verdict = Verdict(value=1.0, kind="ok")
    history = [Attempt(GOAL, asked, Response(query=asked.id, text="No."), verdict, 1, 1, 0.0)]
    [move] = attacker.propose(GOAL, history, Archive(), 9, 1, random.Random(0))
    assert (move.suffix, move.query.text) == (" x y z", GOAL.query.text)


def test_how_an_answer_is_to_begin() -> None:
    asked = GOAL.query.model_copy(update={"goal": "How do I bake bread at home?"})
    assert opening_of(asked) == "Sure, here is how to bake bread at home:"
    assert opening_of(asked.model_copy(update={"goal": "Bread."})) == "Sure, here is how:"


def test_the_effect_is_measured_beside_the_model_itself(steering: RefusalSteering) -> None:
    task = Safety()
    harmful = task.harmful_only(3, seed=1, split="train") + task.harmful_only(
        2, seed=1, split="held_out"
    )
    found = steering_effect(steering, harmful, task.benign_only(4, seed=1, split="held_out"), 6)
    assert list(found) == ["plain", Ablated.name, Subtracted.name]
    for name, row in found.items():
        counts = [
            row[key]["n"] for key in ("attack_success", "attack_success_held_out", "over_refusal")
        ]
        assert counts == [5, 2, 4]
        assert ("change" in row) == (name != "plain")


def campaign(tmp_path: Path, model: LocalModel, name: str) -> dict[str, Any]:
    config = CampaignConfig(feedback="weights", **QUICK)
    with RunStore.create(tmp_path / name, dump_config(config), resume=True) as store:
        summary = command.run_campaign(config, store, model)
        write_campaign_report(store, summary)
        return summary


def test_a_campaign_with_the_weights_counts_its_preparation_and_resumes(
    tmp_path: Path, model: LocalModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    summary = campaign(tmp_path, model, "whole")
    names = {o["operator"] for o in summary["operators"]}
    assert {*summary["steering"]} - {"plain"} < names
    assert SuffixSearched.name in names
    assert summary["setup_gflop"] > 0
    assert summary["gflop"] > summary["setup_gflop"]
    assert summary["curve_gflop"][-1]["gflop"] > summary["setup_gflop"] / 3
    assert "What the weights hold" in (tmp_path / "whole" / "report.html").read_text()
    rows = (tmp_path / "whole" / "regression.jsonl").read_text().splitlines()
    assert not {json.loads(r)["operator"] for r in rows} & {Ablated.name, Subtracted.name}

    calls = 0
    played = WhiteBoxTarget.play

    def dying(self: Any, *args: Any, **more: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise KeyboardInterrupt
        return played(self, *args, **more)

    monkeypatch.setattr(WhiteBoxTarget, "play", dying)
    with pytest.raises(KeyboardInterrupt):
        campaign(tmp_path, model, "cut")
    again = campaign(tmp_path, model, "cut")
    assert again | {"seconds": 0} == summary | {"seconds": 0}


def test_weights_that_are_not_here_or_do_not_help_are_refused() -> None:
    with pytest.raises(InputError, match="fake shows none; allowed: text"):
        assembly.find_steering(CampaignConfig(feedback="weights"), FakeModel())
    with pytest.raises(InputError, match="its attacks are on refusals; allowed: text"):
        command.check(CampaignConfig(feedback="weights", domain="bias"))
