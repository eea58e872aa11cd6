"""Robustness curves as plots and tables: the model, its base, and how often its answer stays."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from markupsafe import Markup

from superalign.report.figures import write_panels
from superalign.report.numbers import read, rows
from superalign.report.plots import Series, curve
from superalign.statistics import Estimate

WHO = ("model", "base")
SAME = "same answer as to the clean question (model)"


def view(robustness: dict[str, Any]) -> dict[str, Any]:
    """What the page shows, by kind of change."""
    curves = rows(robustness["curves"])
    who = [w for w in WHO if any(w in c for c in curves)]
    kinds = list(dict.fromkeys(c["kind"] for c in curves))
    return {
        "questions": robustness["questions"],
        "seconds": robustness["seconds"],
        "legend": [*WHO[: len(who)], SAME] if len(who) == len(WHO) else ["model", SAME],
        "kinds": [(kind, [_figure(c) for c in curves if c["kind"] == kind]) for kind in kinds],
        "who": who,
        "areas": [
            (_title(c), c["quantity"], [read(c[w]["area"]) for w in who])
            for c in curves
            if "area" in c["model"]
        ],
    }


def write_robustness_figures(robustness: dict[str, Any], folder: Path) -> list[Path]:
    """The curves as files (SVG) in ``folder``, one for each kind of change; their paths.

    Raises:
        StoreError: a file could not be written.
    """
    folder.mkdir(exist_ok=True)
    return [
        write_panels(
            [(f["title"], f["svg"]) for f in figures],
            folder / f"robustness_{kind.replace(' ', '_')}.svg",
            columns=4,
        )
        for kind, figures in view(robustness)["kinds"]
    ]


def _figure(entry: dict[str, Any]) -> dict[str, Any]:
    title = _title(entry)
    lines = [Series(w, _points(entry[w]["points"])) for w in WHO if w in entry]
    if "same_answer" in entry["model"]:
        lines.append(Series(SAME, _points(entry["model"]["same_answer"])))
    plot: Markup = curve(lines, f"{title}: {entry['quantity']}", axis=entry["axis"])
    return {"title": title, "svg": plot, "hint": entry["quantity"]}


def _title(entry: dict[str, Any]) -> str:
    return f"{entry['task']}: {entry['name']}"


def _points(found: list[dict[str, Any]]) -> list[tuple[float, Estimate]]:
    return [(float(p["x"]), read(p)) for p in found]
