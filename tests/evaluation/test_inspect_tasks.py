"""Our tasks in Inspect, where Inspect is installed."""

import json
import math
from pathlib import Path

import pytest

from superalign.errors import InputError

pytest.importorskip("inspect_ai")


def test_items_are_graded_by_the_task_that_made_them(tmp_path: Path) -> None:
    from inspect_ai import eval
    from inspect_ai.model import ModelAPI, ModelOutput, get_model, modelapi

    from superalign.evaluation.inspect_tasks import mathematics

    task = mathematics(n=6, seed=4)
    rows = [s.metadata["query"] for s in task.dataset]
    known = {r["messages"][-1]["content"]: r["truth"]["answer"] for r in rows[:3]}

    class Scripted(ModelAPI):
        async def generate(self, input, tools, tool_choice, config):  # type: ignore[no-untyped-def]
            answer = known.get(input[-1].text)
            said = "I like trains." if answer is None else f"The answer is {answer}."
            return ModelOutput.from_content("scripted", said)

        async def count_text_tokens(self, text: str) -> int:
            return len(text.split())  # the default asks the network

    modelapi(name="scripted")(lambda: Scripted)
    model = get_model("scripted/model", memoize=False)
    [log] = eval(task, model=model, log_dir=str(tmp_path), display="none")
    assert log.status == "success", log.error
    scores = {s.id: s.scores["ground_truth"].value for s in log.samples}
    assert [scores[r["id"]] for r in rows[:3]] == [1.0] * 3
    assert all(math.isnan(scores[r["id"]]) for r in rows[3:]), "no number: unscored, not wrong"
    assert log.results.scores[0].metrics["accuracy"].value == 1.0
    assert log.results.scores[0].unscored_samples == 3


def test_safety_keeps_twins_and_turns() -> None:
    from superalign.evaluation.inspect_tasks import safety

    rows = [s.metadata["query"]["truth"]["harmful"] for s in safety(n=8).dataset]
    assert set(rows) == {True, False}


def test_items_are_plain_data_and_a_seed_renews_them() -> None:
    from superalign.evaluation.inspect_tasks import ethics

    first, again, other = ([s.id for s in ethics(n=5, seed=s).dataset] for s in (0, 0, 1))
    assert first == again
    assert not set(first) & set(other)
    json.dumps([s.metadata for s in ethics(n=5).dataset])


def test_a_family_is_chosen_and_a_wrong_one_is_said() -> None:
    from superalign.evaluation.inspect_tasks import mathematics

    [family] = {
        s.metadata["family"] for s in mathematics(n=3, family="gym_gcd", split="train").dataset
    }
    assert family == "gym_gcd"
    with pytest.raises(InputError, match="family 'nosuch' of mathematics, held_out; allowed: "):
        mathematics(family="nosuch")
    with pytest.raises(InputError, match="allowed: train, held_out"):
        mathematics(split="test")


def test_the_entry_point_holds_provider_and_tasks() -> None:
    from inspect_ai._util.registry import registry_info

    from superalign.evaluation import inspect_registry

    kinds = {registry_info(getattr(inspect_registry, n)).type for n in inspect_registry.__all__}
    assert kinds == {"modelapi", "task"}
