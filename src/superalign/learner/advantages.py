"""Advantages for policy gradients, from rewards that may be missing.

Shapes: T tokens of S sequences laid end to end, ``sequence_T`` as in ``learner.losses``. A missing
reward is NaN (``as_rewards`` makes it from None). It is left out of every statistic and its
sequence gets advantage 0 and False in the mask, which goes to the loss as ``weight_S``. Results
carry no gradient; statistics are computed in float64 and returned in the rewards' dtype.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from superalign.learner.reductions import require

Scale = Literal["group", "batch", "none"]


class Advantages(NamedTuple):
    """``mask_S`` is False where no advantage is defined; ``advantage_S`` is 0 there."""

    advantage_S: Tensor
    mask_S: Tensor


class TokenAdvantages(NamedTuple):
    """``return_T`` = advantage + value: the value function's target."""

    advantage_T: Tensor
    return_T: Tensor


def as_rewards(rewards: Sequence[float | None]) -> Tensor:
    """Rewards (S,) in float32 with NaN for None."""
    return torch.tensor([float("nan") if r is None else float(r) for r in rewards])


def group_advantages(
    rewards_S: Tensor, group_S: Tensor, *, scale: Scale = "group", eps: float = 1e-4
) -> Advantages:
    """GRPO's advantage (arXiv 2402.03300): (r − mean) / (std + eps) over the sequence's group.

    ``group_S`` (int64, from 0) says which prompt a sequence answers; groups may differ in size.
    std has Bessel's correction, as in TRL. ``scale="none"`` leaves the division out (Dr. GRPO,
    arXiv 2503.20783: dividing favours prompts that are nearly always or never solved);
    ``"batch"`` divides by the std of all observed rewards. A group with fewer than two observed
    rewards has nothing to compare: its advantages are undefined, so masked.
    """
    groups = _Groups.of(rewards_S, group_S)
    centred_S = torch.where(groups.compared_S, groups.reward_S - groups.mean_S, 0.0)
    if scale == "group":
        centred_S = centred_S / (groups.std_S + eps)
    elif scale == "batch" and bool(groups.compared_S.any()):
        centred_S = centred_S / (groups.reward_S[groups.observed_S].std() + eps)
    return Advantages(centred_S.to(rewards_S.dtype), groups.compared_S)


def rloo_advantages(rewards_S: Tensor, group_S: Tensor) -> Advantages:
    """Reward minus the mean of the *other* observed rewards of the group (arXiv 2402.14740).

    Equal to n/(n−1)·(r − mean) with n observed rewards. A reward alone in its group has no
    baseline, so it is masked.
    """
    groups = _Groups.of(rewards_S, group_S)
    others_S = (groups.count_S - 1).clamp(min=1)
    advantage_S = (groups.reward_S - groups.mean_S) * groups.count_S / others_S
    advantage_S = torch.where(groups.compared_S, advantage_S, 0.0)
    return Advantages(advantage_S.to(rewards_S.dtype), groups.compared_S)


def token_rewards(
    rewards_S: Tensor, sequence_T: Tensor, *, kl_T: Tensor | None = None, kl_coef: float = 0.0
) -> Tensor:
    """Rewards by token (T,): −``kl_coef``·``kl_T`` everywhere, plus r on a sequence's last token.

    ``kl_T`` (nats) is usually log π − log ref at sampling time. A missing r stays NaN.
    """
    rewards_T = torch.zeros_like(sequence_T, dtype=rewards_S.dtype)
    if kl_T is not None:
        require(len(sequence_T), kl_T=kl_T)
        rewards_T = -kl_coef * kl_T.detach().to(rewards_T)
    last_T = _last_tokens(sequence_T)
    rewards_T[last_T] += rewards_S[sequence_T[last_T]]
    return rewards_T


def gae(
    rewards_T: Tensor,
    values_T: Tensor,
    sequence_T: Tensor,
    *,
    gamma: float = 1.0,
    lam: float = 0.95,
    bootstrap_S: Tensor | None = None,
) -> TokenAdvantages:
    """Generalised advantage estimation (arXiv 1506.02438): A_t = δ_t + γλ·A_{t+1}.

    δ_t = r_t + γ·V_{t+1} − V_t, with V after a sequence's last token 0, or ``bootstrap_S`` (S,)
    where a sequence was cut off unfinished. Each sequence is one run of equal ``sequence_T``. γ
    is 1 by default: an answer's length should not discount its reward. A sequence with any NaN
    reward gets advantage 0 and its own values as returns, so that neither policy nor value moves.
    """
    require(len(sequence_T), rewards_T=rewards_T, values_T=values_T)
    values = values_T.detach().double().tolist()
    rewards = rewards_T.detach().double().tolist()
    last = _last_tokens(sequence_T).tolist()
    after = [0.0] * len(values)
    if bootstrap_S is not None:
        after = bootstrap_S.detach().double()[sequence_T].tolist()
    advantages = [0.0] * len(values)
    following, value = 0.0, 0.0
    for t in range(len(values) - 1, -1, -1):
        if last[t]:
            following, value = 0.0, after[t]
        following = rewards[t] + gamma * value - values[t] + gamma * lam * following
        advantages[t], value = following, values[t]
    advantage_T = torch.tensor(advantages, dtype=values_T.dtype, device=values_T.device)
    advantage_T = advantage_T.masked_fill(_unobserved(rewards_T, sequence_T), 0.0)
    return TokenAdvantages(advantage_T, advantage_T + values_T.detach())


def whiten(
    values: Tensor, mask: Tensor | None = None, *, shift: bool = True, eps: float = 1e-8
) -> Tensor:
    """(x − mean) / sqrt(var + eps) over the entries where ``mask`` is True; 0 elsewhere.

    With ``shift=False`` the mean is kept. var has Bessel's correction; fewer than two entries
    have no spread to divide by and are only centred.
    """
    mask = torch.ones_like(values, dtype=torch.bool) if mask is None else mask.bool()
    kept = values[mask].double()
    if len(kept) == 0:
        return torch.zeros_like(values)
    mean = kept.mean()
    spread = (kept.var() + eps).sqrt() if len(kept) > 1 else torch.ones_like(mean)
    result = (values.double() - mean) / spread + (0.0 if shift else mean)
    return torch.where(mask, result, 0.0).to(values.dtype)


class _Groups(NamedTuple):
    """Statistics of each sequence's group, over its observed rewards, spread to the sequences."""

    reward_S: Tensor
    observed_S: Tensor
    compared_S: Tensor
    count_S: Tensor
    mean_S: Tensor
    std_S: Tensor

    @classmethod
    def of(cls, rewards_S: Tensor, group_S: Tensor) -> _Groups:
        require(len(group_S), rewards_S=rewards_S)
        observed_S = ~rewards_S.isnan()
        reward_S = rewards_S.detach().double().nan_to_num(nan=0.0)
        groups = int(group_S.max()) + 1 if len(group_S) else 0

        def total(x_S: Tensor) -> Tensor:
            x_S = torch.where(observed_S, x_S, 0.0)
            return x_S.new_zeros(groups).index_add(0, group_S, x_S)[group_S]

        count_S = total(torch.ones_like(reward_S))
        mean_S = total(reward_S) / count_S.clamp(min=1)
        squares_S = total((reward_S - mean_S).square())
        std_S = (squares_S / (count_S - 1).clamp(min=1)).sqrt()
        compared_S = observed_S & (count_S > 1)
        return cls(reward_S, observed_S, compared_S, count_S, mean_S, std_S)


def _last_tokens(sequence_T: Tensor) -> Tensor:
    """Mask (T,) of the tokens that end a sequence."""
    ends_T = torch.ones_like(sequence_T, dtype=torch.bool)
    ends_T[:-1] = sequence_T[1:] != sequence_T[:-1]
    return ends_T


def _unobserved(rewards_T: Tensor, sequence_T: Tensor) -> Tensor:
    """Mask (T,) of the tokens whose sequence holds a NaN reward."""
    sequences = int(sequence_T.max()) + 1 if len(sequence_T) else 0
    missing_S = torch.zeros(sequences, dtype=torch.bool, device=sequence_T.device)
    missing_S[sequence_T[rewards_T.isnan()]] = True
    return missing_S[sequence_T]
