"""Matrices in 8-bit integers: what ``@weights=int8`` multiplies with.

Each group of 32 columns of a row is stored in steps of its largest size / 127, the matrix once and what it
is multiplied with as it comes (the blocks of llama.cpp's Q8_0; per-row steps, as in LLM.int8(),
arXiv 2208.07339, are several times as far off here). Half of the bytes to read, and twice the
multiplications an instruction. ``products_int8.c`` computes it where the processor has AVX512-VNNI:
a group's sum is exact and groups are added in order, so that a row's result does not depend on its
neighbours. PyTorch computes the same elsewhere, up to that order and to no gain in time.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from superalign.models import native

LARGEST = 127
PANEL, GROUP, FOUR = 32, 32, 4  # rows and columns that lie together; as in products_int8.c
OFFSET = 128  # added to the matrix: the instruction takes it without a sign


def quantised(x: Tensor, kind: torch.dtype = torch.float32) -> tuple[Tensor, Tensor]:
    """Rows of x (n, width) in steps: int8 (n, groups, 32), and each group's step (n, groups).

    A value is off by half a step at most; a group of zeros has steps of 0. Columns that are missing of the
    last group are zero.

    Args:
        x: the rows.
        kind: what steps are rounded to.
    """
    groups = F.pad(x.float(), (0, -x.shape[1] % GROUP)).unflatten(1, (-1, GROUP))
    largest = groups.abs().amax(2, keepdim=True)
    steps = (largest / LARGEST).to(kind)
    # A number divided by a tensor would be multiplied by a reciprocal, and ties round elsewhere.
    full = (
        torch.full_like(largest, LARGEST) / largest if kind == torch.float32 else 1 / steps.float()
    )
    scale = torch.where(largest > 0, full, 0.0)
    whole = (groups * scale).round().clamp(-LARGEST, LARGEST)
    return whole.to(torch.int8), steps[..., 0]


class Int8Matrix:
    """A fixed matrix w (out, in) in 8-bit integers, its steps in bfloat16."""

    def __init__(self, weight: Tensor, bias: Tensor | None) -> None:
        self.rows, self.width = weight.shape
        self._bias = None if bias is None else bias.contiguous()
        whole, steps = quantised(weight, torch.bfloat16)
        self._library: Any = _library(weight)
        if self._library is None:
            self._plain = _values(whole, steps, self.width)
        else:
            self._panels, self._steps = _packed(whole, steps)
            kept = (self._panels, self._steps, self._bias)
            self._kept = [native.pointer(x) for x in kept]
            self._scratch = self._steps.shape[1] * (GROUP + 8)  # bytes a row

    def __call__(self, x: Tensor, residual: Tensor | None = None) -> Tensor:
        """x wᵀ + bias + residual for x (n, in), rounded once to x's type; nothing for autograd."""
        if self._library is None:
            return self._with_torch(x, residual)
        x, n = x.contiguous(), x.shape[0]
        residual = None if residual is None else residual.contiguous()
        out = x.new_empty(n, self.rows)
        scratch = torch.empty(n * self._scratch, dtype=torch.int8)
        self._library.multiply_int8(
            x.data_ptr(), *self._kept, native.pointer(residual), scratch.data_ptr(),
            out.data_ptr(), n, self.rows, self.width,
        )  # fmt: skip
        return out

    def _with_torch(self, x: Tensor, residual: Tensor | None) -> Tensor:
        out = _values(*quantised(x), self.width) @ self._plain.T
        for term in (self._bias, residual):
            out = out if term is None else out + term.float()
        return out.to(x.dtype)


def _values(whole: Tensor, steps: Tensor, width: int) -> Tensor:
    return (whole * steps.float()[..., None]).flatten(1)[:, :width]


def _packed(whole: Tensor, steps: Tensor) -> tuple[Tensor, Tensor]:
    """Panels, and steps (panels, groups, 32 rows); rows that are missing of the last are zero."""
    missing = -whole.shape[0] % PANEL
    whole, steps = F.pad(whole, (0, 0, 0, 0, 0, missing)), F.pad(steps, (0, 0, 0, missing))
    fours = (
        (whole.to(torch.int16) + OFFSET)
        .to(torch.uint8)
        .view(-1, PANEL, whole[0].numel() // FOUR, FOUR)
    )
    panels = fours.transpose(1, 2).contiguous()
    return panels, steps.view(-1, PANEL, steps.shape[1]).transpose(1, 2).contiguous()


def _library(weight: Tensor) -> Any:
    """The compiled products for this type on this processor; None where there are none."""
    library = native.library() if weight.device.type == "cpu" else None
    if library is None or weight.dtype != torch.bfloat16:
        return None
    return library if library.int8_products_available() else None
