"""The tables of docs/weak_to_strong.md from finished runs of ``superalign w2s``.

python benchmarks/weak_table.py runs/w2s-1 [...]
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any


def cell(value: dict[str, Any], sign: str = "") -> str:
    if value["value"] is None:
        return "undefined"
    return f"{value['value']:{sign}.3f} [{value['low']:{sign}.3f}, {value['high']:{sign}.3f}]"


def by_task(summary: dict[str, Any]) -> str:
    lines = [
        "| task | supervisor | n test | weak | naive | default | ceiling | plain ceiling "
        "| PGR naive | PGR default |"
    ]
    lines.append("|---" * 10 + "|")
    for task in summary["tasks"]:
        rows = {m["name"]: m for m in task["methods"]}
        naive, ours = rows["naive"], rows[summary["default_method"]]
        cells = [
            naive["weak"], naive["student"], ours["student"], naive["ceiling"],
            task["plain_ceiling"], naive["pgr"], ours["pgr"],
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
        for gone in summary["undefined"]:
            print(f"- PGR undefined: {gone['task']} < {gone['supervisor']}: {gone['reason']}")


if __name__ == "__main__":
    main()
