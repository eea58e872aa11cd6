"""Full fine-tuning: every matrix of every block learns, in float32; norms and embeddings stay."""

from __future__ import annotations

import copy
import random
from collections.abc import Sequence

import torch
from torch import Tensor

from superalign.config import LearnerConfig
from superalign.learner.examples import Example
from superalign.learner.optimisation import MICRO_BATCH_CELLS, pace, step_batches
from superalign.models import LocalModel
from superalign.models.forward import PackedAttention, packed_hidden
from superalign.models.packing import PackedBatch, token_batches
from superalign.weak_to_strong.finetuning import Whole


def fine_tuned(
    start: LocalModel, examples: Sequence[Example], config: LearnerConfig, seed: int
) -> LocalModel:
    """A copy of ``start`` (no adapter) that imitates the first completion of each example.

    Steps, warm-up, decay and the mean over examples are those of ``train_offline``; AdamW without weight
    decay. For 135M parameters some 2.5 GB are in use.

    Raises:
        InputError: ``start`` is in 8-bit integers.
        ModelError: its architecture has no fast path to train through.
    """
    model = LocalModel(start.name, copy.deepcopy(start.module), start.tokenizer)
    student = Whole(model)
    adam = torch.optim.AdamW(
        student.parameters(), config.learning_rate, (0.9, 0.99), weight_decay=0.0
    )
    rng = random.Random(seed)
    sizes = [e.tree.size for e in examples]
    steps = [s for _ in range(config.epochs) for s in step_batches(sizes, config.batch_tokens, rng)]
    schedule = torch.optim.lr_scheduler.LambdaLR(
        adam, lambda taken: pace(taken, len(steps), config.warmup)
    )
    for step in steps:
        for part in token_batches([examples[i].tree for i in step], MICRO_BATCH_CELLS):
            (_loss(student, [examples[step[i]] for i in part]) / len(step)).backward()
        torch.nn.utils.clip_grad_norm_(student.parameters(), config.max_grad_norm)
        adam.step()
        adam.zero_grad(set_to_none=True)
        schedule.step()
    student.store()
    return model


def _loss(student: Whole, examples: Sequence[Example]) -> Tensor:
    """Sum over examples of the mean negative log-likelihood of their completion's tokens."""
    model, decoder = student.model, student.model.decoder
    batch = PackedBatch.build([e.tree for e in examples], device=model.device, ends=False)
    x = packed_hidden(decoder, batch, student.blocks(), PackedAttention(decoder, batch))
    states = decoder.norm(x[batch.source_C], decoder.final_norm)
    lengths = torch.bincount(batch.sequence_C, minlength=len(examples))
    return -(model.logprobs_from(states, batch.target_C) / lengths[batch.sequence_C]).sum()
