"""Losses as pure functions of the per-token log-probabilities of packed completions.

Shapes: T completion tokens, S sequences, P pairs. Sequences lie end to end: ``logps_T[t]`` (nats)
belongs to sequence ``sequence_T[t]`` (int64, 0 to S-1; a sequence may be empty). A pair's two
sequences are neighbours, chosen first, so S = 2P and sequences 2p and 2p+1 make pair p.

Every loss is called as ``loss(logps_T, sequence_T, S, *, data, options)`` and gives a ``Loss``.
Weights are non-negative; weight 0 leaves an example out of the value, the default normalizer and
the metrics. ``normalizer`` is the denominator. By default it is counted in this micro-batch (the
docstring says what is counted); for gradient accumulation pass the whole batch's count with every
micro-batch, and their values and gradients add up to the whole batch's, whatever the cut.
"""

from __future__ import annotations

from typing import Literal, NamedTuple, TypedDict, Unpack

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from superalign.errors import InputError

Normalization = Literal["token", "sequence", "dr_grpo"]
KLEstimator = Literal["k1", "k2", "k3"]
MAX_LOG_RATIO = 20.0


class Loss(NamedTuple):
    """``value``: scalar to minimise. ``metrics``: weighted means, NaN where nothing was counted."""

    value: Tensor
    metrics: dict[str, float]


def sequence_sums(logps_T: Tensor, sequence_T: Tensor, S: int) -> Tensor:
    """Sum over each sequence's tokens, (S,), in float32 or better; 0 for an empty sequence."""
    _require(logps_T.shape[0], sequence_T=sequence_T)
    logps_T = logps_T.to(torch.promote_types(logps_T.dtype, torch.float32))
    return logps_T.new_zeros(S).index_add(0, sequence_T, logps_T)


def sequence_lengths(sequence_T: Tensor, S: int) -> Tensor:
    """Tokens of each sequence, (S,) int64."""
    return torch.bincount(sequence_T, minlength=S)


def kl_estimate(logps_T: Tensor, reference_T: Tensor, estimator: KLEstimator = "k3") -> Tensor:
    """Per-token estimate (T,) of KL(π‖ref) in nats for tokens sampled from π (Schulman, 2020).

    With d = log π − log ref: k1 = d (unbiased, any sign), k2 = d²/2 (biased, ≥ 0),
    k3 = e^(−d) − 1 + d (unbiased, ≥ 0). As a *loss* on samples of π the gradients differ
    (arXiv 2506.09477): k1's is 0 in expectation, k2's is KL(π‖ref)'s, k3's is KL(ref‖π)'s.
    """
    _require(logps_T.shape[0], reference_T=reference_T)
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
    w_S = _ones_or(weight_S, S, logps_T)
    p_S = _ones_or(probability_S, S, logps_T)
    w_T = w_S[sequence_T]
    value = _divide(-(w_T * p_S[sequence_T] * logps_T).sum(), w_T.sum(), normalizer)
    return Loss(value, _means(w_T, nll=-logps_T))


def dpo(
    logps_T: Tensor,
    sequence_T: Tensor,
    S: int,
    *,
    reference_S: Tensor,
    beta: float = 0.1,
    probability_P: Tensor | None = None,
    weight_P: Tensor | None = None,
    label_smoothing: float = 0.0,
    length_normalized: bool = False,
    sft_alpha: float = 0.0,
    normalizer: float | None = None,
) -> Loss:
    """Direct preference optimisation (arXiv 2305.18290) with soft labels: −q·log σ(βh) − (1−q)·log σ(−βh).

    h = log π/ref (chosen) − log π/ref (rejected), from sums over tokens; ``reference_S`` holds the
    reference's sums. q = p(1−ε) + (1−p)ε with p = ``probability_P`` that chosen is the better one
    and ε = ``label_smoothing`` (cDPO of Mitchell, 2023, when p = 1). p = 1, ε = 0 is the textbook.
    ``length_normalized`` divides each side of h by its length (Tülu 3, arXiv 2411.15124).
    ``sft_alpha`` adds α·(p·NLL(chosen) + (1−p)·NLL(rejected)), per token of its own sequence
    (arXiv 2404.19733, there with p = 1). Default normalizer: Σ_P w.
    """
    pairs = _pairs(
        logps_T, sequence_T, S, reference_S, probability_P, weight_P, length_normalized
    )
    p_P = pairs.probability_P
    q_P = p_P * (1 - label_smoothing) + (1 - p_P) * label_smoothing
    return _pair_loss(_logistic(q_P, beta * pairs.gap_P), pairs, beta, sft_alpha, normalizer)


def rdpo(
    logps_T: Tensor,
    sequence_T: Tensor,
    S: int,
    *,
    reference_S: Tensor,
    flip_rate: float | Tensor,
    beta: float = 0.1,
    probability_P: Tensor | None = None,
    weight_P: Tensor | None = None,
    length_normalized: bool = False,
    sft_alpha: float = 0.0,
    normalizer: float | None = None,
) -> Loss:
    """Robust DPO (arXiv 2403.00409): ((1−ε)·ℓ(h) − ε·ℓ(−h)) / (1−2ε), ℓ(h) = −log σ(βh).

    In expectation it is the DPO loss on clean labels when labels are flipped with rate ε. ε =
    ``flip_rate`` may differ by pair (P,), since sources err differently. A soft label p takes the
    expectation of the formula, which is DPO with q = (p−ε)/(1−2ε), the label with its noise
    inverted; q may leave [0, 1]. The value has no lower bound: it needs ε well below 1/2.

    Raises:
        InputError: a flip rate outside [0, 0.5).
    """
    pairs = _pairs(
        logps_T, sequence_T, S, reference_S, probability_P, weight_P, length_normalized
    )
    rate = torch.as_tensor(flip_rate).to(pairs.gap_P)
    if not bool(((rate >= 0) & (rate < 0.5)).all()):
        raise InputError(f"flip_rate: {flip_rate} is outside the allowed range [0, 0.5)")
    if rate.ndim:
        _require(S // 2, flip_rate=rate)
    q_P = (pairs.probability_P - rate) / (1 - 2 * rate)
    return _pair_loss(_logistic(q_P, beta * pairs.gap_P), pairs, beta, sft_alpha, normalizer)


def ipo(
    logps_T: Tensor,
    sequence_T: Tensor,
    S: int,
    *,
    reference_S: Tensor,
    beta: float = 0.1,
    probability_P: Tensor | None = None,
    weight_P: Tensor | None = None,
    length_normalized: bool = True,
    sft_alpha: float = 0.0,
    normalizer: float | None = None,
) -> Loss:
    """Identity preference optimisation (arXiv 2310.12036, eq. 17): (h − 1/(2β))², β its τ.

    A soft label gives p·(h − 1/(2β))² + (1−p)·(h + 1/(2β))², whose minimum is h = (2p−1)/(2β): a
    bounded margin even when p = 1. h averages over tokens, as its authors do; the formula as
    printed has ``length_normalized=False``. Default normalizer: Σ_P w.
    """
    pairs = _pairs(
        logps_T, sequence_T, S, reference_S, probability_P, weight_P, length_normalized
    )
    target, h_P, p_P = 1 / (2 * beta), pairs.gap_P, pairs.probability_P
    pair_P = p_P * (h_P - target).square() + (1 - p_P) * (h_P + target).square()
    return _pair_loss(pair_P, pairs, beta, sft_alpha, normalizer)


class PolicyOptions(TypedDict, total=False):
    """Data and options that ``ppo_clip`` and ``grpo`` share; documented at ``ppo_clip``."""

    behaviour_T: Tensor | None
    reference_T: Tensor | None
    entropy_T: Tensor | None
    weight_S: Tensor | None
    clip_low: float
    clip_high: float
    kl_coef: float
    kl_estimator: Literal["k2", "k3"]
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
    kl_estimator: Literal["k2", "k3"] = "k3",
    entropy_coef: float = 0.0,
    normalization: Normalization = "token",
    max_length: int | None = None,
    normalizer: float | None = None,
) -> Loss:
    """Clipped surrogate (arXiv 1707.06347): −min(r·A, clip(r, 1−low, 1+high)·A) per token.

    r = π/μ with μ = ``behaviour_T``, the log-probabilities at sampling time (None: on-policy, r is
    1 but keeps its gradient). Per token ``kl_coef``·KL(π‖ref) is added and ``entropy_coef`` times
    ``entropy_T`` (nats, with gradient) subtracted, before ``normalization``:

    - ``token``: Σ_T w·loss / Σ_T w (TRL's ``bnpo``; DAPO, arXiv 2503.14476, when ``normalizer`` is
      the token count of the whole batch),
    - ``sequence``: Σ_S w·(mean over the sequence) / Σ_S w (GRPO as published),
    - ``dr_grpo``: Σ_T w·loss / (max_length·Σ_S w) (arXiv 2503.20783); the normalizer is Σ_S w.

    Unlike the textbook, |log r| is cut at 20 so that no ratio overflows, the two clips may differ,
    and the value loss is apart (``value_loss``).
    """
    if behaviour_T is None:
        behaviour_T = logps_T.detach()
    _require(logps_T.shape[0], advantage_T=advantage_T, behaviour_T=behaviour_T)
    w_S = _ones_or(weight_S, S, logps_T)
    ratio_T = _ratio(logps_T - behaviour_T)
    loss_T = _clipped(ratio_T, advantage_T, clip_low, clip_high)
    measured = _ratio_metrics(ratio_T, advantage_T, clip_low, clip_high)
    if reference_T is not None:
        kl_T = kl_estimate(logps_T, reference_T, kl_estimator)
        loss_T = loss_T + kl_coef * kl_T
        measured["kl"] = kl_T
    elif kl_coef:
        raise ValueError("kl_coef needs reference_T")
    if entropy_T is not None:
        _require(logps_T.shape[0], entropy_T=entropy_T)
        loss_T = loss_T - entropy_coef * entropy_T
        measured["entropy"] = entropy_T
    elif entropy_coef:
        raise ValueError("entropy_coef needs entropy_T")
    value = _aggregate(loss_T, sequence_T, w_S, normalization, max_length, normalizer)
    return Loss(value, _means(w_S[sequence_T], **measured))


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
    _require(S, advantage_S=advantage_S)
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
    _require(S, advantage_S=advantage_S)
    w_S = _ones_or(weight_S, S, logps_T)
    logps_S = sequence_sums(logps_T, sequence_T, S)
    value = _divide(-(w_S * advantage_S * logps_S).sum(), w_S.sum(), normalizer)
    return Loss(value, _means(w_S, logps=logps_S, advantage=advantage_S))


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
    _require(S, advantage_S=advantage_S)
    _require(logps_T.shape[0], behaviour_T=behaviour_T)
    w_S = _ones_or(weight_S, S, logps_T)
    ratio_S = _ratio(sequence_sums(logps_T - behaviour_T, sequence_T, S))
    loss_S = _clipped(ratio_S, advantage_S, clip_low, clip_high)
    measured = _ratio_metrics(ratio_S, advantage_S, clip_low, clip_high)
    return Loss(_divide((w_S * loss_S).sum(), w_S.sum(), normalizer), _means(w_S, **measured))


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
    _require(values_T.shape[0], returns_T=returns_T, behaviour_T=behaviour_T)
    w_T = _ones_or(weight_S, S, values_T)[sequence_T]
    near_T = behaviour_T + (values_T - behaviour_T).clamp(-clip, clip)
    free_T, held_T = (values_T - returns_T).square(), (near_T - returns_T).square()
    value = _divide((w_T * torch.maximum(free_T, held_T) / 2).sum(), w_T.sum(), normalizer)
    return Loss(value, _means(w_T, squared_error=free_T, clipped=(held_T > free_T).to(w_T)))


class _Pairs(NamedTuple):
    """``ratio_P2``: log π/ref of chosen and rejected; ``nll_P2``: mean NLL of a token (nats)."""

    ratio_P2: Tensor
    nll_P2: Tensor
    probability_P: Tensor
    weight_P: Tensor

    @property
    def gap_P(self) -> Tensor:
        return self.ratio_P2[:, 0] - self.ratio_P2[:, 1]


def _pairs(
    logps_T: Tensor,
    sequence_T: Tensor,
    S: int,
    reference_S: Tensor,
    probability_P: Tensor | None,
    weight_P: Tensor | None,
    length_normalized: bool,
) -> _Pairs:
    if S % 2:
        raise ValueError(f"pairs need an even number of sequences, not {S}")
    _require(S, reference_S=reference_S)
    sums_S = sequence_sums(logps_T, sequence_T, S)
    lengths_S = sequence_lengths(sequence_T, S).clamp(min=1)
    ratio_S = sums_S - reference_S
    ratio_S = ratio_S / lengths_S if length_normalized else ratio_S
    p_P, w_P = _ones_or(probability_P, S // 2, sums_S), _ones_or(weight_P, S // 2, sums_S)
    return _Pairs(ratio_S.view(-1, 2), (-sums_S / lengths_S).view(-1, 2), p_P, w_P)


def _logistic(q_P: Tensor, logit_P: Tensor) -> Tensor:
    return -q_P * logsigmoid(logit_P) - (1 - q_P) * logsigmoid(-logit_P)


def _pair_loss(
    pair_P: Tensor, pairs: _Pairs, beta: float, sft_alpha: float, normalizer: float | None
) -> Loss:
    """Weighted mean of ``pair_P`` and the imitation term. A tie counts half in ``accuracy``."""
    p_P, w_P, gap_P = pairs.probability_P, pairs.weight_P, pairs.gap_P.detach()
    if sft_alpha:
        nll_P = p_P * pairs.nll_P2[:, 0] + (1 - p_P) * pairs.nll_P2[:, 1]
        pair_P = pair_P + sft_alpha * nll_P
    value = _divide((w_P * pair_P).sum(), w_P.sum(), normalizer)
    chosen_P, rejected_P = beta * pairs.ratio_P2.detach().unbind(1)
    metrics = _means(w_P, chosen=chosen_P, rejected=rejected_P, margin=beta * gap_P)
    agree_P = (1 + gap_P.sign() * (p_P - 0.5).sign()) / 2
    return Loss(value, metrics | _means(w_P * (p_P != 0.5), accuracy=agree_P))


def _ratio(log_ratio: Tensor) -> Tensor:
    return torch.exp(log_ratio.clamp(-MAX_LOG_RATIO, MAX_LOG_RATIO))


def _clipped(ratio: Tensor, advantage: Tensor, low: float, high: float) -> Tensor:
    return -torch.minimum(ratio * advantage, ratio.clamp(1 - low, 1 + high) * advantage)


def _ratio_metrics(
    ratio: Tensor, advantage: Tensor, low: float, high: float
) -> dict[str, Tensor]:
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
        return _divide((w_T * loss_T).sum(), w_T.sum(), normalizer)
    if normalization == "sequence":
        lengths_S = sequence_lengths(sequence_T, len(w_S)).clamp(min=1)
        return _divide((w_T * loss_T / lengths_S[sequence_T]).sum(), w_S.sum(), normalizer)
    if max_length is None:
        raise ValueError("normalization 'dr_grpo' needs max_length")
    return _divide((w_T * loss_T).sum() / max_length, w_S.sum(), normalizer)


def _divide(total: Tensor, count: Tensor, normalizer: float | None) -> Tensor:
    """``total / normalizer``; 0, with zero gradient, when nothing was counted."""
    if normalizer is None:
        return total / torch.where(count > 0, count, 1.0)
    if normalizer <= 0:
        raise ValueError(f"normalizer must be positive, not {normalizer}")
    return total / normalizer


def _means(weight: Tensor, **columns: Tensor) -> dict[str, float]:
    """Weighted means with one transfer from the device; NaN when the weights sum to 0."""
    rows = torch.stack([column.detach().to(weight) for column in columns.values()])
    return dict(zip(columns, ((rows * weight).sum(1) / weight.sum()).tolist(), strict=True))


def _ones_or(given: Tensor | None, n: int, like: Tensor) -> Tensor:
    if given is None:
        return torch.ones(n, dtype=like.dtype, device=like.device)
    _require(n, given=given)
    return given.to(like)


def _require(n: int, **tensors: Tensor) -> None:
    """Each tensor has shape (n,): a wrong one would broadcast in silence."""
    for name, tensor in tensors.items():
        if tensor.shape != (n,):
            raise ValueError(f"{name} has shape {tuple(tensor.shape)}, expected ({n},)")
