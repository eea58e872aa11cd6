"""The tables of docs/validation.md from an audit with robustness curves.

superalign audit run:runs/loop --robustness 48 --out runs/robust
python benchmarks/robustness_tables.py runs/robust/summary.json
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any


def cell(e: dict[str, Any]) -> str:
    if e["value"] is None:
        return "undefined"
    span = "" if e["low"] is None else f" [{e['low']:.2f}, {e['high']:.2f}]"
    return f"{e['value']:.2f}{span}"


def row(*cells: str) -> None:
    print("| " + " | ".join(cells) + " |")


def head(*cells: str) -> None:
    row(*cells)
    print("|" + "---|" * len(cells))


def main() -> None:
    found = json.loads(Path(sys.argv[1]).read_text())["robustness"]
    curves, who = found["curves"], [w for w in ("base", "model") if w in found["curves"][0]]
    columns = [f"{w}, {what}" for w in who for what in ("clean", "worst level", "area")]
    head("curve", *columns, "model over base, clean", "worst level", "same answer", "failed")
    for c in curves:
        if "change" not in c["model"]:
            continue
        cells = [
            cell(e) for w in who for e in (c[w]["points"][0], c[w]["points"][-1], c[w]["area"])
        ]
        over = c.get("over_base") or []
        cells += [f"{cell(d)}, p {d['p']:.2g}" for d in over[:1] + over[-1:]]
        cells += [cell(c["model"]["same_answer"][-1]), cell(c["model"]["failed"][-1])]
        row(f"{c['task']}: {c['name']}", *cells)
    print(f"\nn = {found['questions']} questions a task; {found['seconds']} s\n")
    for kind in ("distribution shift", "label noise"):
        for c in curves:
            if c["kind"] == kind:
                head(f"{c['task']}: {c['name']}", *(f"{p['x']:g}" for p in c["model"]["points"]))
                for w in who:
                    n = c[w]["points"][-1]["n"]
                    row(f"{w}, n = {n}", *(cell(p) for p in c[w]["points"]))
                print()


if __name__ == "__main__":
    main()
