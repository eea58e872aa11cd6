"""Probes per minute: garak's own local target against ours, under garak's own command.

The same probes, generations and longest answer; both sample. Ours is timed in the same number type and
with 8-bit weights. The clock runs while garak has a probe answered (our batches included), not while
models load, detectors judge or reports are written; the whole command's time is given too. A probe is
one prompt answered once. garak's target is its ``huggingface.Model``: its ``Pipeline`` fails under the
transformers that we pin. Needs garak in the
interpreter that runs this: an environment of its own is best.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from superalign.evaluation import garak_target
from superalign.evaluation.garak_report import read_report, summarise
from superalign.models.embedded import embedded_folder

KINDS = {  # garak's type of the target, and what follows the model's name
    "superalign": ("superalign", ""),
    "int8": ("superalign", "@weights=int8"),
    "huggingface": ("huggingface.Model", ""),
}
PROBES = "goodside.WhoIsRiley,snowball.GraphConnectivity,snowball.Primes"


def scan(target: str, name: str, args, folder: Path) -> dict:
    """One run of garak's command; seconds, probes, and what its detectors said."""
    from garak.cli import main as garak
    from garak.probes.base import Probe

    spent, inner = [], Probe._execute_all

    def watched(self, attempts):
        wall, used = time.perf_counter(), time.process_time()
        answered = inner(self, attempts[: args.prompts])
        spent.append((time.perf_counter() - wall, time.process_time() - used))
        return answered

    target_type, suffix = KINDS[target]
    kind = {"torch_dtype": args.dtype, "do_sample": True, "device_map": "cpu"}
    options = {
        "superalign": {"max_tokens": args.tokens},
        "huggingface": {"Model": {"max_tokens": args.tokens, "hf_args": kind}},
    }
    settings = {
        "run": {"generations": args.generations, "seed": 1},
        "plugins": {
            "generators": options,
            "target_type": target_type,
            "target_name": name + suffix,
        },
        "reporting": {"report_prefix": str(folder / target)},
    }
    config = folder / f"{target}.json"
    config.write_text(json.dumps(settings))
    start, Probe._execute_all = time.perf_counter(), watched
    try:
        garak(["--config", str(config), "--probes", args.probes])
    finally:
        Probe._execute_all = inner
    whole = time.perf_counter() - start
    findings = read_report(folder / f"{target}.report.jsonl")
    asked = len(findings)
    seconds, processor = (sum(column) for column in zip(*spent, strict=True))
    return {
        "target": target, "probes": asked, "seconds": seconds, "processor": processor,
        "command": whole, "per_minute": 60 * asked / seconds,
        "words": sum(len((f.answer or "").split()) for f in findings) / asked,
        "found": summarise(findings),
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, help="a model's folder; default: the embedded one")
    parser.add_argument("--probes", default=PROBES)
    parser.add_argument("--prompts", type=int, default=16, help="most prompts of a probe")
    parser.add_argument("--generations", type=int, default=5, help="answers to a prompt")
    parser.add_argument("--tokens", type=int, default=48)
    parser.add_argument("--dtype", default="bfloat16")
    parser.add_argument("--only", choices=list(KINDS), help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    folder = args.model or embedded_folder()
    if folder is None:
        raise SystemExit("the embedded model is not installed; give --model FOLDER")
    if args.only:
        garak_target.install()
        args.out.write_text(json.dumps(scan(args.only, str(folder), args, args.out.parent)))
        return
    rows = []
    with tempfile.TemporaryDirectory() as temporary:
        os.environ["XDG_DATA_HOME"] = temporary  # garak's log
        for target in KINDS:  # garak keeps its state for a process
            out = Path(temporary) / f"{target}.row.json"
            again = [*sys.argv[1:], "--only", target, "--out", str(out)]
            subprocess.run([sys.executable, __file__, *again], check=True)
            rows.append(json.loads(out.read_text()))
            print(json.dumps(rows[-1]), flush=True)
    *ours, theirs = rows
    found = {
        row["target"]: {
            "ratio": row["per_minute"] / theirs["per_minute"],
            "ratio, processor": theirs["processor"] / row["processor"],
            "ratio, whole command": theirs["command"] / row["command"],
        }
        for row in ours
    }
    print(json.dumps(found))
    if args.out:
        args.out.write_text(json.dumps(found | {"rows": rows}, indent=1))


if __name__ == "__main__":
    main()
