"""Attention in blocks of queries: keys after a block are never multiplied, and no scores are kept.

On a CPU two plain products a block are faster than PyTorch's fused kernel, forward and backward. The
backward pass computes the probabilities again from the queries and keys (as in arXiv 2205.14135)
unless there is one block only, so that memory grows with the tokens and not with their square.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

BLOCK = 128  # queries; 64 and 256 are slower from 512 keys on


class Block(NamedTuple):
    """Queries ``start`` to ``end`` see the first ``keys`` keys; ``bias`` (1 or n, G * b, keys) is
    -inf where a key is hidden, for G query heads of one key/value head, one after the other."""

    start: int
    end: int
    keys: int
    bias: Tensor


def blocks(allowed: Tensor, prefix: int, groups: int, size: int, dtype: torch.dtype) -> list[Block]:
    """Blocks of at most ``size`` queries under ``allowed`` (1 or n, L, L), which is lower triangular,
    after ``prefix`` keys that all see."""
    made = []
    for start in range(0, allowed.shape[1], size):
        end = min(start + size, allowed.shape[1])
        part = F.pad(allowed[:, start:end, :end], (prefix, 0), value=True)
        bias = torch.zeros(part.shape, dtype=dtype, device=part.device)
        bias.masked_fill_(~part, float("-inf"))
        made.append(Block(start, end, prefix + end, bias.repeat(1, groups, 1)))
    return made


def attend(q: Tensor, k: Tensor, v: Tensor, parts: Sequence[Block], scale: float) -> Tensor:
    """softmax(scale * q kᵀ + bias) v for q (n, G, L, D), k and v (n, S, D): (n, G, L, D)."""
    result: Tensor = _Attend.apply(q, k, v, parts, scale)  # type: ignore[no-untyped-call]
    return result


def fused(q: Tensor, k: Tensor, v: Tensor, whole: Block, scale: float) -> Tensor:
    """The same by PyTorch's kernel, for a single block."""
    heads = q.shape[0] // whole.bias.shape[0]  # that share a mask
    rows, keys, values = (x.view(-1, heads, *x.shape[1:]) for x in (q.flatten(1, 2), k, v))
    mask = whole.bias[:, None]
    out = F.scaled_dot_product_attention(rows, keys, values, attn_mask=mask, scale=scale)
    return out.reshape(q.shape)


def _rows(x: Tensor, part: Block) -> Tensor:
    """The block's rows of x (n, G, L, D): (n, G * b, D)."""
    return x[:, :, part.start : part.end].reshape(x.shape[0], -1, x.shape[3])


def _probabilities(q: Tensor, k: Tensor, part: Block, scale: float) -> Tensor:
    bias = part.bias
    if bias.shape[0] > 1:
        bias = bias.repeat_interleave(q.shape[0] // bias.shape[0], 0)
    return torch.softmax(torch.baddbmm(bias, q, k.transpose(1, 2), alpha=scale), -1)


class _Attend(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, q: Tensor, k: Tensor, v: Tensor, parts: Sequence[Block], scale: float
    ) -> Tensor:
        out = torch.empty_like(q, memory_format=torch.contiguous_format)
        p = None
        for part in parts:
            p = _probabilities(_rows(q, part), k[:, : part.keys], part, scale)
            mixed = torch.bmm(p, v[:, : part.keys])
            out[:, :, part.start : part.end] = mixed.view(*q.shape[:2], -1, q.shape[3])
        ctx.save_for_backward(q, k, v, p if len(parts) == 1 else None)
        ctx.parts, ctx.scale = parts, scale
        return out

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        q, k, v, kept = ctx.saved_tensors
        sums = torch.float32 if kept is None else k.dtype
        dq = torch.empty_like(q, memory_format=torch.contiguous_format)
        dk, dv = torch.zeros_like(k, dtype=sums), torch.zeros_like(v, dtype=sums)
        for part in ctx.parts:
            rows, keys, values = _rows(q, part), k[:, : part.keys], v[:, : part.keys]
            p = _probabilities(rows, keys, part, ctx.scale) if kept is None else kept
            grad = _rows(grads[0], part)
            dv[:, : part.keys] += torch.bmm(p.transpose(1, 2), grad)
            dp = torch.bmm(grad, values.transpose(1, 2))
            ds = torch.ops.aten._softmax_backward_data(dp, p, -1, p.dtype)
            dk[:, : part.keys] += torch.bmm(ds.transpose(1, 2), rows)
            dq[:, :, part.start : part.end] = torch.bmm(ds, keys).view(*q.shape[:2], -1, q.shape[3])
        return dq.mul_(ctx.scale), dk.mul_(ctx.scale).to(k.dtype), dv.to(v.dtype), None, None
