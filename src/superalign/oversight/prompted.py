"""A generative critic, alone or in an ensemble, as the critic of an oversight run.

Its threshold is chosen on traces kept aside, so that at most the allowed share of right ones is
claimed against; what it gives is measured on other, new traces beside the rules and the ensemble's
other settings, as one Pareto curve.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from superalign.critic.generative import GenerativeCritic
from superalign.critic.step_head import Finding
from superalign.critic.steps import location
from superalign.models import load_model
from superalign.oversight.cached_views import Progress, phase
from superalign.oversight.critic_tests import quality, rules
from superalign.oversight.critics import Calculator, Critic, LastLine, Written
from superalign.oversight.ensembles import Ensemble, operating_point, pareto
from superalign.oversight.judges import identity
from superalign.oversight.settings import OverseeConfig
from superalign.oversight.traces import Trace
from superalign.oversight.trained import planted_traces
from superalign.records import Claim
from superalign.store import RunStore

ASIDE, NEW = 501, 502  # added to the seed, so that no trace is drawn twice
QUANTILES = (0.5, 0.7, 0.8, 0.9, 0.95, 0.99)
Claims = Mapping[str, Sequence[Claim]]


def prompted_critic(
    config: OverseeConfig, store: RunStore, progress: Progress, traces: list[Trace]
) -> tuple[Critic, dict[str, Any]]:
    """The critic that ``config.critic.kind`` names, and its tests."""
    payload = phase(store, "critic", lambda: _read(config, progress, traces))
    claims = {k: [Claim(**c) for c in v] for k, v in payload["claims"].items()}
    alone = Written(claims, "generative")
    critic: Critic = (
        Ensemble((alone, Calculator()), config.critic.votes)
        if config.critic.kind == "ensemble"
        else alone
    )
    return critic, {key: payload[key] for key in ("threshold", "missing", "tests", "pareto")}


def _read(config: OverseeConfig, progress: Progress, traces: list[Trace]) -> dict[str, Any]:
    own = config.critic
    model = load_model(config.model, device=config.device, dtype=config.dtype)
    critic = GenerativeCritic(model, own.answers)
    aside = planted_traces(config.seed + ASIDE, config.tests, own.steps, config.families, clean=1.0)
    new = planted_traces(config.seed + NEW, config.tests, own.steps, config.families)
    everything = [*aside, *new, *traces]
    found = critic.findings(
        [t.solution for t in everything], lambda s: progress("critic: ask", s, "")
    )
    doubts = [f.strength for f in found[: len(aside)] if f is not None]
    threshold = _cut(doubts, 1 - own.false_claims)
    said = _claims(everything, found, threshold)
    tested = found[len(aside) : len(aside) + len(new)]
    curve = [
        operating_point(f"generative, {q:.0%} of right ones spared", Written(made), new)
        for q in QUANTILES
        for made in [_claims(new, tested, _cut(doubts, q))]
    ]
    return {
        "threshold": threshold,
        "missing": sum(f is None for f in found),
        "tests": [
            {
                "length": "new traces",
                "n": len(new),
                "critics": [
                    quality(c, new) for c in (Written(said, "generative"), *rules(config.seed))
                ],
            }
        ],
        "pareto": pareto([*curve, *_others(said, new)]),
        "claims": {k: [c.model_dump() for c in v] for k, v in said.items()},
    }


def _others(said: Claims, new: Sequence[Trace]) -> list[dict[str, Any]]:
    """Rules and ensembles of the generative critic with them, by votes."""
    members: tuple[Critic, ...] = (Written(said, "generative"), Calculator(), LastLine())
    points = [operating_point(c.name, c, new) for c in members[1:]]
    points += [
        operating_point(f"generative or calculator, {m} votes", Ensemble(members[:2], m), new)
        for m in (1, 2)
    ]
    return [*points, operating_point("two of three with last step", Ensemble(members, 2), new)]


def _cut(doubts: Sequence[float], share: float) -> float:
    """The doubt that at most 1 - ``share`` of right traces exceed; 1 where nothing is known."""
    return float(np.quantile(doubts, share, method="higher")) if doubts else 1.0


def _claims(
    traces: Sequence[Trace], found: Sequence[Finding | None], threshold: float
) -> dict[str, list[Claim]]:
    """One claim where the doubt exceeds the threshold; none where there is no opinion."""
    made: dict[str, list[Claim]] = {}
    for trace, finding in zip(traces, found, strict=True):
        step = None if finding is None else finding.claimed(threshold)
        made[identity(trace)] = (
            []
            if step is None or finding is None
            else [
                Claim(
                    kind="wrong step",
                    location=location(step),
                    severity=round(finding.sure, 4),
                    check="re-execute the step from the lines before it",
                    source="generative",
                )
            ]
        )
    return made
