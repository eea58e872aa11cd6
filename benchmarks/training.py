"""LoRA steps (SFT, DPO, GRPO) against a plain PEFT loop, ``transformers.Trainer`` and TRL.

    python benchmarks/training.py [--quick] [--jobs sft dpo grpo] [--out training.json]

All peers train LoRA (rank 16, every projection of every block) with AdamW on the same tokens: 16
demonstrations or pairs a step; for GRPO 8 prompts x 8 completions of 32 tokens, sampled within the
step. First every peer's loss at the same random adapter is asserted to equal ours in float32 to
1e-4. The trainers' own clocks start at the step, after their set-up and collation. "ours, upper
3/4" is superalign's default, which leaves the lowest quarter of the blocks frozen; ratios are taken
against "ours", which trains what the peers train. TRL checkpoints activations by default: "TRL" is
measured without (faster), "TRL, default" with it (smaller). Peak memory is that of two steps in a
process of their own. Estimated time on two Zen 4 cores: --quick 20 minutes, all 45.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import math
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import timing
import torch
from timing import Peer, Table
from training_peers import HfTrainer, PeftLoop, Trl
from training_work import Ours

from superalign.learner.examples import Rollout

TOLERANCE = 1e-4
Builder = Callable[..., Any]
OURS: dict[str, Builder] = {"ours": Ours, "ours, upper 3/4": lambda a, j: Ours(a, j, share=0.25)}
TRL: dict[str, Builder] = {
    "TRL": Trl,
    "TRL, default": lambda a, j: Trl(a, j, checkpointing=True),
}
JOBS: dict[str, dict[str, Builder]] = {
    "sft": OURS | {"PEFT loop": PeftLoop, "Trainer": HfTrainer} | TRL,
    "dpo": OURS | {"PEFT loop": PeftLoop} | TRL,
    "grpo": OURS | TRL,
}


def assert_same(args: argparse.Namespace, job: str) -> None:
    """Every peer's float32 loss at one random adapter equals ours; prints them as JSON."""
    mine = Ours(args, job, "float32")
    generator = torch.Generator().manual_seed(0)
    adapter = mine.view.adapter
    assert adapter is not None
    with torch.no_grad():
        for _, b in adapter.parameters.values():
            b.copy_(0.01 * torch.randn(b.shape, generator=generator))
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        adapter.save(folder, base="")
        mine.load(folder)
        rollouts = [
            Rollout(r.query, r.tokens, tuple(x + 0.3 * math.sin(i) for i, x in enumerate(r.logprobs)),
                    r.reward)
            for r in (mine.rollouts() if job == "grpo" else [])
        ]  # fmt: skip
        wanted = mine.loss(rollouts)
        losses = {"ours": wanted}
        for name, build in JOBS[job].items():
            if build in (PeftLoop, HfTrainer, Trl) and not _missing(name):
                peer = build(args, job, "float32")
                peer.load(folder)
                found = peer.loss(rollouts)
                assert abs(found - wanted) < TOLERANCE, f"{job}: {name} {found}, ours {wanted}"
                losses[name] = found
    print(json.dumps(losses))


def _missing(name: str) -> str | None:
    """Why a peer cannot run here."""
    wanted = "trl" if name.startswith("TRL") else "peft"
    return None if importlib.util.find_spec(wanted) else f"{wanted} is not installed"


def asked(args: argparse.Namespace, job: str) -> dict[str, Builder]:
    """The job's peers that were asked for; ours always."""
    wanted = ("ours", *(args.peers or JOBS[job]))
    return {name: build for name, build in JOBS[job].items() if name in wanted}


def chosen(args: argparse.Namespace, job: str) -> dict[str, Builder]:
    """Those that run here; --quick leaves out the slower of two alike."""
    found = {}
    for name, build in asked(args, job).items():
        why = _missing(name) if not name.startswith("ours") else None
        if why is not None:
            timing.note(f"{job}: {name} skipped: {why}")
        elif not (args.quick and name in ("TRL, default",)):
            found[name] = build
    return found


def time_job(args: argparse.Namespace, job: str) -> dict[str, list[float]]:
    built = {name: build(args, job) for name, build in chosen(args, job).items()}
    peers = {name: Peer(peer.step) for name, peer in built.items()}
    return timing.alternate(peers, args.repeats, args.device, job)


def memory_of(args: argparse.Namespace) -> None:
    """In a process of its own: two steps of one peer, then its peak memory as JSON."""
    job, name = args.memory_of
    peer = JOBS[job][name](args, job)
    before = timing.peak_mb(args.device)
    for _ in range(2):
        peer.step()
    print(json.dumps({"peak_mb": timing.peak_mb(args.device), "before_mb": before}))


def row(
    table: Table, job: str, name: str, times: dict[str, list[float]], memory: dict[str, Any]
) -> None:
    mine, peak, base = times["ours"], memory.get(name, {}), memory.get("ours", {})
    known = "peak_mb" in peak and "peak_mb" in base
    seconds = times.get(name)
    table.add(
        [
            job,
            name,
            timing.spread(timing.ratios(seconds, mine)),
            f"{peak['peak_mb'] / base['peak_mb']:.2f}" if known else "–",
            timing.spread(seconds or []),
            f"{peak['peak_mb']:,.0f}" if known else peak.get("failed", "–"),
            f"{peak['before_mb']:,.0f}" if known else "–",
        ],
        seconds=seconds,
        memory=peak,
    )


def main() -> None:
    parser = timing.parser(__doc__)
    parser.add_argument("--jobs", nargs="+", choices=list(JOBS), default=list(JOBS))
    names = list(dict.fromkeys(name for job in JOBS.values() for name in job))
    parser.add_argument("--peers", nargs="+", choices=names, help="only these beside ours")
    parser.add_argument("--memory-of", nargs=2, metavar=("JOB", "PEER"), help=argparse.SUPPRESS)
    parser.add_argument("--compare", metavar="JOB", help=argparse.SUPPRESS)
    parser.add_argument("--no-check", action="store_true", help="leave out float32's equality")
    parser.add_argument("--no-memory", action="store_true", help="leave the peak memory out")
    args = parser.parse_args()
    if args.memory_of:
        memory_of(args)
        return
    if args.compare:
        assert_same(args, args.compare)
        return
    table = Table(
        f"LoRA steps, {args.dtype}, {args.device}",
        [
            "job",
            "peer",
            "× our time",
            "× our peak memory",
            "seconds a step",
            "peak MB",
            "MB before the first step",
        ],
    )
    for job in args.jobs:
        if not args.no_check:  # in a process of its own: float32 peers take gigabytes
            compared = timing.child(__file__, args, "--compare", job)
            if "failed" in compared:
                sys.exit(f"{job}: {compared['failed']}")
            timing.note(f"{job}: float32 losses {compared}")
        memory = {}
        for name in [] if args.no_memory else asked(args, job):
            if not _missing(name):
                timing.note(f"{job}: memory of {name}")
                memory[name] = timing.child(__file__, args, "--memory-of", job, name)
        times = time_job(args, job)
        for name in JOBS[job]:
            if name in times or name in memory:
                row(table, job, name, times, memory)
    timing.finish(args, [table])


if __name__ == "__main__":
    main()
