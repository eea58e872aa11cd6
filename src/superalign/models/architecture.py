"""The fast path's view of a decoder: fused, shared weights and the few facts that set families apart.

``read_decoder`` looks at a ``transformers`` module and, if its family has a fast path, returns a
``Decoder``. The query/key/value and gate/up matrices are fused in place: the module's own
parameters become views of the fused storage, so both see one copy of the weights.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from superalign.models import gradients
from superalign.models.native import LONGEST_HEAD, Kernels, kernels

Steer = Callable[[int, Tensor], Tensor]  # (layer, stream after it) -> the stream to go on with
FAST_FAMILIES = ("llama", "mistral", "qwen2", "qwen3", "gemma")
_ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "silu": F.silu,
    "gelu": F.gelu,
    "gelu_pytorch_tanh": partial(F.gelu, approximate="tanh"),
}


@dataclass(frozen=True)
class Linear:
    """A (possibly fused) projection: weight (out, in), bias, and the parts it is fused from."""

    weight: Tensor
    bias: Tensor | None
    parts: tuple[tuple[str, int], ...]  # (projection name, output rows)


@dataclass(frozen=True)
class Layer:
    """One transformer block."""

    attention_norm: Tensor
    qkv: Linear
    query_norm: Tensor | None
    key_norm: Tensor | None
    out: Linear
    mlp_norm: Tensor
    gate_up: Linear
    down: Linear


@dataclass
class Decoder:
    """A decoder-only model. Shapes: d width, H query heads, K key/value heads, D head size."""

    layers: list[Layer]
    embedding: Tensor
    head: Tensor
    final_norm: Tensor
    heads: int
    kv_heads: int
    head_size: int
    eps: float
    scale: float
    embedding_scale: float
    activation: Callable[[Tensor], Tensor]
    rotary: nn.Module
    int8: bool = False  # whether inference multiplies in 8-bit integers
    steer: Steer | None = None
    _tables: dict[str, tuple[Tensor, Tensor]] = field(default_factory=dict)

    @property
    def dtype(self) -> torch.dtype:
        """The weights' type."""
        return self.embedding.dtype

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.embedding.device

    def compiled(self) -> Kernels | None:
        """The compiled kernels for this device and type, where there are any."""
        return kernels(self.device.type, self.dtype) if self.head_size <= LONGEST_HEAD else None

    def table(self, need: int) -> tuple[Tensor, Tensor]:
        """Cosines and sines (>= need, D) of positions 0, 1, ...; the table grows by doubling."""
        table = self._tables.get("rotary")
        if table is None or table[0].shape[0] < need:
            size = max(512, 1 << (need - 1).bit_length())
            ids = torch.arange(size, device=self.device)[None]
            cos, sin = self.rotary(self.embedding.new_empty(1, 1, 1), ids)
            table = (cos[0].contiguous(), sin[0].contiguous())
            self._tables["rotary"] = table
        return table

    def norm(self, x: Tensor, weight: Tensor) -> Tensor:
        """Root-mean-square norm over the last axis."""
        fast = self.compiled()
        if fast is None:
            return F.rms_norm(x, (x.shape[-1],), weight, self.eps)
        if needs_gradient(x):
            return gradients.rms_norm(x, weight, self.eps, fast)
        return fast.rms_norm(x, weight, self.eps)

    def gated(self, fused: Tensor) -> Tensor:
        """activation(gate) * up of rows that hold gate and then up (n, 2 * width)."""
        fast = self.compiled() if self.activation is F.silu else None
        if fast is None:
            gate, up = fused.chunk(2, dim=-1)
            return self.activation(gate) * up
        if needs_gradient(fused):
            return gradients.gated_silu(fused, fast)
        return fast.gated_silu(fused)

    def embed(self, tokens: Tensor) -> Tensor:
        """Token embeddings (T, d)."""
        x = F.embedding(tokens, self.embedding)
        return self.steered(0, x if self.embedding_scale == 1.0 else x * self.embedding_scale)

    def steered(self, layer: int, x: Tensor) -> Tensor:
        """The stream x (T, d) after ``layer`` (0: the embeddings), as it goes on."""
        return x if self.steer is None else self.steer(layer, x)


def needs_gradient(x: Tensor) -> bool:
    """Whether a gradient will be asked of what is computed from x."""
    return torch.is_grad_enabled() and x.requires_grad


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotary position embedding (arXiv 2104.09864), half-split layout. x (T, heads, D)."""
    half = x.shape[-1] // 2
    turned = torch.cat((-x[..., half:], x[..., :half]), dim=-1)
    return x * cos[:, None] + turned * sin[:, None]


def _fuse(modules: list[tuple[str, nn.Linear]]) -> Linear:
    """Fuse linear modules along their outputs; their parameters become views of the result."""
    parts = tuple((name, m.weight.shape[0]) for name, m in modules)
    if len(modules) == 1:
        return Linear(modules[0][1].weight.data, _bias(modules[0][1]), parts)
    weight = torch.cat([m.weight.data for _, m in modules])
    bias = None
    if modules[0][1].bias is not None:
        bias = torch.cat([m.bias.data for _, m in modules])
    row = 0
    for _, module in modules:
        rows = module.weight.shape[0]
        module.weight.data = weight[row : row + rows]
        if bias is not None:
            module.bias.data = bias[row : row + rows]
        row += rows
    return Linear(weight, bias, parts)


def _bias(module: nn.Linear) -> Tensor | None:
    return None if module.bias is None else module.bias.data


def _norm_weight(norm: Any, offset: float) -> Tensor:
    weight: Tensor = norm.weight.data
    return weight if offset == 0.0 else (weight.float() + offset).to(weight.dtype)


def _layer(block: Any, offset: float) -> Layer:
    attention, mlp = block.self_attn, block.mlp
    norms = [getattr(attention, name, None) for name in ("q_norm", "k_norm")]
    query_norm, key_norm = (None if n is None else _norm_weight(n, offset) for n in norms)
    return Layer(
        attention_norm=_norm_weight(block.input_layernorm, offset),
        qkv=_fuse([(p, getattr(attention, p)) for p in ("q_proj", "k_proj", "v_proj")]),
        query_norm=query_norm,
        key_norm=key_norm,
        out=_fuse([("o_proj", attention.o_proj)]),
        mlp_norm=_norm_weight(block.post_attention_layernorm, offset),
        gate_up=_fuse([(p, getattr(mlp, p)) for p in ("gate_proj", "up_proj")]),
        down=_fuse([("down_proj", mlp.down_proj)]),
    )


def no_fast_path(config: Any) -> str | None:
    """Why a model with this configuration has no fast path; None if it has one."""
    if config.model_type not in FAST_FAMILIES:
        return f"architecture '{config.model_type}' has none (those that do: {FAST_FAMILIES})"
    kinds = set(getattr(config, "layer_types", None) or ())
    if kinds - {"full_attention"}:
        return "it uses sliding-window attention"
    if getattr(config, "sliding_window", None) and getattr(config, "use_sliding_window", True):
        return "it uses sliding-window attention"
    rope = getattr(config, "rope_parameters", None) or {}
    if rope.get("rope_type", "default") in ("dynamic", "longrope"):
        return f"its rotary embedding '{rope['rope_type']}' depends on the length"
    activation = getattr(config, "hidden_activation", None) or config.hidden_act
    return None if activation in _ACTIVATIONS else f"activation '{activation}' is unknown"


def read_decoder(module: Any, int8: bool = False) -> Decoder | None:
    """The fast path's view of a ``transformers`` causal model, None when it has none."""
    config = module.config
    if no_fast_path(config) is not None:
        return None
    gemma = config.model_type == "gemma"
    inner, width = module.model, config.hidden_size
    head_size = getattr(config, "head_dim", None) or width // config.num_attention_heads
    scale_dtype = module.lm_head.weight.dtype
    return Decoder(
        layers=[_layer(block, 1.0 if gemma else 0.0) for block in inner.layers],
        embedding=inner.embed_tokens.weight.data,
        head=module.lm_head.weight.data,
        final_norm=_norm_weight(inner.norm, 1.0 if gemma else 0.0),
        heads=config.num_attention_heads,
        kv_heads=config.num_key_value_heads,
        head_size=head_size,
        eps=config.rms_norm_eps,
        scale=head_size**-0.5,
        embedding_scale=float(torch.tensor(width**0.5, dtype=scale_dtype)) if gemma else 1.0,
        activation=_ACTIVATIONS[getattr(config, "hidden_activation", None) or config.hidden_act],
        rotary=inner.rotary_emb,
        int8=int8,
    )
