"""Log-probabilities and divergences without ever holding a (tokens x vocabulary) tensor."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

CHUNK = 256


class _TokenLogprobs(torch.autograd.Function):
    """log softmax(h Wᵀ)[target] row by row, in chunks, for a frozen head W (V, d).

    The gradient of row t with respect to h_t is W[target] - softmax(h_t Wᵀ) W: it does not depend
    on the loss, so it is made in the forward pass while the chunk's probabilities are at hand, and
    the backward pass only scales it. Two products per token instead of three with recomputation.
    """

    @staticmethod
    def forward(ctx: Any, hidden_Cd: Tensor, head_Vd: Tensor, target_C: Tensor) -> Tensor:
        logps = torch.empty(hidden_Cd.shape[0], dtype=torch.float32, device=hidden_Cd.device)
        jacobian = torch.empty_like(hidden_Cd)
        for start in range(0, hidden_Cd.shape[0], CHUNK):
            rows = slice(start, start + CHUNK)
            target = target_C[rows, None]
            log_p = torch.log_softmax(torch.mm(hidden_Cd[rows], head_Vd.T), -1, torch.float32)
            logps[rows] = log_p.gather(1, target)[:, 0]
            expected = torch.mm(log_p.exp_().to(head_Vd.dtype), head_Vd)
            jacobian[rows] = head_Vd[target[:, 0]] - expected
        ctx.save_for_backward(jacobian)
        return logps

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None]:
        (jacobian,) = ctx.saved_tensors
        return (grads[0][:, None] * jacobian).to(jacobian.dtype), None, None


def token_logprobs(
    hidden_Cd: Tensor,
    head_Vd: Tensor,
    target_C: Tensor,
    multiply: Callable[[Tensor], Tensor] | None = None,
) -> Tensor:
    """Log-probabilities (C,) in float32 of ``target_C`` given normed hidden states (C, d).

    Differentiable with respect to ``hidden_Cd``; the head is taken as frozen. Without gradient
    ``multiply`` (a faster product with the head) is used when given.
    """
    if torch.is_grad_enabled() and hidden_Cd.requires_grad:
        result: Tensor = _TokenLogprobs.apply(hidden_Cd, head_Vd, target_C)  # type: ignore[no-untyped-call]
        return result
    logps = torch.empty(hidden_Cd.shape[0], dtype=torch.float32, device=hidden_Cd.device)
    for start in range(0, hidden_Cd.shape[0], CHUNK):
        rows = slice(start, start + CHUNK)
        h = hidden_Cd[rows]
        logits = torch.mm(h, head_Vd.T) if multiply is None else multiply(h)
        logits = logits.float()
        chosen = logits.gather(1, target_C[rows, None])[:, 0]
        logps[rows] = chosen - torch.logsumexp(logits, -1)
    return logps


@torch.no_grad()
def target_and_best(hidden_Cd: Tensor, head_Vd: Tensor, target_C: Tensor) -> Tensor:
    """Log-probabilities (C, 2) in float32: of ``target_C``, and of the likeliest token instead."""
    out = torch.empty(hidden_Cd.shape[0], 2, dtype=torch.float32, device=hidden_Cd.device)
    for start in range(0, hidden_Cd.shape[0], CHUNK):
        rows = slice(start, start + CHUNK)
        logits = torch.mm(hidden_Cd[rows], head_Vd.T).float()
        chosen = logits.gather(1, target_C[rows, None])[:, 0]
        both = torch.stack((chosen, logits.amax(-1)), 1)
        out[rows] = both - torch.logsumexp(logits, -1, keepdim=True)
    return out


class _TokenDivergences(torch.autograd.Function):
    """KL(p ‖ q) row by row, in chunks, for p = softmax(r Wᵀ), q = softmax(h Wᵀ), W frozen.

    Its gradient with respect to h_t, (q_t - p_t) W, is made in the forward pass as well.
    """

    @staticmethod
    def forward(ctx: Any, hidden_Cd: Tensor, reference_Cd: Tensor, head_Vd: Tensor) -> Tensor:
        divergences = torch.empty(hidden_Cd.shape[0], dtype=torch.float32, device=hidden_Cd.device)
        jacobian = torch.empty_like(hidden_Cd)
        for start in range(0, hidden_Cd.shape[0], CHUNK):
            rows = slice(start, start + CHUNK)
            log_q = torch.log_softmax(torch.mm(hidden_Cd[rows], head_Vd.T), -1, torch.float32)
            log_p = torch.log_softmax(torch.mm(reference_Cd[rows], head_Vd.T), -1, torch.float32)
            p = log_p.exp()
            divergences[rows] = (p * (log_p - log_q)).sum(-1)
            jacobian[rows] = torch.mm(log_q.exp_().sub_(p).to(head_Vd.dtype), head_Vd)
        ctx.save_for_backward(jacobian)
        return divergences

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None]:
        (jacobian,) = ctx.saved_tensors
        return (grads[0][:, None] * jacobian).to(jacobian.dtype), None, None


def token_divergences(hidden_Cd: Tensor, reference_Cd: Tensor, head_Vd: Tensor) -> Tensor:
    """KL(reference ‖ model) in nats, (C,) float32, of the next-token distributions at C tokens.

    Both arguments are normed hidden states (C, d). Differentiable with respect to ``hidden_Cd``.
    """
    result: Tensor = _TokenDivergences.apply(  # type: ignore[no-untyped-call]
        hidden_Cd, reference_Cd, head_Vd
    )
    return result
