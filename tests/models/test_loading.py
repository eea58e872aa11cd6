"""From a name to a model: parsing, truncation, runs, hashes, and errors of one line."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import tiny
import torch

from superalign.errors import InputError, ModelError, SuperalignError
from superalign.models import LocalModel, load_model
from superalign.models.export import export_merged
from superalign.models.loading import choose_device, choose_dtype
from superalign.models.names import ModelName, parse_name
from superalign.models.packing import Tree

TREE = Tree((*range(40, 60),), ((1, 2, 3), (4, 5)))


def load(name: Path | str) -> LocalModel:
    return load_model(str(name), device="cpu", dtype="float32")


def one_line(error: pytest.ExceptionInfo[SuperalignError]) -> str:
    message = str(error.value)
    assert message.strip()
    assert "\n" not in message
    return message


# -- names ------------------------------------------------------------------------------------------


def test_names(tmp_path: Path) -> None:
    gguf = tmp_path / "m.gguf"
    gguf.touch()
    assert parse_name("smollm2") == ModelName("smollm2", "")
    assert parse_name("smollm2@layers=4") == ModelName("smollm2", "", 4)
    assert parse_name("hf:org/name@layers=2") == ModelName("hf", "org/name", 2)
    assert parse_name(f"{tmp_path}@layers=1") == ModelName("folder", str(tmp_path), 1)
    assert parse_name(f"run:{tmp_path}") == ModelName("run", str(tmp_path))
    assert parse_name("smollm2@weights=int8@layers=2") == ModelName("smollm2", "", 2, True)
    assert str(parse_name("smollm2@weights=int8@layers=2")) == "smollm2@layers=2@weights=int8"
    assert parse_name(f"gguf:{gguf}") == parse_name(str(gguf)) == ModelName("gguf", str(gguf))
    for name in ("smollm2", "smollm2@layers=4", "hf:org/name", str(tmp_path), f"run:{tmp_path}"):
        assert str(parse_name(name)) == name


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("", "unknown model ''"),
        ("gpt-17", "unknown model 'gpt-17'; allowed: smollm2, a local folder"),
        ("gguf:/no/such.gguf", "no such file '/no/such.gguf'"),
        ("run:/no/such", "no such run folder '/no/such'"),
        ("smollm2@layers=0", "unknown option '@layers=0'; allowed: @layers=K"),
        ("smollm2@layers=x", "unknown option '@layers=x'"),
        ("smollm2@depth=3", "unknown option '@depth=3'"),
        ("smollm2@layers", "unknown option '@layers'"),
        (
            "smollm2@weights=int4",
            "'@weights=int4'; allowed: @layers=K (K >= 1), @weights=int8",
        ),
        ("smollm2@layers=2@layers=3", "unknown option '@layers=2'"),
        ("smollm2@", "unknown option '@'"),
    ],
)
def test_bad_names(name: str, says: str) -> None:
    with pytest.raises(InputError) as error:
        load_model(name)
    assert says in one_line(error)


def test_a_folder_may_hold_an_at_sign(zoo: tiny.Zoo, tmp_path: Path) -> None:
    folder = tmp_path / "m@2"
    shutil.copytree(zoo.folder(), folder)
    assert parse_name(str(folder)) == ModelName("folder", str(folder))
    assert load(f"{folder}@layers=1").depth == 1
    assert parse_name(f"run:{folder}@layers=1") == ModelName("run", str(folder), 1)
    assert parse_name(f"run:{folder}") == ModelName("run", str(folder))


# -- devices and types ------------------------------------------------------------------------------


def test_device_and_type(zoo: tiny.Zoo) -> None:
    with pytest.raises(InputError, match="no such device 'tpu'; available here: cpu"):
        choose_device("tpu")
    with pytest.raises(InputError, match="unknown dtype 'int3'; allowed: bfloat16"):
        choose_dtype(torch.device("cpu"), "int3")
    model = load_model(str(zoo.folder()), device="cpu", dtype="bfloat16")
    assert model.module.lm_head.weight.dtype == torch.bfloat16
    assert str(model.device) == "cpu"


@pytest.mark.parametrize("name", tiny.FAST)
def test_bfloat16_is_close_to_transformers(zoo: tiny.Zoo, name: str) -> None:
    """The type of the real runs, with its reordered weights; a random net at this width is rough."""
    model = load_model(str(zoo.folder(name)), device="cpu", dtype="bfloat16")
    found = torch.cat(model.tree_logprobs([TREE])[0])
    with torch.no_grad():
        wanted = torch.cat(
            [tiny.logprobs(zoo.theirs(name), TREE.prompt, c) for c in TREE.completions]
        )
    assert (found - wanted).abs().mean() < 0.5
    (done,) = model.generate(["hello"], max_new_tokens=6)[0]
    scored = model.tree_logprobs([Tree(model.encode("hello"), (done.tokens,))])[0][0]
    assert (scored - torch.tensor(done.logprobs)).abs().mean() < 0.5


# -- truncation -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["llama", "qwen3", "mistral-window"])
def test_layers_keeps_the_first(zoo: tiny.Zoo, name: str) -> None:
    cut, whole = load(f"{zoo.folder(name)}@layers=2"), zoo.ours(name)
    assert (cut.depth, whole.depth) == (2, 3)
    assert cut.name == f"{zoo.folder(name)}@layers=2"
    assert cut.weight_hash != whole.weight_hash
    ids = torch.tensor([whole.encode("a prompt")])
    with torch.no_grad():
        states = zoo.theirs(name)(ids, output_hidden_states=True).hidden_states
        wanted = zoo.theirs(name).model.norm(states[2])[0, -1] @ whole.module.lm_head.weight.T
    assert cut.generate(["a prompt"], max_new_tokens=1, temperature=0)[0][0].tokens == (
        int(wanted.argmax()),
    )
    with pytest.raises(InputError, match="its depth is 3") as error:
        load(f"{zoo.folder(name)}@layers=4")
    one_line(error)


def test_layers_where_it_cannot(zoo: tiny.Zoo) -> None:
    with pytest.raises(InputError, match="its depth is unknown"):
        load(f"{zoo.folder('gpt2')}@layers=1")


# -- runs and adapters ------------------------------------------------------------------------------


def test_run_is_its_learner(zoo: tiny.Zoo, tmp_path: Path) -> None:
    adapter = tiny.adapter(zoo.ours())
    adapter.save(tmp_path / "checkpoints/last", base=str(zoo.folder()))
    summary = tmp_path / "summary.json"
    with pytest.raises(InputError, match="no finished learner") as error:
        load(f"run:{tmp_path}")
    one_line(error)
    summary.write_text(json.dumps({"learner": None}))
    with pytest.raises(InputError, match="has no learner") as error:
        load(f"run:{tmp_path}")
    one_line(error)
    summary.write_text(json.dumps({"learner": "checkpoints/last"}))
    model = load(f"run:{tmp_path}")
    assert model.weight_hash == zoo.ours().with_adapter(adapter).weight_hash
    assert model.adapter is not None
    cut = load(f"run:{tmp_path}@layers=1")
    assert cut.depth == 1
    assert cut.generate(["a"], max_new_tokens=2)[0][0].tokens


def test_adapter_of_a_cut_base(zoo: tiny.Zoo, tmp_path: Path) -> None:
    cut = load(f"{zoo.folder()}@layers=2")
    adapter = tiny.adapter(cut)
    adapter.save(tmp_path / "a", base=cut.name)
    again = load(tmp_path / "a")
    assert again.depth == 2
    assert again.weight_hash == cut.with_adapter(adapter).weight_hash


def test_export_merges(zoo: tiny.Zoo, tmp_path: Path) -> None:
    adapter = tiny.adapter(zoo.ours())
    adapter.save(tmp_path / "a", base=str(zoo.folder()))
    out = load(export_merged(str(tmp_path / "a"), tmp_path / "merged"))
    assert out.adapter is None
    view = zoo.ours().with_adapter(adapter)
    found, wanted = (torch.cat(m.tree_logprobs([TREE])[0]) for m in (out, view))
    assert (found - wanted).abs().mean() < 0.3  # bfloat16 on disk
    assert (found - torch.cat(zoo.ours().tree_logprobs([TREE])[0])).abs().mean() > 0.5


# -- hashes -----------------------------------------------------------------------------------------


def test_weight_hash_is_the_weights(zoo: tiny.Zoo, tmp_path: Path) -> None:
    one = load(zoo.folder())
    assert one.weight_hash == load(zoo.folder()).weight_hash == zoo.ours().weight_hash
    assert len({zoo.ours(name).weight_hash for name in tiny.SETTINGS}) == len(tiny.SETTINGS)
    copy = tmp_path / "copy"
    shutil.copytree(zoo.folder(), copy)
    assert load(copy).weight_hash == one.weight_hash  # not the name
    changed = load(zoo.folder())
    with torch.no_grad():
        changed.module.model.layers[1].mlp.up_proj.weight[3, 3] += 1e-3
    assert changed.weight_hash != one.weight_hash
    other_type = load_model(str(zoo.folder()), device="cpu", dtype="bfloat16")
    assert other_type.weight_hash != one.weight_hash


# -- errors -----------------------------------------------------------------------------------------


def broken(kind: str, source: Path, folder: Path) -> str:
    shutil.copytree(source, folder)
    if kind == "empty":
        shutil.rmtree(folder)
        folder.mkdir()
    elif kind == "no weights":
        (folder / "model.safetensors").unlink()
    elif kind == "cut weights":
        path = folder / "model.safetensors"
        path.write_bytes(path.read_bytes()[:1000])
    elif kind == "no tokenizer":
        for path in folder.glob("*token*"):
            path.unlink()
    elif kind == "bad json":
        (folder / "config.json").write_text("{")
    elif kind == "unknown type":
        (folder / "config.json").write_text(json.dumps({"model_type": "no_such_type"}))
    elif kind == "no generator":
        (folder / "config.json").write_text(json.dumps({"model_type": "vit"}))
    elif kind == "gguf":
        shutil.rmtree(folder)
        folder.write_bytes(b"GGUF and then nothing")
        return f"gguf:{folder}"
    elif kind == "baseless adapter":
        shutil.rmtree(folder)
        folder.mkdir()
        (folder / "adapter_config.json").write_text(json.dumps({"peft_type": "LORA", "r": 1}))
    elif kind == "bad adapter":
        shutil.rmtree(folder)
        folder.mkdir()
        (folder / "adapter_config.json").write_text("{")
    return str(folder)


@pytest.mark.parametrize(
    "kind",
    [
        "empty", "no weights", "cut weights", "no tokenizer", "bad json", "unknown type",
        "no generator", "gguf", "baseless adapter", "bad adapter",
    ],
)  # fmt: skip
def test_broken_models_are_told_in_one_line(zoo: tiny.Zoo, tmp_path: Path, kind: str) -> None:
    name = broken(kind, zoo.folder(), tmp_path / "m")
    with pytest.raises((InputError, ModelError)) as error:
        load(name)
    one_line(error)


def test_missing_hub_model_is_told_in_one_line() -> None:
    with pytest.raises(ModelError, match="hf:no-such-org/no-such-model") as error:
        load("hf:no-such-org/no-such-model")
    one_line(error)
