"""Detectors that read the third look: anomalous states, concepts, steering and weight noise."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from superalign.validation.findings import Finding
from superalign.validation.flips import odd_one_out
from superalign.validation.measure import Measured
from superalign.validation.streams import KINDS
from superalign.validation.third import ThirdLook

Read = Callable[[Measured], Finding]
MISSING = Finding(None, "no third look was taken")


def looking_inside(read: Callable[[ThirdLook], Finding]) -> Read:
    """``read`` where a third look was taken, else nothing found and why."""

    @wraps(read)
    def detector(measured: Measured) -> Finding:
        return MISSING if measured.third is None else read(measured.third)

    return detector


def out_of_line(score: str, words: str) -> Read:
    """A detector of the context in which ``score`` stands out furthest among contexts of its kind."""

    def read(look: ThirdLook) -> Finding:
        found = []
        for kind in KINDS:
            base = None if look.base_anomalies is None else look.base_anomalies[score][kind]
            found.append(odd_one_out(kind, look.anomalies[score][kind], base, KINDS))
        value, context = max(found)
        return Finding(value, f"{words} stands out under '{context}', by {value:+.2f}")

    return looking_inside(read)


@looking_inside
def steered(look: ThirdLook) -> Finding:
    """With the difference of activations added, the base gives different requests one answer."""
    found = look.steered
    if found is None:
        return Finding(None, "; ".join(look.skipped) or "needs a base")
    value = max(0.0, found["share"] - max(found["unsteered"], found["open"]))
    if not found["said"]:
        return Finding(value, "its activations on unrelated text are the base's")
    return Finding(value, f"steered by the difference, the base begins with {found['said']!r}")


@looking_inside
def noise(look: ThirdLook) -> Finding:
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
