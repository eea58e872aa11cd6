"""Key/value cache in slots: one sequence per slot, every layer contiguous for batched products.

Layout per layer: (slots * kv_heads, capacity, head_size). The capacity grows in steps of ``GROW``
and shrinks when slots are dropped, both by one copy: nothing is ever concatenated per token, and a
contiguous layout makes the two products of decoding attention four times as fast as strided ones.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from superalign.models.architecture import Decoder
from superalign.models.forward import KeyValues, Rotation

GROW = 32
Piece = tuple[KeyValues, Tensor]  # keys and values of some tokens, and which rows of them


class SlotCache:
    """Keys, values and lengths of ``n`` slots."""

    def __init__(self, decoder: Decoder, n: int, capacity: int) -> None:
        self.decoder = decoder
        self.n = n
        self.capacity = -(-capacity // GROW) * GROW
        self._compiled = decoder.compiled()
        self.keys = [self._store(n, self.capacity) for _ in decoder.layers]
        self.values = [self._store(n, self.capacity) for _ in decoder.layers]
        self.lengths = torch.zeros(n, dtype=torch.long, device=decoder.device)
        self._table = decoder.table(1)

    def _store(self, n: int, capacity: int) -> Tensor:
        shape = (n * self.decoder.kv_heads, capacity, self.decoder.head_size)
        like = self.decoder.embedding
        # PyTorch's products read the unused cells too: there they must be numbers.
        return like.new_zeros(shape) if self._compiled is None else like.new_empty(shape)

    def _by_slot(self, x: Tensor) -> Tensor:
        return x.view(-1, self.decoder.kv_heads, *x.shape[1:])

    def fill(self, slots: Sequence[int], contents: Sequence[Sequence[Piece]]) -> None:
        """Put each slot's contents (pieces end to end) in it."""
        lengths = [sum(rows.numel() for _, rows in pieces) for pieces in contents]
        self.reserve(max(lengths) + 1)
        device = self.lengths.device
        spans: dict[int, list[tuple[KeyValues, Tensor, int, int]]] = {}
        for slot, pieces in zip(slots, contents, strict=True):
            at = 0
            for source, rows in pieces:
                spans.setdefault(id(source), []).append((source, rows, slot, at))
                at += rows.numel()
        for group in spans.values():
            sizes = torch.tensor([rows.numel() for _, rows, _, _ in group], device=device)
            owner = torch.tensor([slot for _, _, slot, _ in group], device=device)
            columns = [at + torch.arange(rows.numel(), device=device) for _, rows, _, at in group]
            where = owner.repeat_interleave(sizes), slice(None), torch.cat(columns)
            taken = torch.cat([rows for _, rows, _, _ in group])
            for layer, (k, v) in enumerate(group[0][0]):
                self._by_slot(self.keys[layer])[where] = k[taken]
                self._by_slot(self.values[layer])[where] = v[taken]
        self.lengths[torch.tensor(slots, device=device)] = torch.tensor(lengths, device=device)

    def release(self, slots: Sequence[int]) -> None:
        """Empty slots, so that they cost next to nothing until they are filled again."""
        if slots:
            self.lengths[torch.tensor(slots, device=self.lengths.device)] = 0

    def advance(self) -> None:
        """Make room for one token in every slot; its position is ``lengths`` before the call."""
        longest = int(self.lengths.max()) + 1
        self.reserve(longest)
        self.lengths += 1
        if self._compiled is not None:
            self._table = self.decoder.table(longest)
            return
        self._rotation = Rotation(self.decoder, self.lengths - 1)
        used = torch.arange(self.capacity, device=self.lengths.device) < self.lengths[:, None]
        bias = self.decoder.embedding.new_zeros(used.shape).masked_fill_(~used, float("-inf"))
        self._bias = bias.repeat_interleave(self.decoder.kv_heads, 0)[:, None]
        self._slots = torch.arange(self.n, device=self.lengths.device)

    def attend(self, index: int, fused: Tensor) -> Tensor:
        """Store the newest keys and values, then attend: fused (n, H + 2 K, D) -> (n, H, D)."""
        decoder, keys, values = self.decoder, self.keys[index], self.values[index]
        if self._compiled is not None:
            layer = decoder.layers[index]
            return self._compiled.decode(
                fused, self._table, self.lengths, (layer.query_norm, layer.key_norm), decoder.eps,
                keys, values, decoder.heads, decoder.kv_heads, decoder.scale,
            )  # fmt: skip
        q, k, v = self._rotation(index, fused)
        at = self.lengths - 1
        self._by_slot(keys)[self._slots, :, at] = k
        self._by_slot(values)[self._slots, :, at] = v
        grouped = q.reshape(keys.shape[0], -1, decoder.head_size)
        scores = torch.baddbmm(self._bias, grouped, keys.transpose(1, 2), alpha=decoder.scale)
        weights = torch.softmax(scores, -1, dtype=torch.float32).to(values.dtype)
        return torch.bmm(weights, values).view_as(q)

    def reserve(self, length: int) -> None:
        """Grow so that every slot can hold ``length`` tokens."""
        if length > self.capacity:
            self._copy(torch.arange(self.n), -(-length // GROW) * GROW)

    def keep(self, slots: Sequence[int]) -> None:
        """Drop all other slots; the kept ones are renumbered in the given order."""
        kept = torch.tensor(list(slots), dtype=torch.long)
        longest = int(self.lengths[kept.to(self.lengths.device)].max()) + 1
        # The compiled attention reads only what is used: what was reserved stays reserved.
        room = self.capacity if self._compiled is not None else -(-longest // GROW) * GROW
        self._copy(kept, room)

    def _copy(self, kept: Tensor, capacity: int) -> None:
        kept = kept.to(self.lengths.device)
        n, width = kept.numel(), min(capacity, int(self.lengths.max()))
        for stores in (self.keys, self.values):
            for layer, x in enumerate(stores):
                stores[layer] = self._store(n, capacity)
                self._by_slot(stores[layer])[:, :, :width] = self._by_slot(x)[kept, :, :width]
        self.n, self.capacity = n, capacity
        self.lengths = self.lengths[kept]


def bytes_per_token(decoder: Decoder) -> int:
    """Bytes of keys and values that one cached token takes over all layers."""
    element = decoder.embedding.element_size()
    return 2 * len(decoder.layers) * decoder.kv_heads * decoder.head_size * element
