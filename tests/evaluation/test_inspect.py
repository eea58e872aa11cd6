"""The Inspect provider, where Inspect is installed."""

from pathlib import Path

import pytest

import toy
from superalign.errors import InputError

pytest.importorskip("inspect_ai")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return toy.model_folder(tmp_path_factory.getbasetemp())


def test_a_task_runs_on_our_engine_and_leaves_a_log(folder: Path, tmp_path: Path) -> None:
    from inspect_ai import Task, eval
    from inspect_ai.dataset import Sample
    from inspect_ai.log import read_eval_log
    from inspect_ai.model import GenerateConfig, get_model
    from inspect_ai.scorer import includes

    from superalign.evaluation import inspect_provider

    assert inspect_provider.MOST_CONNECTIONS >= 1024
    model = get_model(
        f"superalign/{folder}", config=GenerateConfig(max_tokens=8, temperature=0.0), memoize=False
    )
    engine = model.api.engine
    assert model.api.model_name.endswith(engine.weight_hash[:8])
    samples = [Sample(input=f"Say {i}.", target="I") for i in range(40)]
    task = Task(dataset=samples, scorer=includes())
    [log] = eval(task, model=model, log_dir=str(tmp_path), display="none")
    assert log.status == "success"
    assert sum(model.api.batcher.batches) == 40
    assert len(model.api.batcher.batches) < 20
    again = read_eval_log(log.location)
    assert again.samples is not None
    said = [s.output.completion for s in again.samples]
    ours = engine.generate([f"Say {i}." for i in range(40)], max_new_tokens=8, temperature=0.0)
    assert said == [row[0].text for row in ours]


def test_a_campaign_becomes_a_log(tmp_path: Path) -> None:
    from inspect_ai.log import read_eval_log

    from superalign.campaign import command
    from superalign.campaign.inspect_log import write_campaign_log
    from superalign.campaign.settings import CampaignConfig
    from superalign.config import dump_config
    from superalign.models.fake import FakeModel
    from superalign.store import RunStore

    config = CampaignConfig(limit=3, queries=12, batch=6, replays=1, temperature=0.0)
    model = FakeModel(lambda text, i: "I can't help with that." if len(text) % 3 else "the " * 20)
    with RunStore.create(tmp_path / "run", dump_config(config)) as store:
        summary = command.run_campaign(config, store, model)
        write_campaign_log(store, summary, tmp_path / "x.eval")
    log = read_eval_log(str(tmp_path / "x.eval"))
    assert log.results.total_samples == sum(o["attempts"] for o in summary["operators"])
    assert log.results.scores[0].unscored_samples == summary["undecided"]
    assert len({(s.id, s.epoch) for s in log.samples}) == len(log.samples)
    assert {s.metadata["operator"] for s in log.samples} <= {
        o["operator"] for o in summary["operators"]
    }
    metrics = log.results.scores[0].metrics
    assert metrics["success by 12 queries"].metadata["n"] == 3
    assert metrics["over_refusal"].value == summary["over_refusal"]["value"]


def test_tools_are_refused(folder: Path) -> None:
    import asyncio

    from inspect_ai.model import ChatMessageUser, GenerateConfig

    from superalign.evaluation.inspect_provider import SuperalignAPI

    api = SuperalignAPI(str(folder), device="cpu")
    with pytest.raises(InputError, match="no tools"):
        asyncio.run(
            api.generate([ChatMessageUser(content="hi")], ["tool"], "auto", GenerateConfig())
        )
    asyncio.run(api.aclose())


def test_graded_answers_become_a_log(tmp_path: Path) -> None:
    import math

    from inspect_ai.log import read_eval_log

    from superalign.evaluation.files import evaluate_file
    from superalign.models.fake import FakeModel

    data = tmp_path / "x.jsonl"
    data.write_text(
        '{"text": "What is 2 + 2?", "answer": "4"}\n{"text": "What is 2 + 3?", "answer": "5"}\n'
    )
    fields = {"text_field": "text", "answer_field": "answer", "label_field": None}
    replies = {"What is 2 + 2?": "The answer is 4.", "What is 2 + 3?": "I like trains."}
    model = FakeModel(lambda text, _: replies[text])
    path = tmp_path / "x.eval"
    found = evaluate_file(lambda: model, data, "mathematics", fields, 9, 9, None, path)
    log = read_eval_log(str(path))
    assert log.status == "success"
    assert log.eval.model == f"superalign/fake#{model.weight_hash[:8]}"
    metric = log.results.scores[0].metrics["accuracy"]
    assert metric.value == found["measured"]["accuracy"]["value"] == 0.5
    assert metric.metadata["n"] == 2
    scores = {s.messages[0].text: s.scores["ground truth"] for s in log.samples}
    assert scores["What is 2 + 2?"].value == 1.0
    wrong = scores["What is 2 + 3?"]
    assert wrong.answer == "I like trains."
    assert wrong.value == 0.0 or math.isnan(wrong.value)
    with pytest.raises(InputError, match="allowed: a new file ending"):
        evaluate_file(lambda: model, data, "mathematics", fields, 9, 9, None, path)
