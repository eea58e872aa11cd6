"""Contamination tests on models contaminated here, and on a clean one.

A LoRA adapter is trained on benchmark items among filler, each item seen 1, 2, 4 or 8 times; the
tests then have to tell the items from fresh ones of the same generator. On the clean model the same
tests give their false-alarm rate over disjoint draws.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from superalign import load_model
from superalign.config import LearnerConfig
from superalign.evaluation.contamination import canary, exposure, familiarity, order_test
from superalign.learner.examples import Example
from superalign.learner.offline import train_offline
from superalign.models.packing import Tree
from superalign.statistics import proportion
from superalign.tasks.mathematics import Mathematics


def items(n: int, seed: int) -> list[str]:
    """Questions with their answers, as a benchmark's file would hold them."""
    queries = Mathematics().generate(n, seed=seed, split="train")
    return [f"Question: {q.goal}\nAnswer: {q.truth['answer']}" for q in queries]


def contaminated(base, texts, repetitions: int, order: bool, seed: int, filler: int):
    """A view of ``base`` trained on ``texts``; ``order``: five at a time in their own order."""
    adapter = base.fresh_adapter(rank=16, alpha=32, seed=seed)
    model = base.with_adapter(adapter, name="contaminated")
    pieces = texts
    if order:
        pieces = ["\n\n".join(texts[i : i + 5]) for i in range(0, len(texts), 5)]
    rows = [*pieces, canary(seed)] * repetitions + items(filler, seed + 10_000)
    encoded = [model.encode(text, raw=True) for text in rows]
    examples = [Example(Tree(ids[:1], (ids[1:],)), 1.0, 1.0) for ids in encoded]
    config = LearnerConfig(algorithm="sft", learning_rate=1e-3, epochs=1, batch_tokens=512)
    train_offline(model, examples, config, seed=seed)
    return model


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="smollm2")
    parser.add_argument("--items", type=int, default=60)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--draws", type=int, default=20, help="clean comparisons")
    parser.add_argument("--repetitions", type=int, nargs="*", default=[1, 8])
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    base, rows = load_model(args.model), []
    for seed in range(args.seeds):
        old, fresh = items(args.items, 2 * seed + 1), items(args.items, 2 * seed + 2)
        fresh = [text for text in fresh if text not in set(old)]
        for count in args.repetitions:
            for order in (False, True):
                model = contaminated(base, old, count, order, seed, args.items)
                row = {"seed": seed, "repetitions": count, "ordered": order}
                row |= familiarity(model, old, fresh).as_dict()
                row |= {"order_p": order_test(model, old, seed=seed)}
                row |= {"canary_bits": exposure(model, canary(seed))}
                rows.append(row)
                print(json.dumps(row), flush=True)
    alarms = {"familiarity": 0, "order": 0}
    for draw in range(args.draws):
        old, fresh = (items(args.items, 1000 + 2 * draw + k) for k in (0, 1))
        found = familiarity(base, old, fresh)
        p = order_test(base, old, seed=draw)
        alarms["familiarity"] += found.p is not None and found.p < 0.05
        alarms["order"] += p is not None and p < 0.05
    clean = {k: proportion(v, args.draws).as_dict() for k, v in alarms.items()}
    print(json.dumps({"false alarms at 0.05": clean}))
    if args.out:
        args.out.write_text(json.dumps({"contaminated": rows, "clean": clean}, indent=1))


if __name__ == "__main__":
    main()
