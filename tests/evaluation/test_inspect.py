"""The Inspect provider, where Inspect is installed."""

from pathlib import Path

import pytest

import toy

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


def test_tools_are_refused(folder: Path) -> None:
    import asyncio

    from inspect_ai.model import ChatMessageUser, GenerateConfig

    from superalign.errors import InputError
    from superalign.evaluation.inspect_provider import SuperalignAPI

    api = SuperalignAPI(str(folder), device="cpu")
    with pytest.raises(InputError, match="no tools"):
        asyncio.run(
            api.generate([ChatMessageUser(content="hi")], ["tool"], "auto", GenerateConfig())
        )
    asyncio.run(api.aclose())
