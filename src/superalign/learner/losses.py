"""Losses as pure functions of the per-token log-probabilities of packed completions.

Shapes: T completion tokens, S sequences, P pairs. Sequences lie end to end: ``logps_T[t]`` (nats)
belongs to sequence ``sequence_T[t]`` (int64, 0 to S-1; a sequence may be empty). A pair's two
sequences are neighbours, chosen first, so S = 2P and sequences 2p and 2p+1 make pair p.

Every loss is called as ``loss(logps_T, sequence_T, S, *, data, options)`` and gives a ``Loss``.
Inputs are finite, weights non-negative; weight 0 leaves an example out of the value, the default
normalizer and the metrics. ``normalizer`` is the denominator. By default it is counted in this
micro-batch (the docstring says what); for gradient accumulation pass the whole batch's count with
every micro-batch, and values and gradients add up to the whole batch's, whatever the cut.
"""

from __future__ import annotations

from typing import Literal, TypedDict, Unpack

import torch
from torch import Tensor

from superalign.learner.preference_losses import dpo, ipo, rdpo
from superalign.learner.reductions import (
    Loss,
    divide,
    means,
    ones_or,
    require,
    sequence_lengths,
    sequence_sums,
)

__all__ = [
    "KLEstimator",
    "Loss",
    "Normalization",
    "PolicyOptions",
    "dpo",
    "grpo",
    "ipo",
    "kl_estimate",
    "ppo_clip",
    "rdpo",
    "reinforce",
    "rloo",
    "sequence_lengths",
    "sequence_sums",
    "sft",
    "value_loss",
]

Normalization = Literal["token", "sequence", "dr_grpo"]
KLEstimator = Literal["k1", "k2", "k3"]
MAX_LOG_RATIO = 20.0


def kl_estimate(logps_T: Tensor, reference_T: Tensor, estimator: KLEstimator = "k3") -> Tensor:
    """Per-token estimate (T,) of KL(π‖ref) in nats for tokens sampled from π (Schulman, 2020).

    With d = log π − log ref: k1 = d (unbiased, any sign), k2 = d²/2 (biased, ≥ 0),
    k3 = e^(−d) − 1 + d (unbiased, ≥ 0). As a *loss* on samples of π the gradients differ
    (arXiv 2506.09477): k1's is 0 in expectation, k2's is KL(π‖ref)'s, k3's is KL(ref‖π)'s.
    """
    require(logps_T.shape[0], reference_T=reference_T)
    d_T = logps_T - reference_T
    if estimator == "k1":
        return d_T
    if estimator == "k2":
        return d_T.square() / 2
    return torch.exp((-d_T).clamp(max=MAX_LOG_RATIO)) - 1 + d_T


def sft(
    logps_T: Tensor,
    sequence_T: Tensor,
    S: int,
    *,
    weight_S: Tensor | None = None,
    probability_S: Tensor | None = None,
    normalizer: float | None = None,
) -> Loss:
    """Negative log-likelihood: −Σ_t w·p·log π(t) / normalizer, with w and p of t's sequence.

    ``probability_S`` (belief that the demonstration is right) scales its pull only; default
    normalizer: Σ_t w, so tokens count alike in long and short completions. With w = p = 1 it is
    the textbook mean over tokens.
    """
    w_S = ones_or(weight_S, S, logps_T)
    p_S = ones_or(probability_S, S, logps_T)
    w_T = w_S[sequence_T]
    value = divide(-(w_T * p_S[sequence_T] * logps_T).sum(), w_T.sum(), normalizer)
    return Loss(value, means(w_T, nll=-logps_T))


class PolicyOptions(TypedDict, total=False):
    """Data and options that ``ppo_clip`` and ``grpo`` share; documented at ``ppo_clip``."""

    behaviour_T: Tensor | None
    reference_T: Tensor | None
    entropy_T: Tensor | None
    weight_S: Tensor | None
    clip_low: float
    clip_high: float
    kl_coef: float
    kl_corrected: bool
    entropy_coef: float
    normalization: Normalization
    max_length: int | None
    normalizer: float | None


def ppo_clip(
    logps_T: Tensor,
    sequence_T: Tensor,
    S: int,
    *,
    advantage_T: Tensor,
    behaviour_T: Tensor | None = None,
    reference_T: Tensor | None = None,
    entropy_T: Tensor | None = None,
    weight_S: Tensor | None = None,
    clip_low: float = 0.2,
    clip_high: float = 0.2,
    kl_coef: float = 0.0,
    kl_corrected: bool = True,
    entropy_coef: float = 0.0,
    normalization: Normalization = "token",
    max_length: int | None = None,
    normalizer: float | None = None,
) -> Loss:
    """Clipped surrogate (arXiv 1707.06347): −min(r·A, clip(r, 1−low, 1+high)·A) per token.

    r = π/μ with μ = ``behaviour_T``, the log-probabilities at sampling time (None: on-policy, r is
    1 but keeps its gradient). Per token ``kl_coef``·k3 is added, k3 estimating KL(π‖ref), and
    ``entropy_coef``·``entropy_T`` (nats, with gradient) subtracted, before ``normalization``.
    ``kl_corrected`` multiplies k3 by r, whose gradient makes the penalty's that of KL(π‖ref), also
    off-policy (arXiv 2512.02556, TRL's default); without it, as GRPO was published, it is
    KL(ref‖π)'s on-policy. Ways of ``normalization``:

    - ``token``: Σ_T w·loss / Σ_T w (TRL's ``bnpo``; DAPO, arXiv 2503.14476, when ``normalizer`` is
      the token count of the whole batch),
    - ``sequence``: Σ_S w·(mean over the sequence) / Σ_S w (GRPO as published),
    - ``dr_grpo``: Σ_T w·loss / (max_length·Σ_S w) (arXiv 2503.20783); the normalizer is Σ_S w.

    Unlike the textbook, |log r| is cut at 20 so that no ratio overflows, the two clips may differ,
    and the value loss is apart (``value_loss``).
    """
    if behaviour_T is None:
        behaviour_T = logps_T.detach()
    require(logps_T.shape[0], advantage_T=advantage_T, behaviour_T=behaviour_T)
    w_S = ones_or(weight_S, S, logps_T)
    ratio_T = _ratio(logps_T - behaviour_T)
    loss_T = _clipped(ratio_T, advantage_T, clip_low, clip_high)
    measured = _ratio_metrics(ratio_T, advantage_T, clip_low, clip_high)
    if reference_T is not None:
        kl_T = kl_estimate(logps_T, reference_T)
        kl_T = ratio_T * kl_T if kl_corrected else kl_T
        loss_T = loss_T + kl_coef * kl_T
        measured["kl"] = kl_T
    elif kl_coef:
        raise ValueError("kl_coef needs reference_T")
    if entropy_T is not None:
        require(logps_T.shape[0], entropy_T=entropy_T)
        loss_T = loss_T - entropy_coef * entropy_T
        measured["entropy"] = entropy_T
    elif entropy_coef:
        raise ValueError("entropy_coef needs entropy_T")
    value = _aggregate(loss_T, sequence_T, w_S, normalization, max_length, normalizer)
    return Loss(value, means(w_S[sequence_T], **measured))


def grpo(
    logps_T: Tensor,
    sequence_T: Tensor,
    S: int,
    *,
    advantage_S: Tensor,
    **options: Unpack[PolicyOptions],
) -> Loss:
    """Group-relative policy optimisation (arXiv 2402.03300): ``ppo_clip`` with A of the sequence.

    ``advantage_S`` comes from ``advantages.group_advantages``; pass its mask as ``weight_S`` and a
    sequence without a reward counts nowhere (TRL still counts it, with A = 0, and takes its KL).
    ``normalization`` is ``sequence``, as published, unless given.
    """
    require(S, advantage_S=advantage_S)
    options = {"normalization": "sequence", **options}
    return ppo_clip(logps_T, sequence_T, S, advantage_T=advantage_S[sequence_T], **options)


def reinforce(
    logps_T: Tensor,
    sequence_T: Tensor,
    S: int,
    *,
    advantage_S: Tensor,
    weight_S: Tensor | None = None,
    normalizer: float | None = None,
) -> Loss:
    """REINFORCE (Williams, 1992): −Σ_S w·A·log π(sequence) / normalizer, on-policy samples.

    The sequence is the action, so log π is summed, never averaged, over its tokens. Only the
    gradient has a meaning, not the value. Default normalizer: Σ_S w.
    """
    require(S, advantage_S=advantage_S)
    w_S = ones_or(weight_S, S, logps_T)
    logps_S = sequence_sums(logps_T, sequence_T, S)
    value = divide(-(w_S * advantage_S * logps_S).sum(), w_S.sum(), normalizer)
    return Loss(value, means(w_S, logps=logps_S, advantage=advantage_S))


def rloo(
    logps_T: Tensor,
    sequence_T: Tensor,
    S: int,
    *,
    advantage_S: Tensor,
    behaviour_T: Tensor,
    weight_S: Tensor | None = None,
    clip_low: float = 0.2,
    clip_high: float = 0.2,
    normalizer: float | None = None,
) -> Loss:
    """REINFORCE leave-one-out (arXiv 2402.14740): −min(r·A, clip(r)·A) with the sequence's ratio r.

    A comes from ``advantages.rloo_advantages``. Where π = μ its gradient is ``reinforce``'s; the
    clipped ratio, which the paper does not have, allows more than one step per batch of samples.
    Default normalizer: Σ_S w.
    """
    require(S, advantage_S=advantage_S)
    require(logps_T.shape[0], behaviour_T=behaviour_T)
    w_S = ones_or(weight_S, S, logps_T)
    ratio_S = _ratio(sequence_sums(logps_T - behaviour_T, sequence_T, S))
    loss_S = _clipped(ratio_S, advantage_S, clip_low, clip_high)
    measured = _ratio_metrics(ratio_S, advantage_S, clip_low, clip_high)
    return Loss(divide((w_S * loss_S).sum(), w_S.sum(), normalizer), means(w_S, **measured))


def value_loss(
    values_T: Tensor,
    sequence_T: Tensor,
    S: int,
    *,
    returns_T: Tensor,
    behaviour_T: Tensor,
    clip: float = 0.2,
    weight_S: Tensor | None = None,
    normalizer: float | None = None,
) -> Loss:
    """PPO's clipped value loss: ½·max((v − R)², (clip(v, v_old ± clip) − R)²), mean over tokens.

    ``behaviour_T`` holds v_old, the values at sampling time; all are in units of reward. Not in
    the paper but in its code (see arXiv 2005.12729). Default normalizer: Σ_T w.
    """
    require(values_T.shape[0], returns_T=returns_T, behaviour_T=behaviour_T)
    w_T = ones_or(weight_S, S, values_T)[sequence_T]
    near_T = behaviour_T + (values_T - behaviour_T).clamp(-clip, clip)
    free_T, held_T = (values_T - returns_T).square(), (near_T - returns_T).square()
    value = divide((w_T * torch.maximum(free_T, held_T) / 2).sum(), w_T.sum(), normalizer)
    return Loss(value, means(w_T, squared_error=free_T, clipped=(held_T > free_T).to(w_T)))


def _ratio(log_ratio: Tensor) -> Tensor:
    return torch.exp(log_ratio.clamp(-MAX_LOG_RATIO, MAX_LOG_RATIO))


def _clipped(ratio: Tensor, advantage: Tensor, low: float, high: float) -> Tensor:
    return -torch.minimum(ratio * advantage, ratio.clamp(1 - low, 1 + high) * advantage)


def _ratio_metrics(ratio: Tensor, advantage: Tensor, low: float, high: float) -> dict[str, Tensor]:
    """``behaviour_kl``: k3 estimate of KL(μ‖π); ``clipped_*``: share whose gradient is cut."""
    return {
        "ratio": ratio,
        "behaviour_kl": ratio - 1 - ratio.log(),
        "clipped_low": ((ratio < 1 - low) & (advantage < 0)).to(ratio),
        "clipped_high": ((ratio > 1 + high) & (advantage > 0)).to(ratio),
    }


def _aggregate(
    loss_T: Tensor,
    sequence_T: Tensor,
    w_S: Tensor,
    normalization: Normalization,
    max_length: int | None,
    normalizer: float | None,
) -> Tensor:
    w_T = w_S[sequence_T]
    if normalization == "token":
        return divide((w_T * loss_T).sum(), w_T.sum(), normalizer)
    if normalization == "sequence":
        lengths_S = sequence_lengths(sequence_T, len(w_S)).clamp(min=1)
        return divide((w_T * loss_T / lengths_S[sequence_T]).sum(), w_S.sum(), normalizer)
    if max_length is None:
        raise ValueError("normalization 'dr_grpo' needs max_length")
    return divide((w_T * loss_T).sum() / max_length, w_S.sum(), normalizer)
