"""A weak-to-strong run: read every task, run the protocol, sum up. Each task is a phase that resumes."""

from __future__ import annotations

import resource
import sys
import time
from functools import partial
from typing import Any

from superalign.store import RunStore
from superalign.weak_to_strong import generative
from superalign.weak_to_strong.features import tokens_of
from superalign.weak_to_strong.finetuning import Tuner
from superalign.weak_to_strong.outcomes import Outcome
from superalign.weak_to_strong.plan import Plan, Progress
from superalign.weak_to_strong.protocol import run_task
from superalign.weak_to_strong.student import Readings, read
from superalign.weak_to_strong.summary import DEFAULT, SCHEMA, tasks_and_pools
from superalign.weak_to_strong.tasks import Task


def run_w2s(plan: Plan, store: RunStore, progress: Progress) -> dict[str, Any]:
    """Run every task that ``store`` does not hold yet, and write ``summary.json``.

    Raises:
        InputError: a supervisor cannot label a task.
    """
    config = plan.config

    def readings(task: Task) -> Readings:
        return read(
            plan.student, task, config.max_tokens, progress=progress, tune=config.generative_tuning
        )

    outcomes: list[Outcome] = []
    for name, task in plan.tasks.items():
        phase = f"task {name}"
        if not store.phase_done(phase):
            start = time.monotonic()
            found = run_task(
                task,
                readings(task),
                plan.supervisors,
                plan.methods,
                range(config.seed, config.seed + config.seeds),
                {t: (plan.tasks[t], readings(plan.tasks[t])) for t in plan.transfers.get(name, ())},
                partial(_say, progress, name),
                _tuner(plan, task, progress),
            )
            payload = {"outcomes": [o.as_payload() for o in found]}
            store.finish_phase(phase, payload, seconds=time.monotonic() - start)
        outcomes += [Outcome.of_payload(o) for o in store.phase_payload(phase)["outcomes"]]
    for name in plan.problems:
        outcomes += _answered(plan, name, store, progress)
    summary = _summary(plan, outcomes, store.seconds())
    store.write_json("summary.json", summary)
    return summary


def _answered(plan: Plan, name: str, store: RunStore, progress: Progress) -> list[Outcome]:
    """The outcomes of one generative task; each seed is a phase, since each takes minutes."""
    seeds = range(plan.config.seed, plan.config.seed + plan.config.seeds)
    payloads = []
    for seed in seeds:
        phase = f"problems {name}, seed {seed}"
        if not store.phase_done(phase):
            start = time.monotonic()

            def told(share: float, what: str, seed: int = seed) -> None:
                progress(f"teaching {name}, seed {seed}", share, what)

            made = generative.run_seed(
                plan.problems[name], plan.student, plan.weak_models, plan.answer_methods, seed, told
            )
            store.finish_phase(phase, made, seconds=time.monotonic() - start)
        payloads.append(store.phase_payload(phase))
    return generative.outcomes(
        plan.problems[name], list(plan.weak_models), list(plan.answer_methods), seeds, payloads
    )


def _tuner(plan: Plan, task: Task, progress: Progress) -> Tuner | None:
    """What fine-tunes the student on ``task``; a pair would need two texts in one step."""
    if plan.config.fine_tuning is None or task.kind == "pairs":
        return None
    ids = tuple(tokens_of(plan.student, text, plan.config.max_tokens) for text in task.flat)

    def told(share: float) -> None:
        progress(f"fine-tuning on {task.name}", share, "")

    return Tuner(plan.student, ids, plan.config.fine_tuning, told)


def _say(progress: Progress, name: str, share: float) -> None:
    progress(f"training heads on {name}", share, "")


def _summary(plan: Plan, outcomes: list[Outcome], seconds: dict[str, float]) -> dict[str, Any]:
    config = plan.config
    return {
        "schema": SCHEMA,
        "command": "w2s",
        "student": config.student,
        "weight_hash": plan.student.weight_hash,
        "supervisors": list(config.supervisors),
        "seeds": [config.seed + i for i in range(config.seeds)],
        "default_method": DEFAULT,
        "methods": {
            name: {"family": m.family, "source": m.source} for name, m in plan.described.items()
        },
        **tasks_and_pools(outcomes, plan.described, config.seed),
        "seconds": round(sum(seconds.values()), 2),
        "seconds_per_phase": {k: round(v, 2) for k, v in seconds.items()},
        "peak_memory_bytes": _peak_memory_bytes(),
    }


def _peak_memory_bytes() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(peak if sys.platform == "darwin" else peak * 1024)
