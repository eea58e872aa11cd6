"""Offline updates: demonstrations, preferences, and answers of the frozen model to be kept.

By default every example counts alike, however long: a term is the mean over its own tokens, summed
over the step and divided by the examples that a step holds on average. Otherwise fifty tokens of a
worked problem outweigh the four that decide between help and refusal.
"""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from superalign.config import LearnerConfig
from superalign.learner import losses, preference_losses
from superalign.learner.examples import Example
from superalign.learner.optimisation import (
    MICRO_BATCH_CELLS,
    Optimizer,
    Progress,
    TrainingReport,
    step_batches,
    take_steps,
)
from superalign.models.local import LocalModel
from superalign.models.packing import PackedBatch, Tree, token_batches


class Reference(NamedTuple):
    """What the frozen base makes of an example: summed log-probabilities of the completions of a
    pair, and the states (tokens, d) that predict the first completion where it is to be kept."""

    sums: list[float]
    states_Cd: Tensor | None


@torch.no_grad()
def references(model: LocalModel, examples: Sequence[Example]) -> dict[int, Reference]:
    """References of the pairs and kept answers among ``examples``, by index."""
    base = model.with_adapter(None)
    wanted = [i for i, e in enumerate(examples) if e.is_pair or e.keep]
    found: dict[int, Reference] = {}
    for part in token_batches([examples[i].tree for i in wanted], MICRO_BATCH_CELLS):
        members = [examples[wanted[j]] for j in part]
        batch = PackedBatch.build([e.tree for e in members], device=model.device, ends=False)
        states = base.completion_states(batch)
        paired_S = [e.is_pair for e in members for _ in e.tree.completions]
        paired_C = torch.tensor(paired_S, device=states.device)[batch.sequence_C]
        logps = base.logprobs_from(states[paired_C], batch.target_C[paired_C]).float()
        rows, pairs = 0, 0
        for j, example in zip(part, members, strict=True):
            lengths = [len(c) for c in example.tree.completions]
            sums: list[float] = []
            if example.is_pair:
                piece = logps[pairs : pairs + sum(lengths)]
                sums = [float(x.sum()) for x in piece.split(lengths)]
                pairs += sum(lengths)
            kept = states[rows : rows + lengths[0]].clone() if example.keep else None
            found[wanted[j]] = Reference(sums, kept)
            rows += sum(lengths)
    return found


def train_offline(
    model: LocalModel,
    examples: Sequence[Example],
    config: LearnerConfig,
    *,
    seed: int,
    progress: Progress | None = None,
) -> TrainingReport:
    """Train the adapter on demonstrations and preferences.

    Loss: ``sft_weight`` x NLL of what is imitated (demonstrations and chosen sides) +
    ``anchor_weight`` x KL(frozen ‖ learner) along what is kept + the DPO loss of the pairs.
    ``sft`` drops the last term and the rejected sides. All weigh examples and use soft labels.
    Where ``average`` is ``tokens`` the first two are means over tokens instead of examples.
    """
    start, report = time.perf_counter(), TrainingReport(config.algorithm)
    if config.algorithm == "sft":
        examples = [_chosen_only(e) for e in examples]
    reference = references(model, examples)
    rng = random.Random(f"offline {seed}")
    sizes = [e.tree.size for e in examples]
    steps = [s for _ in range(config.epochs) for s in step_batches(sizes, config.batch_tokens, rng)]
    scale = _Scale.of(examples, config, len(steps))
    optimizer = Optimizer(model, config, len(steps))

    def loss_of(_: Sequence[int], part: Sequence[int]) -> Tensor:
        chosen, known = [examples[i] for i in part], [reference.get(i) for i in part]
        return _loss(model, chosen, known, scale, config, report.metrics)

    trees = [e.tree for e in examples]
    return take_steps(optimizer, steps, trees, loss_of, report, start, progress)


def _chosen_only(example: Example) -> Example:
    if not example.is_pair:
        return example
    tree = Tree(example.tree.prompt, example.tree.completions[:1])
    return Example(tree, example.weight, example.probability, example.keep)


class _Scale(NamedTuple):
    """What an optimiser step holds on average: weighted examples or tokens, weighted pairs."""

    supervised: float
    pairs: float

    @classmethod
    def of(cls, examples: Sequence[Example], config: LearnerConfig, steps: int) -> _Scale:
        alike = config.average == "examples"
        share = config.epochs / max(1, steps)
        supervised = sum(e.weight * (1 if alike else len(e.tree.completions[0])) for e in examples)
        pairs = sum(e.weight for e in examples if e.is_pair)
        # Pairs share the examples' denominator, so that every example has one vote.
        everything = sum(e.weight for e in examples) if alike else pairs
        return cls(max(1e-8, share * supervised), max(1e-8, share * everything))


@dataclass(frozen=True)
class _Sequences:
    """Facts of a micro-batch's sequences (S): which examples they belong to and what they are."""

    first_S: Tensor
    keep_S: Tensor
    pair_S: Tensor
    weight_S: Tensor  # of each token: the example's, over the length where examples count alike
    belief_S: Tensor

    @classmethod
    def of(cls, examples: Sequence[Example], alike: bool, device: torch.device) -> _Sequences:
        rows = [
            (
                i == 0,
                e.keep and i == 0,
                e.is_pair,
                e.weight / (max(1, len(c)) if alike else 1),
                e.probability,
            )
            for e in examples
            for i, c in enumerate(e.tree.completions)
        ]
        first, keep, pair, weight, belief = (
            torch.tensor(column, device=device) for column in zip(*rows, strict=True)
        )
        return cls(first, keep, pair, weight, belief)


def _loss(
    model: LocalModel,
    examples: Sequence[Example],
    reference: Sequence[Reference | None],
    scale: _Scale,
    config: LearnerConfig,
    metrics: dict[str, float],
) -> Tensor:
    """Loss of one micro-batch; see ``train_offline``."""
    batch = PackedBatch.build([e.tree for e in examples], device=model.device, ends=False)
    states = model.completion_states(batch, train=True, checkpointing=config.checkpointing)
    rows = _Sequences.of(examples, config.average == "examples", states.device)
    # What is only kept is compared whole distributions at a time: its tokens' own are not needed.
    spoken_C = (rows.pair_S | ~rows.keep_S)[batch.sequence_C]
    spoken = model.logprobs_from(states[spoken_C], batch.target_C[spoken_C])
    logps = spoken.new_zeros(spoken_C.shape).masked_scatter(spoken_C, spoken)
    loss = logps.new_zeros(())
    for name, part_S, weight in (
        ("imitated", rows.first_S & ~rows.keep_S, config.sft_weight),
        ("kept", rows.keep_S, config.anchor_weight),
    ):
        if not bool(part_S.any()):
            continue
        chosen_T = part_S[batch.sequence_C]
        values_T = logps[chosen_T]
        if name == "kept":
            kept = [r.states_Cd for r in reference if r is not None and r.states_Cd is not None]
            values_T = -model.divergences(states[chosen_T], torch.cat(kept))
        sequence_T = (torch.cumsum(part_S, 0) - 1)[batch.sequence_C[chosen_T]]
        result = losses.sft(
            values_T,
            sequence_T,
            int(part_S.sum()),
            weight_S=rows.weight_S[part_S],
            probability_S=rows.belief_S[part_S],
            normalizer=scale.supervised,
        )
        loss = loss + weight * result.value
        metrics |= {f"{name}_{k}": v for k, v in result.metrics.items()}
    if bool(rows.pair_S.any()):
        loss = loss + _preference(logps, batch, rows, examples, reference, scale, config, metrics)
    return loss


def _preference(
    logps: Tensor,
    batch: PackedBatch,
    rows: _Sequences,
    examples: Sequence[Example],
    reference: Sequence[Reference | None],
    scale: _Scale,
    config: LearnerConfig,
    metrics: dict[str, float],
) -> Tensor:
    """DPO loss of the micro-batch's pairs."""
    chosen_T = rows.pair_S[batch.sequence_C]
    pairs = [(e, r) for e, r in zip(examples, reference, strict=True) if e.is_pair and r]
    result = preference_losses.dpo(
        logps[chosen_T],
        (torch.cumsum(rows.pair_S, 0) - 1)[batch.sequence_C[chosen_T]],
        int(rows.pair_S.sum()),
        reference_S=logps.new_tensor([s for _, r in pairs for s in r.sums]),
        beta=config.beta,
        probability_P=logps.new_tensor([e.probability for e, _ in pairs]),
        weight_P=logps.new_tensor([e.weight for e, _ in pairs]),
        normalizer=scale.pairs,
    )
    metrics |= {f"pair_{k}": v for k, v in result.metrics.items()}
    return result.value
