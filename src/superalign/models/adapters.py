"""LoRA adapters (arXiv 2106.09685): y = x Wᵀ + (alpha/rank)·(x Aᵀ) Bᵀ, A and B in float32.

One copy of the base weights serves many adapters: the learner is the base with its adapter on, the
frozen reference the same with it off. Saved in PEFT's format, so PEFT and others can load them.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from superalign.errors import ModelError

PROJECTIONS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
_BLOCK = {p: "self_attn" for p in PROJECTIONS[:4]} | {p: "mlp" for p in PROJECTIONS[4:]}


class Adapter:
    """LoRA parameters for a decoder's linear projections.

    ``version`` grows whenever the parameters change; caches of merged weights key on it.
    """

    def __init__(self, rank: int, alpha: float) -> None:
        self.rank = rank
        self.alpha = alpha
        self.version = 0
        self.parameters: dict[tuple[int, str], tuple[Tensor, Tensor]] = {}

    @classmethod
    def create(
        cls,
        shapes: dict[tuple[int, str], tuple[int, int]],
        *,
        rank: int,
        alpha: float,
        seed: int,
        device: torch.device | str = "cpu",
    ) -> Adapter:
        """A fresh adapter for ``(layer, projection) -> (out, in)``; B is zero, so it starts as a
        no-op; A is Kaiming-uniform as in PEFT, drawn from ``seed`` alone."""
        adapter = cls(rank, alpha)
        generator = torch.Generator().manual_seed(seed)
        for key, (n_out, n_in) in sorted(shapes.items()):
            bound = 1 / math.sqrt(n_in)
            a = torch.empty(rank, n_in).uniform_(-bound, bound, generator=generator).to(device)
            b = torch.zeros(n_out, rank, device=device)
            adapter.parameters[key] = (a.requires_grad_(), b.requires_grad_())
        return adapter

    @property
    def scaling(self) -> float:
        """The factor alpha/rank on the low-rank product."""
        return self.alpha / self.rank

    @property
    def first_layer(self) -> int:
        """The lowest adapted block: no gradient is needed below it."""
        return min((layer for layer, _ in self.parameters), default=0)

    def tensors(self) -> Iterator[Tensor]:
        """All trainable tensors in a stable order."""
        for key in sorted(self.parameters):
            yield from self.parameters[key]

    def get(self, layer: int, projection: str) -> tuple[Tensor, Tensor] | None:
        """``(A (r, in), B (out, r))`` of one projection, if it is adapted."""
        return self.parameters.get((layer, projection))

    def delta(self, layer: int, projection: str) -> Tensor | None:
        """The dense update (out, in) in float32, if the projection is adapted."""
        pair = self.get(layer, projection)
        if pair is None:
            return None
        with torch.no_grad():
            return self.scaling * (pair[1] @ pair[0])

    def to(self, device: torch.device) -> Adapter:
        """Move the parameters to ``device``; returns the adapter."""
        for key, pair in self.parameters.items():
            a, b = (x.detach().to(device).requires_grad_() for x in pair)
            self.parameters[key] = (a, b)
        return self

    @classmethod
    def mean(cls, adapters: Sequence[Adapter]) -> Adapter:
        """The adapter whose update is the exact mean of theirs (weight averaging, arXiv 1803.05407).

        Their factors stand side by side, so its rank is the sum of their ranks.

        Raises:
            ValueError: no adapters, or they adapt different projections or scale differently.
        """
        alike = {(frozenset(x.parameters), x.scaling) for x in adapters}
        if len(alike) != 1:
            raise ValueError("a mean needs adapters of the same projections and scaling")
        first, rank = adapters[0], sum(x.rank for x in adapters)
        mean = cls(rank, first.scaling * rank)
        for key in first.parameters:
            pairs = [x.parameters[key] for x in adapters]
            a = torch.cat([a.detach() for a, _ in pairs])
            b = torch.cat([b.detach() for _, b in pairs], dim=1) / len(adapters)
            mean.parameters[key] = (a.requires_grad_(), b.requires_grad_())
        return mean

    def touched(self) -> None:
        """Tell caches that the parameters have changed."""
        self.version += 1

    def state(self) -> dict[str, Tensor]:
        """PEFT's names → tensors."""
        state: dict[str, Tensor] = {}
        for (layer, projection), (a, b) in sorted(self.parameters.items()):
            stem = f"base_model.model.model.layers.{layer}.{_BLOCK[projection]}.{projection}"
            state[f"{stem}.lora_A.weight"] = a.detach().clone().contiguous()
            state[f"{stem}.lora_B.weight"] = b.detach().clone().contiguous()
        return state

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Set the parameters from PEFT-named tensors.

        Raises:
            ModelError: a tensor's name is not one of a plain LoRA on the decoder's projections.
        """
        device = next(iter(self.parameters.values()))[0].device if self.parameters else "cpu"
        halves: dict[tuple[int, str], dict[str, Tensor]] = {}
        for name, tensor in state.items():
            parts = name.split(".")
            try:
                layer, projection = int(parts[parts.index("layers") + 1]), parts[-3]
            except (ValueError, IndexError):
                projection, layer = "", -1
            if projection not in PROJECTIONS or parts[-2] not in ("lora_A", "lora_B"):
                raise ModelError(f"adapter tensor '{name}' is not a plain LoRA of {PROJECTIONS}")
            halves.setdefault((layer, projection), {})[parts[-2]] = tensor.float().to(device)
        self.parameters = {
            key: (pair["lora_A"].requires_grad_(), pair["lora_B"].requires_grad_())
            for key, pair in halves.items()
        }
        self.touched()

    def save(self, folder: Path, base: str) -> None:
        """Write ``adapter_model.safetensors`` and ``adapter_config.json`` (PEFT's format)."""
        folder.mkdir(parents=True, exist_ok=True)
        save_file(self.state(), folder / "adapter_model.safetensors")
        config = {
            "peft_type": "LORA",
            "task_type": "CAUSAL_LM",
            "base_model_name_or_path": base,
            "r": self.rank,
            "lora_alpha": self.alpha,
            "lora_dropout": 0.0,
            "bias": "none",
            "target_modules": sorted({p for _, p in self.parameters}),
            "inference_mode": True,
        }
        (folder / "adapter_config.json").write_text(json.dumps(config, indent=1))

    @classmethod
    def load(cls, folder: Path) -> Adapter:
        """Read an adapter in PEFT's format.

        Raises:
            ModelError: missing files, or not a plain LoRA.
        """
        try:
            config = json.loads((folder / "adapter_config.json").read_text())
            state = load_file(folder / "adapter_model.safetensors")
        except (OSError, ValueError) as error:
            raise ModelError(f"cannot read an adapter from {folder}: {error}") from error
        plain = config.get("peft_type") == "LORA" and not config.get("use_dora")
        if not plain or config.get("use_rslora") or config.get("rank_pattern"):
            raise ModelError(f"{folder}: only plain LoRA adapters can be loaded")
        adapter = cls(int(config["r"]), float(config["lora_alpha"]))
        adapter.load_state(state)
        return adapter
