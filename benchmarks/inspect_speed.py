"""Our Inspect provider, in bfloat16 and in 8-bit integers, against Inspect's own ``hf`` provider.

All answer the same short requests greedily through ``inspect_ai.eval``; the clock is the wall time
of ``eval`` after one small warm-up each, models loaded. ``--batch`` is Inspect's ``max_connections``,
which ``hf`` takes for its batch size. Providers alternate; ratios are taken round by round.
Needs ``superalign[inspect]``. The ``.eval`` logs stay in ``--logs`` for ``inspect view``.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import time
from pathlib import Path
from typing import Any

import torch
from inspect_ai import Task, eval
from inspect_ai.dataset import Sample
from inspect_ai.model import GenerateConfig, Model, get_model
from inspect_ai.scorer import includes

import superalign.evaluation.inspect_provider  # noqa: F401  registers it, installed or not
from superalign.models.embedded import embedded_folder


def samples(n: int) -> list[Sample]:
    """Distinct one-line questions of different lengths."""
    rng, made = random.Random("inspect speed"), {}
    while len(made) < n:
        a, b, things = rng.randint(2, 999), rng.randint(2, 999), rng.choice(["pens", "kg of rice"])
        form = rng.choice(
            ["What is {a} + {b}?", "Ann has {a} {t} and gets {b} more. How many now?"]
        )
        made[form.format(a=a, b=b, t=things)] = str(a + b)
    return [Sample(input=text, target=target) for text, target in made.items()]


def timed(model: Model, rows: list[Sample], logs: str) -> tuple[float, float, list[str]]:
    """Wall seconds, processor seconds, answers."""
    start, used = time.perf_counter(), time.process_time()
    task = Task(dataset=rows, scorer=includes(), name="short_requests")
    [log] = eval(task, model=model, log_dir=logs, display="none")
    seconds, used = time.perf_counter() - start, time.process_time() - used
    if log.status != "success":
        raise SystemExit(f"{model}: {log.error}")
    return seconds, used, [s.output.completion.strip() for s in log.samples]


def providers(folder: Path, args: argparse.Namespace) -> dict[str, Model]:
    """Our provider with bfloat16 and with 8-bit weights, and Inspect's own."""
    config = GenerateConfig(max_tokens=args.tokens, temperature=0.0, max_connections=args.batch)
    greedy = config.model_copy(update={"temperature": None})  # hf passes 0 on, which is an error

    def ours(options: str) -> Model:
        name = f"superalign/{folder}{options}"
        return get_model(name, config=config, dtype=args.dtype, memoize=False)

    make = {
        "ours": lambda: ours(""),
        "int8": lambda: ours("@weights=int8"),
        "hf": lambda: get_model(
            "hf/local", config=greedy, model_path=str(folder), dtype=args.dtype, do_sample=False,
            device="cpu", memoize=False,
        ),
    }  # fmt: skip
    return {name: make[name]() for name in args.providers}


def one_round(models: dict[str, Model], rows: list[Sample], logs: str) -> dict[str, Any]:
    """Seconds by provider, their ratios to ``hf``, and how many answers equal the first one's."""
    seconds, used, said, batches = {}, {}, {}, {}
    for name, model in models.items():
        before = len(_batches(model))
        seconds[name], used[name], said[name] = timed(model, rows, logs)
        batches[name] = _batches(model)[before:]
    first = next(iter(said))
    return {
        "seconds": rounded(seconds),
        "processor": rounded(used),
        "hf over": rounded({k: seconds["hf"] / v for k, v in seconds.items() if "hf" in seconds}),
        f"equal to {first}": {
            k: sum(a == b for a, b in zip(said[first], v, strict=True)) for k, v in said.items()
        },
        "batches": {k: v for k, v in batches.items() if v},
    }


def rounded(values: dict[str, float]) -> dict[str, float]:
    """To two places."""
    return {k: round(v, 2) for k, v in values.items()}


def _batches(model: Model) -> list[int]:
    batcher = getattr(model.api, "batcher", None)
    return batcher.batches if batcher else []


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, help="a model's folder; default: the embedded one")
    parser.add_argument("--providers", nargs="+", default=["ours", "int8", "hf"])
    parser.add_argument("--requests", type=int, default=1024)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--tokens", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--dtype", default="bfloat16")
    parser.add_argument("--logs", default="logs")
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    folder = args.model or embedded_folder()
    if folder is None:
        raise SystemExit("the embedded model is not installed; give --model FOLDER")
    models = providers(folder, args)
    rows, rounds = samples(args.requests), []
    for model in models.values():
        timed(model, rows[:8], args.logs)
    for _ in range(args.rounds):
        rounds.append(one_round(models, rows, args.logs))
        print(json.dumps(rounds[-1]), flush=True)
    found = {
        **{k: getattr(args, k) for k in ("requests", "batch", "tokens", "dtype")},
        "threads": torch.get_num_threads(),
        "median hf over": {
            k: statistics.median(r["hf over"][k] for r in rounds) for k in rounds[0]["hf over"]
        },
        "rounds": rounds,
    }
    print(json.dumps({k: v for k, v in found.items() if k != "rounds"}))
    if args.out:
        args.out.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
