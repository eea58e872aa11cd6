"""Where a GRPO step's time goes: its phases, and the parts of its passes against the ceilings.

    python benchmarks/update_profile.py [--out update.json]

The step is that of ``training.py``. Parts are timed around the calls themselves, each without what it
calls in turn; operations are counted from the sizes of the calls. "floor": what they take at the rate
of a large product in the model's type, measured first. Parts that only move memory have none.
Estimated time on two Zen 4 cores: 2 minutes.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import timing
from ceilings import ceilings
from timing import Table
from training_work import Ours

from superalign.learner import on_policy, optimisation
from superalign.models import LocalModel, attention, gradients, native

Sizes = Callable[..., float]


class Clock:
    """Seconds, calls and operations of named parts; a part's own time is without the parts in it."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self.calls: dict[str, int] = defaultdict(int)
        self.operations: dict[str, float] = defaultdict(float)
        self._inner = [0.0]

    def around(self, name: str, function: Callable[..., Any], sizes: Sizes | None) -> Any:
        """``function``, its calls being timed under ``name``."""

        def timed(*args: Any, **more: Any) -> Any:
            start = time.perf_counter()
            self._inner.append(0.0)
            try:
                return function(*args, **more)
            finally:
                whole = time.perf_counter() - start
                self.seconds[name] += whole - self._inner.pop()
                self._inner[-1] += whole
                self.calls[name] += 1
                self.operations[name] += sizes(*args) if sizes else 0.0

        return timed


def product(matrix: native.PackedMatrix, x: Any, *_: Any) -> float:
    return 2.0 * float(x.shape[0] * matrix.rows * matrix.width)


def low_rank(ctx: Any, x: Any, residual: Any, a: Any, b: Any, *_: Any) -> float:
    return 2.0 * float(x.shape[0] * (a.numel() + b.numel()))


def low_rank_back(ctx: Any, *_: Any) -> float:
    x, a, b, _ = ctx.saved_tensors
    return 4.0 * float(x.shape[0] * (a.numel() + b.numel()))


PARTS: dict[str, list[tuple[Any, str, Sizes | None]]] = {
    "frozen products and the head": [(native.PackedMatrix, "__call__", product)],
    "low-rank products": [
        (gradients._LowRankLinear, "forward", low_rank),
        (gradients._LowRankLinear, "backward", low_rank_back),
    ],
    "attention": [
        (attention._Attend, "forward", None),
        (attention._Attend, "backward", None),
    ],
    "softmax over the vocabulary": [(native.Kernels, "log_softmax_at", None)],
    "norms, gates, rotation": [
        (native.Kernels, name, None)
        for name in ("rms_norm", "rms_norm_backward", "gated_silu", "gated_silu_backward", "rotate")
    ],
    "between tokens and rows": [
        (function, name, None)
        for function in (gradients._ToGrid, gradients._FromGrid)
        for name in ("forward", "backward")
    ],
    "optimiser": [(optimisation.Optimizer, "step", None)],
}
PHASES: dict[str, tuple[Any, str]] = {
    "sampling": (LocalModel, "generate"),
    "reference": (LocalModel, "tree_logprobs"),
    "forward and loss": (on_policy, "_policy_loss"),
}


@contextmanager
def patched(clock: Clock, names: list[tuple[str, Any, str, Sizes | None]]) -> Iterator[None]:
    """Every function named is timed within the context."""
    patches = []
    for name, owner, function, sizes in names:
        raw = owner.__dict__[function]
        timed = clock.around(name, getattr(owner, function), sizes)
        wrapped = staticmethod(timed) if isinstance(raw, staticmethod) else timed
        patches.append(patch.object(owner, function, wrapped))
    for each in patches:
        each.start()
    try:
        yield
    finally:
        for each in patches:
            each.stop()


def main() -> None:
    args = timing.parser(__doc__).parse_args()
    _, speed = ceilings(args, timing.ours(args).decoder.dtype)
    subject = Ours(args, "grpo")
    subject.step()
    phases = Table("Phases of a GRPO step", ["phase", "share", "seconds"])
    runs: list[dict[str, float]] = []
    for _ in range(args.repeats):
        clock, start = Clock(), time.perf_counter()
        with patched(clock, [(n, o, f, None) for n, (o, f) in PHASES.items()]):
            subject.step()
        whole = time.perf_counter() - start
        rest = whole - sum(clock.seconds.values())
        runs.append(clock.seconds | {"backward and optimiser": rest, "the step": whole})
    show(phases, runs)
    parts = Table(
        "Parts of the reference, forward and backward passes",
        ["part", "share", "seconds", "Gop", "floor / time", "calls"],
    )
    passes(args, subject, parts, speed)
    timing.finish(args, [phases, parts])


def show(table: Table, runs: list[dict[str, float]]) -> None:
    whole = statistics.median(r["the step"] for r in runs)
    for name in runs[0]:
        seconds = [r[name] for r in runs]
        share = statistics.median(seconds) / whole
        table.add([name, f"{share:.0%}", timing.spread(seconds)], seconds=seconds)


def passes(args: argparse.Namespace, subject: Ours, table: Table, speed: float) -> None:
    """Parts of an update; the sampling before it is not timed."""
    clocks, wholes = [], []
    names = [(n, o, f, s) for n, rows in PARTS.items() for o, f, s in rows]
    for _ in range(args.repeats):
        rollouts = subject.rollouts()
        clock, start = Clock(), time.perf_counter()
        with patched(clock, names):
            subject.loss(rollouts)
        wholes.append(time.perf_counter() - start)
        clocks.append(clock)
    middle = statistics.median(wholes)
    for name in PARTS:
        seconds = [c.seconds[name] for c in clocks]
        gop, own = clocks[0].operations[name] / 1e9, statistics.median(seconds)
        table.add(
            [
                name,
                f"{own / middle:.0%}",
                timing.spread(seconds),
                f"{gop:,.0f}" if gop else "–",
                f"{1e9 * gop / speed / own:.2f}" if gop else "–",
                clocks[0].calls[name],
            ],
            seconds=seconds,
        )
    rest = [w - sum(c.seconds.values()) for w, c in zip(wholes, clocks, strict=True)]
    table.add(
        ["autograd, Python, the rest", f"{statistics.median(rest) / middle:.0%}",
         timing.spread(rest), "–", "–", "–"],
        seconds=rest,
    )  # fmt: skip
    table.add(["together", "100%", timing.spread(wholes), "–", "–", "–"], seconds=wholes)


if __name__ == "__main__":
    main()
