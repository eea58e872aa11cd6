"""``report.html`` of an evaluation: every number with its interval, as tables and as dots on lines."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from superalign.files import replacing_folder, write_atomic
from superalign.report import plots
from superalign.report.numbers import Unit, read
from superalign.report.run_report import render_page
from superalign.statistics import Estimate

View = dict[str, Any]
Named = tuple[str, Estimate]
NUMBERS = {"log_ratio", "log_odds", "length", "position", "correlation", "excess", "leaning",
           "yes_saying", "reversal", "bias_score"}  # fmt: skip


def write_evaluation(summary: View, options: View, folder: Path) -> Path:
    """Write ``config.yaml``, ``summary.json`` and ``report.html`` into a new folder; the page's path.

    Raises:
        StoreError: a file could not be written.
    """
    with replacing_folder(folder) as fresh:
        write_atomic(fresh / "config.yaml", yaml.safe_dump(options, sort_keys=False))
        write_atomic(fresh / "summary.json", json.dumps(summary, indent=1, allow_nan=False))
        write_atomic(fresh / "report.html", page(summary))
    return folder / "report.html"


def page(summary: View) -> str:
    """The page as text."""
    facts = [(k.replace("_", " "), v) for k in ("model", "weight_hash", "kind", "data", "rival", "judge")
             if (v := summary.get(k))]  # fmt: skip
    return render_page(
        "evaluation.html.j2",
        summary=summary, facts=facts, sections=sections(summary),
        warnings=summary.get("warnings", []),
    )  # fmt: skip


def sections(summary: View) -> list[View]:
    """What was measured, part by part; a part that the summary lacks has no section."""
    found = [
        _section(
            "By dimension",
            [
                (f"{r['dimension']}: {r['measure']}", read(r["passed"]))
                for r in summary.get("vector", [])
            ],
        ),
        *_split("Measured", _estimates(summary.get("measured", {}))),
        *_split("On fresh rows", _estimates(summary.get("measured_fresh", {}))),
    ]
    for name in ("bias_score", "accuracy", "unknown"):
        rows = [(_group(r), read(r[name])) for r in summary.get("bias", [])]
        found.append(_section(f"Stereotypes: {name.replace('_', ' ')}", rows, _unit(name)))
    leanings = [
        (f"{r['dimension'].replace('_', ' ')}, {r['language']}", read(r["leaning"]))
        for r in summary.get("profile", [])
    ]
    found.append(_section("Values: leaning in nats", leanings, "number"))
    for language, told in summary.get("languages", {}).items():
        found += _split(f"Steadiness, {language}", _estimates(told))
    found += _split("Between languages", _estimates(summary.get("between_languages") or {}))
    found += _split("Self-preference", _estimates(summary.get("self_preference", {})))
    return [section for section in found if section["rows"]]


def _group(row: View) -> str:
    return ", ".join(filter(None, (row["condition"], row["category"]))).replace("_", " ")


def _estimates(part: View) -> list[Named]:
    return [(k.replace("_", " "), read(v)) for k, v in part.items() if isinstance(v, dict)]


def _split(title: str, rows: list[Named]) -> list[View]:
    """Rates and other numbers in sections of their own, since they share no axis."""
    rates = [row for row in rows if _unit(row[0]) == "rate"]
    others = [row for row in rows if _unit(row[0]) == "number"]
    note = "" if not rates else ": numbers"
    return [_section(title, rates), _section(f"{title}{note}", others, "number")]


def _unit(name: str) -> Unit:
    return "number" if name.split(",")[0].replace(" ", "_") in NUMBERS else "rate"


def _section(title: str, rows: list[Named], unit: Unit = "rate") -> View:
    figure = plots.forest(rows, [] if unit == "rate" else [("", 0.0)], title, unit)
    return {"title": title, "rows": rows, "unit": unit, "svg": figure}
