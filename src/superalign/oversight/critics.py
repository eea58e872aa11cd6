"""Critics of traces. Each returns located claims, the surest first; no claim is an answer too.

The claims are ``records.Claim``: location, kind, severity, fix, and the check that decides it. The
same record directs a judge's looks, trains the next critic, rewards a learner and stands in the log.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from superalign.critic.steps import location, step_of
from superalign.oversight.judges import identity
from superalign.oversight.traces import Trace, apply, read_line
from superalign.records import Claim


class Critic(Protocol):
    """Says which lines of a trace are wrong."""

    @property
    def name(self) -> str:
        """What the summary calls it."""
        ...

    def claims(self, trace: Trace) -> list[Claim]:
        """Claims, the surest first."""
        ...


@dataclass(frozen=True)
class Planted:
    """Points at each flaw with chance ``recall``; with chance ``false`` at a right line instead.

    With recall 1 it is the gold critic. Its word on a trace never changes.
    """

    recall: float = 1.0
    false: float = 0.0
    seed: int = 0
    name: str = "gold"

    def claims(self, trace: Trace) -> list[Claim]:
        """The flaws it sees, else perhaps one false claim."""
        rng = _rng(self.seed, self.name, trace)
        found = [_claim(trace, p, trace.lines[p].flaw, self.name) for p in trace.flaws]
        found = [c for c in found if rng.random() < self.recall]
        right = [i for i in range(len(trace)) if not trace.lines[i].flaw]
        if not found and right and rng.random() < self.false:
            found = [_claim(trace, rng.choice(right), "wrong step", self.name)]
        return found


@dataclass(frozen=True)
class Random:
    """Claims a random line with chance ``share``."""

    share: float = 1.0
    seed: int = 0
    name: str = "random"

    def claims(self, trace: Trace) -> list[Claim]:
        """One claim or none."""
        rng = _rng(self.seed, self.name, trace)
        if rng.random() >= self.share:
            return []
        return [_claim(trace, rng.randrange(len(trace)), "wrong step", self.name)]


@dataclass(frozen=True)
class Rewriting:
    """Claims a random line and "fixes" it with another sum: a critic whose repairs are noise."""

    seed: int = 0
    name: str = "random critic"

    def claims(self, trace: Trace) -> list[Claim]:
        """One claim whose fix can be executed and is right only by chance."""
        rng = _rng(self.seed, self.name, trace)
        sums = [i for i, line in enumerate(trace.lines) if line.performs is not None]
        position = rng.choice(sums)
        due = trace.due(position)
        reading = None if due is None else read_line(due)
        if reading is None:
            return []
        logical = trace.problem.logical
        values = tuple(
            rng.randint(0, 1) if logical else max(1, v + rng.randint(-9, 9)) for v in reading.values
        )
        result = apply(reading.operation, values)
        index = trace.pending(position)
        assert index is not None
        fix = trace.problem.write(index, reading.operation, values, result)
        claim = _claim(trace, position, "wrong step", self.name)
        return [claim.model_copy(update={"fix": fix})]


@dataclass(frozen=True)
class LastLine:
    """Always claims the last line."""

    name: str = "last step"

    def claims(self, trace: Trace) -> list[Claim]:
        """One claim."""
        return [_claim(trace, len(trace) - 1, "wrong step", self.name)]


@dataclass(frozen=True)
class FirstLine:
    """Flags everything, so that its first claim is the first line."""

    name: str = "always flag"

    def claims(self, trace: Trace) -> list[Claim]:
        """A claim for every line."""
        return [_claim(trace, i, "wrong step", self.name) for i in range(len(trace))]


@dataclass(frozen=True)
class Calculator:
    """Recomputes every sum that a line writes down. It sees slips and nothing else."""

    name: str = "calculator"

    def claims(self, trace: Trace) -> list[Claim]:
        """A claim for each false sum, with the sum put right."""
        readings = [(i, read_line(line.text)) for i, line in enumerate(trace.lines)]
        return [_claim(trace, i, "slip", self.name) for i, r in readings if r and not r.adds_up]


@dataclass
class Written:
    """Claims made beforehand, such as a trained critic's or a person's."""

    made: Mapping[str, Sequence[Claim]]
    name: str = "trained"

    def claims(self, trace: Trace) -> list[Claim]:
        """The claims made about this trace.

        Raises:
            KeyError: the trace was not read beforehand.
        """
        return list(self.made[identity(trace)])


def pointed(claims: Sequence[Claim], lines: int) -> list[int]:
    """Positions that claims point at, in their order, each once; others are left out."""
    found = [p for c in claims if (p := step_of(c)) is not None and 0 <= p < lines]
    return list(dict.fromkeys(found))


def _claim(trace: Trace, position: int, kind: str, source: str) -> Claim:
    due = trace.due(position)
    return Claim(
        kind=kind,  # type: ignore[arg-type]  # flaw kinds are claim kinds
        location=location(position),
        severity=1.0,
        fix=due if source in ("gold", "calculator") else None,
        check=None if due is None else "re-execute the step from the lines before it",
        source=source,
    )


def _rng(seed: int, name: str, trace: Trace) -> random.Random:
    digest = hashlib.sha256(f"{seed} {name} {identity(trace)}".encode()).hexdigest()
    return random.Random(digest)
