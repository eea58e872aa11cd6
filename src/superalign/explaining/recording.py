"""What the units of a model do on texts: activations, and what changes when one is taken out.

Every unit here writes into the residual stream, so taking it out is adding something to the stream
after its block; what follows is computed again from there. Adapters count as part of the model.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from superalign.errors import InputError
from superalign.models import LocalModel
from superalign.models.forward import PackedAttention, block
from superalign.models.packing import PackedBatch, Tree, token_batches
from superalign.models.token_logprobs import CHUNK

BATCH_CELLS = 4096
LIMIT = 64  # tokens of a text that are read
BUDGET = 512 * 2**20  # bytes of activations that may be held at once

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Texts:
    """Tokens of some texts, as words; each text starts at position 0."""

    words: tuple[tuple[str, ...], ...]

    @property
    def tokens(self) -> int:
        """Number of tokens in all."""
        return sum(map(len, self.words))


class Laid:
    """Texts laid out for a model, which read them block by block: T tokens in all.

    Raises:
        InputError: there are no texts, or the model's architecture has no fast path.
    """

    def __init__(self, model: LocalModel, texts: Sequence[str], limit: int = LIMIT) -> None:
        if model.slow_because:
            raise InputError(f"model '{model.name}' cannot be explained: {model.slow_because}")
        if not texts:
            raise InputError("no texts to explain from; at least one is needed")
        self.model, self._sources, self._limit = model, list(texts), limit
        self.ids = [model.encode(t, raw=True)[:limit] for t in texts]
        decode = model.tokenizer.decode
        self.texts = Texts(tuple(tuple(decode([i]) for i in row) for row in self.ids))
        trees = [Tree(row) for row in self.ids]
        parts = list(token_batches(trees, BATCH_CELLS))
        self._batches = [
            PackedBatch.build([trees[i] for i in part], device=model.device) for part in parts
        ]
        self._order = self._reading_order(parts)
        self._states: dict[int, Tensor] = {}

    def _reading_order(self, parts: Sequence[Sequence[int]]) -> Tensor:
        """Where each token, texts one after the other, lies among the batches' tokens."""
        places: dict[int, Tensor] = {}
        offset = 0
        for part, batch in zip(parts, self._batches, strict=True):
            for row, i in enumerate(part):
                places[i] = offset + batch.rows_BL[row, : len(self.ids[i])]
            offset += len(batch.tokens_T)
        return torch.cat([places[i] for i in range(len(self.ids))])

    def __len__(self) -> int:
        return len(self._order)

    @cached_property
    def begins(self) -> Tensor:
        """Whether a text begins at each token (T,)."""
        return torch.cat([torch.arange(len(row)) == 0 for row in self.ids])

    def first(self, texts: int) -> Laid:
        """The first few of the texts."""
        return Laid(self.model, self._sources[:texts], self._limit)

    @torch.inference_mode()
    def neurons(self, last: int | None = None) -> Iterator[tuple[int, Tensor]]:
        """``(block, activations (T, neurons))`` of the MLP neurons, from the first block to ``last``.

        A neuron's activation is an input of the block's down projection. All texts pass one block
        before the next, so that no more than one block's activations are held.

        Raises:
            InputError: one block's activations alone would take more than ``BUDGET`` bytes.
        """
        most = BUDGET // (4 * self.model.decoder.layers[0].down.weight.shape[1])
        if len(self) > most:
            raise InputError(f"{len(self)} tokens of text; allowed are {most} at once")
        streams = self._embedded()
        for index in range(self.model.depth if last is None else last + 1):
            seen: list[Tensor] = []
            streams = self._through(index, streams, seen)
            yield index, torch.cat(seen)[self._order].cpu()

    @torch.inference_mode()
    def states(self, layer: int) -> Tensor:
        """Residual stream (T, width) after ``layer`` blocks, float32 on the CPU.

        The last layer asked for is kept. What is returned must not be changed.
        """
        if layer not in self._states:
            found = torch.cat(self._streams(layer))[self._order].float().cpu()
            self._states = {layer: found}
        return self._states[layer]

    @torch.inference_mode()
    def divergences(self, layer: int, removed: Iterable[Tensor]) -> list[Array]:
        """KL (nats) of each next-token distribution (T,) from that without something in the stream.

        ``removed``: what is taken from the stream after ``layer`` blocks, (T, width) each.
        """
        streams = self._streams(layer)
        whole = self._normed(layer, streams)
        found = []
        for less in removed:
            changed = self._normed(layer, self._added(streams, -less))
            apart = self.model.divergences(changed, whole)
            found.append(apart[self._order].cpu().double().numpy())
        return found

    @torch.inference_mode()
    def next_words(self, layer: int, added: Sequence[Tensor]) -> list[Tensor]:
        """How much likelier (nats) each word of the vocabulary (V,) gets as the next, over all tokens,
        when each of ``added`` (width,) is added to the stream after ``layer`` blocks."""
        streams = self._streams(layer)
        plain = self._mean_logs(layer, streams)
        return [
            self._mean_logs(layer, self._added(streams, more.expand(len(self), -1))) - plain
            for more in added
        ]

    def _mean_logs(self, layer: int, streams: Sequence[Tensor]) -> Tensor:
        """Mean log-probability of each word of the vocabulary (V,) as the next one."""
        normed = self._normed(layer, streams)[self._order]
        parts = (self.model.head.logits(rows).float() for rows in normed.split(CHUNK))
        return torch.stack([torch.log_softmax(x, -1).sum(0) for x in parts]).sum(0).cpu() / len(
            self
        )

    def _embedded(self) -> list[Tensor]:
        return [self.model.decoder.embed(b.tokens_T) for b in self._batches]

    def _streams(self, layer: int) -> list[Tensor]:
        if not 0 <= layer <= self.model.depth:
            raise InputError(f"layer {layer}: allowed are 0 to {self.model.depth}")
        streams = self._embedded()
        for index in range(layer):
            streams = self._through(index, streams)
        return streams

    def _through(
        self, index: int, streams: Sequence[Tensor], seen: list[Tensor] | None = None
    ) -> list[Tensor]:
        """The streams after block ``index``; ``seen`` collects its neurons' activations."""
        project = self.model.weights().blocks[index]

        def down(h: Tensor, x: Tensor) -> Tensor:
            if seen is not None:
                seen.append(h.to(torch.float32, copy=True))
            return project.down(h, x)

        watched = project._replace(down=down)
        return [
            block(self.model.decoder, index, watched, x, attend)
            for x, attend in zip(streams, self._attention, strict=True)
        ]

    def _normed(self, layer: int, streams: Sequence[Tensor]) -> Tensor:
        """Normed last states of all batches, computed on from the stream after ``layer`` blocks."""
        for index in range(layer, self.model.depth):
            streams = self._through(index, streams)
        decoder = self.model.decoder
        return decoder.norm(torch.cat(list(streams)), decoder.final_norm)

    def _added(self, streams: Sequence[Tensor], more: Tensor) -> list[Tensor]:
        """The streams with ``more`` (T, width), in reading order, added."""
        flat = torch.cat(list(streams)).float()
        flat[self._order] += more.to(flat.device)
        sizes = [len(x) for x in streams]
        return list(flat.to(streams[0].dtype).split(sizes))

    @cached_property
    def _attention(self) -> list[PackedAttention]:
        return [PackedAttention(self.model.decoder, b) for b in self._batches]
