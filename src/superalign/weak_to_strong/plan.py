"""What a weak-to-strong run needs: tasks, models and methods, checked before anything is written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import superalign.weak_to_strong.methods  # noqa: F401 - registers the built-in methods
from superalign.errors import InputError
from superalign.models import LocalModel, load_model
from superalign.registry import lookup, registered
from superalign.weak_to_strong.answers import METHODS, AnswerMethod
from superalign.weak_to_strong.method import Method
from superalign.weak_to_strong.problems import Problems, is_problems, load_problems
from superalign.weak_to_strong.settings import WeakToStrongConfig
from superalign.weak_to_strong.student import weak_vectors
from superalign.weak_to_strong.summary import DEFAULT, NAIVE, Described
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
    """Everything a run needs, checked and loaded before anything is written.

    ``tasks`` have classes or pairs, with ``methods`` and ``supervisors``; ``problems`` are answered in
    writing, with ``answer_methods`` and ``weak_models``.
    """

    config: WeakToStrongConfig
    tasks: dict[str, Task]
    methods: dict[str, Method]
    transfers: dict[str, list[str]]
    student: LocalModel
    supervisors: list[Supervisor]
    problems: dict[str, Problems]
    answer_methods: dict[str, AnswerMethod]
    weak_models: dict[str, LocalModel]

    @classmethod
    def of(cls, config: WeakToStrongConfig, progress: Progress) -> Plan:
        """Read the files and load the models.

        Raises:
            InputError: a file, field, model, supervisor or method that cannot be used.
        """
        tasks, problems = _tasks(config)
        methods = _methods(config.methods, bool(problems)) if tasks else {}
        answer_methods = _answer_methods(config.methods, bool(tasks)) if problems else {}
        transfers = _transfers(config.transfer, tasks)
        models = _weak_models(config, bool(problems))
        supervisors = [_supervisor(name, config, models, progress) for name in config.supervisors]
        student = load_model(config.student, device=config.device, dtype=config.dtype)
        return cls(
            config,
            tasks,
            methods,
            transfers,
            student,
            supervisors,
            problems,
            answer_methods,
            models,
        )

    @property
    def described(self) -> dict[str, Described]:
        """All methods, whatever they teach; one that has two forms is described by the first."""
        return {**self.answer_methods, **self.methods}


def _methods(names: tuple[str, ...], also_written: bool) -> dict[str, Method]:
    """The methods asked for, with naive and the default always among them.

    ``also_written``: the run has generative tasks, too; what only they know is left to them.
    """
    if not names:
        names = tuple(registered("method"))
    elif also_written:
        names = tuple(n for n in names if n not in METHODS or n in registered("method"))
    ordered = dict.fromkeys((NAIVE, *names, DEFAULT))
    return {name: lookup("method", name)() for name in ordered}


def _answer_methods(names: tuple[str, ...], also_chosen: bool) -> dict[str, AnswerMethod]:
    """The same for generative tasks; ``also_chosen``: the run has others, too."""
    unknown = sorted(set(names) - set(METHODS))
    if unknown and not also_chosen:
        raise InputError(
            f"method '{unknown[0]}' has no form for written answers; allowed: {', '.join(METHODS)}"
        )
    return {n: m for n, m in METHODS.items() if not names or n in (*names, NAIVE, DEFAULT)}


def _tasks(config: WeakToStrongConfig) -> tuple[dict[str, Task], dict[str, Problems]]:
    tasks: dict[str, Task] = {}
    problems: dict[str, Problems] = {}
    for source in config.data:
        written = is_problems(source)
        made = load_problems(source, config.problems) if written else load_task(source, config.rows)
        if made.name in tasks or made.name in problems:
            raise InputError(f"two tasks are called '{made.name}'; allowed: one each, set 'name'")
        if isinstance(made, Problems):
            problems[made.name] = made
        else:
            tasks[made.name] = made
    return tasks, problems


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


def _weak_models(config: WeakToStrongConfig, written: bool) -> dict[str, LocalModel]:
    """The supervisors that are models; ``written``: they must all be, since others cannot write."""
    named = [n for n in config.supervisors if n in ("bow", "recorded") or n.startswith("noisy:")]
    if written and named:
        raise InputError(
            f"supervisor '{named[0]}' writes no answers; allowed for a generative task: a model's name"
        )
    return {
        name: load_model(name, device=config.device, dtype=config.dtype)
        for name in config.supervisors
        if name not in named
    }


def _supervisor(
    name: str, config: WeakToStrongConfig, models: Mapping[str, LocalModel], progress: Progress
) -> Supervisor:
    if name == "bow":
        return Feature(name, bag_of_words)
    if name == "recorded":
        return Recorded()
    if name.startswith("noisy:"):
        return parse_noisy(name)
    model = models[name]

    def vectors(task: Task) -> Any:
        return weak_vectors(model, task, config.max_tokens, progress=progress)

    return Feature(name, vectors)
