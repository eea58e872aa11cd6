"""One transformer block for every use: training, scoring, prefill and decoding.

What differs between the uses is passed in: how a projection multiplies (``Projections``) and how
queries attend (``Attend``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import psutil
import torch
import torch.nn.functional as F
from torch import Tensor

from superalign.models.adapters import Adapter
from superalign.models.architecture import Decoder, Layer, Linear, rotate
from superalign.models.packing import PackedBatch

Multiply = Callable[[Tensor], Tensor]
KeyValues = list[tuple[Tensor, Tensor]]  # per layer: keys, values, each (T, kv_heads, head_size)


class Projections(NamedTuple):
    """The four products of one block."""

    qkv: Multiply
    out: Multiply
    gate_up: Multiply
    down: Multiply


Attend = Callable[[int, Tensor, Tensor, Tensor], Tensor]


def block(
    decoder: Decoder, index: int, project: Projections, x: Tensor, rotation: tuple[Tensor, Tensor],
    attend: Attend,
) -> Tensor:
    """Apply block ``index`` to the residual stream x (T, d)."""
    layer = decoder.layers[index]
    heads, kv_heads, size = decoder.heads, decoder.kv_heads, decoder.head_size
    fused = project.qkv(decoder.norm(x, layer.attention_norm)).view(x.shape[0], -1, size)
    q, k, v = fused.split((heads, kv_heads, kv_heads), dim=1)
    if layer.query_norm is not None and layer.key_norm is not None:
        q, k = decoder.norm(q, layer.query_norm), decoder.norm(k, layer.key_norm)
        qk = torch.cat((q, k), dim=1)
    else:
        qk = fused[:, : heads + kv_heads]
    q, k = rotate(qk, *rotation).split((heads, kv_heads), dim=1)
    x = x + project.out(attend(index, q, k, v).flatten(1))
    gate, up = project.gate_up(decoder.norm(x, layer.mlp_norm)).chunk(2, dim=-1)
    return x + project.down(decoder.activation(gate) * up)


def low_rank(linear: Linear, adapter: Adapter, index: int) -> tuple[Tensor, Tensor] | None:
    """A (R, in) and block-diagonal B (out, R) of a fused projection's adapters, if it has any."""
    pairs = [adapter.get(index, name) for name, _ in linear.parts]
    if not any(pairs):
        return None
    reference = linear.weight
    rows_a, blocks_b = [], []
    for pair, (_, rows) in zip(pairs, linear.parts, strict=True):
        a, b = pair or (reference.new_zeros(1, reference.shape[1]), reference.new_zeros(rows, 1))
        rows_a.append(a.to(reference.dtype))
        blocks_b.append((adapter.scaling * b).to(reference.dtype))
    return torch.cat(rows_a), torch.block_diag(*blocks_b)


def training_projections(decoder: Decoder, adapter: Adapter | None, index: int) -> Projections:
    """Differentiable products: frozen weights plus the adapter's low-rank term."""

    def multiply(linear: Linear) -> Multiply:
        pair = low_rank(linear, adapter, index) if adapter is not None else None
        if pair is None:
            return lambda x: F.linear(x, linear.weight, linear.bias)
        a, b = pair
        return lambda x: F.linear(x, linear.weight, linear.bias) + F.linear(F.linear(x, a), b)

    layer = decoder.layers[index]
    return Projections(*(multiply(m) for m in (layer.qkv, layer.out, layer.gate_up, layer.down)))


class InferenceWeights:
    """Weights for inference under one adapter: merged, and reordered for oneDNN where that pays.

    On a CPU in bfloat16, oneDNN reorders a plain weight matrix at every product; handing it the
    reordered matrix once halves a small batch's time. This costs a second copy of the weights, so
    it is done only when they are less than a quarter of the free memory.
    """

    def __init__(self, decoder: Decoder, adapter: Adapter | None) -> None:
        self.decoder = decoder
        self.key = (id(adapter), adapter.version if adapter is not None else 0)
        size = sum(
            m.weight.numel() * m.weight.element_size() for layer in decoder.layers
            for m in (layer.qkv, layer.out, layer.gate_up, layer.down)
        )
        self.reorder = (
            decoder.device.type == "cpu" and decoder.dtype == torch.bfloat16
            and torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
            and size < psutil.virtual_memory().available / 4
        )
        self.blocks = [self._block(i, layer, adapter) for i, layer in enumerate(decoder.layers)]
        self.head = self._multiply(decoder.head, None)

    def _block(self, index: int, layer: Layer, adapter: Adapter | None) -> Projections:
        return Projections(*(
            self._multiply(self._merged(m, index, adapter), m.bias)
            for m in (layer.qkv, layer.out, layer.gate_up, layer.down)
        ))

    @staticmethod
    def _merged(linear: Linear, index: int, adapter: Adapter | None) -> Tensor:
        if adapter is None or not any(adapter.get(index, name) for name, _ in linear.parts):
            return linear.weight
        merged, row = linear.weight.clone(), 0
        for name, rows in linear.parts:
            delta = adapter.delta(index, name)
            if delta is not None:
                part = merged[row : row + rows]
                part.copy_(part.float() + delta)
            row += rows
        return merged

    def _multiply(self, weight: Tensor, bias: Tensor | None) -> Multiply:
        if not self.reorder:
            return lambda x: F.linear(x, weight, bias)
        packed = torch.ops.mkldnn._reorder_linear_weight(weight, 64)
        product = torch.ops.mkldnn._linear_pointwise
        return lambda x: product(x, packed, bias, "none", [], "")  # type: ignore[no-any-return]


@dataclass
class PackedAttention:
    """Causal or tree attention over a packed batch, optionally after a cached shared prefix.

    When ``keep`` is set the new keys and values of every layer are collected in ``collected``.
    """

    decoder: Decoder
    batch: PackedBatch
    prefix: KeyValues | None = None
    keep: bool = False

    def __post_init__(self) -> None:
        self.collected: KeyValues = []
        self._mask = self.batch.mask_BLL
        if self.prefix is not None:
            n_prefix, longest = self.prefix[0][0].shape[0], self.batch.rows_BL.shape[1]
            device = self.batch.tokens_T.device
            seen = torch.ones(longest, n_prefix, dtype=torch.bool, device=device)
            own = self._mask
            if own is None:
                own = torch.ones(1, longest, longest, dtype=torch.bool, device=device).tril()
            self._mask = torch.cat((seen.expand(own.shape[0], -1, -1), own), dim=-1)

    def __call__(self, index: int, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        if self.keep:
            self.collected.append((k, v))
        rows = self.batch.rows_BL
        n_rows, longest = rows.shape
        flat = rows.reshape(-1)
        groups = self.decoder.heads // self.decoder.kv_heads

        def grid(x: Tensor) -> Tensor:
            return x.index_select(0, flat).view(n_rows, longest, *x.shape[1:])

        keys, values = grid(k), grid(v)
        if self.prefix is not None:
            before_k, before_v = (
                x.expand(n_rows, *x.shape) for x in self.prefix[index]
            )
            keys, values = torch.cat((before_k, keys), 1), torch.cat((before_v, values), 1)
        if groups > 1:
            keys, values = (x.repeat_interleave(groups, dim=2) for x in (keys, values))
        out = F.scaled_dot_product_attention(
            grid(q).transpose(1, 2), keys.transpose(1, 2), values.transpose(1, 2),
            attn_mask=None if self._mask is None else self._mask[:, None],
            is_causal=self._mask is None, scale=self.decoder.scale,
        )
        return out.transpose(1, 2).reshape(n_rows * longest, *q.shape[1:])[self.batch.slots_T]


def packed_hidden(
    decoder: Decoder, batch: PackedBatch, projections: Sequence[Projections], attend: Attend,
    *, observe: Callable[[int, Tensor], None] | None = None, stop_after: int | None = None,
) -> Tensor:
    """Residual stream (T, d) after the last block (before the final norm).

    ``observe(layer, x)`` sees the stream after embedding (0) and after each block; the pass ends
    after block ``stop_after``.
    """
    x = decoder.embed(batch.tokens_T)
    rotation = decoder.rotation(batch.positions_T)
    if observe is not None:
        observe(0, x)
    for index in range(len(decoder.layers) if stop_after is None else stop_after):
        x = block(decoder, index, projections[index], x, rotation, attend)
        if observe is not None:
            observe(index + 1, x)
    return x
