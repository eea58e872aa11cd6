"""What a local model makes of every token of a text: residual streams and surprise, in one pass."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from superalign.models.local import LocalModel
from superalign.models.packing import PackedBatch, Tree, token_batches
from superalign.models.token_logprobs import target_and_best

BATCH_TOKENS = 4096


class Reading(NamedTuple):
    """One text as the model saw it, on the CPU in float32.

    ``states`` (tokens, layers, width): the residual stream after the layers asked for.
    ``surprise`` (completion tokens, 2): each completion token's log-probability in nats, and the
    highest that any token had in its place.
    """

    states: Tensor
    surprise: Tensor


@torch.inference_mode()
def readings(
    model: LocalModel, trees: Sequence[Tree], layers: Sequence[int]
) -> Iterator[tuple[int, Reading]]:
    """``(index, reading)`` of trees with one completion each, longest first.

    ``layers`` count from 0, the embeddings, to ``model.depth``.
    """
    for part in token_batches(trees, BATCH_TOKENS):
        batch = PackedBatch.build([trees[i] for i in part], device=model.device)
        streams = {
            n: x for n, x in model.streams(batch, model.depth) if n in layers or n == model.depth
        }
        states = torch.stack([streams[n].float() for n in layers], 1).cpu()
        surprise = _surprise(model, streams[model.depth], batch).cpu()
        rows = batch.rows_BL.cpu()
        pieces = surprise.split([len(trees[i].completions[0]) for i in part])
        for row, (i, piece) in enumerate(zip(part, pieces, strict=True)):
            yield i, Reading(states[rows[row, : trees[i].size]], piece)


def _surprise(model: LocalModel, stream: Tensor, batch: PackedBatch) -> Tensor:
    """Log-probability of each target token and the highest in its place (C, 2)."""
    if model.slow_because:
        from superalign.models.fallback import final_hidden

        x = final_hidden(model, batch, train=False)[batch.source_C]
    else:
        x = model.decoder.norm(stream[batch.source_C], model.decoder.final_norm)
    return target_and_best(x, model.head, batch.target_C)
