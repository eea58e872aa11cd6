"""Students that are fine-tuned with a linear head, by the published procedure: LoRA or all matrices.

github openai/weak-to-strong, from its description: soft labels, cross-entropy or log-confidence, two
epochs, batches of 32, Adam with a cosine schedule, the head on the last token's state.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from superalign.models.architecture import Layer, Linear
from superalign.models.forward import PackedAttention, Projections, packed_hidden
from superalign.models.local import LocalModel
from superalign.models.packing import PackedBatch, Tree, token_batches
from superalign.weak_to_strong.heads import Rows
from superalign.weak_to_strong.losses import Array
from superalign.weak_to_strong.method import TunedLoss

Kind = Literal["lora", "full"]
CELLS = 2048  # of a micro-batch; the gradient does not depend on it


@dataclass(frozen=True)
class Recipe:
    """How to fine-tune. ``warm_up`` is the share of the steps over which log-confidence grows.

    ``learning_rate`` None is 1e-3 for LoRA and 5e-5, the published code's, where every matrix learns.
    """

    loss: TunedLoss = "xent"
    kind: Kind = "lora"
    epochs: int = 2
    batch: int = 32
    learning_rate: float | None = None
    rank: int = 8
    auxiliary: float = 0.5
    warm_up: float = 0.1

    @property
    def rate(self) -> float:
        """The first learning rate; the schedule goes down from it."""
        return self.learning_rate or {"lora": 1e-3, "full": 5e-5}[self.kind]


class Adapted:
    """A student whose low-rank terms learn."""

    def __init__(self, model: LocalModel, rank: int, seed: int) -> None:
        self._adapter = model.fresh_adapter(rank=rank, alpha=2 * rank, seed=seed)
        self.model = model.with_adapter(self._adapter)

    def parameters(self) -> list[Tensor]:
        """The low-rank factors."""
        return list(self._adapter.tensors())

    def blocks(self) -> list[Projections]:
        """Products for training, or merged ones where no gradient is recorded."""
        if torch.is_grad_enabled():
            return self.model.training_blocks()
        return self.model.weights().blocks

    def stepped(self) -> None:
        """The factors have changed: what was merged from them is stale."""
        self._adapter.touched()


class Whole:
    """A student whose every matrix learns, in float32; norms and embeddings stay.

    Four times the blocks' weights in float32 are kept: copies, gradients and Adam's two moments,
    for 135M parameters 1.7 GB. The model itself changes with ``store`` only.
    """

    def __init__(self, model: LocalModel) -> None:
        model.check_whole()
        self.model = model
        self._matrices = [
            [m.weight.detach().float().clone().requires_grad_() for m in _linears(layer)]
            for layer in model.decoder.layers
        ]

    def parameters(self) -> list[Tensor]:
        """The matrices, four a block."""
        return [m for block in self._matrices for m in block]

    def blocks(self) -> list[Projections]:
        """Products with the matrices, rounded to the model's type as they are used."""
        return [
            Projections(
                *(partial(_product, w, m.bias) for w, m in zip(own, _linears(layer), strict=True))
            )
            for own, layer in zip(self._matrices, self.model.decoder.layers, strict=True)
        ]

    def stepped(self) -> None:
        """Nothing is kept that could be stale."""

    @torch.no_grad()
    def store(self) -> None:
        """Write the matrices into the model, which must not have been run before."""
        for own, layer in zip(self._matrices, self.model.decoder.layers, strict=True):
            for matrix, linear in zip(own, _linears(layer), strict=True):
                linear.weight.copy_(matrix)


def _linears(layer: Layer) -> tuple[Linear, Linear, Linear, Linear]:
    return layer.qkv, layer.out, layer.gate_up, layer.down


def _product(
    weight: Tensor, bias: Tensor | None, x: Tensor, residual: Tensor | None = None
) -> Tensor:
    out = F.linear(x, weight.to(x.dtype), bias)
    return out if residual is None else residual + out


@dataclass(frozen=True)
class Tuner:
    """Fine-tunes one model on rows of one task, given as token ids."""

    model: LocalModel
    ids: tuple[tuple[int, ...], ...]
    kind: Kind = "lora"
    progress: Callable[[float], None] | None = None

    def on(self, train: Rows, test: Rows, seed: int, y_nK: Array, loss: TunedLoss) -> Array:
        """Class probabilities (m, K) of the rows ``test`` after training on the rows ``train``."""
        rows, others = ([self.ids[i] for i in part] for part in (train, test))
        return finetune(
            self.model, rows, y_nK, others, Recipe(loss=loss, kind=self.kind), seed, self.progress
        )


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
    student = Adapted(model, recipe.rank, seed) if recipe.kind == "lora" else Whole(model)
    width, k = int(model.module.config.hidden_size), y_nK.shape[1]
    head = torch.zeros(k, width + 1, device=model.device, requires_grad=True)
    adam = torch.optim.Adam([*student.parameters(), head], lr=recipe.rate)
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
            group["lr"] = recipe.rate * 0.5 * (1 + math.cos(math.pi * done))
        target = labels[rows]
        if recipe.loss == "logconf":
            share = recipe.auxiliary * min(1.0, done / recipe.warm_up)
            with torch.no_grad():
                z = _logits(student, head, [train[i] for i in rows])
            target = log_confidence_target(z, target, share)
        for part in token_batches([Tree(train[i]) for i in rows], CELLS):
            z = _logits(student, head, [train[rows[i]] for i in part])
            loss = -(target[part] * z.log_softmax(1)).sum() / len(rows)
            loss.backward()
        adam.step()
        adam.zero_grad(set_to_none=True)
        student.stepped()
        if progress is not None:
            progress((number + 1) / len(steps))
    return predict(student, head, test)


@torch.no_grad()
def predict(student: Adapted | Whole, head: Tensor, texts: Sequence[tuple[int, ...]]) -> Array:
    """Class probabilities (m, K) of texts given as token ids."""
    out = np.zeros((len(texts), len(head)))
    for part in token_batches([Tree(t) for t in texts], CELLS):
        z = _logits(student, head, [texts[i] for i in part])
        out[part] = z.softmax(1).double().cpu().numpy()
    return out


def _logits(student: Adapted | Whole, head: Tensor, texts: Sequence[tuple[int, ...]]) -> Tensor:
    """Logits (n, K) read from the normed state of each text's last token."""
    decoder = student.model.decoder
    batch = PackedBatch.build([Tree(t) for t in texts], device=decoder.device)
    x = packed_hidden(decoder, batch, student.blocks(), PackedAttention(decoder, batch))
    states = decoder.norm(x[batch.last_B], decoder.final_norm).float()
    return F.linear(states, head[:, :-1], head[:, -1])
