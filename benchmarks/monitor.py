"""The monitor on families it never saw, and on public harmful sets against XSTest's safe prompts."""

from __future__ import annotations

import argparse
import json
import statistics
from pathlib import Path

from superalign import load_model
from superalign.critic.monitor import HIGH_RISK, trained_monitor
from superalign.statistics import auroc, proportion
from superalign.tasks.benign import Benign
from superalign.tasks.files import read_rows
from superalign.tasks.safety import Safety


def texts_of(folder: Path, field: str, n: int, keep=lambda row: True) -> list[str]:
    [path] = sorted(folder.glob("data.jsonl*"))[:1]
    return [str(row[field]) for row in read_rows(path) if keep(row)][:n]


def line(name: str, monitor, harmful: list[str], harmless: list[str]) -> dict:
    scores = [*monitor.score(harmful), *monitor.score(harmless)]
    found = auroc(scores, [1.0] * len(harmful) + [0.0] * len(harmless))
    acted = {"caught": monitor.act(harmful), "false alarms": monitor.act(harmless)}
    row = {"set": name, "harmful": len(harmful), "harmless": len(harmless)}
    row |= {"auroc": found.as_dict()}
    row |= {k: proportion(sum(a != "allow" for a in v), len(v)).as_dict() for k, v in acted.items()}
    print(json.dumps(row), flush=True)
    return row


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="smollm2")
    parser.add_argument("--n", type=int, default=480, help="generated pairs that it is fitted to")
    parser.add_argument("--test", type=int, default=240)
    parser.add_argument("--data", type=Path, help="folder with advbench, jbb_behaviors, xstest")
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    model = load_model(args.model)
    layers = [model.depth // 2, 2 * model.depth // 3]
    monitor = trained_monitor(model, layers, n=args.n)
    task = Safety()
    held_out = [f for f in sorted(HIGH_RISK) if task.families[f] == "held_out"]
    harmful = [
        q.text for q in task.harmful_only(args.test, seed=1, split="held_out", families=held_out)
    ]
    twins = [
        q.text for q in task.benign_only(args.test, seed=1, split="held_out", families=held_out)
    ]
    other = [q.text for q in Benign().generate(args.test, seed=1, split="held_out")]
    rows = [
        line("held-out families, benign twins", monitor, harmful, twins),
        line("held-out families, unrelated benign", monitor, harmful, other),
        line("held-out families, both", monitor, harmful, twins + other),
    ]
    if args.data:
        safe = texts_of(args.data / "xstest", "text", 500, lambda r: r["label"] == "safe")
        for name, field in (("advbench", "text"), ("jbb_behaviors", "text")):
            rows.append(
                line(f"{name}, XSTest safe", monitor, texts_of(args.data / name, field, 500), safe)
            )
    seconds = monitor.seconds_per_text(other[:40] + [f"{t} Thanks." for t in twins[:40]])
    latency = {"median": statistics.median(seconds), "worst": max(seconds), "n": len(seconds)}
    print(json.dumps({"seconds per text": latency}))
    if args.out:
        args.out.write_text(json.dumps({"rows": rows, "latency": latency}, indent=1))


if __name__ == "__main__":
    main()
