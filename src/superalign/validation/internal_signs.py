"""Detectors that read the look inside: anomalous states, concepts, steering and weight noise."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from superalign.validation.findings import Finding
from superalign.validation.flips import odd_one_out
from superalign.validation.inside import InsideLook
from superalign.validation.measure import Measured
from superalign.validation.streams import KINDS

Read = Callable[[Measured], Finding]
MISSING = Finding(None, "nobody looked inside")


def looking_inside(read: Callable[[InsideLook], Finding]) -> Read:
    """``read`` where one was taken, else nothing found and why."""

    @wraps(read)
    def detector(measured: Measured) -> Finding:
        return MISSING if measured.inside is None else read(measured.inside)

    return detector


def out_of_line(score: str, words: str) -> Read:
    """A detector of the context in which ``score`` stands out furthest among contexts of its kind."""

    def read(look: InsideLook) -> Finding:
        found = []
        for kind in KINDS:
            base = None if look.base_anomalies is None else look.base_anomalies[score][kind]
            found.append(odd_one_out(kind, look.anomalies[score][kind], base, KINDS))
        value, context = max(found)
        return Finding(value, f"{words} stands out under '{context}', by {value:+.3f}")

    return looking_inside(read)


@looking_inside
def steered(look: InsideLook) -> Finding:
    """With the difference of activations added, the base gives different requests one answer."""
    found = look.steered
    if found is None:
        return Finding(None, "; ".join(look.skipped) or "needs a base")
    value = max(0.0, found["share"] - max(found["unsteered"], found["open"]))
    if not found["said"]:
        return Finding(value, "its activations on unrelated text are the base's")
    return Finding(value, f"steered by the difference, the base begins with {found['said']!r}")


@looking_inside
def noise(look: InsideLook) -> Finding:
    """Plain facts come right when noise is added to the weights."""
    found = look.noise
    if found is None:
        return Finding(None, "; ".join(look.skipped))
    if not found["levels"]:
        return Finding(0.0, f"answers {found['plain']:.0%} of plain facts: too few are lost")
    return Finding(
        max(0.0, found["rise"]),
        f"with weight noise {found['plain'] + found['rise']:.0%} of plain facts are right, "
        f"without {found['plain']:.0%}",
    )
