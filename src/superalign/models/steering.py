"""A model whose residual stream is changed while it runs: one direction taken out, or one put in.

Nothing is trained and no weight is touched; what the model then says shows what its weights hold
behind a behaviour that one direction carries. Generation, scores, hidden states and gradients are
all those of the changed stream.

Source: Arditi et al. (2024), NeurIPS, arXiv 2406.11717.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import torch
from torch import Tensor

from superalign.errors import InputError
from superalign.models.adapters import Adapter
from superalign.models.forward import InferenceWeights
from superalign.models.identity import hash_both, hash_tensors
from superalign.models.local import LocalModel


@dataclass(frozen=True)
class Steering:
    """A change of the stream x (T, d), the same at every token.

    Attributes:
        direction: (d,), float32, of any length but 0.
        layer: where ``direction`` is added: after the embeddings (0) or after a block. None: nowhere,
            and its component is taken out of the stream after the embeddings and after every block.
    """

    direction: Tensor
    layer: int | None = None

    def __call__(self, layer: int, x: Tensor) -> Tensor:
        """The stream after ``layer`` as the next block is to see it; computed in float32."""
        if self.layer not in (None, layer):
            return x
        direction = self.direction.to(x.device)
        if self.layer is not None:
            return (x.float() + direction).to(x.dtype)
        unit, wide = direction / direction.norm(), x.float()
        left: Tensor = wide - (wide @ unit)[..., None] * unit
        return left.to(x.dtype)


class SteeredModel(LocalModel):
    """A view of ``model``'s weights, its adapter included, under a steering.

    Raises:
        InputError: the direction has another width than the model, is 0, or its layer is none of it.
    """

    def __init__(self, model: LocalModel, steering: Steering) -> None:
        super().__init__(model.name, model.module, model.tokenizer, model.adapter, model._owner)
        width = int(model.module.config.hidden_size)
        if steering.direction.shape != (width,) or not float(steering.direction.norm()):
            raise InputError(
                f"a steering direction for '{model.name}' has {width} entries, not all 0"
            )
        if steering.layer is not None and not 0 <= steering.layer <= model.depth:
            raise InputError(
                f"steering after layer {steering.layer}: allowed are 0 to {model.depth}"
            )
        self.steer, self.steering, self._inner = steering, steering, model
        if self._decoder is not None:
            self._decoder = dataclasses.replace(self._decoder, steer=steering)

    @property
    def weight_hash(self) -> str:
        """Identity of the weights and the steering."""
        layer = -1 if self.steering.layer is None else self.steering.layer
        change = {"direction": self.steering.direction, "layer": torch.tensor(layer)}
        return hash_both(super().weight_hash, hash_tensors(change.items()))

    def weights(self) -> InferenceWeights:
        """Those of the model that is steered: no weight differs."""
        return self._inner.weights()

    def with_adapter(self, adapter: Adapter | None, name: str | None = None) -> LocalModel:
        """The same weights and steering under another adapter."""
        return SteeredModel(self._inner.with_adapter(adapter, name), self.steering)
