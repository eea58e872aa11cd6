"""Products with a fixed matrix: which form it is kept in, and what multiplies with that."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from superalign.models.architecture import Decoder
from superalign.models.int8 import Int8Matrix
from superalign.models.memory import free_bytes
from superalign.models.native import packed

Product = Callable[..., Tensor]  # (x) -> x wᵀ + bias, or (x, residual) -> x wᵀ + bias + residual
Form = Literal["plain", "reordered", "int8"]


def form_of(decoder: Decoder | None) -> Form:
    """How a decoder's matrices are kept for inference: 8-bit integers where asked for, else a second
    copy in the order that products read them in, where that pays; plain without a fast path.

    On a CPU in bfloat16 a plain weight matrix is reordered at every product; doing that once halves
    a small batch's time. It is done only when the weights are less than a quarter of the free memory.
    """
    if decoder is None or decoder.int8:
        return "plain" if decoder is None else "int8"
    size = sum(
        m.weight.numel() * m.weight.element_size()
        for layer in decoder.layers
        for m in (layer.qkv, layer.out, layer.gate_up, layer.down)
    )
    plain = decoder.device.type == "cpu" and decoder.dtype == torch.bfloat16
    return "reordered" if plain and size < free_bytes(decoder.device) / 4 else "plain"


def product_with(weight: Tensor, bias: Tensor | None, form: Form) -> Product:
    """The product with a fixed matrix w (out, in). Only the plain form is for autograd.

    ``reordered``: our own kernel's where the processor has it, else oneDNN's, else the plain one.
    """
    if form == "int8":
        return Int8Matrix(weight, bias)
    ours = packed(weight, bias) if form == "reordered" else None
    if ours is not None:
        return ours
    if form == "reordered" and torch.backends.mkldnn.is_available():
        return _onednn_product(weight, bias)

    def product(x: Tensor, residual: Tensor | None = None) -> Tensor:
        out = F.linear(x, weight, bias)
        return out if residual is None else residual + out

    return product


def _onednn_product(weight: Tensor, bias: Tensor | None) -> Product:
    turned = torch.ops.mkldnn._reorder_linear_weight(weight.contiguous(), 64)
    plain = torch.ops.mkldnn._linear_pointwise.default
    added = torch.ops.mkldnn._linear_pointwise.binary

    def product(x: Tensor, residual: Tensor | None = None) -> Tensor:
        if residual is None:
            return plain(x, turned, bias, "none", [], "")  # type: ignore[no-any-return]
        return added(x, residual, turned, bias, "add")  # type: ignore[no-any-return]

    return product
