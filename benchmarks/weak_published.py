"""openai/weak-to-strong's published procedure against superalign's default, on the same rows.

    python benchmarks/weak_published.py --data FILE [FILE …] [--seeds 3] [--kind lora|full] [--out FILE]

Both get the same weak labels (a head on the supervisor's frozen features) and the same student rows.
The published procedure is re-implemented from its description: LoRA rank 8 on every block
(``--kind full``: every matrix), soft labels, 2 epochs, batch 32, Adam, cosine, xent and logconf; of
the learning rates the one that is best on the *test* set is shown, which favours it. Ours: frozen
features and the default method. Time is that of one student from nothing: training and test for
theirs; reading its texts (empty cache), heads and test for ours.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

import superalign.weak_to_strong.methods  # noqa: F401 - registers the built-in methods
from superalign.models import load_model
from superalign.registry import lookup
from superalign.statistics import mean, paired_difference
from superalign.weak_to_strong.features import tokens_of
from superalign.weak_to_strong.finetuning import Kind, Recipe, finetune
from superalign.weak_to_strong.heads import Space
from superalign.weak_to_strong.method import Setting
from superalign.weak_to_strong.settings import TaskSource
from superalign.weak_to_strong.splits import split
from superalign.weak_to_strong.student import read, weak_vectors
from superalign.weak_to_strong.supervisors import Feature
from superalign.weak_to_strong.tasks import Task, load_task

LOSSES = ("xent", "logconf")
MAX_TOKENS = 96


RATES: dict[Kind, list[float]] = {"lora": [3e-4, 1e-3], "full": [2e-5, 5e-5]}


def measure(task: Task, seeds: int, kind: Kind, learning_rates: Sequence[float]) -> dict[str, Any]:
    """Accuracy per seed of supervisor, ours, and theirs by loss and learning rate; seconds each."""
    student, weak = load_model("smollm2"), load_model("smollm2@layers=2")
    supervisor = Feature("weak", lambda t: weak_vectors(weak, t, MAX_TOKENS))
    ids = [tokens_of(student, text, MAX_TOKENS) for text in task.flat]
    found: dict[str, Any] = {"weak": [], "ours": [], "naive": [], "seconds": {"ours": []}}
    with tempfile.TemporaryDirectory() as scratch:
        start = time.perf_counter()
        readings = read(student, task, MAX_TOKENS, cache=Path(scratch))
        reading = time.perf_counter() - start
    for seed in range(seeds):
        cut = split(task, seed)
        truth = task.truth[cut.test]
        given = supervisor.supervise(task, cut, seed)
        found["weak"].append(_right(given.test, truth))
        start = time.perf_counter()
        views = {k: Space.of(x[cut.student], x[cut.test]) for k, x in readings.views.items()}
        setting = Setting(views, given.labels, seed=seed)
        found["ours"].append(_right(lookup("method", "default")().predict(setting).test, truth))
        share = (len(cut.student) + len(cut.test)) / task.n
        found["seconds"]["ours"].append(time.perf_counter() - start + reading * share)
        found["naive"].append(_right(lookup("method", "naive")().predict(setting).test, truth))
        for loss in LOSSES:
            for rate in learning_rates:
                start = time.perf_counter()
                p = finetune(
                    student,
                    [ids[i] for i in cut.student],
                    given.labels.probability,
                    [ids[i] for i in cut.test],
                    Recipe(loss=loss, kind=kind, learning_rate=rate),
                    seed,
                )
                found.setdefault(f"{loss} {rate:g}", []).append(_right(p, truth))
                found["seconds"].setdefault(loss, []).append(time.perf_counter() - start)
        print(task.name, seed, {k: v[-1] for k, v in found.items() if k != "seconds"}, flush=True)
    return found


def _right(p: Any, truth: Any) -> float:
    return float((p.argmax(1) == truth).mean())


def table(results: dict[str, dict[str, Any]]) -> str:
    lines = [
        "| task | weak | published xent | published logconf | ours | ours − better published | time ratio |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, found in results.items():
        best = {
            loss: max((v for k, v in found.items() if k.startswith(loss)), key=np.mean)
            for loss in LOSSES
        }
        top = max(best.values(), key=np.mean)
        gap = paired_difference(top, found["ours"])
        ratio = np.mean(found["seconds"]["xent"]) / np.mean(found["seconds"]["ours"])
        cells = [mean(v) for v in (found["weak"], best["xent"], best["logconf"], found["ours"])]
        row = " | ".join(f"{c.value:.3f} [{c.low or 0:.3f}, {c.high or 0:.3f}]" for c in cells)
        low, high = gap.low or 0.0, gap.high or 0.0
        lines.append(
            f"| {name} | {row} | {gap.value:+.3f} [{low:+.3f}, {high:+.3f}] | {ratio:.1f} |"
        )
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", nargs="+", type=Path, required=True, help="binary tasks")
    parser.add_argument("--kind", choices=list(RATES), default="lora")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--rows", type=int, default=1200)
    parser.add_argument("--learning-rates", nargs="+", type=float, help="default: two a kind")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args(arguments)
    results = {}
    for path in given.data:
        task = load_task(TaskSource(path=str(path)), given.rows)
        results[task.name] = measure(
            task, given.seeds, given.kind, given.learning_rates or RATES[given.kind]
        )
    print(f"\n{given.seeds} seeds; 95% intervals over seeds; time ratio: theirs / ours\n")
    print(table(results))
    if given.out:
        given.out.write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
