"""A model as the judge of pairs that people labelled: agreement, and what else sways it."""

from __future__ import annotations

import argparse
from pathlib import Path

from judges import tell

from superalign import load_model
from superalign.evaluation.model_judge import Pair, judge_pairs, report
from superalign.records import content_hash
from superalign.tasks.files import read_rows


def labelled(path: Path, n: int, longest: int) -> list[Pair]:
    """At most ``n`` short pairs, lowest hash first; every other one with the sides exchanged."""
    rows = [
        r for r in read_rows(path) if max(len(r[k]) for k in ("prompt", "chosen", "rejected")) < longest
    ]  # fmt: skip
    rows = sorted(rows, key=lambda r: content_hash(r["prompt"]))[:n]
    return [
        Pair(r["prompt"], r["chosen"], r["rejected"], 1.0)
        if i % 2
        else Pair(r["prompt"], r["rejected"], r["chosen"], 0.0)
        for i, r in enumerate(rows)
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="smollm2")
    parser.add_argument("--data", type=Path, required=True, help="rows of prompt, chosen, rejected")
    parser.add_argument("--n", type=int, default=200)
    parser.add_argument("--longest", type=int, default=400, help="characters of any part")
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    found = report(judge_pairs(load_model(args.model), labelled(args.data, args.n, args.longest)))
    tell(found, args.out)


if __name__ == "__main__":
    main()
