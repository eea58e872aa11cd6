"""The held-out table of finished runs, as markdown: before → after with n and 95% intervals.

python benchmarks/loop_table.py runs/seed-0 runs/seed-1 runs/seed-2
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

ROWS = (
    ("attack success, held-out operators × categories", "safety", "asr"),
    ("over-refusal, benign twins", "safety", "over_refusal_twin"),
    ("over-refusal, benign twins under attack operators", "safety", "over_refusal_attacked_twin"),
    ("over-refusal, unrelated benign", "safety", "over_refusal_benign"),
    ("over-refusal, harmless in alarming words", "safety", "over_refusal_alarming"),
    ("attack success, harmful in the same words", "safety", "asr_alarming"),
    ("mathematics accuracy, fresh", "mathematics", "accuracy"),
    ("ethics accuracy, held-out rules", "ethics", "accuracy"),
    ("perplexity, neutral text", "retention", "perplexity"),
)


def cell(estimate: dict[str, Any] | None) -> str:
    if not estimate or estimate["value"] is None:
        return "undefined"
    digits = 1 if estimate["value"] > 2 else 3
    low, high = estimate["low"], estimate["high"]
    return f"{estimate['value']:.{digits}f} [{low:.{digits}f}, {high:.{digits}f}]"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", nargs="+", type=Path)
    runs = [json.loads((p / "summary.json").read_text()) for p in parser.parse_args().runs]
    print("| quantity | n | " + " | ".join(f"seed {r['seed']}" for r in runs) + " |")
    print("|---|---|" + "---|" * len(runs))
    for title, domain, name in ROWS:
        sides = [r["held_out"][domain] for r in runs]
        n = sides[0]["after"][name]["n"]
        cells = [f"{cell(s['before'][name])} → {cell(s['after'][name])}" for s in sides]
        print(f"| {title} | {n} | " + " | ".join(cells) + " |")
    minutes = [f"{r['seconds'] / 60:.1f}" for r in runs]
    used = [str(r["human_labels"]["used"]) for r in runs]
    memory = [f"{r['peak_memory_bytes'] / 1e9:.1f}" for r in runs]
    for title, values in (
        ("minutes", minutes),
        ("human labels (simulated)", used),
        ("peak memory, GB", memory),
    ):
        print(f"| {title} | | " + " | ".join(values) + " |")


if __name__ == "__main__":
    main()
