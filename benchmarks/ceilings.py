"""Where a decode step's time goes, in operations and bytes against what the machine can do.

    python benchmarks/ceilings.py [--quick] [--out ceilings.json]

First the ceilings: bytes/s of a large copy, operations/s of a large product in the model's type.
Then each part of a decode step on its own, at the batch and in the middle of 32 + 48 tokens, and
the whole step (48 new tokens less 1, over 47). "floor": the time that its operations or its bytes,
whichever is more, take at the ceilings. ``--processor-time`` runs one thread and counts its own
seconds, for a machine that others use too. Estimated time on two Zen 4 cores: 3 minutes, --quick 1.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

import timing
import torch
from timing import Peer, Table

from superalign.models import LocalModel, generation
from superalign.models.sampling import Sampler
from superalign.models.slots import SlotCache

PROMPT, NEW = 32, 48
Part = tuple[Callable[[], Any], float, float]  # run, operations, bytes


def ceilings(args: argparse.Namespace, dtype: torch.dtype) -> tuple[float, float]:
    """Bytes/s and operations/s."""
    size = 2**20 if args.tiny else 2**27
    source = torch.ones(size, dtype=torch.uint8, device=args.device)
    target = torch.empty_like(source)
    side = 64 if args.tiny else 2048
    a = torch.randn(side, side, device=args.device).to(dtype)
    peers = {"copy": Peer(lambda: target.copy_(source)), "product": Peer(lambda: a @ a)}
    times = timing.alternate(peers, args.repeats, args.device, "ceilings", args.clock)
    return 2 * size / min(times["copy"]), 2 * side**3 / min(times["product"])


@torch.inference_mode()
def parts(model: LocalModel, batch: int) -> dict[str, Part]:
    """Every part of a decode step with its operations and bytes."""
    decoder, weights, held = model.decoder, model.weights(), PROMPT + NEW // 2
    item = decoder.embedding.element_size()

    def random(*shape: int) -> torch.Tensor:
        return torch.randn(shape, device=decoder.device).to(decoder.dtype)

    residual = random(batch, decoder.embedding.shape[1])

    def products(names: list[str]) -> Part:
        calls = [
            (getattr(fast, n), random(batch, getattr(layer, n).weight.shape[1]), residual)
            if n in ("out", "down")
            else (getattr(fast, n), random(batch, getattr(layer, n).weight.shape[1]))
            for layer, fast in zip(decoder.layers, weights.blocks, strict=True)
            for n in names
        ]
        sizes = [getattr(layer, n).weight.numel() for layer in decoder.layers for n in names]
        return (lambda: [f(*x) for f, *x in calls]), 2.0 * batch * sum(sizes), item * sum(sizes)

    cache = SlotCache(decoder, batch, held + 1)
    for store in (*cache.keys, *cache.values):
        store.normal_()  # memory never written to is one page of zeros, which the cache holds
    cache.lengths += held
    cache.advance()
    fused = random(batch, decoder.heads + 2 * decoder.kv_heads, decoder.head_size)
    layers, cells = len(decoder.layers), batch * held * decoder.head_size
    norms = [w for layer in decoder.layers for w in (layer.attention_norm, layer.mlp_norm)]
    gates = random(batch, decoder.layers[0].gate_up.weight.shape[0])
    x, logits = random(batch, decoder.head.shape[1]), random(batch, decoder.head.shape[0])
    uniforms, sampler = torch.rand(batch, device=decoder.device), Sampler()
    return {
        "qkv, out": products(["qkv", "out"]),
        "gate, up, down": products(["gate_up", "down"]),
        "head": (
            lambda: weights.head(x),
            2.0 * batch * decoder.head.numel(),
            item * decoder.head.numel(),
        ),
        "attention": (
            lambda: [cache.attend(i, fused) for i in range(layers)],
            4.0 * layers * cells * decoder.heads,
            2.0 * item * layers * cells * decoder.kv_heads,
        ),
        "norms": (
            lambda: [decoder.norm(x, w) for w in norms],
            4.0 * len(norms) * x.numel(),
            2.0 * item * len(norms) * x.numel(),
        ),
        "activation": (
            lambda: [decoder.gated(gates) for _ in range(layers)],
            4.0 * layers * gates.numel(),
            1.5 * item * layers * gates.numel(),
        ),
        "sampling": (
            lambda: sampler(logits, uniforms),
            5.0 * logits.numel(),
            2.0 * item * logits.numel(),
        ),
    }  # fmt: skip


def whole(model: LocalModel, batch: int, new: int) -> Callable[[], Any]:
    stream = timing.token_stream(model)
    prompts = [timing.cut(stream, i, PROMPT) for i in range(batch)]
    limits = generation.Limits(new, frozenset())
    return lambda: generation.generate(
        model.decoder, model.weights(), prompts, list(range(batch)), Sampler(), limits, 0
    )


def main() -> None:
    parser = timing.parser(__doc__)
    parser.add_argument("--processor-time", action="store_true", help="one thread's own seconds")
    args = parser.parse_args()
    args.clock = time.process_time if args.processor_time else time.perf_counter
    if args.processor_time:
        torch.set_num_threads(1)
    model = timing.ours(args)
    bandwidth, speed = ceilings(args, model.decoder.dtype)
    timing.note(f"ceilings: {bandwidth / 1e9:.1f} GB/s, {speed / 1e9:.0f} Gop/s")
    tables = []
    for batch in [4] if args.tiny else [1, 64] if args.quick else [1, 8, 64, 256]:
        table = Table(
            f"A decode step of {batch} sequences; {bandwidth / 1e9:.1f} GB/s, {speed / 1e9:.0f} Gop/s",
            ["part", "share of the step", "floor / time", "ms", "Mop", "MB"],
        )
        tables.append(table)
        found = parts(model, batch)
        peers = {name: Peer(torch.inference_mode()(run)) for name, (run, _, _) in found.items()}
        peers |= {f"{n} tokens": Peer(whole(model, batch, n)) for n in (1, NEW)}
        times = timing.alternate(peers, args.repeats, args.device, f"batch {batch}", args.clock)
        middle = {name: statistics.median(row) for name, row in times.items()}
        step = (middle[f"{NEW} tokens"] - middle["1 tokens"]) / (NEW - 1)
        rest = step - sum(middle[name] for name in found)
        for name, (_, ops, size) in found.items():
            floor = max(ops / speed, size / bandwidth)
            table.add(
                [
                    name,
                    f"{middle[name] / step:.0%}",
                    f"{floor / middle[name]:.2f}",
                    timing.spread([1000 * t for t in times[name]]),
                    f"{ops / 1e6:,.1f}",
                    f"{size / 1e6:,.1f}",
                ],
                seconds=times[name],
            )
        other = "everything else (Python, the gaps between the parts)"
        table.add([other, f"{rest / step:.0%}", "–", f"{1000 * rest:.3g}", "–", "–"])
        table.add(["the step", "100%", "–", f"{1000 * step:.3g}", "–", "–"])
    timing.finish(args, tables)


if __name__ == "__main__":
    main()
