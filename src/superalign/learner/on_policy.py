"""On-policy updates from sampled answers and their rewards: PPO, GRPO, RLOO."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from superalign.config import LearnerConfig
from superalign.learner import advantages, losses
from superalign.learner.examples import Rollout
from superalign.learner.optimisation import (
    Optimizer,
    Progress,
    TrainingReport,
    step_batches,
    take_steps,
)
from superalign.learner.reductions import sequence_sums
from superalign.models.local import LocalModel
from superalign.models.packing import PackedBatch, Tree


class ValueHead:
    """A linear value of a hidden state, zero at first: V(h) = h·w + b, in units of reward."""

    def __init__(self, width: int, device: torch.device) -> None:
        self.weight = torch.zeros(width, device=device, requires_grad=True)
        self.bias = torch.zeros((), device=device, requires_grad=True)

    def __call__(self, states_Cd: Tensor) -> Tensor:
        """Values (C,) in float32."""
        # Residual streams carry large norms: scale by the root of the width.
        projected: Tensor = states_Cd.float() @ self.weight
        return projected / math.sqrt(states_Cd.shape[1]) + self.bias


@dataclass(frozen=True)
class _Group:
    """All rollouts of one query as a tree, with what each sequence and token is worth."""

    tree: Tree
    rewards: tuple[float | None, ...]
    behaviour: tuple[tuple[float, ...], ...]


def train_on_policy(
    model: LocalModel,
    rollouts: Sequence[Rollout],
    config: LearnerConfig,
    *,
    seed: int,
    progress: Progress | None = None,
) -> TrainingReport:
    """Train the adapter on sampled answers and their rewards with PPO, GRPO or RLOO.

    Rollouts of one query form a group; a missing reward counts nowhere. The penalty on divergence
    from the frozen base is ``kl_weight`` (k3 in PPO's and GRPO's loss; in RLOO's reward).
    """
    start, report = time.perf_counter(), TrainingReport(config.algorithm)
    groups = _grouped(model, rollouts)
    base = model.with_adapter(None)
    reference = base.tree_logprobs([g.tree for g in groups])
    head = ValueHead(int(model.module.config.hidden_size), model.device)
    old_values = [_no_grad_values(model, g, head) for g in groups]
    rng = random.Random(f"on-policy {seed}")
    sizes = [g.tree.size for g in groups]
    steps = [s for _ in range(config.epochs) for s in step_batches(sizes, config.batch_tokens, rng)]
    extra = (head.weight, head.bias) if config.algorithm == "ppo" else ()
    optimizer = Optimizer(model, config, len(steps), extra)
    signals = [
        _signal(config, g, r, v) for g, r, v in zip(groups, reference, old_values, strict=True)
    ]

    def loss_of(step: Sequence[int], part: Sequence[int]) -> Tensor:
        return _policy_loss(
            model,
            [groups[i] for i in part],
            [signals[i] for i in part],
            head,
            config,
            float(sum(signals[i].weight_S.sum() for i in step)) or 1.0,
            float(sum(signals[i].weighted_tokens for i in step)) or 1.0,
            report.metrics,
        )

    trees = [g.tree for g in groups]
    return take_steps(optimizer, steps, trees, loss_of, report, start, progress)


def _grouped(model: LocalModel, rollouts: Sequence[Rollout]) -> list[_Group]:
    by_query: dict[str, list[Rollout]] = {}
    for rollout in rollouts:
        if rollout.tokens:
            by_query.setdefault(rollout.query.id, []).append(rollout)
    return [
        _Group(
            Tree(model.encode(members[0].query.chat), tuple(r.tokens for r in members)),
            tuple(r.reward for r in members),
            tuple(r.logprobs for r in members),
        )
        for members in by_query.values()
    ]


@dataclass(frozen=True)
class _Signal:
    """Advantages and references of one group's tokens (T) and sequences (S)."""

    advantage_T: Tensor
    returns_T: Tensor
    values_T: Tensor
    advantage_S: Tensor
    weight_S: Tensor
    reference_T: Tensor
    weighted_tokens: float


def _no_grad_values(model: LocalModel, group: _Group, head: ValueHead) -> Tensor:
    """Values before the update: a zero head makes them zero, which needs no forward pass."""
    return torch.zeros(sum(map(len, group.tree.completions)), device=model.device)


def _signal(
    config: LearnerConfig, group: _Group, reference: list[Tensor], values_T: Tensor
) -> _Signal:
    rewards_S = advantages.as_rewards(group.rewards)
    lengths = torch.tensor([len(c) for c in group.tree.completions])
    sequence_T = torch.repeat_interleave(torch.arange(len(lengths)), lengths)
    one_group_S = torch.zeros(len(lengths), dtype=torch.long)
    reference_T = torch.cat(reference)
    values_T = values_T.cpu()
    result_S = advantages.Advantages(rewards_S.nan_to_num(), ~rewards_S.isnan())
    result_T = advantages.TokenAdvantages(torch.zeros_like(values_T), values_T)
    if config.algorithm == "rloo":
        behaviour_T = torch.tensor([x for row in group.behaviour for x in row])
        penalty_S = sequence_sums(behaviour_T - reference_T, sequence_T, len(lengths))
        result_S = advantages.rloo_advantages(rewards_S - config.kl_weight * penalty_S, one_group_S)
    elif config.algorithm == "grpo":
        result_S = advantages.group_advantages(rewards_S, one_group_S)
    else:
        rewards_T = advantages.token_rewards(rewards_S, sequence_T)
        result_T = advantages.gae(
            rewards_T, values_T, sequence_T, gamma=config.gamma, lam=config.lam
        )
    weight_S = result_S.mask_S.float()
    return _Signal(
        result_T.advantage_T,
        result_T.return_T,
        values_T,
        result_S.advantage_S,
        weight_S,
        reference_T,
        float(weight_S[sequence_T].sum()),
    )


def _cat(signals: Sequence[_Signal], name: str, like: Tensor) -> Tensor:
    parts: Iterator[Tensor] = (getattr(s, name) for s in signals)
    return torch.cat(list(parts)).to(like)


def _policy_loss(
    model: LocalModel,
    groups: Sequence[_Group],
    signals: Sequence[_Signal],
    head: ValueHead,
    config: LearnerConfig,
    sequences: float,
    tokens: float,
    metrics: dict[str, float],
) -> Tensor:
    batch = PackedBatch.build([g.tree for g in groups], device=model.device, ends=False)
    states = model.completion_states(batch, train=True, checkpointing=config.checkpointing)
    logps = model.logprobs_from(states, batch.target_C)
    S, sequence_T = batch.sequences, batch.sequence_C
    behaviour_T = logps.new_tensor([x for g in groups for row in g.behaviour for x in row])
    weight_S = _cat(signals, "weight_S", logps)
    if config.algorithm == "rloo":
        result = losses.rloo(
            logps,
            sequence_T,
            S,
            advantage_S=_cat(signals, "advantage_S", logps),
            behaviour_T=behaviour_T,
            weight_S=weight_S,
            clip_low=config.clip,
            clip_high=config.clip,
            normalizer=sequences,
        )
        metrics |= result.metrics
        return result.value
    options: losses.PolicyOptions = {
        "behaviour_T": behaviour_T,
        "weight_S": weight_S,
        "clip_low": config.clip,
        "clip_high": config.clip,
        "reference_T": _cat(signals, "reference_T", logps),
        "kl_coef": config.kl_weight,
        "normalizer": sequences if config.algorithm == "grpo" else tokens,
    }
    if config.algorithm == "grpo":
        result = losses.grpo(
            logps, sequence_T, S, advantage_S=_cat(signals, "advantage_S", logps), **options
        )
        metrics |= result.metrics
        return result.value
    result = losses.ppo_clip(
        logps, sequence_T, S, advantage_T=_cat(signals, "advantage_T", logps), **options
    )
    value = losses.value_loss(
        head(states),
        sequence_T,
        S,
        returns_T=_cat(signals, "returns_T", logps),
        behaviour_T=_cat(signals, "values_T", logps),
        clip=config.clip,
        weight_S=weight_S,
        normalizer=tokens,
    )
    metrics |= result.metrics | {f"value_{k}": v for k, v in value.metrics.items()}
    return result.value + config.value_weight * value.value
