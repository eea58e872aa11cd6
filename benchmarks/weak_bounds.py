"""What bounds a weak-to-strong run: choosing among methods, the number of rows, the kind of errors.

    cd DATA && python benchmarks/weak_bounds.py RUN [--no-students] [--out FILE]

RUN is a finished run of ``superalign w2s``; its data are found from the folder it was started in.
Three questions, all answered *with* ground truth and on the run's own rows, seeds and scale:

- *Choosing.* Per task and supervisor the method that is best on one half of the test rows is scored
  on the other half, and the other way round, over many random halves: what a perfect choice is worth
  without the luck of having been chosen. ``best, same rows`` keeps that luck: it bounds from above.
- *Rows.* Students that are taught the truth of fewer rows, as the ceiling is of all.
- *Errors.* The default under labels that are wrong as often and as surely as the supervisor's, but on
  other rows: within each true class the labels are dealt out anew, so that no text says where
  the errors are.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import yaml

from superalign.store import RunStore
from superalign.weak_to_strong.heads import Space, one_hot
from superalign.weak_to_strong.labels import labels_of
from superalign.weak_to_strong.method import Setting
from superalign.weak_to_strong.methods.default import Default
from superalign.weak_to_strong.outcomes import Outcome
from superalign.weak_to_strong.plan import Plan
from superalign.weak_to_strong.readings import teach
from superalign.weak_to_strong.recovered import Cell, Key, accuracy, pooled
from superalign.weak_to_strong.settings import WeakToStrongConfig
from superalign.weak_to_strong.splits import split
from superalign.weak_to_strong.student import read
from superalign.weak_to_strong.summary import draws_of

Array = npt.NDArray[np.float64]
HALVES = 100
ROWS = (25, 50, 100, 200, 400)
Students = dict[str, Array]  # by name: which answers are right (S, m)


def chosen(right_MSm: Array, groups: Sequence[str], rng: np.random.Generator) -> Array:
    """Right answers (S, m), each row by the method that is best on the half without that row.

    The mean over ``HALVES`` random halves, cut by group; ties go to the first method.
    """
    _, member = np.unique(np.array(groups), return_inverse=True)
    n = int(member.max()) + 1
    total = np.zeros(right_MSm.shape[1:])
    for _ in range(HALVES):
        half = (rng.permutation(n) < n // 2)[member]
        for scored in (half, ~half):
            best = int(right_MSm[:, :, ~scored].mean((1, 2)).argmax())
            total[:, scored] += right_MSm[best][:, scored]
    return total / HALVES


def choices(outcome: Outcome, rng: np.random.Generator) -> Students:
    """The oracle's students: best of all methods, also with the supervisor's own answers allowed."""
    right = np.stack([outcome.right(s.answers) for s in outcome.students.values()])
    extended = np.concatenate([outcome.right(outcome.weak)[None], right])
    return {
        "best, other half": chosen(right, outcome.groups, rng),
        "best or supervisor, other half": chosen(extended, outcome.groups, rng),
        "best, same rows": right[int(right.mean((1, 2)).argmax())],
    }


def redealt(
    p_nK: Array, truth: npt.NDArray[np.int64], rng: np.random.Generator
) -> npt.NDArray[np.float64]:
    """The rows of ``p_nK`` dealt out anew within each true class: errors that no text explains."""
    out = p_nK.copy()
    for c in np.unique(truth):
        rows = np.flatnonzero(truth == c)
        out[rows] = p_nK[rng.permutation(rows)]
    return out


def students(plan: Plan) -> Iterator[tuple[Key, Students]]:
    """Per task and supervisor: students of fewer true labels, and the default under redealt errors."""
    config = plan.config
    for name, task in plan.tasks.items():
        readings = read(plan.student, task, config.max_tokens)
        truths: dict[str, list[Array]] = {}
        dealt: dict[str, list[Array]] = {s.name: [] for s in plan.supervisors}
        for seed in range(config.seed, config.seed + config.seeds):
            rng = np.random.default_rng([seed, 0xB0])
            cut, pairs = split(task, seed), task.kind == "pairs"
            views = {
                view: Space.of(x[cut.student], x[cut.test], intercept=not pairs)
                for view, x in readings.views.items()
            }
            own, test = task.truth[cut.student], task.truth[cut.test]
            order = rng.permutation(len(own))
            for n in ROWS:
                answers = _taught(views, one_hot(own, task.k), order[:n], pairs).argmax(1)
                truths.setdefault(f"truth of {n} rows", []).append(answers == test)
            for supervisor in plan.supervisors:
                weak = supervisor.supervise(task, cut, seed).labels
                labels = labels_of("redealt", redealt(weak.probability, own, rng))
                made = Default().predict(Setting(views, labels, pairs=pairs, seed=seed))
                dealt[supervisor.name].append(made.test.argmax(1) == test)
        for supervisor in plan.supervisors:
            found = truths | {"default, errors redealt": dealt[supervisor.name]}
            yield (
                (name, supervisor.name),
                {k: np.stack(v).astype(np.float64) for k, v in found.items()},
            )


def _taught(
    views: Mapping[str, Space], truth_nK: Array, rows: npt.NDArray[np.intp], pairs: bool
) -> Array:
    """Test scores (m, K) of a student that knows the truth of ``rows``, taught as the ceiling is."""
    w = np.zeros(len(truth_nK))
    w[rows] = 1
    shares = None if pairs else truth_nK[rows].mean(0)
    return teach(views, truth_nK - 1 / truth_nK.shape[1], w, shares).test


def pools(
    outcomes: Sequence[Outcome], found: Mapping[Key, Students], kind: str, seed: int
) -> dict[str, Any]:
    """Pooled PGR of every student in ``found`` on the run's scale, beside naive and default."""
    cells: dict[str, dict[Key, Cell]] = {}
    for outcome in (o for o in outcomes if o.kind == kind):
        key, draws = (outcome.task, outcome.supervisor), draws_of(outcome, seed)
        weak, ceiling = (accuracy(outcome.right(a), draws) for a in (outcome.weak, outcome.ceiling))
        ours = {n: outcome.right(outcome.students[n].answers) for n in ("naive", "default")}
        for name, right in (ours | found[key]).items():
            cells.setdefault(name, {})[key] = Cell(weak, accuracy(right, draws), ceiling)
    naive = cells["naive"]
    return {n: pooled(c, naive, np.random.default_rng([seed, 0x9001])) for n, c in cells.items()}


def table(found: Mapping[str, Any]) -> str:
    """PGR of each student and its difference to naive's."""
    lines = ["| student | n tasks | PGR | less naive's |", "|---|---|---|---|"]
    for name, row in found.items():
        pgr, gap = row["pgr"], row["versus_naive"]
        cell = f"{pgr['value']:.3f} [{pgr['low']:.3f}, {pgr['high']:.3f}]"
        less = f"{gap['difference']:+.3f} [{gap['low']:+.3f}, {gap['high']:+.3f}]"
        lines.append(f"| {name} | {pgr['n']} | {cell} | {'–' if name == 'naive' else less} |")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--no-students", action="store_true", help="the choice only: no model")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args(arguments)
    with RunStore.open(given.run) as store:
        config = WeakToStrongConfig.model_validate(yaml.safe_load(store.config_yaml))
        phases = [p for p in store.phases() if p.name.startswith("task ")]
    outcomes = [Outcome.of_payload(o) for p in phases for o in p.payload["outcomes"]]
    rng = np.random.default_rng([config.seed, 0xBE57])
    found = {(o.task, o.supervisor): choices(o, rng) for o in outcomes}
    if not given.no_students:
        silent: Callable[[str, float, str], None] = lambda *_: None  # noqa: E731
        for key, more in students(Plan.of(config, silent)):
            found[key] |= more
    shown = {
        kind: pools(outcomes, found, kind, config.seed)
        for kind in sorted({o.kind for o in outcomes})
    }
    for kind, rows in shown.items():
        print(f"{kind}\n\n{table(rows)}\n")
    if given.out:
        given.out.write_text(json.dumps(shown, indent=1))


if __name__ == "__main__":
    main()
