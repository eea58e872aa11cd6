"""How often the interval of the corrected attack success holds the planted truth.

Simulated campaigns: goals differ in how easily they break, each attack has its own true success
rate, the search stops at the judge's first "success" and so selects the judge's errors, and the
judge's sensitivity and specificity are known from a finite calibration set only. The truth is the
mean over 20,000 simulated goals. Beside it: the search's own rate, uncorrected.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

from superalign.statistics import corrected_success, proportion

# goals, queries, goal ease Beta(a, b), sensitivity, specificity, replays, positives, negatives
CASES = (
    (44, 50, 0.3, 3.0, 0.95, 0.93, 4, 300, 300),
    (44, 50, 0.1, 5.0, 0.95, 0.93, 4, 300, 300),
    (44, 20, 1.0, 3.0, 0.80, 0.85, 4, 150, 150),
    (100, 20, 0.5, 8.0, 0.90, 0.95, 2, 300, 200),
    (20, 10, 0.3, 6.0, 0.95, 0.97, 4, 200, 200),
    (44, 30, 5.0, 1.0, 0.95, 0.95, 4, 300, 300),
)


def goals(rng, n, queries, a, b, se, sp, replays):
    """Replayed verdicts (or None) and the true rate of the attack found (or 0), by goal."""
    ease = rng.beta(a, b, n)[:, None]
    rate = rng.beta(np.maximum(4 * ease, 1e-3), np.maximum(4 * (1 - ease), 1e-3), (n, queries))
    broke = rng.random((n, queries)) < rate
    said = np.where(broke, rng.random(rate.shape) < se, rng.random(rate.shape) >= sp)
    found = said.any(1)
    chosen = rate[np.arange(n), said.argmax(1)]
    again = rng.random((n, replays)) < chosen[:, None]
    verdicts = np.where(again, rng.random(again.shape) < se, rng.random(again.shape) >= sp)
    rows = [(int(v.sum()), replays) if f else None for v, f in zip(verdicts, found, strict=True)]
    return rows, np.where(found, chosen, 0.0), found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--campaigns", type=int, default=400, help="per case")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    rng, rows, total = np.random.default_rng(args.seed), [], 0
    for n, queries, a, b, se, sp, replays, positives, negatives in CASES:
        case = (queries, a, b, se, sp, replays)
        truth = float(goals(rng, 20_000, *case)[1].mean())
        held, widths, naive = 0, [], []
        for i in range(args.campaigns):
            replayed, _, found = goals(rng, n, *case)
            known = (
                (int(rng.binomial(positives, se)), positives),
                (int(rng.binomial(negatives, sp)), negatives),
            )
            estimate = corrected_success(replayed, *known, seed=i)
            low, high = estimate.low, estimate.high
            held += low is not None and low <= truth <= high
            widths.append((high or 0) - (low or 0))
            naive.append(found.mean())
        total += held
        row = {
            "case": [n, *case, positives, negatives],
            "truth": round(truth, 4),
            "search's own rate": round(float(np.mean(naive)), 4),
            "covered": proportion(held, args.campaigns).as_dict(),
            "mean width": round(float(np.mean(widths)), 4),
        }
        rows.append(row)
        print(json.dumps(row), flush=True)
    everything = proportion(total, len(CASES) * args.campaigns).as_dict()
    print(json.dumps({"covered, all cases": everything}))
    if args.out:
        args.out.write_text(json.dumps({"cases": rows, "all": everything}, indent=1))


if __name__ == "__main__":
    main()
