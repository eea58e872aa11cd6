"""The critic's contract: members give opinions, their combination gives one critique per answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from superalign.records import Claim, Query, Response


class Item(NamedTuple):
    """An answer and the query that it answers."""

    query: Query
    response: Response


@dataclass(frozen=True)
class Opinion:
    """One member's belief in [0, 1] that the answer is acceptable, and the claims behind it.

    ``exact`` opinions come from a computation and overrule the others.
    """

    acceptable: float
    claims: tuple[Claim, ...] = ()
    exact: bool = False


class Member(Protocol):
    """A member of the critic. None: it has no opinion on that answer (missing, not a pass)."""

    name: str

    def judge(self, items: Sequence[Item]) -> list[Opinion | None]:
        """One opinion per item, in order."""
        ...
