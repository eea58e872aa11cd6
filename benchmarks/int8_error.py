"""What ``@weights=int8`` costs in quality, beside what bfloat16 costs: both against float32.

    python benchmarks/int8_error.py [--truthfulqa FILE] [--sst2 FILE] [--limit 300] [--out error.json]

The neutral texts, token by token as they are: perplexity, KL divergence from float32's next-token
distribution, how often the likeliest token is the same. Greedy answers of 48 tokens to the same
texts' first sentences: how many are float32's to the end. With files (rows of JSON): multiple choice
of TruthfulQA (the best answer against the wrong ones) and sentiment by the likelier word, right or
wrong in pairs, with McNemar's exact test. Intervals are 95%, over texts or questions. Estimated time
on one core: 1 minute, 3 with both files.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import timing
import torch
from timing import Table
from torch import Tensor

from superalign.models import LocalModel, load_model
from superalign.models.packing import PackedBatch, Tree
from superalign.statistics import Estimate, mcnemar, mean, proportion
from superalign.tasks.neutral import NEUTRAL_TEXTS

FORMS = {"bfloat16": ("bfloat16", ""), "int8": ("bfloat16", "@weights=int8")}
HEAD = 4  # tokens of a text that are given


def text(estimate: Estimate, digits: int = 3) -> str:
    """A value with its interval."""
    if estimate.value is None or estimate.low is None or estimate.high is None:
        return f"– ({estimate.reason})"
    low, high = (f"{x:.{digits}g}" for x in (estimate.low, estimate.high))
    return f"{estimate.value:.{digits}g} [{low}, {high}]"


# -- texts token by token ---------------------------------------------------------------------------


@dataclass
class Compared:
    """One text's means over its tokens."""

    nll: float
    divergence: float
    same: float


@torch.inference_mode()
def log_probabilities(model: LocalModel, tree: Tree) -> Tensor:
    """Next-token log-probabilities (C, V) in float32 at a tree's completion tokens."""
    batch = PackedBatch.build([tree], ends=False)
    return model.head.logits(model.completion_states(batch)).float().log_softmax(-1)


def read_texts(reference: LocalModel, model: LocalModel) -> Iterator[tuple[Compared, Compared]]:
    """Float32's numbers and the model's, text by text."""
    for words in NEUTRAL_TEXTS:
        tokens = reference.encode_completion(words)
        tree, target = Tree(tokens[:HEAD], (tokens[HEAD:],)), torch.tensor(tokens[HEAD:])[:, None]
        p, q = (log_probabilities(m, tree) for m in (reference, model))
        kl = (p.exp() * (p - q)).sum(-1)
        same = (p.argmax(-1) == q.argmax(-1)).float()
        yield tuple(  # type: ignore[misc]
            Compared(float(-x.gather(1, target).mean()), float(kl.mean()), float(same.mean()))
            for x in (p, q)
        )


def on_texts(reference: LocalModel, models: dict[str, LocalModel]) -> Table:
    """Perplexity's ratio, divergence and agreement."""
    table = Table(
        f"{len(NEUTRAL_TEXTS)} neutral texts, each token given those before it, against float32",
        ["form", "perplexity", "× float32's", "KL, nats a token", "same likeliest token"],
    )
    for name, model in models.items():
        rows = list(read_texts(reference, model))
        if not table.rows:
            table.add(
                [
                    "float32",
                    f"{math.exp(sum(a.nll for a, _ in rows) / len(rows)):.4g}",
                    "1",
                    "0",
                    "1",
                ]
            )
        worse = mean([b.nll - a.nll for a, b in rows])
        value, low, high = (
            None if x is None else math.exp(x) for x in (worse.value, worse.low, worse.high)
        )
        ratio = Estimate(value, low, high, worse.n)
        table.add(
            [
                name,
                f"{math.exp(sum(b.nll for _, b in rows) / len(rows)):.4g}",
                text(ratio, 4),
                text(mean([b.divergence for _, b in rows]), 2),
                text(mean([b.same for _, b in rows])),
            ]
        )
    return table


def greedy(reference: LocalModel, models: dict[str, LocalModel], new: int) -> Table:
    """How long greedy answers stay float32's."""
    prompts = [f"{words.split('. ')[0]}." for words in NEUTRAL_TEXTS]
    wanted = [c[0].tokens for c in reference.generate(prompts, temperature=0, max_new_tokens=new)]
    table = Table(
        f"Greedy answers of {new} tokens to {len(prompts)} sentences, against float32",
        ["form", "equal to the end", "equal tokens before the first other one"],
    )
    for name, model in models.items():
        found = [c[0].tokens for c in model.generate(prompts, temperature=0, max_new_tokens=new)]
        equal = sum(a == b for a, b in zip(found, wanted, strict=True))
        lengths = [
            float(next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), len(b)))
            for a, b in zip(found, wanted, strict=True)
        ]
        table.add([name, text(proportion(equal, len(prompts))), text(mean(lengths))])
    return table


# -- tasks ------------------------------------------------------------------------------------------

Question = tuple[str, list[str], int]  # prompt, choices, the right one


def truthfulqa(row: dict[str, Any]) -> Question:
    return str(row["question"]), [str(row["best"]), *map(str, row["incorrect"])], 0


def sst2(row: dict[str, Any]) -> Question:
    ask = f"Is this review positive or negative? Answer with one word.\n\n{row['text']}"
    return ask, ["Negative", "Positive"], int(row["label"])


def answers(model: LocalModel, questions: list[Question]) -> list[bool]:
    """Whether the likeliest choice, by its log-probability a token, is the right one."""
    scores = model.choose([q for q, _, _ in questions], [c for _, c, _ in questions])
    return [
        max(range(len(row)), key=lambda i: row[i].per_token) == right
        for row, (_, _, right) in zip(scores, questions, strict=True)
    ]


def on_tasks(args: argparse.Namespace, models: dict[str, LocalModel]) -> Table:
    """Right answers in each form, and in pairs."""
    table = Table(
        "Multiple choice by likelihood",
        ["task", "n", *models, "right in the first only", "in the second only", "McNemar's p"],
    )
    kinds: dict[str, tuple[Path | None, Callable[[dict[str, Any]], Question]]] = {
        "TruthfulQA": (args.truthfulqa, truthfulqa),
        "SST-2": (args.sst2, sst2),
    }
    for name, (path, read) in kinds.items():
        if path is None:
            continue
        lines = path.read_text(encoding="utf-8").splitlines()[: args.limit]
        questions = [read(json.loads(line)) for line in lines]
        rights = [answers(m, questions) for m in models.values()]
        first, second = (
            sum(a and not b for a, b in zip(x, y, strict=True)) for x, y in (rights, rights[::-1])
        )
        shares = [text(proportion(sum(r), len(r))) for r in rights]
        table.add([name, len(questions), *shares, first, second, f"{mcnemar(first, second):.2g}"])
    return table


def main() -> None:
    parser = timing.parser(__doc__)
    parser.add_argument("--truthfulqa", type=Path, help="rows of question, best, incorrect")
    parser.add_argument("--sst2", type=Path, help="rows of text, label")
    parser.add_argument("--limit", type=int, default=300, help="questions a task (300)")
    args = parser.parse_args()
    folder = timing.model_folder(args)
    reference = load_model(str(folder), device="cpu", dtype="float32")
    models = {
        name: load_model(f"{folder}{options}", device="cpu", dtype=dtype)
        for name, (dtype, options) in FORMS.items()
    }
    tables = [on_texts(reference, models), greedy(reference, models, 8 if args.tiny else 48)]
    if args.truthfulqa or args.sst2:
        tables.append(on_tasks(args, models))
    timing.finish(args, tables)


if __name__ == "__main__":
    main()
