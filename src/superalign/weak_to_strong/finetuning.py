"""Students that are fine-tuned with LoRA and a linear head, by the published procedure.

github openai/weak-to-strong, from its description: soft labels, cross-entropy or log-confidence, two
epochs, batches of 32, Adam with a cosine schedule, the head on the last token's state.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from superalign.models.forward import PackedAttention, packed_hidden
from superalign.models.local import LocalModel
from superalign.models.packing import PackedBatch, Tree, token_batches
from superalign.weak_to_strong.heads import Rows
from superalign.weak_to_strong.losses import Array
from superalign.weak_to_strong.method import TunedLoss

CELLS = 2048  # of a micro-batch; the gradient does not depend on it


@dataclass(frozen=True)
class Recipe:
    """How to fine-tune. ``warm_up`` is the share of the steps over which log-confidence grows."""

    loss: TunedLoss = "xent"
    epochs: int = 2
    batch: int = 32
    learning_rate: float = 1e-3
    rank: int = 8
    auxiliary: float = 0.5
    warm_up: float = 0.1


@dataclass(frozen=True)
class Tuner:
    """Fine-tunes one model on rows of one task, given as token ids."""

    model: LocalModel
    ids: tuple[tuple[int, ...], ...]
    progress: Callable[[float], None] | None = None

    def on(self, train: Rows, test: Rows, seed: int, y_nK: Array, loss: TunedLoss) -> Array:
        """Class probabilities (m, K) of the rows ``test`` after training on the rows ``train``."""
        rows, others = ([self.ids[i] for i in part] for part in (train, test))
        return finetune(self.model, rows, y_nK, others, Recipe(loss=loss), seed, self.progress)


def log_confidence_target(z_nK: Tensor, y_nK: Tensor, share: float) -> Tensor:
    """(1 − share) · weak label + share · own hardened answer, held constant (two classes).

    The threshold is the quantile of the batch's p(class 1) that leaves the weak labels' mean share
    above it. Source: github openai/weak-to-strong, ``logconf_loss_fn``.
    """
    p = z_nK.detach().softmax(1)[:, 1]
    threshold = torch.quantile(p, 1 - y_nK[:, 1].mean())
    hard = F.one_hot((p > threshold).long(), 2).to(y_nK)
    return (1 - share) * y_nK + share * hard


def finetune(
    model: LocalModel,
    train: Sequence[tuple[int, ...]],
    y_nK: Array,
    test: Sequence[tuple[int, ...]],
    recipe: Recipe,
    seed: int,
    progress: Callable[[float], None] | None = None,
) -> Array:
    """Class probabilities (m, K) of ``test`` after training on ``train`` (both token ids).

    The threshold of log-confidence is taken over the whole batch. Every random choice is ``seed``'s.

    Raises:
        ModelError: the model's architecture has no fast path to train through.
    """
    view = model.with_adapter(
        model.fresh_adapter(rank=recipe.rank, alpha=2 * recipe.rank, seed=seed)
    )
    width, k = int(model.module.config.hidden_size), y_nK.shape[1]
    head = torch.zeros(k, width + 1, device=model.device, requires_grad=True)
    assert view.adapter is not None
    adam = torch.optim.Adam([*view.adapter.tensors(), head], lr=recipe.learning_rate)
    labels = torch.tensor(y_nK, dtype=torch.float32, device=model.device)
    rng = np.random.default_rng([seed, 0xF17E])
    steps = [
        part
        for _ in range(recipe.epochs)
        for part in np.array_split(
            rng.permutation(len(train)), math.ceil(len(train) / recipe.batch)
        )
    ]
    for number, rows in enumerate(steps):
        done = number / len(steps)
        for group in adam.param_groups:
            group["lr"] = recipe.learning_rate * 0.5 * (1 + math.cos(math.pi * done))
        target = labels[rows]
        if recipe.loss == "logconf":
            share = recipe.auxiliary * min(1.0, done / recipe.warm_up)
            with torch.no_grad():
                z = _logits(view, head, [train[i] for i in rows], training=False)
            target = log_confidence_target(z, target, share)
        for part in token_batches([Tree(train[i]) for i in rows], CELLS):
            z = _logits(view, head, [train[rows[i]] for i in part], training=True)
            loss = -(target[part] * z.log_softmax(1)).sum() / len(rows)
            loss.backward()
        adam.step()
        adam.zero_grad(set_to_none=True)
        view.adapter.touched()
        if progress is not None:
            progress((number + 1) / len(steps))
    return predict(view, head, test)


@torch.no_grad()
def predict(view: LocalModel, head: Tensor, texts: Sequence[tuple[int, ...]]) -> Array:
    """Class probabilities (m, K) of texts given as token ids."""
    out = np.zeros((len(texts), len(head)))
    for part in token_batches([Tree(t) for t in texts], CELLS):
        z = _logits(view, head, [texts[i] for i in part], training=False)
        out[part] = z.softmax(1).double().cpu().numpy()
    return out


def _logits(
    view: LocalModel, head: Tensor, texts: Sequence[tuple[int, ...]], *, training: bool
) -> Tensor:
    """Logits (n, K) read from the normed state of each text's last token."""
    decoder = view.decoder
    batch = PackedBatch.build([Tree(t) for t in texts], device=view.device)
    blocks = view.training_blocks() if training else view.weights().blocks
    x = packed_hidden(decoder, batch, blocks, PackedAttention(decoder, batch))
    states = decoder.norm(x[batch.last_B], decoder.final_norm).float()
    return F.linear(states, head[:, :-1], head[:, -1])
