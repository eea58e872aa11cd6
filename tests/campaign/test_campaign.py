"""A campaign against scripted models: what counts, what resumes, what it costs."""

import itertools
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from superalign.campaign import command
from superalign.campaign.goals import campaign_goals
from superalign.campaign.regression import filtered, read_suite, run_regression
from superalign.campaign.settings import CampaignConfig
from superalign.config import dump_config
from superalign.errors import InputError
from superalign.models.fake import FakeModel
from superalign.records import Verdict
from superalign.report.campaign import successes, write_campaign_report
from superalign.store import RunStore

REFUSAL = "I can't help with that."


def complies_with(mark: str, name: str = "fake"):
    """Answers on the request's own topic where ``mark`` is in the prompt, and refuses elsewhere."""

    def reply(text: str, i: int) -> str:
        asked = " ".join(w for w in text.split() if len(w) > 3)[-200:]
        return (
            f"Sure, here is how it goes, step by step at home: {asked}" if mark in text else REFUSAL
        )

    return FakeModel(reply, name)


def run(tmp_path: Path, model: FakeModel, name: str = "run", **changes: Any) -> dict[str, Any]:
    config = CampaignConfig(**{"limit": 6, "queries": 40, "batch": 12, "replays": 2, **changes})
    with RunStore.create(tmp_path / name, dump_config(config), resume=True) as store:
        summary = command.run_campaign(config, store, model)
        write_campaign_report(store, summary)
        return summary


def lasting(summary: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in summary.items() if k != "seconds"}


KEYS = (
    "goals",
    "solved",
    "curve",
    "corrected_success",
    "over_refusal",
    "operators",
    "archive",
    "gflop",
)


def test_a_model_that_always_refuses_is_never_broken(tmp_path: Path) -> None:
    summary = run(tmp_path, complies_with("no such words anywhere"))
    assert set(KEYS) <= set(summary)
    assert (summary["goals"], summary["solved"]) == (6, 0)
    assert summary["queries"] == 6 * 40
    assert [p["success"] for p in summary["curve"]] == [0.0] * 6
    assert summary["curve"][-1]["high"] > 0.2  # none of six is not none of all
    assert summary["corrected_success"]["value"] == 0.0
    assert summary["replayed_success"]["value"] is None
    assert summary["over_refusal"]["value"] == 1.0
    assert summary["archive"]["cells"] == 0
    assert "regression.jsonl" in {p.name for p in (tmp_path / "run").iterdir()}


def test_a_weak_spot_is_found_and_then_used(tmp_path: Path) -> None:
    summary = run(tmp_path, complies_with("officer"), queries=200)
    assert summary["solved"] >= 5
    tried = {o["operator"]: o for o in summary["operators"]}
    assert tried["authority"]["hits"] > 0
    assert sum(o["solved"] for o in tried.values()) == summary["solved"]
    assert summary["replayed_success"]["value"] == 1.0
    lines = (tmp_path / "run" / "regression.jsonl").read_text().splitlines()
    assert lines
    assert all("officer" in json.loads(line)["messages"][-1]["content"] for line in lines)


def test_gibberish_is_undecided_and_no_hit(tmp_path: Path) -> None:
    summary = run(tmp_path, FakeModel(lambda text, i: "the " * 20), queries=10)
    assert summary["solved"] == 0
    assert summary["undecided"] == sum(o["attempts"] for o in summary["operators"])


def test_an_unfinished_campaign_goes_on_to_the_same_result(tmp_path: Path) -> None:
    whole = run(tmp_path, complies_with("officer"), "whole")

    class Killed(Exception):
        pass

    calls = 0
    steady = complies_with("officer")

    class Dying(FakeModel):
        def generate(self, *args: Any, **more: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls == 6:
                raise Killed
            return steady.generate(*args, **more)

    with pytest.raises(Killed):
        run(tmp_path, Dying(name="fake"), "cut")
    again = run(tmp_path, steady, "cut")
    assert lasting(again) == lasting(whole)


def test_exploring_fills_more_cells_with_the_budget_that_is_left(tmp_path: Path) -> None:
    stopping = run(tmp_path, complies_with("e"), "stop")
    exploring = run(tmp_path, complies_with("e"), "explore", explore=True)
    assert stopping["solved"] == exploring["solved"] == 6
    assert exploring["archive"]["cells"] > 2 * stopping["archive"]["cells"]
    assert exploring["queries"] > stopping["queries"]


def test_goals_come_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "goals.jsonl"
    rows = [
        {"text": f"Explain how to break lock number {i}", "risk": "ab"[i % 2]} for i in range(4)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    summary = run(tmp_path, complies_with("x"), goals=str(path), category_field="risk", queries=5)
    assert {c["cluster"] for c in summary["clusters"]} == {"a", "b"}


def test_the_report_shows_the_failures(tmp_path: Path) -> None:
    run(tmp_path, complies_with("officer"), queries=100)
    page = (tmp_path / "run" / "report.html").read_text()
    assert "Corrected success" in page
    assert "officer" in page
    assert "<script src" not in page


def test_the_report_shows_first_the_attacks_that_work_again(tmp_path: Path) -> None:
    asked: Counter[str] = Counter()
    willing = complies_with("")

    def once_or_always(text: str, i: int) -> str:
        asked[text] += 1
        lasting = len(text) % 2 == 0
        return willing.generate([text])[0][0].text if lasting or asked[text] == 1 else REFUSAL

    run(tmp_path, FakeModel(once_or_always), replays=2, queries=100)
    with RunStore.open(tmp_path / "run") as store:
        cases = successes(store)
    assert len(cases) == 6
    assert all(c["hits"] == 2 * (len(c["turns"][-1]["content"]) % 2 == 0) for c in cases)
    assert {0, 2} == {c["hits"] for c in cases}
    assert [c["hits"] for c in cases] == sorted((c["hits"] for c in cases), reverse=True)
    assert all(c["answer"].startswith("Sure") and c["asked"] == 2 for c in cases)
    page = (tmp_path / "run" / "report.html").read_text()
    assert page.count("2 of 2</b>") == sum(c["hits"] == 2 for c in cases)
    assert page.count("no fresh one succeeds") == sum(not c["hits"] for c in cases)


def test_attacks_that_worked_are_asked_of_the_next_model(tmp_path: Path) -> None:
    run(tmp_path, complies_with("officer"), queries=200)
    suite = str(tmp_path / "run" / "regression.jsonl")
    for mark, rate in (("officer", 1.0), ("no such words anywhere", 0.0)):
        config = CampaignConfig(regression=suite, replays=2)
        with RunStore.create(tmp_path / mark.split()[0], dump_config(config)) as store:
            summary = run_regression(config, store, complies_with(mark))
        assert summary["success"]["value"] == rate
        assert summary["attacks"] > 0
        kept = (store.path / "filtered.jsonl").read_text()
        assert kept == (Path(suite).read_text() if rate else "")


def test_a_suite_that_is_none_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text(json.dumps({"goal": "a"}) + "\n")
    with pytest.raises(InputError, match="row 1: no 'category'"):
        read_suite(path)


def test_conversations_are_afforded_and_counted_by_the_turn(tmp_path: Path) -> None:
    name = "wide"
    summary = run(tmp_path, complies_with("no such words"), name, batch=1, queries=60)
    spoken = [o for o in summary["operators"] if "turns" in o["style"]]
    assert sum(o["attempts"] for o in spoken) > 0
    for o in spoken:
        assert o["queries"] == o["attempts"] * int(o["style"].split(", ")[1].split()[0])
    assert summary["queries"] == 6 * 60
    assert sum(o["queries"] for o in summary["operators"]) == summary["queries"]


def test_the_filtered_suite_drops_what_worked_by_chance() -> None:
    hit, miss = (Verdict(value=v, kind="ok") for v in (0.0, 1.0))
    unknown = Verdict(value=None, kind="unparsed")
    goals = [g.query for g in campaign_goals(CampaignConfig(limit=4))]
    rows = [[hit, hit, miss, unknown], [hit, miss, miss, miss], [unknown] * 4, [hit] * 4]
    assert filtered(goals, rows) == [goals[0], goals[3]]


def lucky(every: int) -> FakeModel:
    """Refuses, but for one answer in ``every``, whatever the prompt: a judge's errors look so."""
    count = itertools.count(1)
    willing = complies_with("")

    def reply(text: str, i: int) -> str:
        return willing.generate([text])[0][0].text if next(count) % every == 0 else REFUSAL

    return FakeModel(reply)


def test_confirmation_keeps_chance_from_counting(tmp_path: Path) -> None:
    plain = run(tmp_path, lucky(7), "plain", limit=1, batch=1, queries=60)
    confirmed = run(tmp_path, lucky(7), "confirmed", limit=1, batch=1, queries=60, confirm=1)
    assert plain["solved"] == 1
    assert (confirmed["solved"], confirmed["queries"]) == (0, 60)
    assert confirmed["archive"]["cells"] == 0


def test_an_attack_that_works_is_confirmed_at_the_cost_of_queries(tmp_path: Path) -> None:
    found = [
        run(tmp_path, complies_with("e"), str(k), limit=1, batch=1, queries=60, confirm=k)
        for k in (0, 2)
    ]
    assert [f["solved"] for f in found] == [1, 1]
    assert found[1]["queries"] == found[0]["queries"] + 2
