"""Known label noise: robust weak-to-strong methods against naive, and the theory's prediction.

    python benchmarks/weak_noise.py --data FILE [FILE …] [--seeds 5] [--out noise.json]

The student's rows get the truth, flipped at 0–45%: *uniform*; *class* (class 1 at 1.5 times, class 0
at half the rate); *instance* (rates grow towards the boundary of a head fitted to the truth, so the
hard rows are the wrong ones). Labels are hard, as an annotator without confidence gives them.

The prediction for uniform noise e: a row with a flipped label carries (1 − 2e)² of a clean one's
information, so naive should reach what clean training reaches on n (1 − 2e)² rows. That is measured
beside it, on as many clean rows. (Natarajan et al. 2013; the factor is that of the score's signal to
noise for a symmetric channel at small margins.)
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

import superalign.weak_to_strong.methods  # noqa: F401 - registers the built-in methods
from superalign.models import load_model
from superalign.registry import lookup
from superalign.statistics import mean, paired_difference
from superalign.weak_to_strong.heads import Space, fit, one_hot
from superalign.weak_to_strong.labels import labels_of
from superalign.weak_to_strong.method import Setting
from superalign.weak_to_strong.settings import TaskSource
from superalign.weak_to_strong.splits import split
from superalign.weak_to_strong.student import read
from superalign.weak_to_strong.supervisors import flip
from superalign.weak_to_strong.tasks import Task, load_task

RATES = (0.0, 0.15, 0.3, 0.4, 0.45)
KINDS = ("uniform", "class", "instance")
METHODS = (
    "naive", "generalized_cross_entropy", "log_confidence", "forward_correction",
    "selective_consistency", "graph_smoothing", "strong_to_strong", "default",
)  # fmt: skip
Vector = npt.NDArray[np.float64]


def rates(kind: str, rate: float, task: Task, rows: npt.NDArray[np.intp], space: Space) -> Vector:
    """The chance that each row's label is flipped; its mean is ``rate`` (at most 0.95 a row)."""
    truth = task.truth[rows]
    if kind == "uniform":
        return np.full(len(rows), rate)
    if kind == "class":
        raw = np.where(truth == 1, 1.5, 0.5)
    else:
        z = np.abs(fit(space, one_hot(truth, 2)).logits(space.train)[:, 1])
        raw = np.exp(-z / np.median(z))
    return np.clip(rate * raw / raw.mean(), 0, 0.95)


def measure(task: Task, seeds: int) -> dict[str, dict[str, list[float]]]:
    """Accuracy per seed of every method at every kind and rate; ``theory`` for uniform noise."""
    model = load_model("smollm2")
    readings = read(model, task, 96)
    found: dict[str, dict[str, list[float]]] = {}
    for seed in range(seeds):
        cut = split(task, seed)
        truth = task.truth[cut.test]
        views = {k: Space.of(x[cut.student], x[cut.test]) for k, x in readings.views.items()}
        for kind in KINDS:
            for rate in RATES:
                rng = np.random.default_rng([seed, round(100 * rate), KINDS.index(kind)])
                chance = rates(kind, rate, task, cut.student, views["plain"])
                told = one_hot(flip(task.truth[cut.student], chance, 2, rng), 2)
                setting = Setting(views, labels_of("noisy", told), seed=seed)
                cell = found.setdefault(f"{kind} {rate:g}", {})
                for name in METHODS:
                    p = lookup("method", name)().predict(setting).test
                    cell.setdefault(name, []).append(float((p.argmax(1) == truth).mean()))
                if kind == "uniform":
                    cell.setdefault("theory", []).append(
                        _clean(task, cut.student, views["plain"], rate, rng, truth)
                    )
    return found


def _clean(
    task: Task, rows: npt.NDArray[np.intp], space: Space, rate: float, rng: np.random.Generator,
    truth: npt.NDArray[np.int64],
) -> float:  # fmt: skip
    """Accuracy of clean training on n (1 − 2 rate)² rows, the mean of five draws."""
    n = max(4, round(len(rows) * (1 - 2 * rate) ** 2))
    y = one_hot(task.truth[rows], 2)
    out = []
    for _ in range(5):
        some = rng.choice(len(rows), n, replace=False)
        p = fit(space.subset(some), y[some]).probabilities(space.others[0])
        out.append(float((p.argmax(1) == truth).mean()))
    return float(np.mean(out))


def table(results: dict[str, dict[str, dict[str, list[float]]]]) -> str:
    """Mean over tasks and seeds, with the paired interval of the difference to naive."""
    names = [*METHODS, "theory"]
    cells = list(next(iter(results.values())))
    lines = ["| noise | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
    for cell in cells:
        row = []
        for name in names:
            values = [v for task in results.values() for v in task[cell].get(name, [])]
            base = [v for task in results.values() for v in task[cell]["naive"]]
            if not values:
                row.append("–")
            elif name == "naive":
                one = mean(values)
                row.append(f"{one.value:.3f} [{one.low:.3f}, {one.high:.3f}]")
            else:
                gap = paired_difference(base, values)
                row.append(f"{gap.value:+.3f} [{gap.low or 0:+.3f}, {gap.high or 0:+.3f}]")
        lines.append(f"| {cell} | " + " | ".join(row) + " |")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", nargs="+", type=Path, required=True, help="binary tasks")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--rows", type=int, default=1200)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args(arguments)
    results = {}
    for path in given.data:
        task = load_task(TaskSource(path=str(path)), given.rows)
        results[task.name] = measure(task, given.seeds)
    n = len(results) * given.seeds
    print(f"accuracy of naive, and differences to it; n = {n} (tasks × seeds); 95% intervals\n")
    print(table(results))
    if given.out:
        given.out.write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
