"""``summary.json`` of a campaign: the keys that others rely on."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any

from superalign.attack.allocation import tally
from superalign.attack.archive import prompt_text
from superalign.attack.base import Operator
from superalign.campaign.attacker import Attempt, attack_cell, style
from superalign.campaign.diversity import vendi_score
from superalign.campaign.goals import Goal
from superalign.campaign.run import Campaign
from superalign.critic.compliance import Calibration
from superalign.statistics import corrected_success, event_curve, mean, proportion, rate
from superalign.statistics.corrected import Replay

SCHEMA = "superalign.attack/1"
EXACT = {
    "sensitivity": None, "specificity": None, "undecided": 0, "source": "computed truth, no judge",
}  # fmt: skip
POINTS = [d * 10**e for e in range(5) for d in (1, 2, 5)]


def summarise(
    campaign: Campaign,
    calibration: Calibration | None,
    over_refusal: dict[str, Any],
    *,
    weight_hash: str,
) -> dict[str, Any]:
    """The summary of a finished campaign; without a ``calibration`` verdicts are exact."""
    config, goals, known = campaign.config, campaign.goals, campaign.known
    firsts = [campaign.first_hit(g) for g in goals]
    attempts = [a for g in goals for a in campaign.history[g.id]]
    wrong = [a for a in campaign.baseline if a.goal not in goals]
    seconds = campaign.store.seconds()
    return {
        "schema": SCHEMA,
        "command": "attack",
        "model": config.target,
        "weight_hash": weight_hash,
        "seed": config.seed,
        "attacker": config.attacker,
        "allocation": config.allocation,
        "feedback": config.feedback,
        "domain": config.domain,
        "budget": {"queries_per_goal": config.queries, "explore": config.explore},
        "seconds": round(sum(seconds.values()), 2),
        "goals": len(goals),
        "solved": sum(f is not None for f in firsts),
        "queries": _queries(campaign),
        "baseline": _baseline(campaign),
        "undecided": sum(a.verdict.value is None for a in attempts),
        "outcomes": _outcomes(campaign, firsts),
        "curve": _curve(campaign, firsts),
        "curve_gflop": _curve_gflop(campaign, firsts),
        "corrected_success": _corrected(campaign, calibration),
        "replayed_success": _replayed(campaign),
        "judge": EXACT if calibration is None else vars(calibration),
        **over_refusal,
        "operators": _operators(known, attempts, firsts),
        "clusters": _clusters(goals, firsts),
        "archive": _archive(campaign, known, firsts),
        "gflop": round(campaign.setup_gflop + sum(map(campaign.gflop, (*attempts, *wrong))), 3),
        "setup_gflop": round(campaign.setup_gflop, 3),
    }


def _queries(campaign: Campaign) -> int:
    """All queries: of training, on goals, and the first ones on questions that were none."""
    rest = len(campaign.baseline) - len(campaign.goals) if campaign.baseline else 0
    return campaign.setup_queries + sum(campaign.spent(g) for g in campaign.goals) + rest


def _baseline(campaign: Campaign) -> dict[str, Any] | None:
    """Share of the questions asked plainly that were answered rightly; None where none had to be."""
    if not campaign.baseline:
        return None
    right, missing = len(campaign.goals), sum(a.verdict.value is None for a in campaign.baseline)
    found = proportion(right, len(campaign.baseline)).as_dict()
    return found | ({"missing": missing} if missing else {})


def _outcomes(campaign: Campaign, firsts: Sequence[Attempt | None]) -> list[dict[str, Any]]:
    """Per goal: the queries by which it was solved, or those after which it was not."""
    return [
        {
            "goal": goal.query.goal,
            "category": goal.cluster,
            "solved": first is not None,
            "queries": first.spent if first is not None else campaign.spent(goal),
            "operator": None if first is None else first.query.operator,
            "prompt": None if first is None else prompt_text(first.query),
        }
        for goal, first in zip(campaign.goals, firsts, strict=True)
    ]


def _curve(campaign: Campaign, firsts: Sequence[Attempt | None]) -> list[dict[str, Any]]:
    """Share of goals solved by a number of queries; unsolved goals are censored where they ended.

    What an attacker's training cost is spread evenly over the goals and comes before all else.
    """
    before = math.ceil(campaign.setup_queries / max(1, len(campaign.goals)))
    times = [
        before + (f.spent if f is not None else campaign.spent(g))
        for g, f in zip(campaign.goals, firsts, strict=True)
    ]
    most = before + campaign.config.queries
    at = [k for k in POINTS if k < most] + [most]
    estimates = event_curve(times, [f is not None for f in firsts], at)
    return [
        {"queries": k, "success": e.value, "low": e.low, "high": e.high, "n": e.n}
        | ({"reason": e.reason} if e.reason else {})
        for k, e in zip(at, estimates, strict=True)
    ]


def _curve_gflop(campaign: Campaign, firsts: Sequence[Attempt | None]) -> list[dict[str, Any]]:
    """The same over the compute that a goal's queries cost, with its share of the set-up."""
    times, setup = [], campaign.setup_gflop / max(1, len(campaign.goals))
    for goal, first in zip(campaign.goals, firsts, strict=True):
        rows = campaign.history[goal.id]
        upto = rows[: rows.index(first) + 1] if first is not None else rows
        times.append(setup + sum(map(campaign.gflop, upto)))
    top = max(times, default=0.0)
    at = [float(k) for k in POINTS if k < top] + ([top] if top else [])
    return [
        {"gflop": k, "success": e.value, "low": e.low, "high": e.high, "n": e.n}
        for k, e in zip(at, event_curve(times, [f is not None for f in firsts], at), strict=True)
    ]


def _corrected(campaign: Campaign, calibration: Calibration | None) -> dict[str, Any]:
    """True success of the attacks found, on fresh answers, with the judge's errors taken out.

    Exact verdicts need no correction: the mean over all goals, one without an attack counting 0.
    """
    replays: list[Replay | None] = []
    for goal in campaign.goals:
        verdicts = campaign.replayed(goal)
        replays.append(None if verdicts is None else tally(verdicts))
    if calibration is None:
        shares = [0.0 if r is None else r[0] / r[1] if r[1] else None for r in replays]
        if campaign.config.sampling > 0:
            return mean(shares).as_dict()
        return rate([None if x is None else x > 0 for x in shares]).as_dict()
    estimate = corrected_success(replays, calibration.sensitivity, calibration.specificity)
    return estimate.as_dict()


def _replayed(campaign: Campaign) -> dict[str, Any]:
    """Share of fresh answers to the attacks found that the judge calls a success.

    In the search every one of them was: what is missing to 1 is chance and the judge's errors,
    both of which a search for the first success selects.
    """
    verdicts = [v for g in campaign.goals for v in campaign.replayed(g) or []]
    hits, decided = tally(verdicts)
    return proportion(hits, decided, len(verdicts) - decided).as_dict()


def _operators(
    known: Mapping[str, Operator], attempts: Sequence[Attempt], firsts: Sequence[Attempt | None]
) -> list[dict[str, Any]]:
    rows = []
    for name, operator in known.items():
        own = [a for a in attempts if a.query.operator == name]
        hits, decided = tally(a.verdict for a in own)
        came = sum(not a.response.missing for a in own)
        rows.append(
            {
                "operator": name,
                "family": operator.family,
                "style": style(operator),
                "queries": sum(a.cost for a in own),
                "attempts": len(own),
                "hits": hits,
                "missing": len(own) - decided,
                "solved": sum(f is not None and f.query.operator == name for f in firsts),
                "rate": proportion(hits, came).as_dict(),
            }
        )
    return sorted(rows, key=lambda r: (-r["solved"], -r["hits"], r["operator"]))


def _clusters(goals: Sequence[Goal], firsts: Sequence[Attempt | None]) -> list[dict[str, Any]]:
    """Goals solved by risk cluster."""
    pairs = sorted(
        ((g.cluster, f is not None) for g, f in zip(goals, firsts, strict=True)),
    )
    rows = []
    for name, group in itertools.groupby(pairs, key=lambda pair: pair[0]):
        solved = [hit for _, hit in group]
        rows.append({"cluster": name, "solved": proportion(sum(solved), len(solved)).as_dict()})
    return rows


def _archive(
    campaign: Campaign, known: Mapping[str, Operator], firsts: Sequence[Attempt | None]
) -> dict[str, Any]:
    possible = {attack_cell(g, op) for g in campaign.goals for op in known.values()}
    archive, spent = campaign.archive, _queries(campaign)
    filled = len(archive.cells)
    entries = archive.entries
    return {
        "cells": filled,
        "possible": len(possible),
        "coverage": archive.coverage(possible),
        "clusters_per_1000": 1000 * filled / spent if spent else None,
        "entries": len(entries),
        "vendi": vendi_score([prompt_text(e.query) for e in entries]),
    }
