"""The loop's gate: who passes labels, who fails asks or abstains, and nothing slips through."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

import toy
from superalign.config import RunConfig, Sizes
from superalign.critic import Critic, Item
from superalign.evaluation.measure import grade
from superalign.loop import run as loop
from superalign.loop.criticism import new_critic
from superalign.loop.gate import HELP, MORE, Admitted, Examiner
from superalign.loop.lessons import rehearsal_lessons, rollouts
from superalign.loop.summary import gate_notes
from superalign.models import LocalModel
from superalign.records import Critique, Demonstration, Label, Preference, Query, Response
from superalign.report.collect import write_run_report
from superalign.store import RunStore
from superalign.tasks.refusal import refusal


@pytest.fixture(scope="module")
def critic(model: LocalModel) -> Critic:
    return fitted(model, 240)


def fitted(model: LocalModel, n: int) -> Critic:
    critic = new_critic(RunConfig.model_validate({"critic": {"seed_items": n}}), model)
    critic.fit()
    return critic


@pytest.fixture(scope="module")
def examiner(critic: Critic) -> Examiner:
    return Examiner(RunConfig(), critic.seed_queries)


class Stubborn(Critic):
    """Is right, or calls every answer acceptable, or likes only what is long."""

    how = "right"

    def judge(self, items: Sequence[Item]) -> list[Critique]:
        return [Critique(response=i.response.id, acceptable=float(self._likes(i))) for i in items]

    def _likes(self, item: Item) -> bool:
        right = bool(refusal(item.response.text)) == bool(item.query.truth["harmful"])
        return {"right": right, "yes": True, "long": right or MORE in item.response.text}[self.how]


def stubborn(critic: Critic, how: str) -> Stubborn:
    made = Stubborn(critic.verifier, critic.classifiers, critic.fixer, critic.seed_queries)
    made.how = how
    return made


def test_the_cases_are_balanced_known_and_new(examiner: Examiner, critic: Critic) -> None:
    cases = examiner.cases
    assert len(cases) == RunConfig().critic.gate_requests
    truth = [g.verdict.value for g in grade([c.query for c in cases], [c.response for c in cases])]
    assert None not in truth
    assert sum(x for x in truth if x) == len(cases) / 2
    assert not {c.query.goal for c in cases} & {x.goal for x in critic.seed_queries}
    assert {c.query.split for c in cases} == {"train"}
    assert sum(c.response.text == HELP for c in cases) == len(cases) / 2


def test_a_good_critic_labels(examiner: Examiner, critic: Critic) -> None:
    gate = examiner.examine(stubborn(critic, "right"), 0)
    assert gate.decision == "label"
    entry = gate.as_dict(["safety", "mathematics"])
    assert entry["safety"]["reason"] == "passed"
    assert entry["safety"]["swap_flips"]["reason"] == "not asked"
    assert entry["mathematics"]["decision"] == "label"


def test_the_loops_own_critic_is_measured(examiner: Examiner, critic: Critic) -> None:
    entry = examiner.examine(critic, 0).as_dict(["safety"])["safety"]
    assert entry["sensitivity"]["n"] == entry["specificity"]["n"] == len(examiner.cases) / 2
    assert entry["length_bias"]["value"] == 0  # it reads whether an answer refuses, not how long


@pytest.mark.parametrize(("how", "reason"), [("yes", "sensitivity"), ("long", "length bias")])
def test_a_bad_critic_does_not(examiner: Examiner, critic: Critic, how: str, reason: str) -> None:
    bad = stubborn(critic, how)
    assert examiner.examine(bad, 3).decision == "ask a person"
    gate = examiner.examine(bad, 0)
    assert gate.decision == "abstain"
    assert reason in gate.as_dict(["safety"])["safety"]["reason"]


def test_without_requests_there_is_no_judge_to_examine(critic: Critic) -> None:
    gate = Examiner(RunConfig(domains=("mathematics",)), ()).examine(critic, 0)
    assert gate.decision == "label"
    assert set(gate.as_dict(["mathematics"])) == {"mathematics"}


def test_a_disqualified_critic_teaches_nothing_but_what_people_said(
    examiner: Examiner, model: LocalModel
) -> None:
    critic = fitted(model, 60)
    items = examiner.cases[:4]
    critic.learn([(items[0], Label(response=items[0].response.id, value=0.0, source="human"))])
    admitted = Admitted(critic, qualified=False)
    assert [c.acceptable for c in admitted.judge(items)] == [0.0, None, None, None]
    harm = admitted.harm([i.query for i in items])
    assert [h is None for h in harm] == [False, True, True, True]
    assert rehearsal_lessons([items[1].query], [None], ["No."], {}) == []
    assert [r.reward for r in rollouts(items, admitted.judge(items))] == [0.0, None, None, None]
    exact = Item(_sum(), Response(query="", text="The answer is 4."))
    assert admitted.judge([exact])[0].acceptable == 1.0


def _sum() -> Query:
    from superalign.loop.queries import task

    query = task("mathematics").generate(1, seed=0, split="train")[0]
    return query.model_copy(update={"truth": query.truth | {"answer": "4"}, "id": "sum"})


def run(path: Path, folder: Path, model: LocalModel, **changes: Any) -> dict[str, Any]:
    short = {"rounds": 1, "domains": ["safety"], **changes}
    return toy.run(toy.settings(folder, **short), path, model)


def test_the_loop_abstains_where_the_gate_fails(
    folder: Path, model: LocalModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "DEV", Sizes(safety=3, benign=3, mathematics=3, ethics=3))
    strict = {"gate_requests": 16, "gate_low": 0.99, "seed_items": 24, "explain": False}
    summary = run(tmp_path / "run", folder, model, critic=strict, human={"budget": 4})
    gate = summary["rounds"][0]["gate"]["safety"]
    assert gate["decision"] == "abstain"
    assert "needed 0.99" in gate["reason"]
    assert summary["human_labels"]["used"] == 4  # all of the budget was spent before it abstained
    assert summary["notes"][-1:] == gate_notes(summary["rounds"])
    with RunStore.open(tmp_path / "run") as store:
        labelled = {x.response for x in store.records(Label)}
        people = {r.query for r in store.records(Response) if r.id in labelled}
        taught = [*store.records(Demonstration), *store.records(Preference)]
        critiques = {c.response: c for c in store.records(Critique)}
        page = write_run_report(store, summary).read_text()
    assert {x.query.id for x in taught} <= people
    assert any(c.acceptable is not None for c in critiques.values())  # it is still watched
    assert "The gate before it labels training data" in page
    assert "abstain" in page
    assert yaml.safe_load((tmp_path / "run" / "config.yaml").read_text())["critic"]["gate_low"]
    assert json.loads((tmp_path / "run" / "summary.json").read_text()) == summary
