"""Units of a model: where each is read, and what it writes into the residual stream."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from superalign.errors import InputError
from superalign.explaining.recording import Array, Laid


@dataclass(frozen=True)
class Units:
    """N units of one place in the model.

    ``read``: their activations (T, N), not negative, on texts. ``writes`` (N, width): what each adds
    to the residual stream after ``layer`` blocks for an activation of 1.
    """

    names: tuple[str, ...]
    layer: int
    read: Callable[[Laid], Array]
    writes: Tensor

    def parts(self, laid: Laid) -> list[Tensor]:
        """What each unit has written into the stream (T, width)."""
        active = torch.from_numpy(self.read(laid)).float()
        return [a[:, None] * w for a, w in zip(active.T, self.writes, strict=True)]


def signs(activation_TN: Array) -> Array:
    """The end on which each unit's activations reach furthest, 1 or -1 (N,)."""
    return np.where(activation_TN.max(0) >= -activation_TN.min(0), 1.0, -1.0)


def neurons(seen: Laid, block: int, indices: Sequence[int]) -> Units:
    """MLP neurons of a block, each at the end on which it reaches furthest on ``seen``.

    Raises:
        InputError: no such block or neuron.
    """
    model, chosen = seen.model, list(indices)
    if not 0 <= block < model.depth:
        raise InputError(f"block {block}: allowed are 0 to {model.depth - 1}")
    width = model.decoder.layers[block].down.weight.shape[1]
    if not all(0 <= i < width for i in chosen):
        raise InputError(f"neurons {chosen}: allowed are 0 to {width - 1}")

    def activations(laid: Laid) -> Array:
        *_, (_, found) = laid.neurons(block)
        return found[:, chosen].double().numpy()

    sign = signs(activations(seen))
    return Units(
        tuple(f"{block}:{i}" for i in chosen),
        block + 1,
        lambda laid: np.clip(sign * activations(laid), 0, None),
        torch.from_numpy(sign)[:, None].float() * _down(seen, block)[:, chosen].T,
    )


def _down(laid: Laid, block: int) -> Tensor:
    """The down projection (width, neurons) of a block, the adapter's part included."""
    weight = laid.model.decoder.layers[block].down.weight.float().cpu()
    adapter = laid.model.adapter
    more = None if adapter is None else adapter.delta(block, "down_proj")
    return weight if more is None else weight + more.cpu()
