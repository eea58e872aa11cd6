"""One split rule: truth for the supervisor, the other half for the student, a test for nobody.

The test set is the same for every seed and made of whole groups, lowest hash first; a seed only
decides which half of the remaining groups the supervisor learns from. Student and ceiling train on
the same rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from superalign.records import content_hash

Rows = npt.NDArray[np.intp]


class Grouped(Protocol):
    """Rows of which some belong together."""

    @property
    def groups(self) -> tuple[str, ...]:
        """The group of each row."""
        ...


@dataclass(frozen=True)
class Split:
    """Row numbers of the three parts."""

    supervisor: Rows
    student: Rows
    test: Rows


def split(task: Grouped, seed: int, test_share: float = 1 / 3) -> Split:
    """The split of ``task`` for ``seed``; no group is on two sides.

    Args:
        test_share: share of the rows in the test set, in (0, 1).
    """
    members: dict[str, list[int]] = {}
    for row, group in enumerate(task.groups):
        members.setdefault(group, []).append(row)
    ordered = sorted(members, key=lambda g: content_hash(["test", g]))
    test, rest = _take(ordered, members, round(test_share * len(task.groups)))
    order = np.random.default_rng([seed, 0x5917]).permutation(len(rest))
    left = sum(len(members[g]) for g in rest)
    supervisor, student = _take([rest[i] for i in order], members, left // 2)
    return Split(*(_rows(part, members) for part in (supervisor, student, test)))


def _take(
    groups: list[str], members: dict[str, list[int]], wanted: int
) -> tuple[list[str], list[str]]:
    """The first groups that together have ``wanted`` rows or more, and the rest."""
    count = 0
    for cut, group in enumerate(groups):
        if count >= wanted:
            return groups[:cut], groups[cut:]
        count += len(members[group])
    return groups, []


def _rows(groups: list[str], members: dict[str, list[int]]) -> Rows:
    return np.array(sorted(row for g in groups for row in members[g]), dtype=np.intp)
