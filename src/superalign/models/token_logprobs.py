"""Log-probabilities and divergences without ever holding a (tokens x vocabulary) tensor."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from superalign.models.native import kernels
from superalign.models.products import Form, Product, product_with

CHUNK = 256


class Head:
    """A frozen output head W (V, d).

    Args:
        weight_Vd: W.
        form: how W is kept for each of its two products; see ``product_with``.
    """

    def __init__(self, weight_Vd: Tensor, form: Form = "plain") -> None:
        self.weight_Vd, self._form = weight_Vd, form

    @cached_property
    def logits(self) -> Product:
        """h -> h Wᵀ."""
        return product_with(self.weight_Vd, None, self._form)

    @cached_property
    def back(self) -> Product:
        """p -> p W."""
        return product_with(self.weight_Vd.T, None, self._form)


def _log_softmax_at(logits_CV: Tensor, target_C: Tensor, keep: bool = False) -> Tensor:
    """log softmax(logits)[target] (C,) float32; ``keep``: the logits become the probabilities."""
    fast = kernels(logits_CV.device.type, logits_CV.dtype)
    if fast is not None:
        return fast.log_softmax_at(logits_CV, target_C, keep)
    log_p = torch.log_softmax(logits_CV, -1, torch.float32)
    chosen = log_p.gather(1, target_C[:, None])[:, 0]
    if keep:
        logits_CV.copy_(log_p.exp_())
    return chosen


def _divergence(logits_q: Tensor, logits_p: Tensor) -> Tensor:
    """KL(p ‖ q) (C,) float32 of the softmaxes; the first logits become softmax(q) - softmax(p)."""
    fast = kernels(logits_q.device.type, logits_q.dtype)
    if fast is not None:
        return fast.divergence(logits_q, logits_p)
    log_q = torch.log_softmax(logits_q, -1, torch.float32)
    log_p = torch.log_softmax(logits_p, -1, torch.float32)
    p = log_p.exp()
    found = (p * (log_p - log_q)).sum(-1)
    logits_q.copy_(log_q.exp_().sub_(p))
    return found


class _Rows(torch.autograd.Function):
    """Values (C,) of hidden states (C, d) whose Jacobian (C, d), row by row, is known already.

    It does not depend on the loss: it is made while a chunk's probabilities are at hand, and the
    backward pass only scales it. Two products per token instead of three with recomputation.
    """

    @staticmethod
    def forward(ctx: Any, hidden_Cd: Tensor, values_C: Tensor, jacobian_Cd: Tensor) -> Tensor:
        ctx.save_for_backward(jacobian_Cd)
        return values_C

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None]:
        (jacobian,) = ctx.saved_tensors
        return (grads[0][:, None] * jacobian).to(jacobian.dtype), None, None


def _rows(hidden_Cd: Tensor, values_C: Tensor, jacobian_Cd: Tensor) -> Tensor:
    result: Tensor = _Rows.apply(hidden_Cd, values_C, jacobian_Cd)  # type: ignore[no-untyped-call]
    return result


def token_logprobs(hidden_Cd: Tensor, head: Head, target_C: Tensor) -> Tensor:
    """Log-probabilities (C,) in float32 of ``target_C`` given normed hidden states (C, d).

    Differentiable with respect to ``hidden_Cd``; the head is taken as frozen. The gradient of row t
    is W[target] - softmax(h_t Wᵀ) W.
    """
    logps = torch.empty(hidden_Cd.shape[0], dtype=torch.float32, device=hidden_Cd.device)
    jacobian = torch.empty_like(hidden_Cd) if _wanted(hidden_Cd) else None
    with torch.no_grad():
        for start in range(0, hidden_Cd.shape[0], CHUNK):
            rows = slice(start, start + CHUNK)
            logits, target = head.logits(hidden_Cd[rows]), target_C[rows]
            logps[rows] = _log_softmax_at(logits, target, keep=jacobian is not None)
            if jacobian is not None:
                jacobian[rows] = head.weight_Vd[target] - head.back(logits)
    return logps if jacobian is None else _rows(hidden_Cd, logps, jacobian)


def _wanted(x: Tensor) -> bool:
    return torch.is_grad_enabled() and x.requires_grad


@torch.no_grad()
def target_and_best(hidden_Cd: Tensor, head: Head, target_C: Tensor) -> Tensor:
    """Log-probabilities (C, 2) in float32: of ``target_C``, and of the likeliest token instead."""
    out = torch.empty(hidden_Cd.shape[0], 2, dtype=torch.float32, device=hidden_Cd.device)
    for start in range(0, hidden_Cd.shape[0], CHUNK):
        rows = slice(start, start + CHUNK)
        logits = head.logits(hidden_Cd[rows]).float()
        chosen = logits.gather(1, target_C[rows, None])[:, 0]
        both = torch.stack((chosen, logits.amax(-1)), 1)
        out[rows] = both - torch.logsumexp(logits, -1, keepdim=True)
    return out


def token_divergences(hidden_Cd: Tensor, reference_Cd: Tensor, head: Head) -> Tensor:
    """KL(reference ‖ model) in nats, (C,) float32, of the next-token distributions at C tokens.

    Both arguments are normed hidden states (C, d). Differentiable with respect to ``hidden_Cd``:
    the gradient of row t is (softmax(h_t Wᵀ) - softmax(r_t Wᵀ)) W.
    """
    divergences = torch.empty(hidden_Cd.shape[0], dtype=torch.float32, device=hidden_Cd.device)
    jacobian = torch.empty_like(hidden_Cd) if _wanted(hidden_Cd) else None
    with torch.no_grad():
        for start in range(0, hidden_Cd.shape[0], CHUNK):
            rows = slice(start, start + CHUNK)
            q = head.logits(hidden_Cd[rows])
            divergences[rows] = _divergence(q, head.logits(reference_Cd[rows]))
            if jacobian is not None:
                jacobian[rows] = head.back(q)
    return divergences if jacobian is None else _rows(hidden_Cd, divergences, jacobian)
