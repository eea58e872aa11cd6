"""The protocol: for each seed the supervisor labels, every method trains, the ceiling is trained.

Truth is used in three places only: the supervisor's half, the ceiling, and the test. No method
sees any of it: a ``Setting`` holds none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from superalign.weak_to_strong.finetuning import Tuner
from superalign.weak_to_strong.heads import Space, fit, one_hot
from superalign.weak_to_strong.losses import Array
from superalign.weak_to_strong.method import Method, NotApplicable, Prediction, Setting
from superalign.weak_to_strong.outcomes import Outcome, Student, calibration_error
from superalign.weak_to_strong.readings import teach
from superalign.weak_to_strong.splits import Split, split
from superalign.weak_to_strong.student import Readings, Vectors
from superalign.weak_to_strong.supervisors import Supervision, Supervisor
from superalign.weak_to_strong.tasks import Task

Targets = Mapping[str, tuple[Task, Readings]]


def run_task(
    task: Task,
    readings: Readings,
    supervisors: Sequence[Supervisor],
    methods: Mapping[str, Method],
    seeds: Sequence[int],
    targets: Targets | None = None,
    progress: Callable[[float], None] | None = None,
    tuner: Tuner | None = None,
) -> list[Outcome]:
    """One outcome per supervisor; the others serve it as further annotators.

    Args:
        targets: tasks with the same classes on which the students are tested as well.
        progress: told the share of seeds done.
        tuner: fine-tunes the student for the methods that ask for it; None: they do not apply.

    Raises:
        InputError: a supervisor cannot label this task.
    """
    targets = targets or {}
    runs: list[list[_Seed]] = [[] for _ in supervisors]
    for number, seed in enumerate(seeds):
        cut = split(task, seed)
        spaces = _spaces(task, readings, cut, targets)
        given = [s.supervise(task, cut, seed) for s in supervisors]
        truth = one_hot(task.truth[cut.student], task.k)
        ceiling, plain = _ceiling(task, spaces[0], truth), _taught(spaces[0]["plain"], truth)
        tuned = None if tuner is None else partial(tuner.on, cut.student, cut.test, seed)
        top = None if tuned is None else tuned(truth, "xent")
        tops = {layer: _taught(space, truth) for layer, space in spaces[1].items()}
        for i, one in enumerate(given):
            setting = replace(_setting(task, readings, cut, spaces, given, i, seed), finetune=tuned)
            made = _predict_all(methods, setting)
            depths = {
                layer: (_taught(space, one.labels.probability, one.labels.weight), tops[layer])
                for layer, space in spaces[1].items()
            }
            runs[i].append(_Seed(cut, one, ceiling, plain, made, depths, top))
        if progress is not None:
            progress((number + 1) / len(seeds))
    return [
        _outcome(task, supervisor.name, run, targets)
        for supervisor, run in zip(supervisors, runs, strict=True)
    ]


@dataclass(frozen=True)
class _Seed:
    """What one seed gave under one supervisor; ``depths``: naive and ceiling of shallower students."""

    cut: Split
    weak: Supervision
    ceiling: Array
    plain: Array
    made: dict[str, Prediction | str]
    depths: dict[int, tuple[Array, Array]]
    tuned_ceiling: Array | None


def _ceiling(task: Task, views: dict[str, Space], truth_nK: Array) -> Array:
    """Scores of a student taught the truth of the same rows through all its readings.

    One ceiling for every method: a student that read the text one way only would be a lower one,
    and elicitation would then pass for recovered gap.
    """
    shares = None if task.kind == "pairs" else truth_nK.mean(0)
    target = truth_nK - 1 / task.k
    return teach(views, target, np.ones(len(target)), shares).test


def _taught(space: Space, y_nK: Array, w_n: Array | None = None) -> Array:
    return fit(space, y_nK, w_n).probabilities(space.others[0])


def _spaces(
    task: Task, readings: Readings, cut: Split, targets: Targets
) -> tuple[dict[str, Space], dict[int, Space]]:
    """Views and ladder as spaces; the rows of the targets' tests follow the task's own test rows."""

    def space(own: Vectors, others: list[Vectors]) -> Space:
        test = np.concatenate([own[cut.test], *others])
        return Space.of(own[cut.student], test, intercept=task.kind != "pairs")

    tests = {name: split(t, 0).test for name, (t, _) in targets.items()}
    views = {
        view: space(x, [r.views[view][tests[name]] for name, (_, r) in targets.items()])
        for view, x in readings.views.items()
    }
    ladder = {
        layer: space(x, [r.ladder[layer][tests[name]] for name, (_, r) in targets.items()])
        for layer, x in readings.ladder.items()
    }
    return views, ladder


def _setting(
    task: Task,
    readings: Readings,
    cut: Split,
    spaces: tuple[dict[str, Space], dict[int, Space]],
    given: Sequence[Supervision],
    first: int,
    seed: int,
) -> Setting:
    own = given[first].labels
    others = tuple(g.labels for i, g in enumerate(given) if i != first)
    prior = readings.prior
    return Setting(
        views=spaces[0],
        weak=own,
        annotators=(own, *others),
        ladder=tuple(spaces[1].values()),
        prior=None if prior is None else (prior[cut.student], prior[cut.test]),
        tuned=None
        if readings.tuned is None
        else Space.of(
            readings.tuned[cut.student],
            readings.tuned[cut.test],
            intercept=task.kind != "pairs",
        ),
        pairs=task.kind == "pairs",
        seed=seed,
    )


def _predict_all(methods: Mapping[str, Method], setting: Setting) -> dict[str, Prediction | str]:
    made: dict[str, Prediction | str] = {}
    for name, method in methods.items():
        try:
            made[name] = method.predict(setting)
        except NotApplicable as reason:
            made[name] = str(reason)
    return made


def _outcome(task: Task, supervisor: str, run: list[_Seed], targets: Targets) -> Outcome:
    test = run[0].cut.test
    m, truth = len(test), task.truth[test]
    sure = [seed.weak.test.max(1) for seed in run]
    students, skipped = {}, {}
    for name in run[0].made:
        found = [seed.made[name] for seed in run]
        made = [p for p in found if isinstance(p, Prediction)]
        if len(made) < len(found):
            skipped[name] = next(p for p in found if isinstance(p, str))
            continue
        students[name] = Student(
            answers=np.stack([p.test[:m].argmax(1) for p in made]),
            calibration=[calibration_error(p.test[:m], truth) for p in made],
            labels=float(np.mean([p.labels_used for p in made])),
            notes=[p.notes for p in made if p.notes],
            transfer=_transfer([p.test[m:] for p in made], targets),
        )
    return Outcome(
        task=task.name,
        supervisor=supervisor,
        kind=task.kind,
        classes=task.classes,
        sizes={
            "supervisor": len(run[0].cut.supervisor),
            "student": len(run[0].cut.student),
            "test": m,
            "missing": task.missing,
            "true_labels": run[0].weak.labels.cost,
        },
        truth=truth,
        groups=[task.groups[i] for i in test],
        weak=np.stack([seed.weak.test.argmax(1) for seed in run]),
        sure=np.stack([p > np.median(p) for p in sure]),
        ceiling=np.stack([seed.ceiling[:m].argmax(1) for seed in run]),
        depths={
            layer: [
                np.stack([seed.depths[layer][part][:m].argmax(1) for seed in run])
                for part in (0, 1)
            ]
            for layer in run[0].depths
        },
        plain_ceiling=np.stack([seed.plain[:m].argmax(1) for seed in run]),
        tuned_ceiling=None
        if any(seed.tuned_ceiling is None for seed in run)
        else np.stack(
            [seed.tuned_ceiling.argmax(1) for seed in run if seed.tuned_ceiling is not None]
        ),
        students=students,
        skipped=skipped,
        transfer_ceiling=_transfer([seed.ceiling[m:] for seed in run], targets),
    )


def _transfer(rest: list[Array], targets: Targets) -> dict[str, list[float]]:
    """Accuracy on each target's test set, per seed; the rows lie one target after the other."""
    out: dict[str, list[float]] = {}
    start = 0
    for name, (task, _) in targets.items():
        truth = task.truth[split(task, 0).test]
        part = slice(start, start + len(truth))
        if any(len(p) < part.stop for p in rest):
            return {}  # a method that reads nothing but the task's own rows
        out[name] = [float((p[part].argmax(1) == truth).mean()) for p in rest]
        start = part.stop
    return out
