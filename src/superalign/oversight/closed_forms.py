"""What exact looks (J0) must give when one flaw lies at each of k lines with equal chance.

Each value is the chance that a flawed trace is called flawed; a right one never is. The formulas
stand beside what was measured, with the interval, so that a protocol with a fault shows.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def expected_detection(k: int, looks: int, recall: float) -> dict[str, float]:
    """Detection by arm for a critic that finds the flaw with ``recall`` and is silent otherwise.

    Args:
        k: lines of each trace.
        looks: b, at most k.
        recall: r in [0, 1].
    """
    b = min(looks, k)
    spare = recall + (1 - recall) * b / k
    return {
        "unaided": b / k,
        "placebo": b / k,
        "full_access": 1.0,
        "critique": spare,
        "rebuttal": spare,
        "decomposition": 1.0,
        "decomposition one helper": 1.0 if k <= b else (k - k // 2) / k,
    }


def expected_pointer(k: int, looks: int, recall: float) -> float:
    """Detection by critique when a critic that misses the flaw points at a wrong line instead."""
    if k == 1:
        return 1.0
    return recall + (1 - recall) * (min(looks, k) - 1) / (k - 1)


def expected_lying(k: int, looks: int) -> float:
    """Detection when a liar chooses the lines: it can hide the flaw while b <= k - 1."""
    return 0.0 if looks <= k - 1 else 1.0


def compare(expected: Mapping[str, float], arms: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Formula beside measurement; ``holds`` says whether it lies within the interval."""
    rows = []
    for arm in arms:
        if arm["name"] not in expected:
            continue
        wanted, found = expected[arm["name"]], arm["detection"]
        inside = found["value"] is not None and found["low"] <= wanted <= found["high"]
        rows.append({"name": arm["name"], "expected": wanted, "measured": found, "holds": inside})
    return rows
