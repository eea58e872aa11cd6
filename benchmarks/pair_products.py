"""Bfloat16 products by the processor's instruction for pairs, and in float: which is faster here.

    python benchmarks/pair_products.py [--quick] [--processor-time] [--out pairs.json]

Packed matrices are multiplied in one of two ways (models/products.c), chosen by what the instructions
themselves cost on the processor. Here both ways are forced in turn: all products of one pass over so
many rows, beside PyTorch's own of the plain weights in either type; then generation and scoring
whole. Estimated time on two cores: 4 minutes, --quick 1.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import timing
import torch
import torch.nn.functional as F
from timing import Peer, Table

from superalign.models import LocalModel, generation, native
from superalign.models.architecture import Linear
from superalign.models.packing import Tree
from superalign.models.sampling import Sampler

PROMPT, NEW = 32, 48
WAYS = {"pairs": False, "float": True}


def forced(model: LocalModel, in_floats: bool, run: Callable[[], Any]) -> Peer:
    """``run`` with all packed matrices of the model multiplied in this way."""
    products = [f for block in model.weights().blocks for f in block]
    head = model.head.logits
    packed = [f for f in (*products, head) if isinstance(f, native.PackedMatrix)]

    def forced_run() -> None:
        for matrix in packed:
            matrix.in_floats = in_floats
        run()

    return Peer(torch.inference_mode()(forced_run))


def all_linears(model: LocalModel) -> list[Linear]:
    names = ("qkv", "out", "gate_up", "down")
    return [getattr(layer, name) for layer in model.decoder.layers for name in names]


def products(model: LocalModel, rows: int, floats: list[torch.Tensor]) -> dict[str, Peer]:
    """All products of one pass, the head's left out; ``floats``: their plain weights in float32."""
    linears = all_linears(model)
    fast = [f for block in model.weights().blocks for f in block]
    x = {n: torch.randn(rows, n).bfloat16() for n in {x.weight.shape[1] for x in linears}}
    wide = {n: inputs.float() for n, inputs in x.items()}

    def ours() -> None:
        for f, linear in zip(fast, linears, strict=True):
            f(x[linear.weight.shape[1]])

    def torch_pairs() -> None:
        for linear in linears:
            F.linear(x[linear.weight.shape[1]], linear.weight)

    def torch_float() -> None:
        for weight in floats:
            F.linear(wide[weight.shape[1]], weight)

    found = {name: forced(model, way, ours) for name, way in WAYS.items()}
    found["PyTorch, bfloat16"] = Peer(torch.inference_mode()(torch_pairs))
    found["PyTorch, float32"] = Peer(torch.inference_mode()(torch_float))
    return found


def uses(model: LocalModel) -> dict[str, Callable[[], Any]]:
    """Whole uses: sampling at several batches, and scoring of four choices."""
    stream = timing.token_stream(model)
    limits = generation.Limits(NEW, frozenset())

    def sampled(batch: int) -> Callable[[], Any]:
        prompts = [timing.cut(stream, i, PROMPT) for i in range(batch)]
        return lambda: generation.generate(
            model.decoder, model.weights(), prompts, list(range(batch)), Sampler(), limits, 0
        )

    trees = [
        Tree(
            timing.cut(stream, i, PROMPT),
            tuple(timing.cut(stream, 99 + 4 * i + j, 8) for j in range(4)),
        )
        for i in range(32)
    ]
    sizes = {f"{n} sequences, {NEW} new tokens each": sampled(n) for n in (1, 8, 64)}
    return sizes | {"scoring 32 × 4 choices": lambda: model.tree_logprobs(trees)}


def main() -> None:
    parser = timing.parser(__doc__)
    parser.add_argument("--processor-time", action="store_true", help="one thread's own seconds")
    args = parser.parse_args()
    clock = time.process_time if args.processor_time else time.perf_counter
    if args.processor_time:
        torch.set_num_threads(1)
    model = timing.ours(args)
    if not any(isinstance(f, native.PackedMatrix) for b in model.weights().blocks for f in b):
        raise SystemExit(
            "no packed products here: a processor with AVX512-BF16 and --dtype bfloat16"
        )
    chosen = "float" if native.multiplies_in_floats() else "pairs"
    timing.note(f"chosen on this processor: {chosen}")
    tables = [
        compared(args, clock, "Products of one pass", products_at(model, args)),
        compared(args, clock, "Whole uses", uses_of(model, args)),
    ]
    timing.finish(args, tables)


def products_at(model: LocalModel, args: argparse.Namespace) -> dict[str, dict[str, Peer]]:
    sizes = [4] if args.tiny else [1, 64] if args.quick else [1, 8, 64, 512]
    floats = [linear.weight.float() for linear in all_linears(model)]
    return {f"{n} rows": products(model, n, floats) for n in sizes}


def uses_of(model: LocalModel, args: argparse.Namespace) -> dict[str, dict[str, Peer]]:
    found = {} if args.quick or args.tiny else uses(model)
    return {n: {w: forced(model, way, run) for w, way in WAYS.items()} for n, run in found.items()}


def compared(
    args: argparse.Namespace,
    clock: Callable[[], float],
    title: str,
    cases: dict[str, dict[str, Peer]],
) -> Table:
    """A row for each case: float's seconds, and how many times as long each other peer takes."""
    others = ["pairs", "PyTorch, bfloat16", "PyTorch, float32"]
    table = Table(f"{title}: × float", ["", "float, ms", *(f"× {name}" for name in others)])
    for case, peers in cases.items():
        times = timing.alternate(peers, args.repeats, args.device, case, clock)
        ours = times["float"]
        cells = [timing.spread(timing.ratios(times.get(name), ours)) for name in others]
        table.add([case, timing.spread([1e3 * t for t in ours]), *cells], seconds=times)
    return table


if __name__ == "__main__":
    main()
