"""Our Inspect provider against Inspect's own ``hf`` provider: one task, one model, one batch.

Both answer the same short requests greedily through ``inspect_ai.eval``; the clock is the wall time
of ``eval`` after one small warm-up each, models loaded. ``--batch`` is Inspect's ``max_connections``,
which ``hf`` takes for its batch size. Rounds alternate; the ratio is taken round by round.
Needs ``superalign[inspect]``. The ``.eval`` logs stay in ``--logs`` for ``inspect view``.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import time
from pathlib import Path

from inspect_ai import Task, eval
from inspect_ai.dataset import Sample
from inspect_ai.model import GenerateConfig, get_model
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


def timed(model, rows: list[Sample], logs: str) -> tuple[float, float, list[str]]:
    """Wall seconds, processor seconds, answers."""
    start, used = time.perf_counter(), time.process_time()
    task = Task(dataset=rows, scorer=includes(), name="short_requests")
    [log] = eval(task, model=model, log_dir=logs, display="none")
    seconds, used = time.perf_counter() - start, time.process_time() - used
    if log.status != "success":
        raise SystemExit(f"{model}: {log.error}")
    return seconds, used, [s.output.completion.strip() for s in log.samples]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, help="a model's folder; default: the embedded one")
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
    config = GenerateConfig(max_tokens=args.tokens, temperature=0.0, max_connections=args.batch)
    ours = get_model(f"superalign/{folder}", config=config, dtype=args.dtype, memoize=False)
    greedy = config.model_copy(update={"temperature": None})  # hf passes 0 on, which is an error
    theirs = get_model(
        "hf/local", config=greedy, model_path=str(folder), dtype=args.dtype, do_sample=False,
        device="cpu", memoize=False,
    )  # fmt: skip
    rows, rounds = samples(args.requests), []
    for model in (ours, theirs):
        timed(model, rows[:8], args.logs)
    for _ in range(args.rounds):
        seconds, used, said = zip(*(timed(m, rows, args.logs) for m in (ours, theirs)), strict=True)
        same = sum(a == b for a, b in zip(*said, strict=True))
        row = {"ours": seconds[0], "hf": seconds[1], "ratio": seconds[1] / seconds[0]}
        row |= {"ours, processor": used[0], "hf, processor": used[1]}
        rounds.append({k: round(v, 2) for k, v in row.items()} | {"equal answers": same})
        print(json.dumps(rounds[-1]), flush=True)
    found = {
        "requests": args.requests, "batch": args.batch, "tokens": args.tokens, "dtype": args.dtype,
        "ratio": statistics.median(r["ratio"] for r in rounds), "rounds": rounds,
    }  # fmt: skip
    print(json.dumps(found))
    if args.out:
        args.out.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
