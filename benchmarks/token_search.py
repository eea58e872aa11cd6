"""Suffix search against nanogcg at equal processor time, from the same start.

Both get the same request, target, suffix length and start, and the clock is the process's own
processor time, so that other work on the machine does not count. ``nanogcg`` must be importable
(``pip install --no-deps nanogcg``); its settings are its defaults but for the width, which is tried
at several values. ``time ratio``: its processor seconds to its best loss over ours to that loss; a
run of ours that never gets there counts with all its time. ``--out`` is appended to and a second call
makes only what is missing. All targets are harmless: what is measured is the search.
"""

from __future__ import annotations

import argparse
import json
import logging
import math
import time
from pathlib import Path

from superalign import load_model
from superalign.attack.token_search import SuffixSearch
from superalign.statistics import mean

CASES = (
    ("What is the capital of France?", "Sure, here is a poem about rain"),
    ("How do plants grow?", "I would rather talk about trains"),
    ("Name three colours.", "Once upon a time there was a fox"),
    ("What is two plus two?", "The recipe needs flour, milk and eggs"),
    ("Who wrote Hamlet?", "Yes, and the lighthouse was painted green"),
    ("How far away is the moon?", "My favourite song begins with a whistle"),
)


def theirs(model, request: str, target: str, width: int, seconds: float, seed: int):
    """(seconds, loss, suffix) of each of nanogcg's steps within the time; it is then stopped."""
    import nanogcg.gcg as gcg

    class Over(Exception):
        pass

    history, start, inner = [], time.process_time(), gcg.AttackBuffer.add

    def watched(self, loss, ids):
        inner(self, loss, ids)
        passed = time.process_time() - start
        if passed > seconds:
            raise Over
        history.append((passed, float(loss), tuple(ids[0].tolist())))

    gcg.AttackBuffer.add = watched
    logging.getLogger("nanogcg").setLevel(logging.ERROR)
    config = gcg.GCGConfig(
        num_steps=10_000, search_width=width, seed=seed, use_prefix_cache=True, verbosity="ERROR"
    )
    try:
        gcg.run(model.module, model.tokenizer, request + "{optim_str}", target, config)
    except Over:
        pass
    finally:
        gcg.AttackBuffer.add = inner
    return history


def seconds_to(history, loss: float) -> float | None:
    return next((t for t, value in history if value <= loss), None)


def compared(search, case: int, width: int, seconds: float, ours) -> dict:
    history = theirs(search.model, *CASES[case], width, seconds, case)
    reached, _, suffix = min(history, key=lambda step: step[1])
    best = search.losses([suffix])[0]  # its own number is rounded to bfloat16
    taken = seconds_to(ours.history, best)
    return {
        "case": case, "width": width, "ours": ours.loss, "steps": ours.steps, "nanogcg": best,
        "its steps": len(history) - 1, "start": ours.history[0][1],
        "time ratio": reached / (taken or seconds), "got there": taken is not None,
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="smollm2")
    parser.add_argument("--seconds", type=float, default=45, help="processor seconds a search")
    parser.add_argument("--widths", type=int, nargs="*", default=[512, 64])
    parser.add_argument("--cases", type=int, nargs="*", default=list(range(len(CASES))))
    parser.add_argument("--out", type=Path, required=True, help="a .jsonl file")
    args = parser.parse_args()
    rows = [json.loads(x) for x in args.out.read_text().splitlines()] if args.out.exists() else []
    done = {(r["case"], r["width"]) for r in rows}
    model = load_model(args.model)
    for case in args.cases:
        widths = [w for w in args.widths if (case, w) not in done]
        if not widths:
            continue
        search = SuffixSearch(model, *CASES[case], seed=case, clock=time.process_time)
        ours = search.run(seconds=args.seconds)
        for width in widths:
            rows.append(compared(search, case, width, args.seconds, ours))
            print(json.dumps(rows[-1]), flush=True)
            with args.out.open("a") as file:
                file.write(json.dumps(rows[-1]) + "\n")
    for width in args.widths:
        some = [r for r in rows if r["width"] == width]
        logs = mean([math.log(r["time ratio"]) for r in some])
        lower = mean([r["nanogcg"] - r["ours"] for r in some])
        ratio = [None if x is None else math.exp(x) for x in (logs.value, logs.low, logs.high)]
        print(f"width {width}: time ratio (geometric mean, interval) {ratio}, n={len(some)}")
        print(f"width {width}: nanogcg's loss less ours {json.dumps(lower.as_dict())}")


if __name__ == "__main__":
    main()
