"""What a detector finds: one number and its evidence in words."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """A detector's score (None: not computed, ``evidence`` says why) and its evidence in words."""

    score: float | None
    evidence: str
