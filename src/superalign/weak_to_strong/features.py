"""A student's frozen features: hidden states of several readings of a text, cached by content.

One pass gives all readings. The text stands first and questions follow it as branches that share
it, so its own states are those of the plain text::

    text ─┬─ "\\nQuestion: Is this a good review?\\nAnswer:"
          └─ "\\nIn one word, this is"

``mean`` and ``last`` pool the text's states; each branch gives the state of its last token. The
cache holds one file per block of rows; its name is the hash of the weights, the layers, the
branches, the longest length and the block's token ids, so nothing stale can be found.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from superalign.files import storing
from superalign.models.embedded import cache_folder
from superalign.models.forward import PackedAttention, packed_hidden
from superalign.models.local import LocalModel
from superalign.models.packing import PackedBatch, Tree, token_batches
from superalign.records import content_hash
from superalign.weak_to_strong.tasks import SEPARATOR

Array = npt.NDArray[np.float32]
Progress = Callable[[str, float, str], None]
BLOCK = 200
BATCH_TOKENS = 3072
MAX_TOKENS = 96
FORMAT = 1  # part of the cache's key: raise it when the layout or the pooling changes


@dataclass(frozen=True)
class Reading:
    """How texts are read: which layers are kept and which branches follow each text."""

    layers: tuple[int, ...]
    branches: tuple[str, ...] = ()
    max_tokens: int = MAX_TOKENS

    @property
    def views(self) -> tuple[str, ...]:
        """Names of the pooled positions, in the order of the features' second axis."""
        return ("mean", "last", *(f"branch {i}" for i in range(len(self.branches))))


def features(
    model: LocalModel,
    texts: Sequence[str],
    reading: Reading,
    *,
    cache: Path | None = None,
    progress: Progress | None = None,
    name: str = "",
) -> Array:
    """Hidden states (n, views, layers, width) of ``texts``, from the cache where they are in it.

    Texts longer than ``reading.max_tokens`` tokens keep their end; a pair's answer keeps its start.
    """
    folder = (cache or cache_folder()) / "features"
    folder.mkdir(parents=True, exist_ok=True)
    suffixes = [model.encode_completion(b) for b in reading.branches]
    trees = [Tree(tokens_of(model, t, reading.max_tokens), tuple(suffixes)) for t in texts]
    identity = [FORMAT, model.weight_hash, reading.layers, suffixes, reading.max_tokens]
    blocks = []
    for start in range(0, len(trees), BLOCK):
        part = trees[start : start + BLOCK]
        path = folder / f"{content_hash([identity, [t.prompt for t in part]], 32)}.safetensors"
        if not path.is_file():
            _save(path, _states(model, part, reading.layers))
        blocks.append(load_file(path)["states"].float().numpy())
        if progress is not None:
            progress(f"reading {name}", min(1.0, (start + BLOCK) / len(trees)), "")
    return np.concatenate(blocks)


def zero_shot(
    model: LocalModel,
    texts: Sequence[str],
    question: str,
    max_tokens: int,
    cache: Path | None = None,
) -> Array:
    """The model's own belief (n,) in " Yes" against " No" after each text and the question.

    Only the two answers are compared: exp(a) / (exp(a) + exp(b)) of their log-probabilities.
    """
    folder = (cache or cache_folder()) / "features"
    folder.mkdir(parents=True, exist_ok=True)
    stem = model.encode_completion(question_cue(question))
    prompts = [(*tokens_of(model, t, max_tokens), *stem) for t in texts]
    answers = tuple(model.encode_completion(a) for a in (" Yes", " No"))
    key = content_hash([FORMAT, "zero-shot", model.weight_hash, prompts, answers], 32)
    path = folder / f"{key}.safetensors"
    if not path.is_file():
        found = model.tree_logprobs([Tree(p, answers) for p in prompts])
        gaps = torch.stack([yes.sum() - no.sum() for yes, no in found])
        _save(path, torch.sigmoid(gaps))
    result: Array = load_file(path)["states"].numpy()
    return result


def question_cue(question: str) -> str:
    """How a question is put after a text."""
    return f"\nQuestion: {question}\nAnswer:"


def tokens_of(model: LocalModel, text: str, limit: int) -> tuple[int, ...]:
    """Token ids of a text, at most ``limit``: the end of a text, the start of a pair's answer."""
    context, separator, answer = text.partition(SEPARATOR)
    if not separator:
        return model.encode(text, raw=True)[-limit:]
    tail = model.encode_completion("\n" + answer)[: 2 * limit // 3]
    return (*model.encode(context, raw=True)[-(limit - len(tail)) :], *tail)


def _save(path: Path, states: Tensor) -> None:
    """Whole or not at all; two processes may write the same block, with the same content."""
    part = path.with_suffix(f".{os.getpid()}.part")
    with storing(path):
        try:
            save_file({"states": states.contiguous()}, part)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)


@torch.inference_mode()
def _states(model: LocalModel, trees: Sequence[Tree], layers: tuple[int, ...]) -> Tensor:
    """Pooled states (n, views, layers, width) in bfloat16, the type the model computes in."""
    views = 2 + len(trees[0].completions)
    width = int(model.module.config.hidden_size)
    out = torch.zeros(len(trees), views, len(layers), width, dtype=torch.bfloat16)
    if model.slow_because is not None:
        return _plain_states(model, trees, layers)
    for part in token_batches(trees, BATCH_TOKENS):
        batch = PackedBatch.build([trees[i] for i in part], device=model.device)
        matrix, ends = _pooling(batch, [trees[i] for i in part])

        def keep(
            layer: int,
            x: Tensor,
            part: list[int] = part,
            m: Tensor = matrix,
            ends: Tensor = ends,
        ) -> None:
            if layer in layers:
                pooled = torch.cat(((m @ x.float())[:, None], x[ends].float()), 1)
                out[part, :, layers.index(layer)] = pooled.bfloat16().cpu()

        packed_hidden(
            model.decoder,
            batch,
            model.weights().blocks,
            PackedAttention(model.decoder, batch),
            observe=keep,
            stop_after=max(layers),
        )
    return out


def _plain_states(model: LocalModel, trees: Sequence[Tree], layers: tuple[int, ...]) -> Tensor:
    """As ``_states`` for models without our fast path: one ordinary pass per branch."""
    decode = model.tokenizer.decode
    columns = [
        model.hidden([decode(t.prompt) for t in trees], layers, pool=pool, raw=True)
        for pool in ("mean", "last")
    ]
    for b in range(len(trees[0].completions)):
        texts = [decode((*t.prompt, *t.completions[b])) for t in trees]
        columns.append(model.hidden(texts, layers, pool="last", raw=True))
    return torch.from_numpy(np.stack(columns, 1)).bfloat16()


def _pooling(batch: PackedBatch, trees: Sequence[Tree]) -> tuple[Tensor, Tensor]:
    """Averaging matrix (B, T) over each text, and token indices (B, 1 + branches) of last states.

    A branch's last token is the last of its completion: the tokens of a tree lie end to end.
    """
    matrix = torch.zeros(len(trees), batch.tokens_T.numel(), device=batch.tokens_T.device)
    ends = []
    for b, tree in enumerate(trees):
        first, last = int(batch.first_B[b]), int(batch.last_B[b])
        matrix[b, first : last + 1] = 1
        matrix[b, : batch.shared] = 1
        row, at = [last], last
        for completion in tree.completions:
            at += len(completion)
            row.append(at)
        ends.append(row)
    return matrix / matrix.sum(1, keepdim=True), torch.tensor(ends, device=matrix.device)
