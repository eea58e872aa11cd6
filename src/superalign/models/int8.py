"""Matrices in 8-bit integers: what ``@weights=int8`` multiplies with.

Each row of a matrix is stored in steps of its largest size / 127, and each row of what it is
multiplied with is rounded in the same way as it comes (per-channel and per-token symmetric
quantisation, as in LLM.int8(), arXiv 2208.07339, without its decomposition by outliers). Half of the bytes to
read, and twice the multiplications an instruction. The sums are exact, so that a row's result does
not depend on its neighbours. ``products_int8.c`` computes it where the processor has AVX512-VNNI;
PyTorch computes the same elsewhere, to no gain in time.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from superalign.models import native

LARGEST = 127
PANEL, FOUR = 32, 4  # rows and columns that lie together; as in products_int8.c
OFFSET = 128  # added to what is multiplied: the instruction takes it without a sign
WIDEST = (2**31 - 1) // (LARGEST * (LARGEST + OFFSET))  # so that no sum of a row overflows


def quantised(x: Tensor) -> tuple[Tensor, Tensor]:
    """Rows of x (n, width) in steps: int8 (n, width), and the size of a step (n,) in float32.

    A value is off by half a step of its row at most; a row of zeros has steps of 0.
    """
    x = x.float()
    largest = x.abs().amax(1, keepdim=True)
    # A number divided by a tensor would be multiplied by a reciprocal, and ties round elsewhere.
    scale = torch.where(largest > 0, torch.full_like(largest, LARGEST) / largest, 0.0)
    return (x * scale).round().to(torch.int8), (largest / LARGEST)[:, 0]


class Int8Matrix:
    """A fixed matrix w (out, in) in 8-bit integers.

    Raises:
        ValueError: more than 66,312 columns, whose sums could overflow.
    """

    def __init__(self, weight: Tensor, bias: Tensor | None) -> None:
        self.rows, self.width = weight.shape
        if self.width > WIDEST:
            raise ValueError(f"{self.width} columns: int8 sums hold at most {WIDEST}")
        self._bias = None if bias is None else bias.contiguous()
        whole, self._steps = quantised(weight)
        self._library: Any = _library(weight)
        if self._library is None:
            self._turned = whole.T.contiguous()
        else:
            self._pack(whole)

    def _pack(self, whole: Tensor) -> None:
        rows, self._padded = (
            -(-n // k) * k for n, k in zip(whole.shape, (PANEL, FOUR), strict=True)
        )
        padded = whole.new_zeros(rows, self._padded)
        padded[: self.rows, : self.width] = whole
        self._starts = -OFFSET * padded.sum(1, dtype=torch.int32)
        self._steps = torch.cat((self._steps, self._steps.new_zeros(rows - self.rows)))
        fours = padded.view(rows // PANEL, PANEL, self._padded // FOUR, FOUR)
        self._panels = fours.transpose(1, 2).contiguous()
        kept = (self._panels, self._starts, self._steps, self._bias)
        self._kept = [native.pointer(x) for x in kept]

    def __call__(self, x: Tensor, residual: Tensor | None = None) -> Tensor:
        """x wᵀ + bias + residual for x (n, in), rounded once to x's type; nothing for autograd."""
        if self._library is None:
            return self._plain(x, residual)
        x, n = x.contiguous(), x.shape[0]
        residual = None if residual is None else residual.contiguous()
        out = x.new_empty(n, self.rows)
        scratch = torch.empty(n * (self._padded + 4), dtype=torch.uint8)
        self._library.multiply_int8(
            x.data_ptr(), *self._kept, native.pointer(residual), scratch.data_ptr(),
            out.data_ptr(), n, self.rows, self.width,
        )  # fmt: skip
        return out

    def _plain(self, x: Tensor, residual: Tensor | None) -> Tensor:
        whole, steps = quantised(x)
        out = torch._int_mm(whole, self._turned).float() * (steps[:, None] * self._steps)
        for term in (self._bias, residual):
            out = out if term is None else out + term.float()
        return out.to(x.dtype)


def _library(weight: Tensor) -> Any:
    """The compiled products for this type on this processor; None where there are none."""
    library = native.library() if weight.device.type == "cpu" else None
    if library is None or weight.dtype != torch.bfloat16:
        return None
    return library if library.int8_products_available() else None
