"""Attacks of each round of a run, asked of the learner of each round: who still breaks whom?

Row i are the attacks that worked in round i, on the learner as it went into that round; column j is
the learner as round j left it, 0 the model before any training. Below the diagonal stands what a later
attack does to an earlier learner, above it what training has cured. A row that rises again to the right
is cycling: a lesson that later rounds forgot.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from superalign.campaign.settings import CampaignConfig
from superalign.errors import InputError
from superalign.evaluation.measure import Progress, answer, grade, silent
from superalign.models import LanguageModel
from superalign.models import load_model as load_by_name
from superalign.records import Query, Response
from superalign.statistics import Estimate, mean
from superalign.store import RunStore
from superalign.tasks.base import seeded

SCHEMA = "superalign.transfer/1"
ROUND = re.compile(r"round (\d+) answers")
TOKENS = {"mathematics": 56}  # working is longer than an opening
Load = Callable[[str], LanguageModel]


def round_attacks(run: RunStore) -> dict[int, list[Query]]:
    """By round, the attacks on the learner of which ground truth confirmed at least one failure."""
    found: dict[int, list[Query]] = {}
    for phase in run.phases():
        if not (match := ROUND.fullmatch(phase.name)):
            continue
        queries = {q.id: q for q in run.records(Query, phase.name)}
        answers = [
            r
            for r in run.records(Response, phase.name)
            if r.model == "learner" and _attack(queries[r.query])
        ]
        graded = grade([queries[r.query] for r in answers], answers)
        worked = dict.fromkeys(g.query.id for g in graded if g.verdict.failed)
        found[int(match[1])] = [queries[key] for key in worked]
    return dict(sorted(found.items()))


def _attack(query: Query) -> bool:
    """A benign twin asks nothing that should be refused, so its failure is no attack."""
    return query.domain not in {"safety", "benign"} or bool(query.truth.get("harmful"))


def checkpoints(folder: Path) -> dict[int, str]:
    """Model names by round: 0 is the run's model before training.

    Raises:
        InputError: the folder holds no finished rounds.
    """
    rounds = sorted(folder.glob("checkpoints/round-*"), key=lambda p: int(p.name[6:]))
    try:
        base = json.loads((folder / "summary.json").read_text())["model"]
    except (OSError, ValueError, KeyError):
        raise InputError(f"--transfer {folder}: no finished run; allowed: a run's folder") from None
    if not rounds:
        raise InputError(f"--transfer {folder}: no checkpoints/round-K; allowed: a run's folder")
    return {0: str(base)} | {int(p.name[6:]): str(p) for p in rounds}


def run_transfer(
    config: CampaignConfig, store: RunStore, load: Load = load_by_name, progress: Progress = silent
) -> dict[str, Any]:
    """Ask every round's attacks of every round's learner; writes ``summary.json``.

    Each target is one phase, so that a matrix interrupted goes on at the next target.
    """
    folder = Path(str(config.transfer))
    names = checkpoints(folder)
    with RunStore.open(folder) as run:
        attacks = round_attacks(run)
    cells: list[dict[str, Any]] = []
    for done, (target, name) in enumerate(names.items()):
        phase = f"target {target}"
        progress(phase, done / len(names), f"{sum(map(len, attacks.values()))} attacks")
        if not store.phase_done(phase):
            start = time.perf_counter()
            payload = {"failures": _failures(config, load(name), attacks)}
            store.finish_phase(phase, payload, (), time.perf_counter() - start)
        failures = store.phase_payload(phase)["failures"]
        cells += [
            {"attack_round": k, "target_round": target, "domain": domain, **estimate.as_dict()}
            for k, queries in attacks.items()
            for domain, estimate in _by_domain(queries, failures[str(k)])
        ]
    summary = {
        "schema": SCHEMA,
        "command": "attack",
        "run": str(folder),
        "attacks": {str(k): len(queries) for k, queries in attacks.items()},
        "matrix": cells,
        "seconds": round(sum(store.seconds().values()), 2),
    }
    store.write_json("summary.json", summary)
    return summary


def _failures(
    config: CampaignConfig, model: LanguageModel, attacks: dict[int, list[Query]]
) -> dict[str, list[float]]:
    """Per attack the share of its fresh answers that fail; a missing verdict is no failure."""
    return {
        str(k): _rates(config, model, queries, seeded(config.seed, "transfer", k).getrandbits(31))
        for k, queries in attacks.items()
    }


def _rates(
    config: CampaignConfig, model: LanguageModel, queries: Sequence[Query], seed: int
) -> list[float]:
    rates = [0.0] * len(queries)
    for domain in dict.fromkeys(q.domain for q in queries):
        rows = [i for i, q in enumerate(queries) if q.domain == domain]
        answers = answer(
            model,
            [queries[i] for i in rows],
            n=config.replays,
            max_new_tokens=TOKENS.get(domain, config.max_new_tokens),
            temperature=config.sampling,
            seed=seed,
        )
        for i, several in zip(rows, answers, strict=True):
            graded = grade([queries[i]] * len(several), several)
            rates[i] = sum(g.verdict.failed for g in graded) / len(graded)
    return rates


def _by_domain(queries: Sequence[Query], failures: Sequence[float]) -> list[tuple[str, Estimate]]:
    domains = sorted({q.domain for q in queries})
    pairs = list(zip(queries, failures, strict=True))
    return [(d, _share([f for q, f in pairs if q.domain == d])) for d in domains]


def _share(failures: Sequence[float]) -> Estimate:
    """Mean over attacks, with its t interval cut to [0, 1]."""
    found = mean(failures)
    if found.low is None or found.high is None:
        return found
    return replace(found, low=max(0.0, found.low), high=min(1.0, found.high))
