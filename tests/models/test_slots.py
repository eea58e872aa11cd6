"""The slot cache keeps what it holds when it grows, shrinks and drops slots."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from superalign.models import LocalModel, architecture
from superalign.models.forward import KeyValues, Rotation
from superalign.models.slots import GROW, Piece, SlotCache, bytes_per_token


def pieces(model: LocalModel, length: int, seed: int) -> KeyValues:
    decoder, generator = model.decoder, torch.Generator().manual_seed(seed)
    shape = (length, decoder.kv_heads, decoder.head_size)
    return [
        (torch.randn(shape, generator=generator), torch.randn(shape, generator=generator))
        for _ in decoder.layers
    ]


def held(cache: SlotCache, slot: int, layer: int) -> tuple[Tensor, Tensor]:
    """Keys and values (T, kv_heads, D) that a slot holds."""
    length = int(cache.lengths[slot])
    return tuple(
        store[layer].view(cache.n, -1, cache.capacity, store[layer].shape[-1])[slot, :, :length]
        .transpose(0, 1)
        for store in (cache.keys, cache.values)
    )  # type: ignore[return-value]  # fmt: skip


def assert_holds(cache: SlotCache, slot: int, wanted: list[KeyValues]) -> None:
    for layer in range(len(cache.keys)):
        k, v = held(cache, slot, layer)
        torch.testing.assert_close(k, torch.cat([w[layer][0] for w in wanted]), rtol=0, atol=0)
        torch.testing.assert_close(v, torch.cat([w[layer][1] for w in wanted]), rtol=0, atol=0)
    assert cache.lengths[slot] == sum(w[0][0].shape[0] for w in wanted)


def whole(parts: list[KeyValues]) -> list[Piece]:
    """Every row of each part."""
    return [(part, torch.arange(part[0][0].shape[0])) for part in parts]


@pytest.fixture
def filled(inner_loop: str, llama: LocalModel) -> tuple[SlotCache, list[list[KeyValues]]]:
    cache = SlotCache(llama.decoder, 4, 20)
    wanted = [[pieces(llama, 5, 10), pieces(llama, n, n)] for n in (3, 9, 1, 14)]
    cache.fill(range(4), [whole(parts) for parts in wanted])
    return cache, wanted


def test_fill_joins_pieces(filled: tuple[SlotCache, list[list[KeyValues]]]) -> None:
    cache, wanted = filled
    assert cache.capacity == GROW
    assert cache.lengths.tolist() == [8, 14, 6, 19]
    for slot, parts in enumerate(wanted):
        assert_holds(cache, slot, parts)


def test_growth_keeps_contents(
    llama: LocalModel, filled: tuple[SlotCache, list[list[KeyValues]]]
) -> None:
    cache, wanted = filled
    cache.reserve(3 * GROW + 1)
    assert cache.capacity == 4 * GROW
    longer = [pieces(llama, 5 * GROW, 77)]
    cache.fill([2], [whole(longer)])  # a longer prompt than any slot could hold
    for slot, parts in enumerate([wanted[0], wanted[1], longer, wanted[3]]):
        assert_holds(cache, slot, parts)


def test_fill_takes_the_rows_asked_for(llama: LocalModel) -> None:
    cache, source = SlotCache(llama.decoder, 3, 20), pieces(llama, 9, 3)
    rows = torch.tensor([0, 1, 6, 7]), torch.tensor([0, 1, 2])
    cache.fill([2, 0], [[(source, r)] for r in rows])
    for slot, taken in zip((2, 0), rows, strict=True):
        assert_holds(cache, slot, [[(k[taken], v[taken]) for k, v in source]])
    assert cache.lengths[1] == 0


def test_release_empties(filled: tuple[SlotCache, list[list[KeyValues]]]) -> None:
    cache, wanted = filled
    cache.release([1, 3])
    assert cache.lengths.tolist() == [8, 0, 6, 0]
    assert_holds(cache, 2, wanted[2])


def test_keep_renumbers_and_shrinks(
    inner_loop: str, filled: tuple[SlotCache, list[list[KeyValues]]]
) -> None:
    cache, wanted = filled
    cache.reserve(5 * GROW)
    cache.keep([2, 0])
    assert (cache.n, cache.capacity) == (2, GROW if inner_loop == "torch" else 5 * GROW)
    assert_holds(cache, 0, wanted[2])
    assert_holds(cache, 1, wanted[0])


def test_refill_forgets(llama: LocalModel, filled: tuple[SlotCache, list[list[KeyValues]]]) -> None:
    cache, wanted = filled
    short = [pieces(llama, 2, 5)]
    cache.fill([3], [whole(short)])
    assert_holds(cache, 3, short)
    assert_holds(cache, 1, wanted[1])


def test_attend_equals_attention_over_what_is_held(
    llama: LocalModel,
    filled: tuple[SlotCache, list[list[KeyValues]]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cache, wanted = filled
    decoder = llama.decoder
    for step in range(40):  # across a growth of the cache
        fused = torch.randn(4, decoder.heads + 2 * decoder.kv_heads, decoder.head_size)
        cache.advance()
        with torch.inference_mode():
            out = cache.attend(1, fused.clone())
        with monkeypatch.context() as patch:
            patch.setattr(architecture, "kernels", lambda device, dtype: None)
            q, k, _ = Rotation(decoder, cache.lengths - 1)(1, fused)
        for slot in range(4):
            keys, values = held(cache, slot, 1)
            if step == 0:
                before = torch.cat([part[1][0] for part in wanted[slot]])
                torch.testing.assert_close(keys, torch.cat((before, k[slot : slot + 1])))
            repeat = decoder.heads // decoder.kv_heads
            keys, values = (x.repeat_interleave(repeat, 1) for x in (keys, values))
            scores = torch.einsum("hd,thd->ht", q[slot], keys) * decoder.scale
            expected = torch.einsum("ht,thd->hd", scores.softmax(-1), values)
            torch.testing.assert_close(out[slot], expected, atol=1e-5, rtol=1e-5)
    assert cache.capacity == 2 * GROW


def test_bytes_per_token(llama: LocalModel) -> None:
    assert bytes_per_token(llama.decoder) == 2 * 3 * 2 * 16 * 4
