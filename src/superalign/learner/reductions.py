"""What every loss on packed sequences shares: sums by sequence, explicit denominators, metrics.

Shapes: T tokens laid end to end, S sequences; ``sequence_T`` holds each token's sequence.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor


class Loss(NamedTuple):
    """``value``: scalar to minimise. ``metrics``: weighted means, NaN where nothing was counted."""

    value: Tensor
    metrics: dict[str, float]


def sequence_sums(logps_T: Tensor, sequence_T: Tensor, S: int) -> Tensor:
    """Sum over each sequence's tokens, (S,), in float32 or better; 0 for an empty sequence."""
    require(logps_T.shape[0], sequence_T=sequence_T)
    logps_T = logps_T.to(torch.promote_types(logps_T.dtype, torch.float32))
    return logps_T.new_zeros(S).index_add(0, sequence_T, logps_T)


def sequence_lengths(sequence_T: Tensor, S: int) -> Tensor:
    """Tokens of each sequence, (S,) int64."""
    return torch.bincount(sequence_T, minlength=S)


def divide(total: Tensor, count: Tensor, normalizer: float | None) -> Tensor:
    """``total / normalizer``, or ``/ count``; 0, with zero gradient, when nothing was counted."""
    if normalizer is None:
        return total / torch.where(count > 0, count, 1.0)
    if normalizer <= 0:
        raise ValueError(f"normalizer must be positive, not {normalizer}")
    return total / normalizer


def means(weight: Tensor, **columns: Tensor) -> dict[str, float]:
    """Weighted means with one transfer from the device; NaN when the weights sum to 0.

    Weight 0 leaves a row out even where its column is NaN or infinite.
    """
    rows = torch.stack([column.detach().to(weight) for column in columns.values()])
    sums = (rows.masked_fill(weight == 0, 0.0) * weight).sum(1)
    return dict(zip(columns, (sums / weight.sum()).tolist(), strict=True))


def ones_or(given: Tensor | None, n: int, like: Tensor) -> Tensor:
    """``given`` in the type of ``like``, checked to be (n,), or ones."""
    if given is None:
        return torch.ones(n, dtype=like.dtype, device=like.device)
    require(n, given=given)
    return given.to(like)


def require(n: int, **tensors: Tensor) -> None:
    """Each tensor has shape (n,): a wrong one would broadcast in silence."""
    for name, tensor in tensors.items():
        if tensor.shape != (n,):
            raise ValueError(f"{name} has shape {tuple(tensor.shape)}, expected ({n},)")
