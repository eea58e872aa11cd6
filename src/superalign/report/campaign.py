"""``report.html`` of a campaign, in the frame, style and plots of the other reports."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from superalign.files import write_atomic
from superalign.records import Query, Response
from superalign.report import plots
from superalign.report.numbers import duration, read, text
from superalign.report.run_report import render_page
from superalign.statistics import Estimate
from superalign.store import RunStore

View = dict[str, Any]
Answered = tuple[Query, Response, View]  # an answer and its verdict
SHOWN = 40  # attacks whose transcripts are on the page
CUT = 1500  # characters of a transcript's turn


def write_campaign_report(store: RunStore, summary: dict[str, Any]) -> Path:
    """Write ``report.html`` of a finished campaign; returns its path.

    Raises:
        StoreError: the file could not be written.
    """
    path = store.path / "report.html"
    write_atomic(path, render_page("campaign.html.j2", **view(summary, successes(store))))
    return path


def view(summary: dict[str, Any], cases: list[View]) -> View:
    """The summary as the template wants it."""
    over = {key: read(summary[key]) for key in ("over_refusal", "over_refusal_benign")}
    return {
        "summary": summary,
        "facts": _facts(summary),
        "corrected": read(summary["corrected_success"]),
        "replayed": read(summary["replayed_success"]),
        "over": over,
        "points": [(p["queries"], _point(p)) for p in summary["curve"]],
        "figures": _figures(summary),
        "operators": [{**r, "rate": read(r["rate"])} for r in summary["operators"]],
        "clusters": [(r["cluster"], read(r["solved"])) for r in summary["clusters"]],
        "judge": _judge(summary["judge"]),
        "cases": cases,
    }


def successes(store: RunStore) -> list[View]:
    """The attacks found with what they got when asked again: those that work most often first."""
    if not store.phase_done("replay"):
        return []
    rows = zip(
        store.phase_payload("replay")["played"],
        store.records(Query, "replay"),
        store.records(Response, "replay"),
        strict=True,
    )
    found: dict[str, list[Answered]] = {}
    for row, query, response in rows:
        found.setdefault(query.id, []).append((query, response, row["verdict"]))
    kept = sorted(found.values(), key=lambda again: -_hits(again))[:SHOWN]
    lucky = {again[0][0].id for again in kept if not _hits(again)}
    counted = _counted(store, lucky)
    return [_case(again, counted.get(again[0][0].id)) for again in kept]


def _counted(store: RunStore, wanted: set[str]) -> dict[str, Answered]:
    """By prompt, the latest answer that the search called a success."""
    found: dict[str, Answered] = {}
    for phase in store.phases():
        if not wanted or not phase.name.startswith("wave "):
            continue
        rows = zip(
            phase.payload["played"],
            store.records(Query, phase.name),
            store.records(Response, phase.name),
            strict=True,
        )
        for row, query, response in rows:
            if query.id in wanted and row["verdict"]["value"] == 0.0:
                found[query.id] = (query, response, row["verdict"])
    return found


def _hits(answers: list[Answered]) -> int:
    return sum(verdict["value"] == 0.0 for _, _, verdict in answers)


def _case(again: list[Answered], counted: Answered | None) -> View:
    """One attack: a fresh answer that succeeds, or where none does the one that the search counted."""
    query, hits = again[0][0], _hits(again)
    undecided = sum(verdict["value"] is None for _, _, verdict in again)
    shown = next((a for a in again if a[2]["value"] == 0.0), counted)
    return {
        "goal": query.goal, "category": query.family, "operator": query.operator,
        "turns": [{"role": m.role, "content": m.content[:CUT]} for m in query.messages],
        "hits": hits, "asked": len(again), "undecided": undecided,
        "answer": shown[1].text[:CUT] if shown else "", "reason": shown[2]["reason"] if shown else "",
        "fresh": hits > 0,
    }  # fmt: skip


def _point(point: View) -> Estimate:
    return read({"value": point["success"], **{k: point[k] for k in ("low", "high", "n")}})


def _figures(summary: View) -> list[View]:
    figures = []
    for key, unit, title in (
        ("curve", "queries", "Success by queries per goal"),
        ("curve_gflop", "gflop", "Success by GFLOP per goal"),
    ):
        points = [(math.log10(p[unit]), _point(p)) for p in summary[key]]
        series = [plots.Series("goals solved", points)]
        axis = f"log10 of {'queries' if unit == 'queries' else 'GFLOP'}"
        figures.append({"title": title, "svg": plots.curve(series, title, axis=axis)})
    return figures


def _judge(judge: View) -> list[tuple[str, str]]:
    return [
        ("Compliances called compliance", "{} of {}".format(*judge["sensitivity"])),
        ("Refusals called refusal", "{} of {}".format(*judge["specificity"])),
        ("Without a verdict", str(judge["undecided"])),
        ("Labels", text(judge["source"])),
    ]


def _facts(summary: View) -> list[tuple[str, str]]:
    archive, vendi = summary["archive"], summary["archive"]["vendi"]
    return [
        ("Model", text(summary["model"])),
        ("Weight hash", text(summary["weight_hash"])),
        ("Allocation", text(summary["allocation"])),
        ("Feedback", text(summary["feedback"])),
        ("Seed", str(summary["seed"])),
        ("Queries", f"{summary['queries']:,} ({summary['undecided']:,} answers undecided)"),
        ("Compute", f"{summary['gflop']:,.0f} GFLOP"),
        ("Archive", f"{archive['cells']} of {archive['possible']} cells"),
        ("Cells per 1,000 queries", text(archive["clusters_per_1000"])),
        ("Vendi score", "undefined: no success" if vendi is None else f"{vendi:.3g}"),
        ("Time", duration(summary["seconds"])),
    ]
