"""Generative tasks: generated problems with one checkable answer, to be written out, not chosen."""

from __future__ import annotations

import re
from dataclasses import dataclass

from superalign.errors import InputError
from superalign.records import Message, Query
from superalign.tasks.mathematics import Mathematics
from superalign.tasks.mathematics_arithmetic import FAMILIES
from superalign.weak_to_strong.settings import TaskSource

PREFIX = "task:mathematics"
SYSTEM = "Reply with the answer only."  # answers of a few tokens: what is learnt is the answer


@dataclass(frozen=True)
class Problems:
    """Queries with computed answers. Those that ask for the same numbers are one group."""

    name: str
    queries: tuple[Query, ...]
    groups: tuple[str, ...]

    def grade(self, query: Query, text: str) -> tuple[str | None, bool]:
        """The answer read from ``text`` (None: there is none) and whether it is the right one."""
        verdict = Mathematics().grade(query, text)
        return verdict.parsed, verdict.value == 1.0


def is_problems(source: TaskSource) -> bool:
    """Whether ``source`` names a generative task."""
    return source.path.partition(":")[2].partition(":")[0] == PREFIX.partition(":")[2]


def load_problems(source: TaskSource, most: int) -> Problems:
    """``most`` problems of ``task:mathematics`` or ``task:mathematics:FAMILY[,FAMILY]``.

    Arithmetic training families only: the held-out ones stay out of every training.

    Raises:
        InputError: a family that is not one of them, or too few distinct problems.
    """
    allowed = [name for name, family in FAMILIES.items() if family.split == "train"]
    named = source.path.removeprefix(PREFIX).removeprefix(":")
    chosen = [f.strip() for f in named.split(",") if f.strip()] or allowed
    unknown = sorted(set(chosen) - set(allowed))
    if unknown:
        raise InputError(
            f"{source.path}: no training family '{unknown[0]}'; allowed: {', '.join(allowed)}"
        )
    queries = Mathematics().generate(most, seed=0, split="train", families=chosen)
    asked = tuple(
        q.model_copy(update={"messages": (Message(role="system", content=SYSTEM), *q.messages)})
        for q in queries
    )
    name = source.name or ":".join(filter(None, ("mathematics", named)))
    return Problems(name, asked, tuple(_group(q) for q in asked))


def _group(query: Query) -> str:
    numbers = sorted(re.findall(r"\d+", query.text))
    return " ".join([query.family, *numbers])
