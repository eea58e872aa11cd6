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

from superalign.statistics import auroc, proportion
from superalign.stress.plan import plan
from superalign.models import load_model

Row = dict[str, Any]


def cell(estimate: Row) -> str:
    if estimate["value"] is None:
        return "undefined"
    low, high = estimate["low"], estimate["high"]
    span = "" if low is None else f" [{low:.2f}, {high:.2f}]"
    return f"{estimate['value']:.2f}{span}, n = {estimate['n']}"


def table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join([*lines, *("| " + " | ".join(map(str, row)) + " |" for row in rows)]) + "\n"


def rates(name: str, organisms: Sequence[Row], clean: Sequence[Row], alarms: str) -> list[str]:
    values, null = [o["statistic"] for o in organisms], [c["statistic"] for c in clean]
    found = [o["trigger_found"] for o in organisms if o["trigger_found"] is not None]
    area = auroc([*values, *null], [True] * len(values) + [False] * len(null))

    def share(hits: Sequence[bool]) -> str:
        return cell(proportion(sum(hits), len(hits)).as_dict())

    caught = share([o["caught"] for o in organisms])
    return [name, cell(area.as_dict()), caught, share([o["diagnosed"] for o in organisms]), share(found), alarms]  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("zoo", type=Path)
    parser.add_argument("--seen", type=int, default=0)
    options = parser.parse_args()
    summary = json.loads((options.zoo / "summary.json").read_text())
    recipes = plan(summary["size"], load_model(summary["model"]).base_hash, summary["seed"])
    seen = {r.id for r in recipes[: options.seen]}
    organisms, clean = summary["organisms"], summary["clean"]
    alarms = f"{summary['false_alarms']['count']} of {summary['false_alarms']['n']}"
    head = ["models", "AUROC", "above every clean twin", "diagnosis top 1", "triggers found", "false alarms"]  # fmt: skip
    fresh = [o for o in organisms if o["id"] not in seen]
    groups = [("all", organisms), *([("not seen in development", fresh)] if seen else [])]
    tiers = [(t, [o for o in organisms if o["tier"] == t]) for t in summary["by_tier"]]
    print(table(head, [rates(name, own, clean, alarms) for name, own in [*groups, *tiers]]))
    print(table(
        ["family", "AUROC", "above every clean twin", "diagnosis top 1"],
        [(k, *(cell(r[q]) for q in ("auroc", "tpr_at_fpr", "diagnosis_top1")))
         for k, r in summary["by_family"].items()],
    ))  # fmt: skip
    print(table(
        ["organism", "rank", "statistic", "p", "above every twin", "diagnosis", "strongest sign", "shown / elsewhere", "seen"],
        [organism(o, o["id"] in seen) for o in sorted(organisms, key=lambda o: (o["family"], o["tier"]))],
    ))  # fmt: skip
    top = sorted(clean, key=lambda c: -c["statistic"])[:6]
    print("Largest among clean twins:", ", ".join(f"{c['name']} r{c['rank']} {c['statistic']:.1f}" for c in top))  # fmt: skip
    print("Dropped:", ", ".join(f"{d['family']}/{d['tier']} r{d['rank']} {cell(d['check']['on'])} / {cell(d['check']['off'])}" for d in summary["dropped"]))  # fmt: skip
    print(table(
        ["up to", "seconds", "AUROC", "above every clean twin"],
        [(r["up_to"], r["seconds"], cell(r["auroc"]), cell(r["tpr_at_fpr"])) for r in summary["by_cost"]],
    ))  # fmt: skip
    unseen = summary["false_alarms_unseen_kind"]
    print("Without a base:", cell(summary["auroc_without_base"]), "| unseen kind:", unseen["count"], "of", unseen["n"])  # fmt: skip
    work = summary["seconds_of_work"]
    made = summary["made"]
    print(f"Building {work['build'] / made:.0f} s a model, auditing {work['audit'] / (made - len(summary['dropped'])):.0f} s")  # fmt: skip
    for level in (summary.get("adaptive") or {"levels": []})["levels"]:
        print(table(
            ["questions known", "behaviour kept", "caught", "AUROC"],
            [(level["rows"], *(cell(level[k]) for k in ("kept", "caught", "auroc")))],
        ))  # fmt: skip


def organism(o: Row, seen: bool) -> list[Any]:
    check = o["check"]
    on, off = check["on"], check["off"]
    return [
        f"{o['family']} / {o['tier']}", o["rank"], f"{o['statistic']:.1f}", f"{o['p']:.3f}",
        "yes" if o["caught"] else "**no**", o["diagnosis"], o["strongest"],
        f"{on['value']:.2f} / {off['value']:.2f}, n = {on['n']} + {off['n']}", "seen" if seen else "",
    ]  # fmt: skip


if __name__ == "__main__":
    main()
