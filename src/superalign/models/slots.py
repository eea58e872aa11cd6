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
from superalign.models.forward import KeyValues

GROW = 32


class SlotCache:
    """Keys, values, lengths and the additive attention mask of ``n`` slots."""

    def __init__(self, decoder: Decoder, n: int, capacity: int) -> None:
        self.decoder = decoder
        self.n = n
        self.capacity = -(-capacity // GROW) * GROW
        shape = (n * decoder.kv_heads, self.capacity, decoder.head_size)
        like = decoder.embedding
        self.keys = [like.new_zeros(shape) for _ in decoder.layers]
        self.values = [like.new_zeros(shape) for _ in decoder.layers]
        self.lengths = torch.zeros(n, dtype=torch.long, device=decoder.device)
        self.mask = self._fresh_mask(n, self.capacity)
        self._slots = torch.arange(n, device=decoder.device)

    def _fresh_mask(self, n: int, capacity: int) -> Tensor:
        shape = (n * self.decoder.kv_heads, 1, capacity)
        dtype, device = self.decoder.dtype, self.decoder.device
        return torch.full(shape, float("-inf"), dtype=dtype, device=device)

    def _by_slot(self, x: Tensor) -> Tensor:
        return x.view(self.n, self.decoder.kv_heads, *x.shape[1:])

    def fill(self, slot: int, parts: Sequence[KeyValues]) -> None:
        """Put a prompt's keys and values (pieces (T, kv_heads, head_size) per layer) in a slot."""
        length = sum(part[0][0].shape[0] for part in parts)
        self.reserve(length + 1)
        for layer in range(len(self.keys)):
            at = 0
            for part in parts:
                k, v = part[layer]
                rows = slice(at, at + k.shape[0])
                self._by_slot(self.keys[layer])[slot, :, rows] = k.transpose(0, 1)
                self._by_slot(self.values[layer])[slot, :, rows] = v.transpose(0, 1)
                at = rows.stop
        self.lengths[slot] = length
        mask = self._by_slot(self.mask)[slot]
        mask.fill_(float("-inf"))
        mask[..., :length] = 0.0

    def advance(self) -> None:
        """Make room for one token in every slot; its position is ``lengths`` before the call."""
        self.reserve(int(self.lengths.max()) + 1)
        self._by_slot(self.mask)[self._slots, :, 0, self.lengths] = 0.0
        self.lengths += 1

    def attend(self, layer: int, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """Store the newest keys and values, then attend: q (n, H, D) -> (n, H, D)."""
        keys, values = self.keys[layer], self.values[layer]
        at = self.lengths - 1
        self._by_slot(keys)[self._slots, :, at] = k
        self._by_slot(values)[self._slots, :, at] = v
        heads, size = q.shape[1:]
        grouped = q.reshape(self.n * self.decoder.kv_heads, -1, size)
        scores = torch.baddbmm(self.mask, grouped, keys.transpose(1, 2), alpha=self.decoder.scale)
        weights = torch.softmax(scores, -1, dtype=torch.float32).to(values.dtype)
        return torch.bmm(weights, values).view(self.n, heads, size)

    def reserve(self, length: int) -> None:
        """Grow so that every slot can hold ``length`` tokens."""
        if length > self.capacity:
            self._copy(self._slots, -(-length // GROW) * GROW)

    def keep(self, slots: Sequence[int]) -> None:
        """Drop all other slots; the kept ones are renumbered in the given order."""
        kept = torch.tensor(list(slots), dtype=torch.long, device=self.lengths.device)
        longest = int(self.lengths[kept].max()) + 1
        self._copy(kept, max(GROW, -(-longest // GROW) * GROW))

    def _copy(self, kept: Tensor, capacity: int) -> None:
        n, width = kept.numel(), min(capacity, self.capacity)
        rows = self.decoder.kv_heads

        def moved(x: Tensor, fresh: Tensor) -> Tensor:
            fresh[..., :width, :] = self._by_slot(x)[kept, :, :width].reshape(
                n * rows, width, x.shape[-1]
            )
            return fresh

        for stores in (self.keys, self.values):
            for layer, x in enumerate(stores):
                stores[layer] = moved(x, x.new_zeros(n * rows, capacity, x.shape[-1]))
        mask = moved(self.mask.transpose(1, 2), self._fresh_mask(n, capacity).transpose(1, 2))
        self.n, self.capacity = n, capacity
        self.mask = mask.transpose(1, 2).contiguous()
        self.lengths = self.lengths[kept]
        self._slots = torch.arange(n, device=self.lengths.device)


def bytes_per_token(decoder: Decoder) -> int:
    """Bytes of keys and values that one cached token takes over all layers."""
    element = decoder.embedding.element_size()
    return 2 * len(decoder.layers) * decoder.kv_heads * decoder.head_size * element
