"""What a model expected of each token: its log-probability against the whole distribution there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from superalign.models.local import BATCH_TOKENS, LocalModel
from superalign.models.packing import PackedBatch, Tree, token_batches

CHUNK = 256
Array = npt.NDArray[np.float32]


class TokenStatistics(NamedTuple):
    """Per token (n,), in nats: log-probability, and mean and deviation of log p under p itself."""

    logprob: Array
    expected: Array
    deviation: Array


@torch.inference_mode()
def token_statistics(model: LocalModel, texts: Sequence[str]) -> list[TokenStatistics]:
    """Statistics of each text's tokens from the second on, the text being read as it is.

    Raises:
        InputError: a text is empty.
    """
    encoded = [model.encode(text, raw=True) for text in texts]
    trees = [Tree(ids[:1], (ids[1:],)) for ids in encoded]
    done: list[TokenStatistics | None] = [None] * len(texts)
    for part in token_batches(trees, BATCH_TOKENS):
        part = [i for i in part if trees[i].completions[0]]
        if not part:
            continue
        batch = PackedBatch.build([trees[i] for i in part], device=model.device, ends=False)
        columns = _statistics(model, model.completion_states(batch), batch.target_C)
        lengths = [len(trees[i].completions[0]) for i in part]
        pieces = zip(*(c.split(lengths) for c in columns), strict=True)
        for i, piece in zip(part, pieces, strict=True):
            done[i] = TokenStatistics(*(x.numpy() for x in piece))
    empty = np.zeros(0, dtype=np.float32)
    return [d if d is not None else TokenStatistics(empty, empty, empty) for d in done]


def _statistics(model: LocalModel, states: Tensor, target: Tensor) -> list[Tensor]:
    head = model.module.get_output_embeddings()
    rows: list[list[Tensor]] = [[], [], []]
    for start in range(0, len(target), CHUNK):
        log_p = torch.log_softmax(head(states[start : start + CHUNK]).float(), -1)
        p = log_p.exp()
        mean = (p * log_p).sum(-1)
        variance = (p * log_p.square()).sum(-1) - mean.square()
        chosen = log_p.gather(1, target[start : start + CHUNK, None])[:, 0]
        for row, x in zip(rows, (chosen, mean, variance.clamp(min=0).sqrt()), strict=True):
            row.append(x.cpu())
    return [torch.cat(row) for row in rows]
