"""A weak-to-strong run: read every task, run the protocol, sum up. Each task is a phase that resumes."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import superalign.weak_to_strong.methods  # noqa: F401 - registers the built-in methods
from superalign.errors import InputError
from superalign.models import LocalModel, load_model
from superalign.registry import lookup, registered
from superalign.store import RunStore
from superalign.weak_to_strong.features import tokens_of
from superalign.weak_to_strong.finetuning import Tuner
from superalign.weak_to_strong.method import Method
from superalign.weak_to_strong.outcomes import Outcome
from superalign.weak_to_strong.protocol import run_task
from superalign.weak_to_strong.settings import WeakToStrongConfig
from superalign.weak_to_strong.student import Readings, read, weak_vectors
from superalign.weak_to_strong.summary import DEFAULT, NAIVE, SCHEMA, tasks_and_pools
from superalign.weak_to_strong.supervisors import (
    Feature,
    Recorded,
    Supervisor,
    bag_of_words,
    parse_noisy,
)
from superalign.weak_to_strong.tasks import Task, load_task

Progress = Callable[[str, float, str], None]


@dataclass(frozen=True)
class Plan:
    """Everything a run needs, checked and loaded before anything is written."""

    config: WeakToStrongConfig
    tasks: dict[str, Task]
    methods: dict[str, Method]
    transfers: dict[str, list[str]]
    student: LocalModel
    supervisors: list[Supervisor]

    @classmethod
    def of(cls, config: WeakToStrongConfig, progress: Progress) -> Plan:
        """Read the files and load the models.

        Raises:
            InputError: a file, field, model, supervisor or method that cannot be used.
        """
        methods = _methods(config.methods)
        tasks = _tasks(config)
        transfers = _transfers(config.transfer, tasks)
        supervisors = [_supervisor(name, config, progress) for name in config.supervisors]
        student = load_model(config.student, device=config.device, dtype=config.dtype)
        return cls(config, tasks, methods, transfers, student, supervisors)


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
    summary = _summary(plan, outcomes, store.seconds())
    store.write_json("summary.json", summary)
    return summary


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


def _methods(names: tuple[str, ...]) -> dict[str, Method]:
    """The methods asked for, with naive and the default always among them."""
    if not names:
        names = tuple(registered("method"))
    ordered = dict.fromkeys((NAIVE, *names, DEFAULT))
    return {name: lookup("method", name)() for name in ordered}


def _tasks(config: WeakToStrongConfig) -> dict[str, Task]:
    tasks: dict[str, Task] = {}
    for source in config.data:
        task = load_task(source, config.rows)
        if task.name in tasks:
            raise InputError(f"two tasks are called '{task.name}'; allowed: one each, set 'name'")
        tasks[task.name] = task
    return tasks


def _transfers(pairs: tuple[str, ...], tasks: dict[str, Task]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for pair in pairs:
        source, _, target = (part.strip() for part in pair.partition(">"))
        if source not in tasks or target not in tasks:
            raise InputError(f"transfer '{pair}'; allowed: FROM>TO among {', '.join(tasks)}")
        same = (tasks[source].kind, tasks[source].classes) == (
            tasks[target].kind,
            tasks[target].classes,
        )
        if not same:
            raise InputError(f"transfer '{pair}': the classes differ; allowed: tasks with the same")
        found.setdefault(source, []).append(target)
    return found


def _supervisor(name: str, config: WeakToStrongConfig, progress: Progress) -> Supervisor:
    if name == "bow":
        return Feature(name, bag_of_words)
    if name == "recorded":
        return Recorded()
    if name.startswith("noisy:"):
        return parse_noisy(name)
    model = load_model(name, device=config.device, dtype=config.dtype)

    def vectors(task: Task) -> Any:
        return weak_vectors(model, task, config.max_tokens, progress=progress)

    return Feature(name, vectors)


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
            name: {"family": m.family, "source": m.source} for name, m in plan.methods.items()
        },
        **tasks_and_pools(outcomes, plan.methods, config.seed),
        "seconds": round(sum(seconds.values()), 2),
        "seconds_per_phase": {k: round(v, 2) for k, v in seconds.items()},
        "peak_memory_bytes": _peak_memory_bytes(),
    }


def _peak_memory_bytes() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(peak if sys.platform == "darwin" else peak * 1024)
