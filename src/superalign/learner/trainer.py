"""Updating an adapter: offline from demonstrations and preferences, on-policy from rollouts.

Batches are padding-free trees, cut into steps by tokens and into micro-batches by memory; the
normalisers of the losses are those of the whole step, so the cut does not change the gradient.
Every random choice comes from the seed given, none from global state.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from superalign.config import LearnerConfig
from superalign.learner import advantages, losses, preference_losses
from superalign.learner.examples import Example, Rollout
from superalign.learner.reductions import Loss, sequence_sums
from superalign.models.local import LocalModel
from superalign.models.packing import PackedBatch, Tree, token_batches

MICRO_BATCH_CELLS = 2048
Progress = Callable[[float, str], None]


@dataclass
class TrainingReport:
    """What an update did. Losses are those of the first and last tenth of the steps."""

    algorithm: str
    steps: int = 0
    tokens: int = 0
    seconds: float = 0.0
    losses: list[float] = field(default_factory=list)
    metrics: dict[str, float] = field(default_factory=dict)

    def as_dict(self) -> dict[str, object]:
        """Plain types for the run's records."""
        edge = max(1, len(self.losses) // 10)
        return {
            "algorithm": self.algorithm,
            "steps": self.steps,
            "tokens": self.tokens,
            "seconds": round(self.seconds, 3),
            "loss_first": _mean(self.losses[:edge]),
            "loss_last": _mean(self.losses[-edge:]),
            "metrics": {k: v for k, v in self.metrics.items() if math.isfinite(v)},
        }


def _mean(values: Sequence[float]) -> float | None:
    """Mean; None where there is none, so that a loss that diverged is still valid JSON."""
    mean = sum(values) / len(values) if values else math.nan
    return mean if math.isfinite(mean) else None


class _Optimizer:
    """AdamW on the adapter's tensors (and more), warm-up then cosine to a tenth, norm clipped."""

    def __init__(
        self, model: LocalModel, config: LearnerConfig, steps: int, extra: Sequence[Tensor] = ()
    ) -> None:
        if model.adapter is None:
            raise ValueError("training needs a model view with an adapter")
        self.adapter = model.adapter
        self.parameters = [*model.adapter.tensors(), *extra]
        self.config, self.steps, self.taken = config, max(1, steps), 0
        self.adam = torch.optim.AdamW(
            self.parameters, lr=config.learning_rate, weight_decay=0.0, betas=(0.9, 0.99)
        )

    def step(self) -> None:
        """Take one step with the gradients gathered so far."""
        warm = max(1, round(self.config.warmup * self.steps))
        done = (self.taken - warm) / max(1, self.steps - warm)
        factor = (
            (self.taken + 1) / warm
            if self.taken < warm
            else 0.1 + 0.45 * (1 + math.cos(math.pi * done))
        )
        for group in self.adam.param_groups:
            group["lr"] = self.config.learning_rate * factor
        torch.nn.utils.clip_grad_norm_(self.parameters, self.config.max_grad_norm)
        self.adam.step()
        self.adam.zero_grad(set_to_none=True)
        self.adapter.touched()
        self.taken += 1


def step_batches(sizes: Sequence[int], budget: int, rng: random.Random) -> list[list[int]]:
    """Shuffle items and cut them into steps of at most ``budget`` tokens (at least one item)."""
    order = list(range(len(sizes)))
    rng.shuffle(order)
    steps: list[list[int]] = []
    room = 0
    for i in order:
        if not steps or sizes[i] > room:
            steps.append([])
            room = budget
        steps[-1].append(i)
        room -= sizes[i]
    return steps


# -- offline: supervised and preference -------------------------------------------------------------


def reference_sums(model: LocalModel, trees: Sequence[Tree]) -> list[list[float]]:
    """Summed log-probabilities of every completion under the frozen base (adapter off)."""
    base = model.with_adapter(None)
    return [[float(x.sum()) for x in row] for row in base.tree_logprobs(trees)]


def train_offline(
    model: LocalModel,
    examples: Sequence[Example],
    config: LearnerConfig,
    *,
    seed: int,
    progress: Progress | None = None,
) -> TrainingReport:
    """Train the adapter on demonstrations (NLL) and preferences.

    ``sft`` imitates demonstrations and the chosen sides; ``dpo`` adds the preference loss against
    the frozen base. Both losses weigh examples and use soft labels.
    """
    start, report = time.perf_counter(), TrainingReport(config.algorithm)
    if config.algorithm == "sft":
        examples = [_chosen_only(e) for e in examples]
    pairs = [i for i, e in enumerate(examples) if e.is_pair]
    reference = (
        dict(zip(pairs, reference_sums(model, [examples[i].tree for i in pairs]), strict=True))
        if pairs
        else {}
    )
    rng = random.Random(f"offline {seed}")
    sizes = [e.tree.size for e in examples]
    steps = [s for _ in range(config.epochs) for s in step_batches(sizes, config.batch_tokens, rng)]
    optimizer = _Optimizer(model, config, len(steps))
    for number, step in enumerate(steps):
        value = 0.0
        totals = _Totals.of([examples[i] for i in step])
        for part in token_batches([examples[i].tree for i in step], MICRO_BATCH_CELLS):
            chosen = [step[i] for i in part]
            loss = _offline_loss(
                model,
                [examples[i] for i in chosen],
                [reference.get(i) for i in chosen],
                totals,
                config,
                report.metrics,
            )
            loss.backward()
            value += float(loss.detach())
        optimizer.step()
        _account(report, value, sum(sizes[i] for i in step), start)
        if progress is not None:
            progress((number + 1) / len(steps), f"loss {value:.3f}")
    return report


def _chosen_only(example: Example) -> Example:
    if not example.is_pair:
        return example
    tree = Tree(example.tree.prompt, example.tree.completions[:1])
    return Example(tree, example.weight, example.probability)


@dataclass(frozen=True)
class _Totals:
    """Normalisers of one optimiser step: weighted tokens of demonstrations, weight of pairs."""

    tokens: float
    pairs: float

    @classmethod
    def of(cls, examples: Sequence[Example]) -> _Totals:
        tokens = sum(e.weight * len(e.tree.completions[0]) for e in examples if not e.is_pair)
        return cls(max(tokens, 1e-8), max(sum(e.weight for e in examples if e.is_pair), 1e-8))


def _offline_loss(
    model: LocalModel,
    examples: Sequence[Example],
    reference: Sequence[list[float] | None],
    totals: _Totals,
    config: LearnerConfig,
    metrics: dict[str, float],
) -> Tensor:
    """Loss of one micro-batch: sft_weight * NLL of demonstrations + preference loss of pairs."""
    batch = PackedBatch.build([e.tree for e in examples], device=model.device)
    logps = model.completion_logprobs(batch, train=True)
    kinds = [e.is_pair for e in examples for _ in e.tree.completions]
    paired_S = torch.tensor(kinds, device=logps.device)
    loss = logps.new_zeros(())
    for want_pairs in (False, True):
        rows = [e for e in examples if e.is_pair == want_pairs]
        if not rows:
            continue
        keep_S = paired_S == want_pairs
        keep_T = keep_S[batch.sequence_C]
        renumber = torch.cumsum(keep_S, 0) - 1
        sequence_T, S = renumber[batch.sequence_C[keep_T]], int(keep_S.sum())
        weight = logps.new_tensor([e.weight for e in rows])
        belief = logps.new_tensor([e.probability for e in rows])
        if want_pairs:
            sums = [
                s for e, r in zip(examples, reference, strict=True) if e.is_pair and r for s in r
            ]
            result = preference_losses.dpo(
                logps[keep_T],
                sequence_T,
                S,
                reference_S=logps.new_tensor(sums),
                beta=config.beta,
                probability_P=belief,
                weight_P=weight,
                sft_alpha=config.sft_weight,
                normalizer=totals.pairs,
            )
        else:
            result = losses.sft(
                logps[keep_T],
                sequence_T,
                S,
                weight_S=weight,
                probability_S=belief,
                normalizer=totals.tokens,
            )
            result = Loss(config.sft_weight * result.value, result.metrics)
        loss = loss + result.value
        prefix = "pair" if want_pairs else "demonstration"
        metrics |= {f"{prefix}_{k}": v for k, v in result.metrics.items()}
    return loss


def _account(report: TrainingReport, value: float, tokens: int, start: float) -> None:
    report.losses.append(value)
    report.steps += 1
    report.tokens += tokens
    report.seconds = time.perf_counter() - start


# -- on-policy: PPO, GRPO, RLOO ---------------------------------------------------------------------


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
    optimizer = _Optimizer(model, config, len(steps), extra)
    signals = [
        _signal(config, g, r, v) for g, r, v in zip(groups, reference, old_values, strict=True)
    ]
    for number, step in enumerate(steps):
        sequences = float(sum(sum(signals[i].weight_S.tolist()) for i in step)) or 1.0
        tokens = float(sum(signals[i].weighted_tokens for i in step)) or 1.0
        value = 0.0
        for part in token_batches([groups[i].tree for i in step], MICRO_BATCH_CELLS):
            chosen = [step[i] for i in part]
            loss = _policy_loss(
                model,
                [groups[i] for i in chosen],
                [signals[i] for i in chosen],
                head,
                config,
                sequences,
                tokens,
                report.metrics,
            )
            loss.backward()
            value += float(loss.detach())
        optimizer.step()
        _account(report, value, sum(sizes[i] for i in step), start)
        if progress is not None:
            progress((number + 1) / len(steps), f"loss {value:.3f}")
    return report


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
    batch = PackedBatch.build([g.tree for g in groups], device=model.device)
    states = model.completion_states(batch, train=True)
    logps = model.logprobs_from(states, batch)
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
