"""``report.html`` of a weak-to-strong run, in the frame, style and plots of the other reports."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from markupsafe import Markup

from superalign.files import write_atomic
from superalign.report import plots
from superalign.report.numbers import duration, number, read, size, text, write
from superalign.report.run_report import render_page
from superalign.statistics import Estimate

View = dict[str, Any]
NAIVE = "naive"
PARTS = ("weak", "student", "ceiling")


def write_w2s_report(summary: dict[str, Any], path: Path) -> Path:
    """Write the page to ``path``, whole or not at all; returns it.

    Raises:
        StoreError: the file could not be written.
    """
    write_atomic(path, render_page("weak_to_strong.html.j2", **view(summary)))
    return path


def view(summary: dict[str, Any]) -> View:
    """The summary as the template wants it."""
    tasks = [_task(t) for t in summary["tasks"]]
    return {
        "summary": summary,
        "facts": _facts(summary),
        "pools": [_pool(summary, kind) for kind in summary["pooled_by_kind"]],
        "tasks": tasks,
        "undefined": summary["undefined"],
        "strength": _strength(summary),
        "depth": _depth(summary),
        "methods": [(n, m["family"], m["source"]) for n, m in summary["methods"].items()],
    }


def _facts(summary: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        ("Student", text(summary["student"])),
        ("Weight hash", text(summary["weight_hash"])),
        ("Supervisors", text(summary["supervisors"])),
        ("Seeds", text(summary["seeds"])),
        ("Default method", text(summary["default_method"])),
        ("Time", duration(summary["seconds"])),
        ("Peak memory", size(summary["peak_memory_bytes"])),
    ]


def _pool(summary: dict[str, Any], kind: str) -> View:
    rows = []
    for name, pool in summary["pooled_by_kind"][kind].items():
        versus = pool["versus_naive"]
        difference = {
            "value": versus.get("difference"),
            **{k: versus.get(k) for k in ("low", "high", "n")},
        }
        rows.append(
            {
                "name": name,
                "family": summary["methods"][name]["family"],
                "pgr": read(pool["pgr"]),
                "plain": read(pool["plain"]["pgr"]),
                "difference": Estimate(None, reason="the baseline itself")
                if name == NAIVE
                else read(difference),
                "p": "–" if name == NAIVE or versus.get("p") is None else f"{versus['p']:.3g}",
            }
        )
    rows.sort(key=lambda r: -(r["pgr"].value if r["pgr"].value is not None else -9.0))
    return {"kind": kind, "rows": rows}


def _task(task: dict[str, Any]) -> View:
    title = f"{task['task']}, labelled by {task['supervisor']}"
    methods = sorted(task["methods"], key=lambda m: -m["student"]["value"])
    marks = [
        (p, v) for p in ("weak", "ceiling") if (v := number(methods[0][p]["value"])) is not None
    ]
    bars = [(m["name"], read(m["student"])) for m in methods]
    return {
        "title": title,
        "svg": plots.forest(bars, marks, title),
        "n": task["n"],
        "parts": [
            *((p, read(methods[0][p])) for p in ("weak", "ceiling")),
            ("ceiling of the plain reading alone", read(task["plain_ceiling"])),
            *(
                [("ceiling of the fine-tuned student", read(task["tuned_ceiling"]))]
                if task["tuned_ceiling"]
                else []
            ),
        ],
        "rows": [_row(m) for m in methods],
        "skipped": task["skipped"].items(),
        "seeds": methods[0]["weak"]["n_seeds"],
    }


def _row(method: dict[str, Any]) -> View:
    versus = method["versus_naive"]
    gap = None
    if versus is not None:
        gap = Estimate(versus["difference"], versus["low"], versus["high"], versus["n"])
    return {
        "name": method["name"],
        "student": read(method["student"]),
        "pgr": read(method["pgr"]),
        "versus": gap or Estimate(None, reason="the baseline itself"),
        "p": "–"
        if versus is None or versus["p_over_seeds"] is None
        else f"{versus['p_over_seeds']:.2g}",
        "right": read(method["agreement"]["teacher_right"]),
        "wrong": read(method["agreement"]["teacher_wrong"]),
        "blind": read(method["blind_spot"]["difference"]),
        "ece": read(method["calibration_error"]),
        "labels": f"{method['labels']['weak']:.0f} weak, {method['labels']['true']} true",
        "transfer": ", ".join(f"{t} {write(e['value'])}" for t, e in method["transfer"].items()),
    }


def _strength(summary: dict[str, Any]) -> list[View]:
    """PGR against the supervisor's accuracy, one figure a task that has several supervisors."""
    found = []
    for name in dict.fromkeys(t["task"] for t in summary["tasks"]):
        several = [t for t in summary["tasks"] if t["task"] == name]
        if len(several) < 2:
            continue
        lines = []
        for method in (NAIVE, summary["default_method"]):
            rows = [m for t in several for m in t["methods"] if m["name"] == method]
            points = sorted(
                ((100 * m["weak"]["value"], read(m["pgr"])) for m in rows), key=lambda p: p[0]
            )
            lines.append(plots.Series(method, points))
        svg: Markup = plots.curve(
            lines, f"{name}: PGR by supervisor accuracy", "number", "supervisor accuracy, %"
        )
        found.append({"title": f"{name}: PGR by the supervisor's accuracy", "svg": svg})
    return found


def _depth(summary: dict[str, Any]) -> list[View]:
    """Accuracy by the student's depth (naive, and the ceiling of the same layer), and their PGR."""
    found = []
    for task in summary["tasks"]:
        if not task["depths"]:
            continue
        title = f"{task['task']} < {task['supervisor']}"
        lines = [
            plots.Series(part, [(d["layer"], read(d[key])) for d in task["depths"]])
            for part, key in (("naive", "student"), ("ceiling", "ceiling"))
        ]
        found.append({"title": title, "svg": plots.curve(lines, title, axis="layer read")})
        points = [(d["layer"], read(d["pgr"])) for d in task["depths"]]
        if any(p.value is not None for _, p in points):
            svg = plots.curve([plots.Series("naive", points)], title, "number", "layer read")
            found.append({"title": f"{title}: PGR", "svg": svg})
    return found
