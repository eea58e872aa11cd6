"""Losses on pairs of completions with soft labels: DPO, robust DPO, IPO.

A pair's two sequences are neighbours, chosen first: S = 2P, sequences 2p and 2p+1 make pair p.
Conventions, shapes and ``normalizer`` as in ``learner.losses``, through which these are called.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from superalign.errors import InputError
from superalign.learner.reductions import (
    Loss,
    divide,
    means,
    ones_or,
    require,
    sequence_lengths,
    sequence_sums,
)


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
    """DPO (arXiv 2305.18290) with soft labels: −q·log σ(βh) − (1−q)·log σ(−βh).

    h = log π/ref (chosen) − log π/ref (rejected), from sums over tokens; ``reference_S`` holds the
    reference's sums. q = p(1−ε) + (1−p)ε with p = ``probability_P`` that chosen is the better one
    and ε = ``label_smoothing`` (cDPO of Mitchell, 2023, when p = 1). p = 1, ε = 0 is the textbook.
    ``length_normalized`` divides each side of h by its length (Tülu 3, arXiv 2411.15124).
    ``sft_alpha`` adds α·(p·NLL(chosen) + (1−p)·NLL(rejected)), per token of its own sequence
    (arXiv 2404.19733, there with p = 1). Default normalizer: Σ_P w.
    """
    pairs = _pairs(logps_T, sequence_T, S, reference_S, probability_P, weight_P, length_normalized)
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
    pairs = _pairs(logps_T, sequence_T, S, reference_S, probability_P, weight_P, length_normalized)
    rate = torch.as_tensor(flip_rate).to(pairs.gap_P)
    if not bool(((rate >= 0) & (rate < 0.5)).all()):
        raise InputError(f"flip_rate: {flip_rate} is outside the allowed range [0, 0.5)")
    if rate.ndim:
        require(S // 2, flip_rate=rate)
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
    pairs = _pairs(logps_T, sequence_T, S, reference_S, probability_P, weight_P, length_normalized)
    target, h_P, p_P = 1 / (2 * beta), pairs.gap_P, pairs.probability_P
    pair_P = p_P * (h_P - target).square() + (1 - p_P) * (h_P + target).square()
    return _pair_loss(pair_P, pairs, beta, sft_alpha, normalizer)


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
    require(S, reference_S=reference_S)
    sums_S = sequence_sums(logps_T, sequence_T, S)
    lengths_S = sequence_lengths(sequence_T, S).clamp(min=1)
    ratio_S = sums_S - reference_S
    ratio_S = ratio_S / lengths_S if length_normalized else ratio_S
    p_P, w_P = ones_or(probability_P, S // 2, sums_S), ones_or(weight_P, S // 2, sums_S)
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
    value = divide((w_P * pair_P).sum(), w_P.sum(), normalizer)
    reward_P2 = beta * pairs.ratio_P2
    metrics = means(w_P, chosen=reward_P2[:, 0], rejected=reward_P2[:, 1], margin=beta * gap_P)
    agree_P = (1 + gap_P.sign() * (p_P - 0.5).sign()) / 2
    return Loss(value, metrics | means(w_P * (p_P != 0.5), accuracy=agree_P))
