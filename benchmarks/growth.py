"""How time and memory grow with batch, length and number of prompts.

    python benchmarks/growth.py [--quick] [--top 10000] [--axes AXIS … --sizes N …] [--out growth.json]

Every cell runs in a process of its own: ``--repeats`` timed runs after a warm-up, and the peak
memory above what the process held before the first run. "growth" is the exponent between a row and
the one before it: 1 is a straight line, 0 costs nothing more. Estimated time on two Zen 4 cores: 40
minutes, --quick 10; --top 1000 saves most of it. With --tiny and --sizes up to 10,000 prompts take
seconds: what grows then is what surrounds the products.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
from collections.abc import Callable
from typing import Any

import timing
from timing import Peer, Table

from superalign.config import LearnerConfig
from superalign.learner.examples import Example
from superalign.learner.offline import train_offline
from superalign.models import LocalModel, generation
from superalign.models.packing import Tree
from superalign.models.sampling import Sampler

Run = Callable[[], Any]


def sample(model: LocalModel, prompts: list[tuple[int, ...]], new: int) -> Run:
    limits = generation.Limits(new, frozenset())
    wanted = list(range(len(prompts)))
    return lambda: generation.generate(
        model.decoder, model.weights(), prompts, wanted, Sampler(), limits, 0
    )


def _varied(model: LocalModel, count: int, tiny: bool) -> list[tuple[int, ...]]:
    """Distinct prompts of 20 to 60 tokens (tiny: 4 to 12)."""
    stream, least = timing.token_stream(model), 4 if tiny else 20
    rows = []
    for i in range(count):
        number = (i % 250, i // 250 % 250)  # no two alike, whatever the stream's length
        rows.append((*number, *timing.cut(stream, i, least - 2 + i * 7 % (2 * least))))
    return rows


def batch(model: LocalModel, size: int, tiny: bool) -> Run:
    stream = timing.token_stream(model)
    prompts = [timing.cut(stream, i, 32) for i in range(size)]
    return sample(model, prompts, 8 if tiny else 16)


def new_tokens(model: LocalModel, size: int, tiny: bool) -> Run:
    stream = timing.token_stream(model)
    return sample(model, [timing.cut(stream, i, 32) for i in range(8)], size)


def prompts(model: LocalModel, size: int, tiny: bool) -> Run:
    return sample(model, _varied(model, size, tiny), 4 if tiny else 16)


def scored(model: LocalModel, size: int, tiny: bool) -> Run:
    stream = timing.token_stream(model)
    rows = _varied(model, size, tiny)
    trees = [Tree(p, (timing.cut(stream, i, 8),)) for i, p in enumerate(rows)]
    return lambda: model.tree_logprobs(trees)


def scored_length(model: LocalModel, size: int, tiny: bool) -> Run:
    stream = timing.token_stream(model)
    trees = [Tree(timing.cut(stream, i, size), (timing.cut(stream, 50 + i, 16),)) for i in range(4)]
    return lambda: model.tree_logprobs(trees)


def _sft(model: LocalModel, trees: list[Tree]) -> Run:
    adapter = model.fresh_adapter(rank=16, alpha=32, seed=0)
    view = model.with_adapter(adapter)
    config = LearnerConfig(algorithm="sft", learning_rate=1e-5, batch_tokens=10**9)
    examples = [Example(t, 1.0, 1.0) for t in trees]
    return lambda: train_offline(view, examples, config, seed=0)


def trained(model: LocalModel, size: int, tiny: bool) -> Run:
    stream = timing.token_stream(model)
    rows = _varied(model, size, tiny)
    return _sft(model, [Tree(p, (timing.cut(stream, i, 24),)) for i, p in enumerate(rows)])


def trained_length(model: LocalModel, size: int, tiny: bool) -> Run:
    stream = timing.token_stream(model)
    half = size // 2
    trees = [
        Tree(timing.cut(stream, i, half), (timing.cut(stream, 50 + i, half),)) for i in range(2)
    ]
    return _sft(model, trees)


AXES: dict[str, tuple[Callable[[LocalModel, int, bool], Run], str, list[int]]] = {
    "generation: sequences": (batch, "32 + 16 tokens each", [1, 4, 16, 64, 256]),
    "generation: new tokens": (new_tokens, "8 sequences", [32, 128, 512, 1024]),
    "generation: prompts": (prompts, "20 to 60 + 16 tokens each", [10, 100, 1000, 10_000]),
    "scoring: prompts": (scored, "20 to 60 + 8 tokens each", [10, 100, 1000, 10_000]),
    "scoring: length": (scored_length, "4 prompts", [64, 256, 1024, 4096]),
    "training: examples a step": (trained, "20 to 60 + 24 tokens each", [4, 16, 64, 256]),
    "training: length": (trained_length, "2 examples, half of it trained", [64, 256, 1024, 4096]),
}
TINY = [2, 8, 32]


def sizes(args: argparse.Namespace, axis: str) -> list[int]:
    if args.sizes:
        return list(args.sizes)
    if args.tiny:
        return TINY
    found = [n for n in AXES[axis][2] if not axis.endswith("prompts") or n <= args.top]
    return found[:3] if args.quick else found


def cell(args: argparse.Namespace) -> None:
    """In a process of its own: times and memory of one cell, as JSON."""
    axis, size = args.cell[0], int(args.cell[1])
    model = timing.ours(args)
    run = AXES[axis][0](model, size, args.tiny)
    before = timing.peak_mb(args.device)
    times = timing.alternate({"ours": Peer(run)}, args.repeats, args.device, f"{axis} {size}")
    peak = timing.peak_mb(args.device)
    print(json.dumps({"seconds": times["ours"], "peak_mb": peak, "before_mb": before}))


def exponent(now: float, before: float, size: int, last: int) -> str:
    if now <= 0 or before <= 0:
        return "–"
    return f"{math.log(now / before) / math.log(size / last):.2f}"


def main() -> None:
    parser = timing.parser(__doc__)
    parser.add_argument("--top", type=int, default=10_000, help="most prompts (default 10,000)")
    parser.add_argument("--axes", nargs="+", choices=list(AXES), default=list(AXES))
    parser.add_argument("--sizes", nargs="+", type=int, help="these instead of the axes' own")
    parser.add_argument("--cell", nargs=2, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.cell:
        cell(args)
        return
    tables = []
    for axis in args.axes:
        table = Table(
            f"{axis} ({AXES[axis][1]}), {args.dtype}, {args.device}",
            ["size", "growth of time", "seconds", "ms per unit", "peak MB above the start"],
        )
        tables.append(table)
        last: tuple[int, float] | None = None
        for size in sizes(args, axis):
            timing.note(f"{axis} {size}")
            found = timing.child(__file__, args, "--cell", axis, str(size))
            if "failed" in found:
                table.add([size, "–", found["failed"], "–", "–"], **found)
                continue
            middle = statistics.median(found["seconds"])
            table.add(
                [
                    size,
                    exponent(middle, last[1], size, last[0]) if last else "–",
                    timing.spread(found["seconds"]),
                    f"{1000 * middle / size:.3g}",
                    f"{found['peak_mb'] - found['before_mb']:,.0f}",
                ],
                **found,
            )
            last = (size, middle)
    timing.finish(args, tables)


if __name__ == "__main__":
    main()
