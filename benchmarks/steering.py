"""Steering along the refusal direction: attack success on held-out risk categories, over-refusal beside it.

    python benchmarks/steering.py --model run:FOLDER --n 66 --out FILE

The direction and its layers come from the training categories; requests and twins are of the others.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

from superalign import load_model
from superalign.campaign.steering import RefusalSteering, steering_effect
from superalign.tasks.safety import Safety


def main() -> None:
    """Measure, and write one JSON file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="smollm2")
    parser.add_argument("--n", type=int, default=66)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--max-new-tokens", type=int, default=32)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    start = time.perf_counter()
    steering = RefusalSteering(load_model(options.model), options.seed, options.max_new_tokens)
    task = Safety()
    harmful, benign = (
        make(options.n, seed=options.seed, split="held_out")
        for make in (task.harmful_only, task.benign_only)
    )
    found = {
        "model": options.model,
        "setup_gflop": steering.gflop,
        "aims": {
            name: {"layer": a.layer, "refusal": a.refusal, "answers": a.answers}
            for name, a in steering.aims.items()
        },
        "effect": steering_effect(steering, harmful, benign, options.max_new_tokens),
        "seconds": time.perf_counter() - start,
    }
    options.out.write_text(json.dumps(found, indent=1) + "\n")
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
