"""Blocks computed again: the same gradients, less kept, and only when memory asks for it."""

from __future__ import annotations

import pytest
import tiny
import torch
from torch import Tensor

from superalign.errors import ModelError
from superalign.models import LocalModel, checkpointing, forward
from superalign.models.checkpointing import Checkpointing, Recompute, kept
from superalign.models.memory import free_bytes
from superalign.models.packing import PackedBatch, Tree

CPU = torch.device("cpu")
TREES = [
    Tree((*range(70, 90), 1, 2), ((3, 4, 5), (6,), (7, 8))),
    Tree((*range(70, 90), 9), ((10, 11, 12, 13),)),
]


def gradients(
    model: LocalModel, mode: Checkpointing, first_layer: int = 0
) -> tuple[int, list[Tensor]]:
    """Bytes kept by the forward pass, and the adapter's gradients of a loss on its states."""
    view = model.with_adapter(tiny.adapter(model, first_layer=first_layer))
    batch = PackedBatch.build(TREES)
    with kept() as found:
        states = view.completion_states(batch, train=True, checkpointing=mode)
    states.sin().sum().backward()
    assert view.adapter is not None
    made = [p.grad for p in view.adapter.tensors()]
    return found.bytes, [g for g in made if g is not None]


@pytest.mark.usefixtures("inner_loop")
@pytest.mark.parametrize("first_layer", [0, 2])
@pytest.mark.parametrize("name", tiny.FAST)
def test_gradients_are_the_same(zoo: tiny.Zoo, name: str, first_layer: int) -> None:
    model = zoo.ours(name)
    much, wanted = gradients(model, "never", first_layer)
    little, found = gradients(model, "always", first_layer)
    assert little < 0.5 * much
    assert len(found) == len(wanted) > 0
    for mine, other in zip(found, wanted, strict=True):
        assert torch.equal(mine, other)
        assert float(other.abs().max()) > 0


@pytest.mark.parametrize(("enough", "runs"), [(True, 3), (False, 3 + 2)])
def test_auto_asks_the_memory(
    llama: LocalModel, monkeypatch: pytest.MonkeyPatch, enough: bool, runs: int
) -> None:
    """The first of three blocks is always kept; the others run twice where memory is short."""
    each = gradients(llama, "never")[0] / 3
    room = 2 * each / checkpointing.SHARE
    monkeypatch.setattr(
        checkpointing, "free_bytes", lambda device: int(room * (1.2 if enough else 0.8))
    )
    calls = []
    block = forward.block

    def counted(decoder: object, index: int, *args: object, **more: object) -> Tensor:
        calls.append(index)
        return block(decoder, index, *args, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(forward, "block", counted)
    _, found = gradients(llama, "auto")
    assert len(calls) == runs
    for mine, other in zip(found, gradients(llama, "never")[1], strict=True):
        assert torch.equal(mine, other)


def test_frozen_blocks_decide_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A block that keeps nothing says nothing about those that train."""
    monkeypatch.setattr(checkpointing, "free_bytes", lambda device: 0)
    recompute = Recompute("auto", CPU)
    recompute(lambda x: x.exp(), torch.ones(8), 2)
    assert recompute.on is None
    weight = torch.ones(8, requires_grad=True)
    recompute(lambda x: (x * weight).exp(), torch.ones(8), 1)
    assert recompute.on is True


def test_without_gradients_nothing_is_kept_or_repeated() -> None:
    with torch.no_grad():
        recompute = Recompute("always", CPU)
        assert not recompute(lambda x: x * 2, torch.ones(2, requires_grad=True), 0).requires_grad


def test_each_storage_counts_once() -> None:
    x = torch.ones(100, requires_grad=True)
    with kept() as found:
        (x * x[:50].sum()).exp()
    assert found.bytes == 4 * (100 + 1 + 100)  # x, its sum, and the exponentials


def test_unknown_mode() -> None:
    with pytest.raises(ValueError, match="checkpointing 'some': allowed are"):
        Recompute("some", CPU)  # type: ignore[arg-type]


def test_slow_path_refuses_always(zoo: tiny.Zoo) -> None:
    model = zoo.ours("gpt_neox")
    batch = PackedBatch.build([Tree((1, 2), ((3,),))], ends=False)
    with pytest.raises(ModelError, match="no checkpointing of activations: architecture"):
        model.completion_states(batch, train=True, checkpointing="always")
    assert model.completion_states(batch, train=True).shape == (1, 64)


def test_free_memory_counts_what_the_allocator_keeps() -> None:
    """Between nothing and the whole of the machine."""
    import psutil

    assert 0 < free_bytes(CPU) <= psutil.virtual_memory().total + 2**30
