"""``summary.json`` of a run: the keys that others rely on."""

from __future__ import annotations

import resource
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from superalign.config import RunConfig
from superalign.models import LocalModel

SCHEMA = "superalign.run/1"
SIMULATED = "Human labels were simulated from ground truth: no person was asked."


def summarise(
    config: RunConfig,
    base: LocalModel,
    learner: LocalModel,
    folder: Path,
    seconds: dict[str, float],
    before: dict[str, Any],
    after: dict[str, Any],
    rounds: list[dict[str, Any]],
) -> dict[str, Any]:
    """The summary; ``before`` and ``after`` are the payloads of the two held-out measurements."""
    domains = sorted(set(before["estimates"]) | set(after["estimates"]))
    return {
        "schema": SCHEMA,
        "command": "run",
        "model": config.model,
        "weight_hash": base.weight_hash,
        "learner_hash": learner.weight_hash,
        "seed": config.seed,
        "seconds": round(sum(seconds.values()), 2),
        "seconds_per_phase": {k: round(v, 2) for k, v in seconds.items()},
        "peak_memory_bytes": peak_memory_bytes(),
        "learner": str(folder.resolve()),
        "human_labels": {
            "used": sum(r["human"]["asked"] for r in rounds),
            "budget": config.human.budget,
            "simulated": config.human.simulated,
        },
        "notes": [*([SIMULATED] if config.human.simulated else []), *gate_notes(rounds)],
        "held_out": {
            d: {
                "before": before["estimates"].get(d),
                "after": after["estimates"].get(d),
                "change": after["changes"].get(d, {}),
            }
            for d in domains
        },
        "held_out_breakdown": {
            kind: {
                name: {"before": found, "after": after["breakdown"][kind].get(name)}
                for name, found in before["breakdown"][kind].items()
            }
            for kind in before["breakdown"]
        },
        "rounds": rounds,
    }


def gate_notes(rounds: Sequence[dict[str, Any]]) -> list[str]:
    """One line per round and domain in which the critic was not allowed to label."""
    return [
        f"Round {r['round']}: the critic failed the gate on {domain} and labelled nothing there: "
        f"{entry['reason']}."
        for r in rounds
        for domain, entry in r["gate"].items()
        if entry["decision"] != "label"
    ]


def peak_memory_bytes() -> int:
    """Largest resident size of this process so far."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(peak if sys.platform == "darwin" else peak * 1024)
