"""Hashes that identify weights."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import torch
from torch import Tensor


def hash_tensors(items: Iterable[tuple[str, Tensor]]) -> str:
    """16 hex digits of names, types, shapes and bytes, in the order of the names."""
    digest = hashlib.sha256()
    for name, tensor in sorted(items):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        flat = tensor.detach().contiguous().cpu().reshape(-1)
        digest.update(flat.view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()[:16]


def hash_both(base: str, more: str) -> str:
    """16 hex digits of two hashes."""
    return hashlib.sha256((base + more).encode()).hexdigest()[:16]
