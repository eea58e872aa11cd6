"""Contamination tests on models contaminated here: what each tells apart, and its false alarms.

Every model is a LoRA adapter trained on one small benchmark (each item seen ``--repetitions`` times,
among filler of the same generator seen once, with one canary). Even seeds see the file in its order,
five items a document; odd seeds see single items, shuffled. The tests then judge

* the benchmark that the model was trained on (positive), and
* another one of the same generator that it never saw (negative, beside fresh items too),

so a negative model has had the same training and is clean only of what it is accused of. The AUROC
over models is over these two groups; ``base`` rows are the model that nothing was done to.
Rows are appended to ``--out`` as they are made, and a second call makes only what is missing.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

from superalign import load_model
from superalign.config import LearnerConfig
from superalign.evaluation.contamination import (
    canary,
    exposure,
    familiarity,
    ngram_overlap,
    order_test,
)
from superalign.learner.examples import Example
from superalign.learner.offline import train_offline
from superalign.models.packing import Tree
from superalign.statistics import auroc, proportion
from superalign.tasks.mathematics import Mathematics

SHARD = 5


def items(n: int, seed: int) -> list[str]:
    """Questions with their answers, as a benchmark's file would hold them."""
    queries = Mathematics().generate(n, seed=seed, split="train")
    return [f"Question: {q.goal}\nAnswer: {q.truth['answer']}" for q in queries]


def files(n: int, seed: int) -> dict[str, list[str]]:
    """Disjoint texts: the benchmark, another one, fresh items, and filler."""
    made: dict[str, list[str]] = {}
    seen: set[str] = set()
    for k, name in enumerate(("own", "other", "fresh", "filler")):
        texts = [t for t in items(2 * n, 10 * seed + k) if t not in seen]
        made[name] = list(dict.fromkeys(texts))[:n]
        seen |= set(made[name])
    return made


def rows_of(texts: dict[str, list[str]], repetitions: int, seed: int) -> list[str]:
    """What the model is trained on."""
    own = texts["own"]
    if seed % 2 == 0:
        own = ["\n\n".join(own[i : i + SHARD]) for i in range(0, len(own), SHARD)]
    return [*own, canary(seed)] * repetitions + texts["filler"]


def trained(base, rows: list[str], seed: int, rate: float):
    model = base.with_adapter(base.fresh_adapter(rank=16, alpha=32, seed=seed), name="contaminated")
    encoded = [model.encode(text, raw=True) for text in rows]
    examples = [Example(Tree(ids[:1], (ids[1:],)), 1.0, 1.0) for ids in encoded]
    config = LearnerConfig(
        algorithm="sft", learning_rate=rate, epochs=1, batch_tokens=256, average="tokens"
    )
    train_offline(model, examples, config, seed=seed)
    return model


def judged(model, texts: list[str], fresh: list[str], corpus: list[str], seed: int) -> dict:
    """Every test's word on one file; the order only where it was kept."""
    found = familiarity(model, texts, fresh)
    overlaps = [o or 0.0 for o in ngram_overlap([*texts, *fresh], corpus)]
    truth = [1.0] * len(texts) + [0.0] * len(fresh)
    return {
        "familiarity": found.auroc.value,
        "familiarity_p": found.p,
        "order_p": None if seed % 2 else order_test(model, texts, permutations=3, seed=seed),
        "overlap": auroc(overlaps, truth).value if corpus else None,
    }


def row(base, n: int, repetitions: int, seed: int, rate: float) -> dict:
    start, texts = time.process_time(), files(n, seed)
    corpus = rows_of(texts, repetitions, seed) if repetitions else []
    model = trained(base, corpus, seed, rate) if repetitions else base
    train = time.process_time() - start
    found = {"seed": seed, "repetitions": repetitions, "ordered": seed % 2 == 0}
    if repetitions:
        found["own"] = judged(model, texts["own"], texts["fresh"], corpus, seed)
        found["own"]["canary"] = exposure(model, canary(seed))
    found["other"] = judged(model, texts["other"], texts["fresh"], corpus, seed)
    found["other"]["canary"] = exposure(model, canary(seed + 1_000_000))
    return found | {"train_s": train, "test_s": time.process_time() - start - train}


def report(rows: list[dict]) -> dict:
    """AUROC over models and false alarms at p < 0.05, by repetitions."""
    found: dict = {}
    for count in sorted({r["repetitions"] for r in rows} - {0}):
        some = [r for r in rows if r["repetitions"] == count]
        ordered = [r for r in some if r["ordered"]]
        for name, key, group, sign in (
            ("familiarity", "familiarity", some, 1), ("order, in order", "order_p", ordered, -1),
            ("canary", "canary", some, 1), ("overlap", "overlap", some, 1),
        ):  # fmt: skip
            scores = [sign * r[side][key] for side in ("own", "other") for r in group]
            truth = [1.0] * len(group) + [0.0] * len(group)
            found[f"{count}x {name}"] = auroc(scores, truth).as_dict()
        for key in ("familiarity_p", "order_p"):
            for side in ("own", "other"):
                hits = [r[side][key] < 0.05 for r in (ordered if key == "order_p" else some)]
                found[f"{count}x {key} < 0.05, {side}"] = proportion(sum(hits), len(hits)).as_dict()
    for key in ("familiarity_p", "order_p"):
        some = [r for r in rows if r["repetitions"] == 0 and r["other"][key] is not None]
        hits = [r["other"][key] < 0.05 for r in some]
        found[f"base {key} < 0.05"] = proportion(sum(hits), len(hits)).as_dict()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="smollm2")
    parser.add_argument("--items", type=int, default=20, help="of a benchmark; a multiple of 5")
    parser.add_argument("--seeds", type=int, default=16)
    parser.add_argument("--first", type=int, default=0, help="first seed")
    parser.add_argument("--repetitions", type=int, nargs="*", default=[8, 1, 0], help="0: base")
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--most", type=int, help="make at most so many new rows")
    parser.add_argument("--out", type=Path, required=True, help="a .jsonl file")
    args = parser.parse_args()
    rows = [json.loads(x) for x in args.out.read_text().splitlines()] if args.out.exists() else []
    done = {(r["seed"], r["repetitions"]) for r in rows}
    todo = [
        (seed, count)
        for count in args.repetitions
        for seed in range(args.first, args.first + args.seeds)
        if (seed, count) not in done
    ]
    base = load_model(args.model)
    for seed, count in todo[: args.most]:
        rows.append(row(base, args.items, count, seed, args.rate))
        print(json.dumps(rows[-1]), flush=True)
        with args.out.open("a") as file:
            file.write(json.dumps(rows[-1]) + "\n")
    for name, value in report(rows).items():
        print(f"{name}: {json.dumps(value)}")


if __name__ == "__main__":
    main()
