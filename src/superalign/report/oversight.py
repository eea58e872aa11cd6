"""``report.html`` of an oversight run, in the frame, style and plots of the other reports."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from superalign.files import write_atomic
from superalign.report import plots
from superalign.report.figures import write_figure
from superalign.report.games import provers_view, recursive_view
from superalign.report.numbers import duration, mapping, number, read, rows, size, text
from superalign.report.reward_models import reward_view
from superalign.report.run_report import render_page

View = dict[str, Any]
QUANTITIES = {
    "accuracy": "Accuracy", "gap_recovered": "Gap recovered", "rescued": "Rescued",
    "misled": "Misled", "detection": "Flaws seen", "specificity": "Right ones spared",
    "unaided_same_words": "Unaided, same words",
    "ece": "Calibration error", "swap_flip": "Flips when sides swap",
}  # fmt: skip
NUMBERS = {"asd": "Score difference, nats", "judge_tokens": "Judge's words"}


def write_oversight_report(summary: dict[str, Any], path: Path) -> Path:
    """Write the page to ``path``, whole or not at all; returns it.

    Raises:
        StoreError: the file could not be written.
    """
    write_atomic(path, render_page("oversight.html.j2", **view(summary)))
    return path


FIGURES = {
    "pressure": "Judged wrong when each side shows its best of n",
    "optimised": "Reward and truth under best-of-n",
    "gap": "Generator, discriminator, critique by steps",
    "dial": "What the critic's threshold costs",
}


def write_figures(summary: dict[str, Any], folder: Path) -> list[Path]:
    """The page's curves as files (SVG) in ``folder``, those that the summary has; their paths.

    Raises:
        StoreError: a file could not be written.
    """
    shown = view(summary)
    made = [(name, title, shown[name]) for name, title in FIGURES.items() if shown[name]]
    if made:
        folder.mkdir(exist_ok=True)
    return [
        write_figure(plot["svg"], title, plot["legend"], folder / f"{name}.svg")
        for name, title, plot in made
    ]


def view(summary: dict[str, Any]) -> View:
    """The summary as the template wants it."""
    arms = rows(summary.get("arms"))
    marks = [
        (word, v)
        for word, name in (("unaided", "unaided"), ("full access", "full_access"))
        for a in arms
        if a["name"] == name and (v := number(mapping(a["accuracy"]).get("value"))) is not None
    ]
    critic = mapping(summary.get("critic"))
    bars = [(a["name"], read(a["accuracy"])) for a in arms]
    return {
        "summary": summary,
        "facts": _facts(summary),
        "arms": [_arm(a) for a in arms],
        "quantities": [*QUANTITIES.values(), *NUMBERS.values()],
        "forest": plots.forest(bars, marks, "Accuracy by arm") if arms else None,
        "forms": [
            {**f, "measured": read(f["measured"])} for f in rows(summary.get("closed_forms"))
        ],
        "pressure": _pressure(rows(summary.get("pressure"))),
        "tests": [_scores(t, t["length"]) for t in rows(critic.get("tests"))],
        "dial": _dial(rows(critic.get("dial"))),
        "pareto": [
            {
                "name": p["name"],
                "efficient": p["efficient"],
                "cells": [read(p[k]) for k in ("recall", "false_claims")],
                "claims": read(p["claims"]),
            }
            for p in rows(critic.get("pareto"))
        ],
        "optimised": _optimised(rows(critic.get("best_of_n"))),
        "gap": _gap(rows(critic.get("gap"))),
        "learner": [_learner(r) for r in rows(critic.get("learner"))],
        "scores": [_scores(t, t["subset"]) for t in rows(summary.get("scores"))],
        "rewards": reward_view(summary),
        "provers": provers_view(summary),
        "recursive": recursive_view(summary),
    }


def _facts(summary: dict[str, Any]) -> list[tuple[str, str]]:
    judge, critic = mapping(summary.get("judge")), mapping(summary.get("critic"))
    informative = summary.get("informative")
    word = "not applicable" if informative is None else "yes" if informative else "no"
    return [
        ("Model", text(summary.get("model"))),
        ("Judge", text(judge.get("name"), "none")),
        ("Looks", text(judge.get("looks"), "–")),
        ("Critic", text(critic.get("name"))),
        ("Items", text(summary.get("items"), "–")),
        ("Steps", text(summary.get("steps"), "–")),
        ("Informative", word),
        ("Seed", text(summary.get("seed"))),
        ("Time", duration(summary.get("seconds"))),
        ("Peak memory", size(summary.get("peak_memory_bytes"))),
    ]


def _arm(arm: View) -> View:
    return {
        "name": arm["name"],
        "rates": [read(arm.get(key)) for key in QUANTITIES],
        "numbers": [read(arm.get(key)) for key in NUMBERS],
    }


def _pressure(levels: list[View]) -> View | None:
    """Share judged wrong by the number of drafts each side chooses from."""
    if not levels:
        return None
    names = list(mapping(levels[0]["misled"]))
    lines = [
        plots.Series(n, [(row["best_of"], read(row["misled"][n])) for row in levels])
        for n in ("consultancy", "debate")
    ]
    return {
        "svg": plots.curve(lines, "Judged wrong under pressure", "rate", "best of"),
        "legend": [line.name for line in lines],
        "names": names,
        "rows": [
            {
                "best_of": row["best_of"],
                "misled": [read(row["misled"][n]) for n in names],
                "p": f"{row['p']:.2g}",
            }
            for row in levels
        ],
    }


def _scores(table: View, name: str) -> View:
    keys = ("f1", "accuracy_wrong", "accuracy_right", "false_claims", "fix_valid")
    return {
        "name": name,
        "n": table["n"],
        "rows": [
            {"name": c["name"], "cells": [read(c.get(k)) for k in keys]}
            for c in rows(table["critics"])
        ],
    }


def _dial(points: list[View]) -> View | None:
    """Recall against false claims as the threshold moves."""
    if not points:
        return None
    keys = ("recall", "false_claims", "claims")
    lines = [
        plots.Series(key.replace("_", " "), [(p["threshold"], read(p[key])) for p in points])
        for key in keys
    ]
    svg = plots.curve(lines, "The dial: what a threshold costs", "rate", "threshold")
    return {"svg": svg, "legend": [line.name for line in lines]}


def _optimised(points: list[View]) -> View | None:
    """Proxy and truth of best-of-n by the divergence from the sampler."""
    if not points:
        return None
    lines = [
        plots.Series(k, [(round(p["kl"], 3), read(p[k])) for p in points])
        for k in ("proxy", "truth")
    ]
    svg = plots.curve(lines, "Reward and truth under best-of-n", "rate", "KL, nats")
    return {"svg": svg, "legend": [line.name for line in lines]}


def _learner(row: View) -> View:
    """An arm's right answers and steps on new problems, the gains, and steps against binary reward."""
    against = mapping(row.get("versus_binary"))
    keys = ("accuracy", "gain", "steps", "steps_gain")
    cells = [read(row.get(k)) for k in keys] + [read(against.get(k)) for k in ("accuracy", "steps")]
    return {"name": row["name"], "cells": cells}


def _gap(points: list[View]) -> View | None:
    """Generator, discriminator and critique by number of steps."""
    if not points:
        return None
    keys = ("generator", "discriminator", "critique")
    lines = [plots.Series(k, [(p["steps"], read(p[k])) for p in points]) for k in keys]
    svg = plots.curve(lines, "Generator, discriminator, critique", "rate", "steps")
    cells = ("generator", "discriminator", "critique", "gap", "false_claims")
    table = [{"steps": p["steps"], "cells": [read(p[k]) for k in cells]} for p in points]
    return {"svg": svg, "legend": list(keys), "rows": table}
