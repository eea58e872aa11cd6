"""Freed memory stays with the process: on Linux, taking it anew costs more than computing in it.

glibc gives large blocks back to the kernel when they are freed, and the kernel clears each page anew
when it is taken again. A decode step of 64 sequences frees some 30 MB of temporaries and a training
step a gigabyte: a fifth of a rollout's time was page faults.
"""

from __future__ import annotations

import ctypes
import os
from functools import cache

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
