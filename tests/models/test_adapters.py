"""Adapters: views of one copy of the weights, PEFT's format, gradients equal to plain autograd's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import tiny
import torch
from torch import Tensor

from superalign.errors import ModelError
from superalign.models import Adapter, LocalModel, load_model
from superalign.models.packing import PackedBatch, Tree
from superalign.models.token_logprobs import CHUNK, Head, token_logprobs

TREES = [
    Tree((*range(70, 90), 1, 2), ((3, 4, 5), (6,), (), (7, 8))),
    Tree((*range(70, 90), 9), ((10, 11, 12, 13),)),
    Tree((*range(70, 90), 4, 5, 6), ((1, 2), (3, 1, 4))),
]


def plain_logprobs(module: Any, trees: list[Tree]) -> Tensor:
    return torch.cat([tiny.logprobs(module, t.prompt, c) for t in trees for c in t.completions])


def pull(n: int) -> Tensor:
    """A random loss: a weight per token."""
    return torch.randn(n, generator=torch.Generator().manual_seed(3))


# -- gradients --------------------------------------------------------------------------------------


@pytest.mark.parametrize("first_layer", [0, 2])
@pytest.mark.parametrize("name", tiny.FAST)
def test_gradients_equal_the_modules(zoo: tiny.Zoo, name: str, first_layer: int) -> None:
    """Packed trees with a shared start against one unpadded sequence at a time, with hooks."""
    base = zoo.ours(name)
    adapter = tiny.adapter(base, first_layer=first_layer)
    view = base.with_adapter(adapter)
    batch = PackedBatch.build(TREES)
    assert batch.shared >= 20
    logps = view.completion_logprobs(batch, train=True)
    ours = torch.autograd.grad((pull(len(logps)) * logps).sum(), list(adapter.tensors()))

    handles = tiny.hook_adapter(zoo.theirs(name), adapter)
    wanted = plain_logprobs(zoo.theirs(name), TREES)
    theirs = torch.autograd.grad((pull(len(wanted)) * wanted).sum(), list(adapter.tensors()))
    for handle in handles:
        handle.remove()
    torch.testing.assert_close(logps, wanted, atol=1e-4, rtol=1e-4)
    for mine, other in zip(ours, theirs, strict=True):
        scale = max(1.0, float(other.abs().max()))
        torch.testing.assert_close(mine / scale, other / scale, atol=1e-4, rtol=1e-4)
    assert all(float(g.abs().max()) > 1e-4 for g in ours)


@pytest.mark.parametrize("rank", [4, 1])
def test_gradients_in_bfloat16(zoo: tiny.Zoo, rank: int) -> None:
    """Whatever product adds the low-rank term: the gradients are float32's up to rounding."""
    found = []
    for dtype in ("float32", "bfloat16"):
        base = load_model(str(zoo.folder("llama")), device="cpu", dtype=dtype)
        adapter = base.fresh_adapter(rank=rank, alpha=8, seed=1)
        with torch.no_grad():
            for i, (_, b) in enumerate(adapter.parameters.values()):
                b.copy_(0.2 * torch.randn(b.shape, generator=torch.Generator().manual_seed(i)))
        logps = base.with_adapter(adapter).completion_logprobs(PackedBatch.build(TREES), train=True)
        found.append(torch.autograd.grad((pull(len(logps)) * logps).sum(), [*adapter.tensors()]))
    for exact, rounded in zip(*found, strict=True):
        assert torch.cosine_similarity(exact.flatten(), rounded.flatten(), dim=0) > 0.95


def test_base_weights_get_no_gradient(llama: LocalModel) -> None:
    view = llama.with_adapter(tiny.adapter(llama))
    view.completion_logprobs(PackedBatch.build(TREES), train=True).sum().backward()
    assert all(p.grad is None and not p.requires_grad for p in llama.module.parameters())


def test_training_after_generation(llama: LocalModel) -> None:
    """Tables made in inference mode are no obstacle to gradients."""
    view = llama.with_adapter(tiny.adapter(llama))
    view.generate(["long enough a prompt"], max_new_tokens=3)
    view.completion_logprobs(PackedBatch.build(TREES), train=True).sum().backward()
    assert all(x.grad is not None for x in view.adapter.tensors())  # type: ignore[union-attr]


@pytest.mark.parametrize("rows", [0, 1, 37, CHUNK, CHUNK + 1, 2 * CHUNK + 5])
def test_token_logprobs_against_autograd(rows: int) -> None:
    generator = torch.Generator().manual_seed(rows)
    hidden = torch.randn(rows, 24, generator=generator, requires_grad=True)
    head = torch.randn(300, 24, generator=generator)
    target = torch.randint(300, (rows,), generator=generator)
    found = token_logprobs(hidden, Head(head), target)
    wanted = (hidden @ head.T).log_softmax(-1).gather(1, target[:, None])[:, 0]
    torch.testing.assert_close(found, wanted, atol=1e-5, rtol=1e-5)
    loss = (pull(rows) * found.square()).sum()  # the gradient depends on the loss
    other = (pull(rows) * wanted.square()).sum()
    mine, theirs = (torch.autograd.grad(x, hidden)[0] for x in (loss, other))
    torch.testing.assert_close(mine, theirs, atol=1e-4, rtol=1e-4)
    with torch.no_grad():
        torch.testing.assert_close(token_logprobs(hidden, Head(head), target), wanted)
        reordered = token_logprobs(hidden, Head(head, "reordered"), target)
        torch.testing.assert_close(reordered, wanted)


# -- views ------------------------------------------------------------------------------------------


def test_fresh_adapter_is_a_no_op(llama: LocalModel) -> None:
    view = llama.with_adapter(llama.fresh_adapter(rank=4, alpha=8, seed=0))
    batch = PackedBatch.build(TREES)
    base = llama.completion_logprobs(batch).detach()
    torch.testing.assert_close(view.completion_logprobs(batch).detach(), base, rtol=0, atol=1e-6)
    trained = view.completion_logprobs(batch, train=True).detach()
    torch.testing.assert_close(trained, base, rtol=0, atol=1e-4)


@pytest.mark.parametrize("name", tiny.FAST)
def test_merged_equals_unmerged(zoo: tiny.Zoo, name: str) -> None:
    base = zoo.ours(name)
    view, batch = base.with_adapter(tiny.adapter(base)), PackedBatch.build(TREES)
    merged = view.completion_logprobs(batch).detach()
    low_rank = view.completion_logprobs(batch, train=True).detach()
    torch.testing.assert_close(merged, low_rank, atol=1e-4, rtol=1e-4)
    assert (base.completion_logprobs(batch) - merged).abs().max() > 0.01


@pytest.mark.parametrize("base_first", [True, False])
def test_views_share_what_is_not_adapted(zoo: tiny.Zoo, base_first: bool) -> None:
    """One head for all views; blocks below the adapter are the base's, where it has any."""
    base = load_model(str(zoo.folder("llama")), device="cpu", dtype="float32")
    wanted = base.with_adapter(tiny.adapter(base, first_layer=2)).completion_logprobs(
        PackedBatch.build(TREES)
    )
    view = base.with_adapter(tiny.adapter(base, first_layer=2))
    if base_first:
        base.weights()
    mine, frozen = view.weights(), base.weights()
    assert mine.head is frozen.head
    same = [
        a is b
        for x, y in zip(mine.blocks, frozen.blocks, strict=True)
        for a, b in zip(x, y, strict=True)
    ]
    assert same == [base_first] * 8 + [False] * 4
    torch.testing.assert_close(view.completion_logprobs(PackedBatch.build(TREES)), wanted)


def test_changed_adapter_is_merged_again(llama: LocalModel) -> None:
    adapter = tiny.adapter(llama)
    view, batch = llama.with_adapter(adapter), PackedBatch.build(TREES)
    before, hash_before = view.completion_logprobs(batch).detach(), view.weight_hash
    with torch.no_grad():
        for tensor in adapter.tensors():
            tensor.mul_(1.5)
    adapter.touched()
    after = view.completion_logprobs(batch).detach()
    assert (after - before).abs().max() > 0.01
    assert view.weight_hash != hash_before
    torch.testing.assert_close(
        after, view.completion_logprobs(batch, train=True).detach(), atol=1e-4, rtol=1e-4
    )


def test_the_mean_of_adapters_has_the_mean_update(llama: LocalModel) -> None:
    some = [tiny.adapter(llama, seed=s) for s in (1, 2, 3)]
    mean = Adapter.mean(some)
    assert mean.rank == sum(x.rank for x in some)
    for key in mean.parameters:
        deltas = [x.delta(*key) for x in some]
        torch.testing.assert_close(mean.delta(*key), torch.stack(deltas).mean(0))  # type: ignore[arg-type]
    assert all(tensor.requires_grad for tensor in mean.tensors())
    view = llama.with_adapter(mean)
    assert view.weight_hash not in {llama.with_adapter(x).weight_hash for x in some}


def test_a_mean_needs_adapters_that_are_alike(llama: LocalModel) -> None:
    one = tiny.adapter(llama)
    other = Adapter(one.rank, 2 * one.alpha)
    other.load_state(one.state())
    with pytest.raises(ValueError, match="same projections and scaling"):
        Adapter.mean([one, other])
    with pytest.raises(ValueError, match="same projections"):
        Adapter.mean([])


def test_views_share_weights_and_leave_the_base_alone(llama: LocalModel) -> None:
    batch = PackedBatch.build(TREES)
    before = llama.completion_logprobs(batch).detach()
    one, two = (llama.with_adapter(tiny.adapter(llama, seed=s), name=f"v{s}") for s in (1, 2))
    assert one.module is two.module is llama.module
    assert one.decoder is llama.decoder
    assert (one.name, two.name) == ("v1", "v2")
    assert len({one.weight_hash, two.weight_hash, llama.weight_hash}) == 3
    assert one.with_adapter(None).weight_hash == llama.weight_hash
    one.completion_logprobs(batch)
    torch.testing.assert_close(llama.completion_logprobs(batch).detach(), before, rtol=0, atol=0)
    back = one.with_adapter(None).completion_logprobs(batch).detach()
    torch.testing.assert_close(back, before, rtol=0, atol=0)
    with pytest.raises(ValueError, match="with_adapter"):
        LocalModel("x", llama.module, llama.tokenizer, tiny.adapter(llama))


def test_fast_path_and_module_share_one_copy(llama: LocalModel) -> None:
    layer = llama.module.model.layers[0]
    fused = llama.decoder.layers[0]
    start = fused.qkv.weight.data_ptr()
    assert layer.self_attn.q_proj.weight.data_ptr() == start
    rows = layer.self_attn.q_proj.weight.shape[0]
    at = start + rows * fused.qkv.weight.stride(0) * 4
    assert layer.self_attn.k_proj.weight.data_ptr() == at
    assert layer.mlp.gate_proj.weight.data_ptr() == fused.gate_up.weight.data_ptr()


def test_same_seed_same_adapter(llama: LocalModel) -> None:
    one, two, other = (llama.fresh_adapter(rank=4, alpha=8, seed=s) for s in (0, 0, 1))
    pairs = list(zip(one.tensors(), two.tensors(), other.tensors(), strict=True))
    assert all(torch.equal(a, b) for a, b, _ in pairs)
    assert not all(torch.equal(a, c) for a, _, c in pairs)


def test_first_layer_leaves_lower_blocks_free(llama: LocalModel) -> None:
    adapter = llama.fresh_adapter(rank=2, alpha=4, seed=0, first_layer=1)
    assert {layer for layer, _ in adapter.parameters} == {1, 2}
    assert adapter.first_layer == 1
    assert adapter.get(0, "q_proj") is None
    assert adapter.delta(0, "q_proj") is None


# -- PEFT's format ----------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore")  # PEFT misses the adapters of frozen blocks
@pytest.mark.parametrize("first_layer", [0, 1])
@pytest.mark.parametrize("name", tiny.FAST)
def test_peft_loads_what_we_save(
    zoo: tiny.Zoo, tmp_path: Path, name: str, first_layer: int
) -> None:
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    view = zoo.ours(name).with_adapter(tiny.adapter(zoo.ours(name), first_layer=first_layer))
    view.adapter.save(tmp_path / "a", base=str(zoo.folder(name)))  # type: ignore[union-attr]
    base = AutoModelForCausalLM.from_pretrained(zoo.folder(name), dtype=torch.float32)
    theirs = PeftModel.from_pretrained(base, tmp_path / "a").eval()
    ours = torch.cat([x for row in view.tree_logprobs(TREES) for x in row])
    with torch.no_grad():
        torch.testing.assert_close(ours, plain_logprobs(theirs, TREES), atol=1e-4, rtol=1e-4)

    again = load_model(str(tmp_path / "a"), device="cpu", dtype="float32")
    assert again.weight_hash == view.weight_hash
    assert again.name == str(tmp_path / "a")
    for a, b in zip(view.adapter.tensors(), again.adapter.tensors(), strict=True):  # type: ignore[union-attr]
        assert torch.equal(a, b)


@pytest.mark.filterwarnings("ignore")
def test_we_load_what_peft_saves(zoo: tiny.Zoo, tmp_path: Path) -> None:
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    base = AutoModelForCausalLM.from_pretrained(zoo.folder(), dtype=torch.float32)
    config = LoraConfig(
        r=3, lora_alpha=5, target_modules=["q_proj", "v_proj", "down_proj"], init_lora_weights=False
    )
    theirs = get_peft_model(base, config).eval()
    theirs.save_pretrained(tmp_path / "peft")
    view = zoo.ours().with_adapter(Adapter.load(tmp_path / "peft"))
    assert view.adapter is not None
    assert {p for _, p in view.adapter.parameters} == {"q_proj", "v_proj", "down_proj"}
    ours = torch.cat([x for row in view.tree_logprobs(TREES) for x in row])
    with torch.no_grad():
        torch.testing.assert_close(ours, plain_logprobs(theirs, TREES), atol=1e-4, rtol=1e-4)


def test_only_plain_lora_is_loaded(llama: LocalModel, tmp_path: Path) -> None:
    folder = tmp_path / "a"
    with pytest.raises(ModelError, match="cannot read an adapter"):
        Adapter.load(folder)
    adapter = tiny.adapter(llama)
    adapter.save(folder, base="smollm2")
    config = json.loads((folder / "adapter_config.json").read_text())
    for change in (
        {"use_dora": True},
        {"use_rslora": True},
        {"peft_type": "IA3"},
        {"rank_pattern": {"x": 2}},
    ):
        (folder / "adapter_config.json").write_text(json.dumps(config | change))
        with pytest.raises(ModelError, match="only plain LoRA"):
            Adapter.load(folder)
    with pytest.raises(ModelError, match="not a plain LoRA"):
        adapter.load_state({"base_model.model.lm_head.lora_A.weight": torch.zeros(1, 1)})


def test_slow_path_takes_an_adapter(zoo: tiny.Zoo) -> None:
    """Same names and shapes as the fast Llama's, through the module's own forward."""
    model = zoo.ours("mistral-window")
    view = model.with_adapter(tiny.adapter(zoo.ours("llama")))
    adapter = view.adapter
    assert adapter is not None
    handles = tiny.hook_adapter(zoo.theirs("mistral-window"), adapter)
    with torch.no_grad():
        wanted = plain_logprobs(zoo.theirs("mistral-window"), TREES)
    for handle in handles:
        handle.remove()
    ours = torch.cat([x for row in view.tree_logprobs(TREES) for x in row])
    torch.testing.assert_close(ours, wanted, atol=1e-4, rtol=1e-4)
    with pytest.raises(ModelError, match="no fast path: it uses sliding-window attention"):
        model.fresh_adapter(rank=2, alpha=4, seed=0)
