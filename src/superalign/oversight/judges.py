"""Judges that are weak by construction: each can look at some lines of a trace, not at all.

A judge turns one look at one line into a log-likelihood ratio: how much likelier what it saw is if
that line introduces an error than if it does not. ``belief`` joins the looks into the probability
that the trace holds a flaw, so every protocol and every judge share one rule of inference.

- J0 ``Exact``: each look tells the truth; weak only by the number of looks.
- J1 ``Learned``: a small model's opinion of a line, fitted to short and easy traces.
- J2 ``Noisy``: right with a set sensitivity and specificity.
- J3 ``Person``: asks somebody; the same interface serves a terminal and a page.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from superalign.oversight.traces import Trace
from superalign.records import content_hash

CERTAIN = 30.0  # nats; beyond this a look is taken as proof
PRIOR = 0.5


class Judge(Protocol):
    """One look at a time."""

    @property
    def name(self) -> str:
        """What the summary calls it."""
        ...

    def look(self, trace: Trace, position: int) -> float:
        """Log-likelihood ratio (nats) that the line at ``position`` introduces an error."""
        ...


@dataclass(frozen=True)
class Exact:
    """J0: re-executes the line it looks at."""

    name: str = "exact"

    def look(self, trace: Trace, position: int) -> float:
        """``CERTAIN`` or ``-CERTAIN``."""
        return CERTAIN if trace.lines[position].flaw else -CERTAIN


@dataclass(frozen=True)
class Noisy:
    """J2: sees a flaw with ``sensitivity`` and none with ``specificity``, both in (0, 1).

    The same line always looks the same to it, so looking twice is no use and arms are paired.
    """

    sensitivity: float
    specificity: float
    seed: int = 0
    name: str = "noisy"

    def look(self, trace: Trace, position: int) -> float:
        """The log of sensitivity / (1 - specificity), or of its complement."""
        flawed = bool(trace.lines[position].flaw)
        right = _uniform(self.seed, identity(trace), position) < (
            self.sensitivity if flawed else self.specificity
        )
        if flawed == right:
            return math.log(self.sensitivity / (1 - self.specificity))
        return math.log((1 - self.sensitivity) / self.specificity)


@dataclass
class Learned:
    """J1: ratios that a fitted model gave to every line of the traces it was shown beforehand."""

    ratios: Mapping[str, Sequence[float]]
    name: str = "learned"

    def look(self, trace: Trace, position: int) -> float:
        """The model's ratio, held within ``CERTAIN``.

        Raises:
            KeyError: the trace was not read beforehand.
        """
        return max(-CERTAIN, min(CERTAIN, self.ratios[identity(trace)][position]))


@dataclass
class Person:
    """J3: ``ask`` shows a question, the lines so far and one line, and returns yes (wrong) or no.

    A person's word counts as that of a noisy oracle; answers are kept, so nobody is asked twice.
    """

    ask: Callable[[str, tuple[str, ...], int], bool]
    sensitivity: float = 0.9
    specificity: float = 0.9
    name: str = "person"
    answers: dict[tuple[str, int], bool] = field(default_factory=dict)

    def look(self, trace: Trace, position: int) -> float:
        """As ``Noisy``, from the answer given."""
        key = (identity(trace), position)
        if key not in self.answers:
            lines = tuple(line.text for line in trace.lines)
            self.answers[key] = self.ask(trace.problem.question, lines, position)
        if self.answers[key]:
            return math.log(self.sensitivity / (1 - self.specificity))
        return math.log((1 - self.sensitivity) / self.specificity)


def belief(looks: Mapping[int, float], lines: int, prior: float = PRIOR) -> float:
    """Probability that a trace of ``lines`` lines is flawed, given log-likelihood ratios of looks.

    The judge supposes at most one flaw, at each line alike: with prior p the odds are
    p/k · (Σ_looked exp(ratio) + lines not looked at) / (1 - p). With exact looks that found nothing
    at m of k lines this is p(k-m)/k over 1 - p m/k.
    """
    unseen = lines - len(looks)
    weight = sum(math.exp(r) for r in looks.values()) + unseen
    odds = prior / lines * weight / (1 - prior)
    return odds / (1 + odds)


def identity(trace: Trace) -> str:
    """A trace's stable name."""
    return content_hash([trace.problem.question, [line.text for line in trace.lines]])


def words(trace: Trace, position: int) -> int:
    """What reading a line costs, in words."""
    return len(trace.lines[position].text.split())


def _uniform(*parts: object) -> float:
    digest = hashlib.sha256(repr(parts).encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64
