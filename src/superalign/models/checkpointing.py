"""Activation checkpointing (arXiv 1604.06174): blocks computed again in the backward pass.

What a block keeps for its gradient is then its input alone, for a third more computation. Whether
that is needed is not guessed from a formula, which would have to know every family and device: what
the first trained block has kept is counted, and the others keep as much.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal, get_args

import torch
from torch import Tensor
from torch.autograd.graph import saved_tensors_hooks
from torch.utils.checkpoint import checkpoint

from superalign.models.memory import free_bytes

Checkpointing = Literal["auto", "always", "never"]
SHARE = 0.5  # of the free memory that activations may take

Block = Callable[[Tensor], Tensor]


class Kept:
    """Bytes of the tensors that autograd has kept, each storage counted once."""

    def __init__(self) -> None:
        self._storages: dict[int, int] = {}

    def add(self, x: Tensor) -> Tensor:
        """Count a tensor and give it back."""
        storage = x.untyped_storage()
        self._storages[storage.data_ptr()] = storage.nbytes()
        return x

    @property
    def bytes(self) -> int:
        """Their sum."""
        return sum(self._storages.values())


@contextmanager
def kept() -> Iterator[Kept]:
    """Count what is kept for the backward pass within the context."""
    found = Kept()
    with saved_tensors_hooks(found.add, lambda x: x):
        yield found


class Recompute:
    """Runs the blocks of one pass in order, keeping their activations or not.

    ``auto`` keeps them unless those of all remaining blocks would take more than half of the
    memory that is free once the first trained block has run.
    """

    def __init__(self, mode: Checkpointing, device: torch.device) -> None:
        if mode not in get_args(Checkpointing):
            raise ValueError(f"checkpointing '{mode}': allowed are {get_args(Checkpointing)}")
        self.device = device
        self.on: bool | None = None if mode == "auto" else mode == "always"

    def __call__(self, block: Block, x: Tensor, after: int) -> Tensor:
        """``block(x)``; ``after``: how many blocks are still to come."""
        if not torch.is_grad_enabled() or self.on is False:
            return block(x)
        if self.on:
            out: Tensor = checkpoint(block, x, use_reentrant=False, preserve_rng_state=False)
            return out
        with kept() as found:
            out = block(x)
        if found.bytes:  # below the first adapted block nothing is kept
            self.on = after * found.bytes > SHARE * free_bytes(self.device)
        return out
