"""The tables of docs/weak_to_strong.md from finished runs of ``superalign w2s``.

python benchmarks/weak_table.py runs/w2s-1 [...]

Tasks that served the default's development (``DEVELOPED``) are pooled apart from the others.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from superalign.store import RunStore
from superalign.weak_to_strong.outcomes import Outcome
from superalign.weak_to_strong.summary import tasks_and_pools

DEVELOPED = {"sst2", "ethics_deontology", "ethics_justice", "rte_subset"}
SHOWN = ("naive", "default_alone", "default")


def cell(value: dict[str, Any], sign: str = "") -> str:
    if value["value"] is None:
        return "undefined"
    return f"{value['value']:{sign}.3f} [{value['low']:{sign}.3f}, {value['high']:{sign}.3f}]"


def by_task(summary: dict[str, Any]) -> str:
    lines = [
        "| task | supervisor | n test | weak | naive | default | ceiling | plain ceiling "
        "| PGR naive | PGR default alone | PGR default |"
    ]
    lines.append("|---" * 11 + "|")
    for task in summary["tasks"]:
        rows = {m["name"]: m for m in task["methods"]}
        naive, ours = rows["naive"], rows[summary["default_method"]]
        cells = [
            naive["weak"], naive["student"], ours["student"], naive["ceiling"],
            task["plain_ceiling"], naive["pgr"], rows.get("default_alone", ours)["pgr"], ours["pgr"],
        ]  # fmt: skip
        shown = " | ".join(map(cell, cells))
        lines.append(f"| {task['task']} | {task['supervisor']} | {task['n']['test']} | {shown} |")
    return "\n".join(lines)


def by_method(summary: dict[str, Any], kind: str) -> str:
    pool = summary["pooled_by_kind"][kind]
    lines = [
        "| method | family | PGR | less naive's | p | tasks better : worse | PGR, plain ceiling |",
        "|---" * 7 + "|",
    ]
    for name, row in sorted(pool.items(), key=lambda item: -(item[1]["pgr"]["value"] or -9)):
        versus = row["versus_naive"]
        if name == "naive" or versus["difference"] is None:
            rest = "– | – | –"
        else:
            gap = cell({**versus, "value": versus["difference"]}, "+")
            rest = f"{gap} | {versus['p']:.3f} | {versus['better']} : {versus['worse']}"
        family = summary["methods"][name]["family"]
        shown = [cell(row["pgr"]), rest, cell(row["plain"]["pgr"])]
        lines.append(f"| `{name}` | {family} | {' | '.join(shown)} |")
    return "\n".join(lines)


def by_part(run: Path, summary: dict[str, Any]) -> str:
    """Pools of each supervisor, and of the tasks that did not serve development."""
    with RunStore.open(run) as store:
        phases = [p for p in store.phases() if p.name.startswith("task ")]
    outcomes = [Outcome.of_payload(o) for p in phases for o in p.payload["outcomes"]]
    parts = {s: [o for o in outcomes if o.supervisor == s] for s in summary["supervisors"]}
    parts["not developed on"] = [o for o in outcomes if o.task not in DEVELOPED]
    methods = {name: SimpleNamespace(**said) for name, said in summary["methods"].items()}
    lines = [
        f"| part | kind | n tasks | {' | '.join(SHOWN)} | default less naive | default, plain ceiling |",
        "|---" * (len(SHOWN) + 5) + "|",
    ]
    for part, some in parts.items():
        pools = tasks_and_pools(some, methods, summary["seeds"][0])["pooled_by_kind"]
        for kind, pool in pools.items():
            ours = pool["default"]
            shown = [cell(pool[n]["pgr"]) if n in pool else "–" for n in SHOWN]
            gap = ours["versus_naive"] | {"value": ours["versus_naive"]["difference"]}
            shown += [cell(gap, "+"), cell(ours["plain"]["pgr"])]
            lines.append(f"| {part} | {kind} | {ours['pgr']['n']} | {' | '.join(shown)} |")
    return "\n".join(lines)


def main() -> None:
    for path in sys.argv[1:]:
        summary = json.loads((Path(path) / "summary.json").read_text())
        seeds = len(summary["seeds"])
        print(f"{path}: {seeds} seeds, {summary['seconds']:.0f} s\n\n{by_task(summary)}\n")
        for kind, pool in summary["pooled_by_kind"].items():
            n, bare = (p["pgr"]["n"] for p in (pool["naive"], pool["naive"]["plain"]))
            print(
                f"{kind}, n = {n} tasks, under the plain ceiling {bare}\n\n{by_method(summary, kind)}\n"
            )
        print(f"{by_part(Path(path), summary)}\n")
        for gone in summary["undefined"]:
            print(f"- PGR undefined: {gone['task']} < {gone['supervisor']}: {gone['reason']}")


if __name__ == "__main__":
    main()
