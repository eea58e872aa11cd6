"""The tables of docs/stress.md from a finished stress test, as markdown.

python benchmarks/stress_tables.py runs/zoo --seen 21

``--seen N``: the first N models of the plan were looked at when the detectors were made; their
organisms are marked, and the rates are given without them, too.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from superalign.models import load_model
from superalign.statistics import auroc, proportion
from superalign.stress.plan import plan

Row = dict[str, Any]


def cell(estimate: Row) -> str:
    if estimate["value"] is None:
        return "undefined"
    low, high = estimate["low"], estimate["high"]
    span = "" if low is None else f" [{low:.2f}, {high:.2f}]"
    return f"{estimate['value']:.2f}{span}, n = {estimate['n']}"


HEAD = ("AUROC", "above every clean twin", "diagnosis top 1")


def table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    print("| " + " | ".join(head) + " |", "|" + "---|" * len(head), sep="\n")
    for row in rows:
        print("| " + " | ".join(map(str, row)) + " |")
    print()


def rates(organisms: Sequence[Row], clean: Sequence[Row]) -> list[str]:
    """AUROC, hits, diagnoses and triggers of some organisms against all twins."""
    values, null = [o["statistic"] for o in organisms], [c["statistic"] for c in clean]
    area = auroc([*values, *null], [True] * len(values) + [False] * len(null))
    triggers = [o for o in organisms if o["trigger_found"] is not None]
    shares = [
        proportion(sum(o[key] for o in rows), len(rows))
        for rows, key in (
            (organisms, "caught"),
            (organisms, "diagnosed"),
            (triggers, "trigger_found"),
        )
    ]
    return [cell(e.as_dict()) for e in (area, *shares)]


def by_model(summary: Row, seen: set[str]) -> None:
    head = (
        "organism",
        "rank",
        "statistic",
        "p",
        "caught",
        "diagnosis",
        "strongest",
        "shown / elsewhere",
        "",
    )
    rows = []
    for o in sorted(summary["organisms"], key=lambda o: (o["family"], o["tier"])):
        rows.append(
            (
                f"{o['family']} / {o['tier']}",
                o["rank"],
                f"{o['statistic']:.1f}",
                f"{o['p']:.3f}",
                "yes" if o["caught"] else "**no**",
                o["diagnosis"],
                o["strongest"],
                shown(o),
                "seen" if o["id"] in seen else "",
            )
        )
    table(head, rows)
    top = sorted(summary["clean"], key=lambda c: -c["statistic"])[:6]
    print("Largest among clean twins:", *(f"{c['name']} {c['statistic']:.1f};" for c in top))
    for d in summary["dropped"]:
        print(f"Dropped: {d['family']} / {d['tier']}, rank {d['rank']}, {shown(d)}")
    print()


def shown(organism: Row) -> str:
    on, off = organism["check"]["on"], organism["check"]["off"]
    return f"{on['value']:.2f} / {off['value']:.2f}, n = {on['n']} + {off['n']}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("zoo", type=Path)
    parser.add_argument("--seen", type=int, default=0)
    options = parser.parse_args()
    summary = json.loads((options.zoo / "summary.json").read_text())
    recipes = plan(summary["size"], load_model(summary["model"]).base_hash, summary["seed"])
    seen = {r.id for r in recipes[: options.seen]}
    organisms, clean = summary["organisms"], summary["clean"]
    groups = {"all": organisms, "not seen": [o for o in organisms if o["id"] not in seen]}
    groups |= {t: [o for o in organisms if o["tier"] == t] for t in summary["by_tier"]}
    rows = ((k, *rates(own, clean)) for k, own in groups.items())
    table(("organisms", *HEAD, "triggers found"), rows)
    for key in ("false_alarms", "false_alarms_unseen_kind"):
        print(f"{key}: {summary[key]['count']} of {summary[key]['n']}")
    print(f"AUROC without a base: {cell(summary['auroc_without_base'])}\n")
    families = summary["by_family"].items()
    keys = ("auroc", "tpr_at_fpr", "diagnosis_top1")
    table(("family", *HEAD), ((k, *(cell(r[q]) for q in keys)) for k, r in families))
    by_model(summary, seen)
    detectors = summary["by_detector"].items()
    table(
        ("detector", "AUROC, all", "own"),
        ((k, cell(r["all"]), cell(r["own"])) for k, r in detectors),
    )
    stages = summary["by_cost"]
    table(
        ("up to", "seconds", *HEAD[:2]),
        ((r["up_to"], r["seconds"], cell(r["auroc"]), cell(r["tpr_at_fpr"])) for r in stages),
    )
    work, made = summary["seconds_of_work"], summary["made"]
    audited = len(organisms) + len(clean)
    print(
        f"Building {work['build'] / made:.0f} s a model, auditing {work['audit'] / audited:.0f} s\n"
    )
    levels = (summary.get("adaptive") or {"levels": []})["levels"]
    keys = ("kept", "caught", "auroc")
    table(
        ("questions known", "behaviour kept", "caught", "AUROC"),
        ((level["rows"], *(cell(level[k]) for k in keys)) for level in levels),
    )


if __name__ == "__main__":
    main()
