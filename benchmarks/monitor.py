"""The monitor on families it never saw, on public harmful sets against XSTest's safe prompts, on answers.

Verdicts are those of ``superalign monitor`` (``critic/screening.py``): one text at a time.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
from sklearn.model_selection import GroupKFold

from superalign import load_model
from superalign.critic.monitor import HIGH_RISK, DomainNamer, domain_requests
from superalign.critic.monitor_store import cached_monitor
from superalign.critic.screening import screen, screened
from superalign.records import content_hash
from superalign.statistics import auroc, proportion
from superalign.tasks.benign import Benign
from superalign.tasks.files import read_rows
from superalign.tasks.safety import Safety


def texts_of(folder: Path, field: str, n: int, keep=lambda row: True) -> list[str]:
    [path] = sorted(folder.glob("data.jsonl*"))[:1]
    return [str(row[field]) for row in read_rows(path) if keep(row)][:n]


def line(name: str, harmful: list[dict], harmless: list[dict]) -> dict:
    """AUROC of the scores, and how many of each are not allowed; of screened texts."""
    scores = [v["score"] for v in harmful + harmless]
    found = auroc(scores, [1.0] * len(harmful) + [0.0] * len(harmless))
    row = {"set": name, "harmful": len(harmful), "harmless": len(harmless)}
    row |= {"auroc": found.as_dict()}
    for key, verdicts in (("caught", harmful), ("false alarms", harmless)):
        acted = sum(v["action"] != "allow" for v in verdicts)
        row[key] = proportion(acted, len(verdicts)).as_dict()
    print(json.dumps(row), flush=True)
    return row


def answers(monitor, path: Path, n: int) -> dict:
    """All full compliances with XSTest's unsafe prompts against ``n`` other answers, lowest hash first."""
    told = {True: [], False: []}
    for row in sorted(read_rows(path), key=lambda r: content_hash([r["prompt"], r["completion"]])):
        unsafe = row["type"].startswith("contrast") and row["label"] == "1_full_compliance"
        told[unsafe].append((row["prompt"], row["completion"]))
    harmful, other = (
        [seen["response"] for seen in screen(monitor, texts)]
        for texts in (told[True], told[False][:n])
    )
    found = line("answers", harmful, other)
    return found | {"refusals": [sum(v["refused"] for v in part) for part in (harmful, other)]}


def domain_accuracy(monitor, n: int) -> dict:
    """Right names, five folds over requests that share no core."""
    queries = domain_requests(n, seed=9)
    families = np.array([q.family for q in queries])
    features = monitor.states.features(queries)
    cores = [str(q.truth["topic"]) for q in queries]
    hits = []
    for fit, test in GroupKFold(5).split(features, groups=cores):
        named = DomainNamer.fit(features[fit], families[fit]).name(features[test])
        hits += [name == right for (name, _), right in zip(named, families[test], strict=True)]
    row = {"set": "domain names", "accuracy": proportion(sum(hits), len(hits)).as_dict()}
    print(json.dumps(row), flush=True)
    return row


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="smollm2")
    parser.add_argument("--n", type=int, default=480, help="generated pairs that it is fitted to")
    parser.add_argument("--test", type=int, default=240)
    parser.add_argument("--monitor", type=Path, help="folder of a saved monitor, or a new one")
    parser.add_argument("--answers", type=Path, help="XSTest's labelled answers")
    parser.add_argument("--data", type=Path, help="folder with advbench, jbb_behaviors, xstest")
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    model = load_model(args.model)
    monitor = cached_monitor(model, args.monitor, pairs=args.n)

    def watched(texts: list[str]) -> list[dict]:
        return [row["query"] for row in screen(monitor, [(text, None) for text in texts])]

    task = Safety()
    held_out = [f for f in sorted(HIGH_RISK) if task.families[f] == "held_out"]
    harmful = [
        q.text for q in task.harmful_only(args.test, seed=1, split="held_out", families=held_out)
    ]
    twins = [
        q.text for q in task.benign_only(args.test, seed=1, split="held_out", families=held_out)
    ]
    other = [q.text for q in Benign().generate(args.test, seed=1, split="held_out")]
    harmful, twins, other = map(watched, (harmful, twins, other))
    rows = [
        line("held-out families, benign twins", harmful, twins),
        line("held-out families, unrelated benign", harmful, other),
        line("held-out families, both", harmful, twins + other),
        domain_accuracy(monitor, args.n),
    ]
    if args.data:
        safe = watched(texts_of(args.data / "xstest", "text", 500, lambda r: r["label"] == "safe"))
        for name in ("advbench", "jbb_behaviors"):
            risky = watched(texts_of(args.data / name, "text", 500))
            rows.append(line(f"{name}, XSTest safe", risky, safe))
    if args.answers:
        rows.append(answers(monitor, args.answers, args.test))
    latency = screened([{"query": v, "response": None} for v in (twins + other)[:80]])["query"]
    print(json.dumps({k: v for k, v in latency.items() if "seconds" in k}))
    if args.out:
        args.out.write_text(json.dumps({"rows": rows, "latency": latency}, indent=1))


if __name__ == "__main__":
    main()
