"""Differentiable pieces of a block that keep little for the backward pass and copy nothing twice.

What PyTorch's own operations would keep between them (a float32 copy at each norm, gate and
activation apart, every gathered copy) is most of a training step's memory, and writing it much of
its time. Each function here keeps its inputs only.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from superalign.models.native import Kernels, PackedMatrix
from superalign.models.packing import Copies


class _RmsNorm(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, eps: float, fast: Kernels) -> Tensor:
        x = x.contiguous()
        ctx.save_for_backward(x, weight)
        ctx.eps, ctx.fast = eps, fast
        return fast.rms_norm(x, weight, eps)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None, None]:
        x, weight = ctx.saved_tensors
        return ctx.fast.rms_norm_backward(x, weight, grads[0], ctx.eps), None, None, None


class _GatedSilu(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, fused: Tensor, fast: Kernels) -> Tensor:
        ctx.save_for_backward(fused)
        ctx.fast = fast
        return fast.gated_silu(fused)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        return ctx.fast.gated_silu_backward(ctx.saved_tensors[0], grads[0]), None


class _Turn(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        fused: Tensor,
        table: tuple[Tensor, Tensor],
        positions: Tensor,
        heads: tuple[int, int],
        fast: Kernels,
    ) -> Tensor:
        ctx.table, ctx.positions, ctx.heads, ctx.fast = table, positions, heads, fast
        out = fused.clone(memory_format=torch.contiguous_format)
        fast.rotate(out, table, positions, (None, None), 0.0, *heads)
        return out

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None, None, None]:
        grad = grads[0].clone(memory_format=torch.contiguous_format)
        cos, sin = ctx.table
        ctx.fast.rotate(grad, (cos, -sin), ctx.positions, (None, None), 0.0, *ctx.heads)
        return grad, None, None, None, None


def _with_low_rank(
    product: Callable[..., Tensor], x: Tensor, residual: Tensor | None, z: Tensor, u: Tensor
) -> Tensor:
    """product(x, residual) + z uᵀ, in one go where the product can."""
    if isinstance(product, PackedMatrix) and z.shape[1] % 2 == 0:
        return product(x, residual, (z, u))
    out = product(x) if residual is None else product(x, residual)
    return out.addmm_(z, u.T)


class _LowRankLinear(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        residual: Tensor | None,
        a: Tensor,
        b: Tensor,
        frozen: Callable[..., Tensor],
        transposed: Callable[[Tensor], Tensor],
    ) -> Tensor:
        inner = x @ a.T
        ctx.save_for_backward(x, a, b, inner)
        ctx.transposed = transposed
        return _with_low_rank(frozen, x, residual, inner, b)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        x, a, b, inner = ctx.saved_tensors
        grad = grads[0].contiguous()
        into = grad @ b
        wanted = ctx.needs_input_grad[0]
        dx = _with_low_rank(ctx.transposed, grad, None, into, a.T) if wanted else None
        residual = grad if ctx.needs_input_grad[1] else None
        return dx, residual, into.T @ x, grad.T @ inner, None, None


class _FrozenLinear(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        residual: Tensor | None,
        frozen: Callable[..., Tensor],
        transposed: Callable[[Tensor], Tensor],
    ) -> Tensor:
        ctx.transposed = transposed
        return frozen(x) if residual is None else frozen(x, residual)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        grad = grads[0].contiguous()
        dx = ctx.transposed(grad) if ctx.needs_input_grad[0] else None
        return dx, grad if ctx.needs_input_grad[1] else None, None, None


class _ToGrid(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        rows: Tensor,
        slots: Tensor,
        copies: Copies | None,
        fast: Kernels | None,
    ) -> Tensor:
        ctx.slots, ctx.copies, ctx.fast = slots, copies, fast
        return x.index_select(0, rows)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None, None, None]:
        grid, copies = grads[0], ctx.copies
        if copies is None:
            return grid.index_select(0, ctx.slots), None, None, None, None
        if ctx.fast is not None:
            return ctx.fast.gather_sum(grid, copies), None, None, None, None
        counts = copies.starts.diff()
        token = torch.arange(counts.numel(), device=grid.device).repeat_interleave(counts)
        sums = grid.new_zeros(counts.numel(), *grid.shape[1:], dtype=torch.float32)
        sums.index_add_(0, token, grid[copies.cells].float())
        return sums.to(grid.dtype), None, None, None, None


class _FromGrid(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, grid: Tensor, slots: Tensor) -> Tensor:
        ctx.slots, ctx.cells = slots, grid.shape[0]
        return grid.index_select(0, slots)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        grad = grads[0]
        out = grad.new_zeros(ctx.cells, *grad.shape[1:])
        return out.index_copy_(0, ctx.slots, grad.contiguous()), None


def _apply(function: Any, *inputs: Any) -> Tensor:
    result: Tensor = function.apply(*inputs)
    return result


def rms_norm(x: Tensor, weight: Tensor, eps: float, fast: Kernels) -> Tensor:
    """x / rms(x) * weight over the last axis, for a frozen weight."""
    return _apply(_RmsNorm, x, weight, eps, fast)


def gated_silu(fused: Tensor, fast: Kernels) -> Tensor:
    """silu(gate) * up of rows that hold gate and then up (n, 2 * width)."""
    return _apply(_GatedSilu, fused, fast)


def turn(
    fused: Tensor,
    table: tuple[Tensor, Tensor],
    positions: Tensor,
    heads: tuple[int, int],
    fast: Kernels,
) -> Tensor:
    """Rotary embedding of the queries and keys in fused (T, H + 2 K, D); ``heads``: (H, K)."""
    return _apply(_Turn, fused, table, positions, heads, fast)


def low_rank_linear(
    x: Tensor,
    residual: Tensor | None = None,
    *,
    frozen: Callable[..., Tensor],
    transposed: Callable[[Tensor], Tensor],
    pair: tuple[Tensor, Tensor] | None,
) -> Tensor:
    """x Wᵀ + bias + (x Aᵀ) Bᵀ (+ residual) for a frozen W (out, in); pair: A (R, in), B (out, R).

    ``frozen`` multiplies by Wᵀ and adds the bias (and the residual, its second argument, where one
    is given); ``transposed`` multiplies a gradient by W.
    """
    if pair is None:
        return _apply(_FrozenLinear, x, residual, frozen, transposed)
    return _apply(_LowRankLinear, x, residual, *pair, frozen, transposed)


def to_grid(
    x: Tensor, rows: Tensor, slots: Tensor, copies: Copies | None, fast: Kernels | None
) -> Tensor:
    """Tokens x (T, ...) in the cells of a grid (B * L, ...); the arguments are a ``PackedBatch``'s.

    A cell of padding repeats a token and, being attended by nobody, must get no gradient.
    """
    return _apply(_ToGrid, x, rows, slots, copies, fast)


def from_grid(grid: Tensor, slots: Tensor) -> Tensor:
    """The cells ``slots`` (T,), no two equal, of a grid (B * L, ...): tokens (T, ...)."""
    return _apply(_FromGrid, grid, slots)
