"""Ensembles of critics, and the dial: what each setting of a critic finds and wrongly claims.

An ensemble keeps the lines that enough of its members claim. With M independent critics of recall r,
votes of m keep the flaw with chance P(Bin(M, r) ≥ m). Settings of all critics together give a Pareto
curve of recall against false claims: a setting is *efficient* when no other finds as much with fewer
false claims.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from superalign.critic.steps import location
from superalign.oversight.critics import Critic, pointed
from superalign.oversight.traces import Trace
from superalign.records import Claim
from superalign.statistics import mean, rate


@dataclass(frozen=True)
class Ensemble:
    """Claims that at least ``votes`` members make of the same line, the most voted first."""

    members: tuple[Critic, ...]
    votes: int = 1
    name: str = "ensemble"

    def claims(self, trace: Trace) -> list[Claim]:
        """The first claimant's claim stands for all; its severity is the share of votes."""
        made = [m.claims(trace) for m in self.members]
        voters: dict[int, list[Claim]] = {}
        for claims in made:
            for position in pointed(claims, len(trace)):
                voters.setdefault(position, []).append(_at(claims, position))
        kept = [p for p in voters if len(voters[p]) >= self.votes]
        kept.sort(key=lambda p: (-len(voters[p]), p))
        return [
            voters[p][0].model_copy(
                update={"severity": len(voters[p]) / len(self.members), "source": self.name}
            )
            for p in kept
        ]


def operating_point(name: str, critic: Critic, traces: Sequence[Trace]) -> dict[str, Any]:
    """One setting: first error found, right traces claimed against, and the critique's length."""
    said = [pointed(critic.claims(t), len(t)) for t in traces]
    return {
        "name": name,
        "recall": rate(
            bool(s) and min(s) == t.first_error
            for s, t in zip(said, traces, strict=True)
            if t.flaws
        ).as_dict(),
        "false_claims": rate(
            bool(s) for s, t in zip(said, traces, strict=True) if not t.flaws
        ).as_dict(),
        "claims": mean([float(len(s)) for s in said]).as_dict(),
    }


def pareto(points: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The points by false claims, each marked ``efficient`` or not.

    Points that nothing was measured for are never efficient.
    """

    def known(point: Mapping[str, Any]) -> bool:
        return None not in (point["recall"]["value"], point["false_claims"]["value"])

    def beats(a: Mapping[str, Any], b: Mapping[str, Any]) -> bool:
        less = float(b["false_claims"]["value"] - a["false_claims"]["value"])
        more = float(a["recall"]["value"] - b["recall"]["value"])
        return min(less, more) >= 0 and max(less, more) > 0

    usable = [p for p in points if known(p)]
    marked = [
        dict(p) | {"efficient": known(p) and not any(beats(o, p) for o in usable)} for p in points
    ]
    return sorted(marked, key=lambda p: (not known(p), p["false_claims"]["value"] or 0.0))


def _at(claims: Sequence[Claim], position: int) -> Claim:
    return next(c for c in claims if c.location == location(position))
