"""One transformer block for every use: training, scoring, prefill and decoding.

What differs between the uses is passed in: how a projection multiplies (``Projections``) and how
queries attend (``Attend``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor

from superalign.models import attention
from superalign.models.adapters import Adapter
from superalign.models.architecture import Decoder, Linear, needs_gradient, rotate
from superalign.models.checkpointing import Checkpointing, Recompute
from superalign.models.gradients import from_grid, low_rank_linear, to_grid, turn
from superalign.models.packing import PackedBatch
from superalign.models.products import Product, form_of, product_with

KeyValues = list[tuple[Tensor, Tensor]]  # per layer: keys, values, each (T, kv_heads, head_size)


class Projections(NamedTuple):
    """The four products of one block; the last of each half adds to the residual stream."""

    qkv: Product
    out: Product
    gate_up: Product
    down: Product


Attend = Callable[[int, Tensor], Tensor]


def block(decoder: Decoder, index: int, project: Projections, x: Tensor, attend: Attend) -> Tensor:
    """Apply block ``index`` to the residual stream x (T, d).

    ``attend`` takes the block's number and its fused queries, keys and values (T, H + 2 K, D)
    before norms and rotation, and returns (T, H, D).
    """
    layer = decoder.layers[index]
    fused = project.qkv(decoder.norm(x, layer.attention_norm))
    mixed = attend(index, fused.view(x.shape[0], -1, decoder.head_size))
    x = project.out(mixed.flatten(1), x)
    x = project.down(decoder.gated(project.gate_up(decoder.norm(x, layer.mlp_norm))), x)
    return decoder.steered(index + 1, x)


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


class InferenceWeights:
    """Weights for inference under one adapter: merged, and in the form that suits them.

    Args:
        head: the output head's product, which adapters do not change.
        base: the weights without an adapter, where they exist: what is not adapted is theirs.
    """

    def __init__(
        self,
        decoder: Decoder,
        adapter: Adapter | None,
        head: Product,
        base: InferenceWeights | None = None,
    ) -> None:
        self.decoder, self.head = decoder, head
        self.key = (id(adapter), adapter.version if adapter is not None else 0)
        self.form = form_of(decoder)
        self.blocks = [self._block(i, adapter, base) for i in range(len(decoder.layers))]

    def _block(
        self, index: int, adapter: Adapter | None, base: InferenceWeights | None
    ) -> Projections:
        def product(place: int, linear: Linear) -> Product:
            merged = self._merged(linear, index, adapter)
            if merged is None and base is not None:
                return base.blocks[index][place]
            weight = linear.weight if merged is None else merged
            return product_with(weight, linear.bias, self.form)

        layer = self.decoder.layers[index]
        linears = (layer.qkv, layer.out, layer.gate_up, layer.down)
        return Projections(*(product(place, linear) for place, linear in enumerate(linears)))

    @staticmethod
    def _merged(linear: Linear, index: int, adapter: Adapter | None) -> Tensor | None:
        if adapter is None or not any(adapter.get(index, name) for name, _ in linear.parts):
            return None
        merged, row = linear.weight.clone(), 0
        for name, rows in linear.parts:
            delta = adapter.delta(index, name)
            if delta is not None:
                part = merged[row : row + rows]
                part.copy_(part.float() + delta)
            row += rows
        return merged


class TrainingWeights:
    """Differentiable products of frozen weights plus an adapter's low-rank term.

    The frozen products are those of ``base`` (inference without an adapter); what a backward pass
    multiplies by is reordered once too, where the base's weights are, from block ``first`` on.
    """

    def __init__(self, base: InferenceWeights, first: int) -> None:
        self.base, self.first = base, first
        self._transposed = [
            [
                product_with(linear.weight.T, None, base.form)
                for linear in (layer.qkv, layer.out, layer.gate_up, layer.down)
            ]
            for layer in base.decoder.layers[first:]
        ]

    def blocks(self, adapter: Adapter | None) -> list[Projections]:
        """The products of each block: below ``first`` nothing needs a gradient."""
        frozen = self.base.blocks
        return frozen[: self.first] + [
            self._block(i, adapter) for i in range(self.first, len(frozen))
        ]

    def _block(self, index: int, adapter: Adapter | None) -> Projections:
        layer, frozen = self.base.decoder.layers[index], self.base.blocks[index]

        def product(place: int, linear: Linear) -> Callable[..., Tensor]:
            return partial(
                low_rank_linear,
                frozen=frozen[place],
                transposed=self._transposed[index - self.first][place],
                pair=low_rank(linear, adapter, index) if adapter is not None else None,
            )

        return Projections(
            product(0, layer.qkv),
            product(1, layer.out),
            product(2, layer.gate_up),
            product(3, layer.down),
        )


class Rotation:
    """Query and key norms (where a family has them) and rotary embedding of tokens T."""

    def __init__(self, decoder: Decoder, positions_T: Tensor) -> None:
        self.decoder, self.positions_T = decoder, positions_T
        self.table = decoder.table(int(positions_T.max()) + 1)
        self._angles: tuple[Tensor, Tensor] | None = None

    def __call__(self, index: int, fused: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Queries (T, H, D), keys and values (T, K, D) of fused, which may be overwritten."""
        decoder, layer = self.decoder, self.decoder.layers[index]
        parts = (decoder.heads, decoder.kv_heads, decoder.kv_heads)
        norms = layer.query_norm, layer.key_norm
        fast = decoder.compiled()
        if fast is not None and not needs_gradient(fused):
            fast.rotate(fused, self.table, self.positions_T, norms, decoder.eps, *parts[:2])
            q, k, v = fused.split(parts, dim=1)
            return q, k, v
        if fast is not None and norms == (None, None):
            turned = turn(fused, self.table, self.positions_T, parts[:2], fast)
            q, k, v = turned.split(parts, dim=1)
            return q, k, v
        if self._angles is None:
            self._angles = self.table[0][self.positions_T], self.table[1][self.positions_T]
        q, k, v = fused.split(parts, dim=1)
        if norms[0] is not None and norms[1] is not None:
            q, k = decoder.norm(q, norms[0]), decoder.norm(k, norms[1])
            qk = torch.cat((q, k), dim=1)
        else:
            qk = fused[:, : parts[0] + parts[1]]
        q, k = rotate(qk, *self._angles).split(parts[:2], dim=1)
        return q, k, v


@dataclass
class PackedAttention:
    """Causal or tree attention over a packed batch, optionally after a cached shared prefix.

    When ``keep`` is set the new keys and values of every layer are collected in ``collected``.
    The query heads of one key/value head are laid along the query axis, so grouped-query attention
    copies no keys.
    """

    decoder: Decoder
    batch: PackedBatch
    prefix: KeyValues | None = None
    keep: bool = False

    def __post_init__(self) -> None:
        self.collected: KeyValues = []
        n_prefix = 0 if self.prefix is None else self.prefix[0][0].shape[0]
        self._flat = self.batch.rows_BL.reshape(-1)
        self._blocks = self._query_blocks(n_prefix)
        self._rotation = Rotation(self.decoder, self.batch.positions_T)

    def _query_blocks(self, n_prefix: int) -> list[attention.Block]:
        longest, decoder = self.batch.rows_BL.shape[1], self.decoder
        allowed = self.batch.mask_BLL
        if allowed is None:
            allowed = torch.ones(
                1, longest, longest, dtype=torch.bool, device=decoder.device
            ).tril()
        size = attention.BLOCK if decoder.device.type == "cpu" else longest
        groups = decoder.heads // decoder.kv_heads
        return attention.blocks(allowed, n_prefix, groups, size, decoder.dtype)

    def _grid(self, x: Tensor) -> Tensor:
        """(T, heads, D) -> (B, heads, L, D)."""
        batch = self.batch
        grid = to_grid(x, self._flat, batch.slots_T, batch.copies, self.decoder.compiled())
        return grid.view(*batch.rows_BL.shape, *x.shape[1:]).transpose(1, 2)

    def __call__(self, index: int, fused: Tensor) -> Tensor:
        """Attend within each tree: fused (T, H + 2 K, D) -> (T, H, D)."""
        q, k, v = self._rotation(index, fused)
        if self.keep:
            self.collected.append((k, v))
        keys, values = self._grid(k), self._grid(v)
        n_rows, kv_heads, longest, size = keys.shape
        if self.prefix is not None:
            before = (x.transpose(0, 1).expand(n_rows, -1, -1, -1) for x in self.prefix[index])
            keys, values = (
                torch.cat((b, x), 2) for b, x in zip(before, (keys, values), strict=True)
            )
        grouped = self._grid(q).reshape(n_rows * kv_heads, -1, longest, size)
        keys, values = (x.reshape(n_rows * kv_heads, -1, size) for x in (keys, values))
        scale = self.decoder.scale
        if fused.device.type == "cpu":
            out = attention.attend(grouped, keys, values, self._blocks, scale)
        else:
            out = attention.fused(grouped, keys, values, self._blocks[0], scale)
        out = out.reshape(n_rows, q.shape[1], longest, size).transpose(1, 2)
        return from_grid(out.reshape(n_rows * longest, *q.shape[1:]), self.batch.slots_T)


def packed_hidden(
    decoder: Decoder,
    batch: PackedBatch,
    projections: Sequence[Projections],
    attend: Attend,
    *,
    observe: Callable[[int, Tensor], None] | None = None,
    stop_after: int | None = None,
    checkpointing: Checkpointing = "never",
) -> Tensor:
    """Residual stream (T, d) after the last block (before the final norm).

    ``observe(layer, x)`` sees the stream after embedding (0) and after each block; the pass ends
    after block ``stop_after``.
    """
    x = decoder.embed(batch.tokens_T)
    if observe is not None:
        observe(0, x)
    recompute = Recompute(checkpointing, decoder.device)
    depth = len(decoder.layers) if stop_after is None else stop_after
    for index in range(depth):
        run = partial(block, decoder, index, projections[index], attend=attend)
        x = recompute(run, x, depth - 1 - index)
        if observe is not None:
            observe(index + 1, x)
    return x
