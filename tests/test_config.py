import itertools
from pathlib import Path

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from superalign.config import RunConfig, describe, dump_config, load_config
from superalign.errors import InputError


def mistake(path: Path | None, *overrides: str) -> str:
    with pytest.raises(InputError) as caught:
        load_config(path, overrides)
    message = str(caught.value)
    assert "\n" not in message
    return message


def written(folder: Path, text: str) -> Path:
    path = folder / "run.yaml"
    path.write_text(text)
    return path


def test_defaults() -> None:
    assert load_config() == RunConfig()
    assert RunConfig().learner.algorithm == "dpo"


def test_file_then_overrides(tmp_path: Path) -> None:
    path = written(tmp_path, "rounds: 2\nlearner: {algorithm: ppo, clip: 0.1}\n")
    config = load_config(path, ["learner.clip=0.3", "seed=7", "domains=[ethics]", "device=null"])
    assert (config.rounds, config.seed, config.domains) == (2, 7, ("ethics",))
    assert (config.learner.algorithm, config.learner.clip) == ("ppo", 0.3)


def test_overriding_one_size_keeps_the_others() -> None:
    changed = load_config(None, ["evaluation.final.safety=10"]).evaluation.final
    assert changed == RunConfig().evaluation.final.model_copy(update={"safety": 10})


def test_number_without_a_point_is_a_number() -> None:
    assert load_config(None, ["learner.learning_rate=1e-4"]).learner.learning_rate == 1e-4


def test_lists_of_sections(tmp_path: Path) -> None:
    path = written(tmp_path, "data: [{path: a.jsonl, kind: safety}]\n")
    assert load_config(path, ["data.0.text_field=prompt"]).data[0].text_field == "prompt"


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("learner: {algoritm: sft}", ["learner.algoritm", "did you mean 'algorithm'?", "beta"]),
        ("modle: x", ["unknown key 'modle'", "did you mean 'model'?", "rounds"]),
        ("zzzz: 1", ["unknown key 'zzzz'", "; allowed: model"]),
        ("rounds: 0", ["'rounds' cannot be 0", "whole number, >= 1"]),
        ("rounds: many", ["'rounds' cannot be many", "whole number"]),
        ("learner: {clip: 1.5}", ["'learner.clip' cannot be 1.5", "> 0", "< 1"]),
        ("learner: {learning_rate: .inf}", ["learner.learning_rate", "number, > 0"]),
        ("learner: {algorithm: dqo}", ["one of sft, dpo, ppo, grpo, rloo"]),
        ("learner:", ["'learner' cannot be null", "section with algorithm"]),
        ("learner: 3", ["'learner' cannot be 3", "section with algorithm"]),
        ("domains: safety", ["'domains' cannot be safety", "list of text"]),
        ("domains: []", ["'domains' cannot be []", "not empty"]),
        ("domains: [safety, safety]", ["appears twice"]),
        ("data: [{kind: safety}]", ["'data.0.path' is missing", "text"]),
        ("data: [{path: a, kind: poetry}]", ["data.0.kind", "one of safety"]),
        ("data: [{pth: a, kind: safety}]", ["unknown key 'data.0.pth'", "'path'", "(and 1 more)"]),
        ("data: [{path: a, kind: safety, labl: b}]", ["unknown key 'data.0.labl'", "label_field"]),
        ("rounds: 0\nseed: -1", ["(and 1 more)"]),
        ("rounds: 1\nrounds: 2", ["line 2", "'rounds' appears twice"]),
        ("rounds: [1", ["line", "is not YAML"]),
        ("a: 2024-13-45", ["is not YAML"]),
        ("1: 2", ["'1'", "allowed: model"]),
        ("", ["is empty", "allowed keys: model"]),
        ("# nothing\n", ["is empty"]),
        ("- 1", ["'key: value'", "allowed keys"]),
    ],
)
def test_a_mistake_in_a_file_is_one_line(tmp_path: Path, text: str, parts: list[str]) -> None:
    path = written(tmp_path, text)
    message = mistake(path)
    for part in [*parts, str(path)]:
        assert part in message


@pytest.mark.parametrize(
    ("override", "parts"),
    [
        ("learner.algoritm=sft", ["unknown key 'learner.algoritm' in --set", "'algorithm'"]),
        ("rounds", ["--set rounds", "key=value"]),
        ("=3", ["key=value"]),
        ("learner..clip=3", ["key=value"]),
        ("rounds.x=1", ["'rounds'", "in --set", "whole number"]),
        ("data.3.path=x", ["'data'", "in --set", "list of"]),
        ("rounds=[", ["--set rounds=[", "not YAML"]),
        ("dtype=int8", ["one of float32, bfloat16, float16 or null"]),
    ],
)
def test_a_mistake_in_an_override_is_one_line(
    tmp_path: Path, override: str, parts: list[str]
) -> None:
    message = mistake(written(tmp_path, "rounds: 2\n"), override)
    assert all(part in message for part in parts), message


def test_unreadable_files(tmp_path: Path) -> None:
    assert "No such file" in mistake(tmp_path / "none.yaml")
    assert str(tmp_path) in mistake(tmp_path)
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    assert "not UTF-8" in mistake(tmp_path / "binary.yaml")


@example(model="\x85\u2028é", seed=0, rate=1e-5, device="2e-4")
@given(
    model=st.text(min_size=1),
    seed=st.integers(0, 2**32 - 1),
    rate=st.floats(0, 1, exclude_min=True),
    device=st.none() | st.text(),
)
def test_dump_round_trips(
    tmp_path_factory: pytest.TempPathFactory,
    model: str,
    seed: int,
    rate: float,
    device: str | None,
) -> None:
    base = RunConfig(model=model, seed=seed, device=device)
    config = base.model_copy(
        update={"learner": base.learner.model_copy(update={"learning_rate": rate})}
    )
    path = tmp_path_factory.getbasetemp() / "dump.yaml"
    path.write_bytes(dump_config(config).encode())
    assert load_config(path) == config


def test_dump_is_complete() -> None:
    assert yaml.safe_load(dump_config(RunConfig()))["learner"]["lam"] == 0.95


def test_frozen_down_to_the_leaves() -> None:
    with pytest.raises(ValidationError):
        RunConfig().learner.beta = 1.0  # type: ignore[misc]


def test_describe_covers_every_field() -> None:
    rows = {row.path: row for row in describe(RunConfig)}
    assert rows["learner.algorithm"].type == "one of sft, dpo, ppo, grpo, rloo"
    assert rows["learner.clip"] == (
        "learner.clip",
        "number, > 0, < 1",
        "0.2",
        rows["learner.clip"][3],
    )
    assert rows["data[].path"].default == "required"
    assert rows["critic.probe_layer"].type == "whole number or null, >= 0"
    assert all(row.description for row in rows.values())


def test_every_section_is_frozen_and_strict_about_keys() -> None:
    def sections(model: type[BaseModel]) -> set[type[BaseModel]]:
        kinds = [field.default.__class__ for field in model.model_fields.values()]
        inner = [kind for kind in kinds if issubclass(kind, BaseModel)]
        return {model, *itertools.chain.from_iterable(map(sections, inner))}

    found = sections(RunConfig)
    assert len(found) >= 8
    assert all(s.model_config["frozen"] and s.model_config["extra"] == "forbid" for s in found)
