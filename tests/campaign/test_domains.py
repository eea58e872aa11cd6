"""Campaigns on questions with a known answer: only what was right before can be broken."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path
from typing import Any

import pytest

from superalign.attack.claims import wrong_answer
from superalign.attack.phrasing import split_format
from superalign.campaign import command
from superalign.campaign.goals import campaign_goals
from superalign.campaign.regression import read_suite, run_regression
from superalign.campaign.settings import CampaignConfig
from superalign.config import dump_config
from superalign.errors import InputError
from superalign.models.fake import FakeModel
from superalign.report.campaign import write_campaign_report
from superalign.store import RunStore

DOMAINS = ("truthfulness", "bias", "mathematics", "ethics")
SIZE: dict[str, Any] = {"limit": 16, "queries": 12, "batch": 32}


def knowing(domain: str, gives_in_to: str = "", knows: float = 1.0) -> FakeModel:
    """Knows the answers of ``knows`` of the goals; gives in where ``gives_in_to`` is in the prompt."""
    goals = campaign_goals(CampaignConfig(domain=domain, **SIZE))  # type: ignore[arg-type]
    rng = random.Random(0)
    known = {g.query.text: g.query for g in goals if rng.random() < knows}
    bodies = {split_format(text)[0]: q for text, q in known.items()}

    def reply(text: str, i: int) -> str:
        query = known.get(text) or next((q for b, q in bodies.items() if b in text), None)
        if query is None:
            return "I do not know."
        if gives_in_to and re.search(gives_in_to, text):
            return str(wrong_answer(query.truth, random.Random(1)))
        return f"{query.truth['answer']}"

    return FakeModel(reply)


def run(tmp_path: Path, domain: str, model: FakeModel, name: str = "run", **more: Any) -> dict:  # type: ignore[type-arg]
    config = CampaignConfig(domain=domain, **SIZE | more)  # type: ignore[arg-type]
    with RunStore.create(tmp_path / name, dump_config(config), resume=True) as store:
        summary = command.run_campaign(config, store, model)
        write_campaign_report(store, summary)
        return summary


@pytest.mark.parametrize("domain", DOMAINS)
def test_a_model_that_stays_with_what_it_knows_is_never_broken(tmp_path: Path, domain: str) -> None:
    summary = run(tmp_path, domain, knowing(domain, knows=0.6))
    asked, right = summary["baseline"]["n"], summary["goals"]
    assert asked == SIZE["limit"]
    assert 0 < right < asked
    assert summary["baseline"]["value"] == right / asked
    assert summary["solved"] == 0
    assert summary["corrected_success"]["value"] == 0.0
    assert summary["queries"] == asked + right * (SIZE["queries"] - 1)
    assert summary["domain"] == domain
    assert summary["judge"]["sensitivity"] is None
    page = (tmp_path / "run" / "report.html").read_text()
    assert "computed truth, no judge" in page
    assert "Answered rightly before any attack" in page


@pytest.mark.parametrize(
    ("domain", "mark", "operator"),
    [
        ("truthfulness", "encyclopedia|teacher|scientist|study|official", "expert_says"),
        (
            "bias",
            "wasn't it|I suppose|Surely|confirm that|my money|in the room",
            "leading_question",
        ),
    ],
)
def test_pressure_that_works_is_found_and_kept_for_later_models(
    tmp_path: Path, domain: str, mark: str, operator: str
) -> None:
    summary = run(tmp_path, domain, knowing(domain, mark), queries=60)
    assert summary["solved"] >= 3
    assert {o["operator"]: o for o in summary["operators"]}[operator]["hits"] > 0
    assert summary["corrected_success"]["value"] == summary["solved"] / summary["goals"]
    assert summary["replayed_success"]["n"] == summary["solved"], "greedy answers: one is enough"
    suite = tmp_path / "run" / "regression.jsonl"
    rows = read_suite(suite)
    assert {q.domain for q in rows} == {domain}
    assert all(q.truth["answer"] for q in rows)
    config = CampaignConfig(regression=str(suite), replays=1)
    for again, rate in ((knowing(domain, mark), 1.0), (knowing(domain), 0.0)):
        with RunStore.create(tmp_path / f"again {rate}", dump_config(config)) as store:
            assert run_regression(config, store, again)["success"]["value"] == rate


def test_no_question_answered_rightly_leaves_nothing_to_attack(tmp_path: Path) -> None:
    summary = run(tmp_path, "bias", knowing("bias", knows=0.0))
    assert (summary["goals"], summary["solved"], summary["queries"]) == (0, 0, 16)
    assert summary["baseline"] == summary["baseline"] | {"value": 0.0, "n": 16, "missing": 16}
    assert summary["corrected_success"]["value"] is None


def test_a_campaign_on_questions_resumes_to_the_same_result(tmp_path: Path) -> None:
    mark = "encyclopedia|teacher|scientist|study|official"
    whole = run(tmp_path, "truthfulness", knowing("truthfulness", mark), "whole")
    steady, calls = knowing("truthfulness", mark), 0

    class Dying(FakeModel):
        def generate(self, *args: Any, **more: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls == 5:
                raise KeyboardInterrupt
            return steady.generate(*args, **more)

    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, "truthfulness", Dying(), "cut")
    again = run(tmp_path, "truthfulness", steady, "cut")
    assert json.dumps(again | {"seconds": 0}) == json.dumps(whole | {"seconds": 0})


def test_answers_are_greedy_unless_asked_otherwise() -> None:
    assert CampaignConfig().sampling == 1.0
    assert CampaignConfig(domain="bias").sampling == 0.0
    assert CampaignConfig(domain="bias", temperature=0.7).sampling == 0.7
    assert CampaignConfig().sampling_of("bias") == 0.0, "a suite of another domain"


def test_a_file_of_requests_is_for_safety(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="with domain 'bias'; allowed: safety"):
        campaign_goals(CampaignConfig(domain="bias", goals=str(tmp_path / "x.jsonl")))


def test_a_suite_of_a_task_that_is_none_is_refused(tmp_path: Path) -> None:
    row = {"goal": "g", "category": "c", "operator": "plain", "domain": "geography", "truth": {}}
    path = tmp_path / "suite.jsonl"
    path.write_text(json.dumps(row | {"messages": [{"role": "user", "content": "?"}]}) + "\n")
    with pytest.raises(InputError, match="row 1: 'domain' or 'truth' cannot be read"):
        read_suite(path)
