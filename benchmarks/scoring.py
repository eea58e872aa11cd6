"""Scoring 4-choice questions after a shared prefix against a plain batched forward pass.

    python benchmarks/scoring.py [--quick] [--out scoring.json]

Every question starts with the same 300 tokens (instructions, examples), goes on with 24 to 56 of
its own, and has four choices of 1 to 12. The plain way: every question with every choice is one
row of a length-sorted, right-padded batch for ``transformers``, whose logits at the choice's tokens
are gathered. Both are checked to agree in float32 to 1e-4 per token before they are timed.
Estimated time on two Zen 4 cores: 5 minutes, --quick 3.
"""

from __future__ import annotations

import argparse
from typing import Any

import timing
import torch
from timing import Peer, Table
from torch import Tensor

from superalign.models import LocalModel
from superalign.models.packing import Tree

TOLERANCE = 1e-4


def questions(model: LocalModel, count: int, prefix: int) -> list[Tree]:
    stream = timing.token_stream(model)
    start = timing.cut(stream, 10_000, prefix)
    return [
        Tree(
            start + timing.cut(stream, i, 24 + (i * 7) % 33),
            tuple(timing.cut(stream, 4 * i + j, 1 + (i * 5 + j * 3) % 12) for j in range(4)),
        )
        for i in range(count)
    ]


@torch.inference_mode()
def plain_scores(module: Any, trees: list[Tree], batch: int) -> list[Tensor]:
    """Per-token log-probabilities of every choice of every question, in reading order."""
    rows = [(t.prompt, c) for t in trees for c in t.completions]
    order = sorted(range(len(rows)), key=lambda i: -len(rows[i][0]) - len(rows[i][1]))
    found: list[Tensor] = [torch.empty(0)] * len(rows)
    for start in range(0, len(order), batch):
        part = [rows[i] for i in order[start : start + batch]]
        longest = max(len(p) + len(c) for p, c in part)
        ids = torch.zeros(len(part), longest, dtype=torch.long)
        mask = torch.zeros_like(ids)
        for row, (prompt, choice) in enumerate(part):
            length = len(prompt) + len(choice)
            ids[row, :length] = torch.tensor(prompt + choice)
            mask[row, :length] = 1
        ids, mask = ids.to(module.device), mask.to(module.device)
        logits = module(input_ids=ids, attention_mask=mask, use_cache=False).logits
        for row, (prompt, choice) in enumerate(part):
            span = slice(len(prompt) - 1, len(prompt) + len(choice) - 1)
            log_p = torch.log_softmax(logits[row, span].float(), -1)
            target = ids[row, len(prompt) : len(prompt) + len(choice), None]
            found[order[start + row]] = log_p.gather(1, target)[:, 0].cpu()
    return found


def assert_same(args: argparse.Namespace, prefix: int) -> None:
    model, module = timing.ours(args, "float32"), timing.plain(args, "float32")
    trees = questions(model, 4, prefix)
    mine = [x for row in model.tree_logprobs(trees) for x in row]
    worst = max(
        float((a - b).abs().max())
        for a, b in zip(mine, plain_scores(module, trees, 8), strict=True)
    )
    assert worst < TOLERANCE, f"log-probabilities differ by {worst:.2e} in float32"
    timing.note(f"float32 log-probabilities agree to {worst:.1e}")


def main() -> None:
    parser = timing.parser(__doc__)
    parser.add_argument("--plain-batch", type=int, default=16, help="rows a plain forward (16)")
    parser.add_argument("--int8", action="store_true", help="ours with @weights=int8 as well")
    parser.add_argument("--questions", nargs="+", type=int, help="how many (default: 1 8 32 128)")
    args = parser.parse_args()
    prefix = 40 if args.tiny else 300
    assert_same(args, prefix)
    model, module = timing.ours(args), timing.plain(args)
    int8 = timing.ours(args, options="@weights=int8") if args.int8 else None
    table = Table(
        f"Scoring 4-choice questions after {prefix} shared tokens, {args.dtype}, {args.device}",
        [
            "questions",
            "plain batch",
            "× plain forward",
            "ours, questions/s",
            "plain, questions/s",
            *(["int8, × ours"] if int8 else []),
        ],
    )
    counts = args.questions or ([8] if args.tiny else [32] if args.quick else [1, 8, 32, 128])
    for count in counts:
        trees = questions(model, count, prefix)
        peers = {
            "ours": Peer(lambda trees=trees: model.tree_logprobs(trees)),
            "plain": Peer(lambda trees=trees: plain_scores(module, trees, args.plain_batch)),
        }
        if int8 is not None:
            peers["int8"] = Peer(lambda trees=trees: int8.tree_logprobs(trees))
        times = timing.alternate(peers, args.repeats, args.device, f"{count} questions")
        speeds = {k: [count / t for t in row] for k, row in times.items()}
        table.add(
            [
                count,
                args.plain_batch,
                timing.spread(timing.ratios(times["plain"], times["ours"])),
                timing.spread(speeds["ours"]),
                timing.spread(speeds["plain"]),
                *([timing.spread(timing.ratios(times["ours"], times["int8"]))] if int8 else []),
            ],
            seconds=times,
        )
    timing.finish(args, [table])


if __name__ == "__main__":
    main()
