"""An oversight run: critic, judge, arms, pressure, or a critic's scores on a file. Phases resume."""

from __future__ import annotations

import resource
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

from superalign.errors import InputError
from superalign.models import LocalModel, load_model
from superalign.oversight.closed_forms import compare, expected_detection
from superalign.oversight.critic_tests import best_of_n, dial, quality_table
from superalign.oversight.critics import Calculator, Critic, Planted, Random, Rewriting, Written
from superalign.oversight.experiment import items_of, judged_traces, run_arms, run_pressure
from superalign.oversight.game_run import games
from superalign.oversight.gap import gap_by_steps
from superalign.oversight.judges import Exact, Judge, Learned, Noisy, Person
from superalign.oversight.lessons import lessons, taught
from superalign.oversight.prompted import prompted_critic
from superalign.oversight.reward_run import reward_models
from superalign.oversight.score_run import Progress, phase, score_file
from superalign.oversight.settings import OverseeConfig
from superalign.oversight.traces import Trace
from superalign.oversight.trained import TrainedCritic, learned_ratios, planted_traces
from superalign.records import Claim
from superalign.store import RunStore

SCHEMA = 1
Ask = Callable[[str, tuple[str, ...], int], bool]
WORKED = 29
TESTED = 17  # added to the seed of test traces, so that they are none of the trained ones


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
    payload = phase(store, "critic", lambda: _train(config, store, progress, traces))
    claims = {k: [Claim(**c) for c in v] for k, v in payload["claims"].items()}
    shown = ("training", "tests", "dial", "best_of_n", "gap", "learner")
    return Written(claims), {key: payload[key] for key in shown}


def _train(
    config: OverseeConfig, store: RunStore, progress: Progress, traces: list[Trace]
) -> dict[str, Any]:
    base = load_model(config.model, device=config.device, dtype=config.dtype)
    critic, cost = TrainedCritic.fit(
        base, config.critic, seed=config.seed, families=config.families, progress=progress
    )
    steps = config.critic.steps
    lengths = {"trained length": steps, "twice the length": tuple(2 * k for k in steps)}
    new = {
        name: planted_traces(config.seed + TESTED + i, config.tests, ks, config.families)
        for i, (name, ks) in enumerate(lengths.items())
    }
    everything = [*traces, *(t for ts in new.values() for t in ts)]
    found = critic.findings(everything, progress)
    claims = critic.claims(everything, found)
    tested = slice(len(traces), len(traces) + len(new["trained length"]))
    with store.checkpoint("critic") as folder:
        assert critic.model.adapter is not None
        critic.model.adapter.save(folder, config.model)
        critic.head.save(folder / "step_head.safetensors")
    gap = gap_by_steps(
        critic, config.gap, config.tests // 2, seed=config.seed, families=config.families
    )
    return {
        "gap": gap,
        "learner": _learner(config, base, critic) if config.learner.items else [],
        "training": cost,
        "tests": quality_table(new, claims, config.seed),
        "dial": dial(new["trained length"], found[tested]),
        "best_of_n": best_of_n(everything, found, seed=config.seed),
        "claims": {k: [c.model_dump() for c in v] for k, v in claims.items()},
    }


def _learner(
    config: OverseeConfig, base: LocalModel, critic: TrainedCritic
) -> list[dict[str, Any]]:
    """The learner's gain by critic, on work that is flawed two times in three."""
    own = config.learner
    work = planted_traces(config.seed + WORKED, own.items, (own.steps,), config.families, 1 / 3)
    tests = judged_traces(config.seed + WORKED, own.tests, own.steps, config.families)
    critics: dict[str, Critic] = {
        "random critic": Rewriting(seed=config.seed),
        "trained critic": Written(critic.claims(work)),
        "gold critique": Planted(seed=config.seed),
    }
    return taught(base, lessons(work, critics, config.seed), tests, config.seed)


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
