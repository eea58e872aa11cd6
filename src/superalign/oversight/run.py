"""An oversight run: critic, judge, arms, pressure, or a critic's scores on a file. Phases resume."""

from __future__ import annotations

import resource
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

from superalign.errors import InputError
from superalign.models import load_model
from superalign.oversight.cached_views import Progress, phase
from superalign.oversight.closed_forms import compare, expected_detection
from superalign.oversight.critic_run import critic_worth, run_critic
from superalign.oversight.critics import Calculator, Critic, Planted, Random
from superalign.oversight.experiment import items_of, judged_traces, run_arms, run_pressure
from superalign.oversight.game_run import games
from superalign.oversight.judges import Exact, Judge, Learned, Noisy, Person
from superalign.oversight.prompted import prompted_critic
from superalign.oversight.reward_run import reward_models
from superalign.oversight.score_run import score_file
from superalign.oversight.settings import OverseeConfig
from superalign.oversight.traces import Trace
from superalign.oversight.trained import learned_ratios
from superalign.store import RunStore

SCHEMA = 1
Ask = Callable[[str, tuple[str, ...], int], bool]


def run_oversee(
    config: OverseeConfig, store: RunStore, progress: Progress, ask: Ask | None = None
) -> dict[str, Any]:
    """Run what ``store`` does not hold yet and write ``summary.json``; returns the summary.

    With ``config.score.file`` a step critic is scored on that file, with ``config.reward.enabled``
    reward models are trained and tested; otherwise the arms are judged.

    Raises:
        InputError: a file or model that cannot be used.
    """
    if config.score.file:
        found = score_file(config, store, progress)
    elif config.reward.enabled:
        found = reward_models(config, store, progress)
    else:
        found = _judged(config, store, progress, ask)
    seconds = store.seconds()
    summary = {
        "schema": SCHEMA,
        "command": "oversee",
        "model": config.model,
        "seed": config.seed,
        "arms": [],
        "informative": None,
        "reason": "",
        **found,
        "seconds": round(sum(seconds.values()), 2),
        "seconds_per_phase": {k: round(v, 2) for k, v in seconds.items()},
        "peak_memory_bytes": _peak_memory_bytes(),
    }
    store.write_json("summary.json", summary)
    return summary


def _judged(
    config: OverseeConfig, store: RunStore, progress: Progress, ask: Ask | None
) -> dict[str, Any]:
    """The arms on one set of items."""
    traces = judged_traces(config.seed, config.items, config.steps, config.families)
    critic, trained = _critic(config, store, progress, traces)
    judge = _judge(config, store, progress, traces, ask)
    items = items_of(traces, critic, config.seed)
    looks = min(config.judge.looks, config.steps)

    def arms() -> dict[str, Any]:
        return run_arms(items, judge, looks, partial(progress, "arms"))

    def pressure() -> dict[str, Any]:
        levels = [] if config.judge.kind == "person" else config.pressure
        return {"rows": run_pressure(items, judge, looks, levels, partial(progress, "pressure"))}

    found = phase(store, "arms", arms)
    pressed = phase(store, "pressure", pressure)
    if config.critic.kind == "trained":
        trained |= critic_worth(config, store, progress)
    exact = config.judge.kind == "exact" and config.critic.kind in ("gold", "planted")
    silent = config.critic.kind == "gold" or config.critic.false == 0
    recall = 1.0 if config.critic.kind == "gold" else config.critic.recall
    forms = expected_detection(config.steps, looks, recall) if exact and silent else {}
    return {
        "judge": {"name": judge.name, "looks": looks},
        "critic": {"name": critic.name, **trained},
        "items": len(items),
        "steps": config.steps,
        **found,
        "closed_forms": compare(forms, found["arms"]),
        "pressure": pressed["rows"],
        **games(config, store, progress),
    }


def _critic(
    config: OverseeConfig, store: RunStore, progress: Progress, traces: list[Trace]
) -> tuple[Critic, dict[str, Any]]:
    """The critic, and its training and tests where it was trained."""
    kind = config.critic.kind
    if kind in ("generative", "ensemble"):
        return prompted_critic(config, store, progress, traces)
    if kind != "trained":
        made: dict[str, Critic] = {
            "gold": Planted(seed=config.seed),
            "planted": Planted(config.critic.recall, config.critic.false, config.seed, "planted"),
            "random": Random(seed=config.seed),
            "calculator": Calculator(),
        }
        return made[kind], {}
    return run_critic(config, store, progress, traces)


def _judge(
    config: OverseeConfig, store: RunStore, progress: Progress, traces: list[Trace], ask: Ask | None
) -> Judge:
    own = config.judge
    if own.kind == "exact":
        return Exact()
    if own.kind == "noisy":
        return Noisy(own.sensitivity, own.specificity, config.seed)
    if own.kind == "person":
        if ask is None:
            raise InputError("a person as judge needs a terminal; allowed: exact, learned, noisy")
        return Person(ask, own.sensitivity, own.specificity)

    def read() -> dict[str, Any]:
        model = load_model(own.model, device=config.device, dtype=config.dtype)
        return {"ratios": learned_ratios(model, own, traces, seed=config.seed, progress=progress)}

    return Learned(phase(store, "judge", read)["ratios"], f"learned {own.model}")


def _peak_memory_bytes() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(peak if sys.platform == "darwin" else peak * 1024)
