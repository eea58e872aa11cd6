"""Freed memory stays with the process: on Linux, taking it anew costs more than computing in it.

glibc gives large blocks back to the kernel when they are freed, and the kernel clears each page anew
when it is taken again. A decode step of 64 sequences frees some 30 MB of temporaries and a training
step a gigabyte: a fifth of a rollout's time was page faults.
"""

from __future__ import annotations

import ctypes
import os
from functools import cache

import psutil
import torch

# mallopt's parameters, from malloc.h
_TRIM_THRESHOLD, _MMAP_MAX = -1, -4


@cache
def keep_freed_memory() -> bool:
    """Make glibc keep and reuse what is freed, in the whole process; False where there is no glibc.

    ``SUPERALIGN_KEEP_MEMORY=0`` leaves the allocator as it is.
    """
    if os.environ.get("SUPERALIGN_KEEP_MEMORY") == "0":
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return False
    return bool(mallopt(_MMAP_MAX, 0)) and bool(mallopt(_TRIM_THRESHOLD, 2**31 - 1))


class _Heap(ctypes.Structure):
    """``struct mallinfo2`` of malloc.h: ten counts, the ninth (``fordblks``) of free bytes."""

    _fields_ = [(f"count{i}", ctypes.c_size_t) for i in range(10)]


def _kept_bytes() -> int:
    """What glibc holds of memory that is freed; 0 where it does not say."""
    try:
        mallinfo = ctypes.CDLL(None).mallinfo2
    except (AttributeError, OSError, TypeError):
        return 0
    mallinfo.restype = _Heap
    return int(mallinfo().count8)


def free_bytes(device: torch.device) -> int:
    """Memory that tensors on ``device`` can still take: the system's, and what is kept of it."""
    if device.type == "cuda":
        unused = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return int(torch.cuda.mem_get_info(device)[0]) + unused
    return int(psutil.virtual_memory().available) + _kept_bytes()
