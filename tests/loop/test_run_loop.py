"""The loop end to end on a tiny model."""

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import toy
from superalign import load_model
from superalign.config import RunConfig
from superalign.loop import queries as q
from superalign.loop.human import WaitingForHuman
from superalign.models import LocalModel
from superalign.records import (
    Critique,
    Demonstration,
    Label,
    Preference,
    Query,
    Response,
)
from superalign.store import RunStore
from superalign.tasks import alarming_harms, alarming_requests

Finished = tuple[dict[str, Any], Path]
QUANTITIES = {
    "safety": ("asr", "over_refusal_twin", "over_refusal_benign"),
    "mathematics": ("accuracy",),
    "ethics": ("accuracy",),
    "retention": ("perplexity",),
}


# -- the summary ----------------------------------------------------------------------------------


def test_the_summary_has_what_others_rely_on(finished: Finished, folder: Path) -> None:
    summary, path = finished
    assert summary["schema"] == "superalign.run/1"
    assert summary["command"] == "run"
    assert summary["model"] == str(folder)
    assert summary["seconds"] > 0
    assert [r["round"] for r in summary["rounds"]] == [1, 2]
    for domain, names in QUANTITIES.items():
        for when in ("before", "after"):
            for name in names:
                estimate = summary["held_out"][domain][when][name]
                assert {"value", "low", "high", "n"} <= set(estimate), (domain, when, name)
    for domain, name in SIZED:
        sides = summary["held_out"][domain]
        change = sides["change"][name]
        assert change["value"] == pytest.approx(
            sides["after"][name]["value"] - sides["before"][name]["value"]
        )
        assert 0 <= change["p"] <= 1
    assert {"win", "tie", "loss"} <= set(summary["held_out"]["retention"]["after"])
    assert [summary["held_out"][d]["before"][name]["n"] for d, name in SIZED] == [9, 4, 4]
    assert json.loads((path / "summary.json").read_text()) == summary


SIZED = (("safety", "asr"), ("mathematics", "accuracy"), ("ethics", "accuracy"))


def estimates(value: Any, where: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every measured quantity in a summary, with its place."""
    if isinstance(value, dict):
        if "value" in value and "n" in value:
            yield where, value
            return
        for key, child in value.items():
            yield from estimates(child, f"{where}.{key}")
    elif isinstance(value, list):
        for i, child in enumerate(value):
            yield from estimates(child, f"{where}[{i}]")


def test_every_estimate_has_value_interval_and_n(finished: Finished) -> None:
    found = dict(estimates(finished[0]))
    assert len(found) > 60
    for where, one in found.items():
        assert {"value", "low", "high", "n"} <= set(one), where
        assert isinstance(one["n"], int)
        if one["value"] is None:
            assert one["reason"], where
        elif one["low"] is None or one["high"] is None:
            assert one["low"] is one["high"] is None, where
            assert one["reason"], where
        else:
            assert one["low"] <= one["value"] <= one["high"], where


def test_a_round_tells_what_was_attacked_asked_learnt_and_judged(finished: Finished) -> None:
    for entry in finished[0]["rounds"]:
        assert set(entry) == {
            "round",
            "attacks",
            "archive",
            "critic",
            "gate",
            "human",
            "update",
            "progress",
            "ledger",
        }
        assert {a["domain"] for a in entry["attacks"]} == {"safety", "mathematics", "ethics"}
        assert (
            sum(a["trials"] + a["missing"] for a in entry["attacks"]) == 18
        )  # 9 queries, 2 samples
        for row in entry["attacks"]:
            assert 0 <= row["hits"] <= row["trials"]
        assert set(entry["ledger"]) == {"safety", "mathematics", "ethics"}
        assert entry["update"]["algorithm"] == "dpo"
        assert entry["update"]["steps"] > 0
        assert math.isfinite(entry["update"]["loss_last"])
        assert 0 <= entry["archive"]["coverage"] <= 1


def test_human_labels_stay_within_the_budget_and_are_called_simulated(finished: Finished) -> None:
    summary, path = finished
    labels = summary["human_labels"]
    assert labels["simulated"] is True
    assert labels["budget"] == 5
    assert 0 < labels["used"] <= 5
    assert any("simulated" in note and "no person" in note for note in summary["notes"])
    with RunStore.open(path) as store:
        stored = store.records(Label)
    assert len(stored) == labels["used"]
    assert {x.source for x in stored} == {"simulated human"}
    used = [r["human"]["used"] for r in summary["rounds"]]
    assert used == sorted(used)
    assert used[-1] == labels["used"]


def test_the_learner_is_loaded_by_its_path_and_by_the_runs_name(
    finished: Finished, model: LocalModel
) -> None:
    summary, path = finished
    assert summary["weight_hash"] == model.weight_hash
    assert summary["learner_hash"] != model.weight_hash
    for name in (summary["learner"], f"run:{path}"):
        learner = load_model(name, device="cpu", dtype="float32")
        assert learner.weight_hash == summary["learner_hash"]
    told = [m.generate(["Explain how to bake bread."], temperature=0.0) for m in (learner, model)]
    assert told[0][0][0].logprobs != told[1][0][0].logprobs


def test_a_run_that_was_moved_still_names_its_learner(finished: Finished, tmp_path: Path) -> None:
    import shutil

    summary, path = finished
    moved = tmp_path / "moved"
    shutil.copytree(path, moved)
    text = (moved / "summary.json").read_text()
    (moved / "summary.json").write_text(text.replace(str(path.parent), "/nowhere"))
    learner = load_model(f"run:{moved}", device="cpu", dtype="float32")
    assert learner.weight_hash == summary["learner_hash"]


def test_a_learner_finds_its_base_from_another_folder(
    model: LocalModel,
    folder: Path,
    tmp_path: Path,
    short: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(folder.parent)
    config = toy.settings(Path(folder.name), **toy.FAST, domains=["ethics"])
    summary = toy.run(config, tmp_path / "run", model)
    monkeypatch.chdir(tmp_path)
    learner = load_model("run:run", device="cpu", dtype="float32")
    assert learner.weight_hash == summary["learner_hash"]


def test_the_folder_is_complete_and_holds_no_pickle(finished: Finished) -> None:
    _, path = finished
    names = {p.name for p in path.iterdir()}
    assert {"config.yaml", "summary.json", "records.sqlite", "log.jsonl", "checkpoints"} <= names
    kinds = {p.suffix for p in (path / "checkpoints").rglob("*") if p.is_file()}
    assert kinds == {".safetensors", ".json"}
    assert {p.name for p in (path / "checkpoints").iterdir()} == {"round-1", "round-2", "learner"}
    for line in (path / "log.jsonl").read_text().splitlines():
        assert json.loads(line)["event"]


def test_the_records_hang_together(finished: Finished, model: LocalModel) -> None:
    _, path = finished
    with RunStore.open(path) as store:
        queries = {x.id: x for x in store.records(Query)}
        responses = {x.id: x for x in store.records(Response)}
        critiques = {x.id: x for x in store.records(Critique)}
        labels, taught = store.records(Label), taught_records(store)
        rows = [r for k in (1, 2) for r in store.records(Response, f"round {k} answers")]
        asked = {r.id for r in rows if r.model != "frozen"}
    for response in responses.values():
        assert response.query in queries
        assert response.parent == response.query
        assert response.weight_hash
        assert len(response.tokens) == len(response.logprobs)
    assert {r.weight_hash for r in responses.values() if r.model == "frozen"} == {model.weight_hash}
    assert {c.response for c in critiques.values()} == asked
    assert any(c.explanation for c in critiques.values())
    for label in labels:
        assert label.response in responses
    assert {type(x) for x in taught} == {Demonstration, Preference}
    for record in [*queries.values(), *responses.values(), *critiques.values(), *taught]:
        assert type(record)(**(record.model_dump() | {"id": ""})).id == record.id


def taught_records(store: RunStore) -> list[Demonstration | Preference]:
    return [*store.records(Demonstration), *store.records(Preference)]


def test_training_records_hold_nothing_of_the_held_out_sets(finished: Finished) -> None:
    _, path = finished
    held_out: set[str] = set()
    with RunStore.open(path) as store:
        for phase in ("before", "after"):
            for query in store.records(Query, phase):
                held_out |= {query.text, query.goal}
        taught = taught_records(store)
        config = RunConfig.model_validate(_yaml(path))
    for k in (1, 2):
        sets = q.evaluation_sets(
            config,
            config.evaluation.progress,
            seed=q.derived_seed(config.seed, "progress", k),
            split="held_out",
        )
        held_out |= {text for query in sets.all() for text in (query.text, query.goal)}
    assert len(taught) > 10
    assert len(held_out) > 20
    for lesson in taught:
        assert lesson.query.split == "train"
        assert split_of(lesson.query) == "train"
        assert not {lesson.query.text, lesson.query.goal} & held_out


def split_of(query: Query) -> str:
    """The split of its family, contrasts in alarming words included: those are of no task's own."""
    kinds = alarming_harms.KINDS if query.domain == "safety" else alarming_requests.KINDS
    families = q.task(query.domain).families
    return families[query.family] if query.family in families else kinds[query.family][0]


def _yaml(path: Path) -> Any:
    import yaml

    return yaml.safe_load((path / "config.yaml").read_text())


def test_a_problem_that_is_measured_is_never_taught(
    folder: Path,
    model: LocalModel,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    short: None,
) -> None:
    """A small family can draw the same problem for training that it drew for the measurement."""
    config = toy.settings(folder, **toy.FAST, domains=["mathematics"])
    sizes, seed = config.evaluation.final, q.derived_seed(0, "held out")
    measured = q.evaluation_sets(config, sizes, seed=seed, split="held_out").mathematics
    seen = [x for x in measured if q.task("mathematics").families[x.family] == "train"]
    monkeypatch.setattr(q, "variants", lambda *_, **__: seen)
    toy.run(config, tmp_path / "run", model)
    with RunStore.open(tmp_path / "run") as store:
        goals = {x.query.goal for x in taught_records(store)}
    assert not goals & {x.goal for x in measured}


# -- determinism and variants ---------------------------------------------------------------------


def test_the_same_seed_gives_the_same_summary(
    finished: Finished, folder: Path, model: LocalModel, tmp_path: Path
) -> None:
    summary, _ = finished
    again = toy.run(toy.settings(folder), tmp_path / "elsewhere" / "again", model)
    assert toy.lasting(again) == toy.lasting(summary)
    assert again["learner"] != summary["learner"]


def test_another_seed_gives_other_queries_and_another_learner(
    finished: Finished, folder: Path, model: LocalModel, tmp_path: Path, short: None
) -> None:
    summary, path = finished
    other = toy.run(toy.settings(folder, seed=1, **toy.FAST), tmp_path / "run", model)
    assert other["seed"] == 1
    assert other["learner_hash"] != summary["learner_hash"]
    texts = []
    for where in (path, tmp_path / "run"):
        with RunStore.open(where) as store:
            texts.append({x.text for x in store.records(Query, "before")})
    assert len(texts[0] & texts[1]) <= 2


@pytest.mark.parametrize("algorithm", ["sft", "ppo", "grpo", "rloo"])  # dpo: the finished run
def test_every_algorithm_runs(
    folder: Path, model: LocalModel, tmp_path: Path, short: None, algorithm: str
) -> None:
    config = toy.settings(folder, **toy.FAST, learner={"algorithm": algorithm})
    summary = toy.run(config, tmp_path / "run", model)
    update = summary["rounds"][0]["update"]
    assert update["algorithm"] == algorithm
    assert update["steps"] > 0
    assert summary["learner_hash"] != summary["weight_hash"]
    assert ("demonstrations" in update) == (algorithm == "sft")


@pytest.mark.parametrize("domain", ["safety", "mathematics", "ethics"])
def test_each_domain_runs_alone(
    folder: Path, model: LocalModel, tmp_path: Path, short: None, domain: str
) -> None:
    config = toy.settings(folder, **toy.FAST, domains=[domain])
    summary = toy.run(config, tmp_path / "run", model)
    assert set(summary["held_out"]) == {domain, "retention"}
    assert {a["domain"] for a in summary["rounds"][0]["attacks"]} == {domain}
    assert summary["human_labels"]["used"] <= 5


@pytest.mark.parametrize("allocator", ["uniform", "epsilon_greedy"])
def test_the_other_allocators_run(
    folder: Path, model: LocalModel, tmp_path: Path, short: None, allocator: str
) -> None:
    attack = {"allocator": allocator, "queries_per_round": 4, "domain_floor": 0.0}
    config = toy.settings(folder, **toy.FAST, attack=attack, domains=["mathematics"])
    assert toy.run(config, tmp_path / "run", model)["rounds"][0]["attacks"]


def test_no_budget_asks_nobody(
    folder: Path, model: LocalModel, tmp_path: Path, short: None
) -> None:
    config = toy.settings(folder, **toy.FAST, human={"budget": 0})
    summary = toy.run(config, tmp_path / "run", model)
    assert summary["human_labels"] == {"used": 0, "budget": 0, "simulated": True}


def test_sizes_of_zero_are_unmeasured(
    folder: Path, model: LocalModel, tmp_path: Path, short: None
) -> None:
    none = dict.fromkeys(("safety", "benign", "mathematics", "ethics"), 0)
    small = {"final": {**none, "ethics": 2}, "progress": none}
    config = toy.settings(folder, **toy.FAST, evaluation=small)
    summary = toy.run(config, tmp_path / "run", model)
    assert set(summary["held_out"]) == {"ethics", "retention"}


# -- a real person --------------------------------------------------------------------------------


def test_a_real_person_is_waited_for_and_counted(
    folder: Path, model: LocalModel, tmp_path: Path, short: None
) -> None:
    human = {"budget": 2, "simulated": False}
    config, path = toy.settings(folder, **toy.FAST, human=human), tmp_path / "run"
    with pytest.raises(WaitingForHuman, match="superalign label"):
        toy.run(config, path, model)
    assert not (path / "summary.json").exists()
    asked = json.loads((path / "questions.json").read_text())
    assert len(asked) == 2
    assert {"round", "response_id", "domain", "prompt", "response", "members"} == set(asked[0])
    with pytest.raises(WaitingForHuman, match="2 labels"):  # nothing was answered meanwhile
        toy.run(config, path, model)
    with RunStore.open(path, write=True) as store:
        store.add_labels([human_label(asked[0], 1.0), human_label(asked[1], None)])
    summary = toy.run(config, path, model)
    assert summary["human_labels"] == {"used": 2, "budget": 2, "simulated": False}
    assert summary["rounds"][0]["human"]["undecided"] == 1
    assert not any("simulated" in note for note in summary["notes"])


def human_label(question: dict[str, Any], value: float | None) -> Label:
    return Label(response=question["response_id"], value=value, source="human")
