"""The prover–verifier game and recursive reward modelling as parts of an oversight run."""

from __future__ import annotations

from functools import partial
from typing import Any

from superalign.oversight.cached_views import Progress, phase
from superalign.oversight.game_settings import ProverConfig
from superalign.oversight.prover_verifier import Inspector, Reader, Verifier, hedge_rate, play
from superalign.oversight.recursive_reward import Checker, Direct, ablations
from superalign.oversight.rollouts import problems
from superalign.oversight.settings import OverseeConfig
from superalign.store import RunStore

LEARNT, TESTED = 401, 402  # added to the seed, so that nothing is drawn twice


def games(config: OverseeConfig, store: RunStore, progress: Progress) -> dict[str, Any]:
    """Rows of both, empty where the configuration does not ask for them."""
    found: dict[str, Any] = {"prover_verifier": [], "recursive": []}
    if config.provers.rounds:
        played = phase(store, "provers", lambda: {"rows": _played(config, progress)})
        found["prover_verifier"] = played["rows"]
    if config.recursive.levels:
        done = phase(store, "recursive", lambda: {"rows": _recursive(config)})
        found["recursive"] = done["rows"]
    return found


def _played(config: OverseeConfig, progress: Progress) -> list[dict[str, Any]]:
    own = config.provers
    return play(
        _verifier(own),
        problems(config.seed + LEARNT, own.problems, (own.steps,), config.families),
        problems(config.seed + TESTED, own.tests, (own.steps,), config.families),
        rounds=own.rounds,
        drafts=own.drafts,
        seed=config.seed,
        progress=partial(progress, "provers"),
    )


def _verifier(own: ProverConfig) -> Verifier:
    if own.verifier == "reader":
        return Reader()
    speed = hedge_rate(own.steps, own.rounds) if own.learns else 0.0
    return Inspector(own.steps, min(own.looks, own.steps), speed)


def _recursive(config: OverseeConfig) -> list[dict[str, Any]]:
    own = config.recursive
    return ablations(
        Direct(own.sensitivity, own.false),
        Checker(own.upholds_true, own.upholds_false),
        depth=own.depth,
        levels=own.levels,
        items=own.items,
        seed=config.seed,
        keeps=own.keeps,
    )
