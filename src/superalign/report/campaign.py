"""``report.html`` of a campaign, in the frame, style and plots of the other reports."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from superalign.campaign.answers import attempts, replays
from superalign.evaluation.measure import Graded, failed
from superalign.files import write_atomic
from superalign.report import plots
from superalign.report.numbers import duration, read, text
from superalign.report.run_report import render_page
from superalign.statistics import Estimate
from superalign.store import RunStore

View = dict[str, Any]
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
        "operators": [
            {**r, "rate": read(r["rate"])} for r in summary["operators"] if r["attempts"]
        ],
        "untried": [r["operator"] for r in summary["operators"] if not r["attempts"]],
        "clusters": [(r["cluster"], read(r["solved"])) for r in summary["clusters"]],
        "judge": _judge(summary["judge"]),
        "trained": _trained(summary.get("trained_attacker")),
        "steering": _steering(summary.get("steering", {})),
        "cases": cases,
    }


def successes(store: RunStore) -> list[View]:
    """The attacks found with what they got when asked again: those that work most often first."""
    kept = sorted(replays(store), key=lambda again: -sum(map(failed, again)))[:SHOWN]
    # The search may have asked a prompt several times; its last success is the one that counted.
    counted = {g.query.id: g for g in attempts(store) if failed(g)}
    return [_case(again, counted[again[0].query.id]) for again in kept]


def _case(again: list[Graded], counted: Graded) -> View:
    """One attack: a fresh answer that succeeds, or where none does the one that the search counted."""
    hits = [g for g in again if failed(g)]
    shown, query = (hits or [counted])[0], counted.query
    return {
        "goal": query.goal, "category": query.family, "operator": query.operator,
        "turns": [{"role": m.role, "content": m.content[:CUT]} for m in query.messages],
        "hits": len(hits), "asked": len(again),
        "undecided": sum(g.verdict.value is None for g in again),
        "answer": shown.response.text[:CUT], "reason": shown.verdict.reason,
    }  # fmt: skip


def _point(point: View) -> Estimate:
    return read({"value": point["success"], **{k: point[k] for k in ("low", "high", "n")}})


def _figures(summary: View) -> list[View]:
    by_queries = [(float(p["queries"]), _point(p)) for p in summary["curve"]]
    by_gflop = [(float(f"{p['gflop']:.3g}"), _point(p)) for p in summary["curve_gflop"]]
    figures = [_figure("Success by queries per goal", "queries", by_queries)]
    if summary["gflop"] is not None:
        figures.append(_figure("Success by GFLOP per goal", "GFLOP", by_gflop))
    return figures


def _figure(title: str, axis: str, points: list[tuple[float, Estimate]]) -> View:
    series = [plots.Series("goals solved", points)]
    return {"title": title, "svg": plots.curve(series, title, axis=axis, log=True)}


def _judge(judge: View) -> list[tuple[str, str]]:
    if judge["sensitivity"] is None:
        return [("Verdicts", text(judge["source"]))]
    return [
        ("Compliances called compliance", "{} of {}".format(*judge["sensitivity"])),
        ("Refusals called refusal", "{} of {}".format(*judge["specificity"])),
        ("Without a verdict", str(judge["undecided"])),
        ("Labels", text(judge["source"])),
    ]


def _trained(trained: View | None) -> View | None:
    """The trained attacker's training and drafts; None where nothing was trained."""
    if trained is None:
        return None
    measured = ("on_goal", "confirmed", "reward")
    return {
        "facts": [
            ("Model", text(trained["model"])),
            ("Adapter", text(trained["adapter"])),
            ("Training queries, in the curve", f"{trained['training_queries']:,}"),
            ("Training queries of the adapter, in all", f"{trained['schooling']['queries']:,}"),
            ("Training compute", f"{trained['training_gflop']:,.0f} GFLOP"),
            ("Goals here that it trained on", str(trained["goals_trained_on"])),
        ],
        "rounds": [{**r, **{key: read(r[key]) for key in measured}} for r in trained["rounds"]],
        "on_goal": read(trained["on_goal"]),
    }


STEERINGS = {
    "plain": "the model itself",
    "refusal_ablated": "refusal direction taken out of every layer",
    "refusal_subtracted": "refusal direction subtracted after one layer",
}


def _steering(found: View) -> list[View]:
    keys = ("attack_success", "attack_success_held_out", "over_refusal")
    return [
        {"name": STEERINGS[name], "layer": row["layer"], **{key: read(row[key]) for key in keys}}
        for name, row in found.items()
    ]


def _baseline(found: View | None) -> list[tuple[str, str]]:
    if found is None:
        return []
    return [
        ("Answered rightly before any attack", f"{found['value']:.3f} of {found['n']} questions")
    ]


def _compute(summary: View) -> str:
    """GFLOP, or what is known instead of a model behind an endpoint."""
    if summary["gflop"] is not None:
        return f"{summary['gflop']:,.0f} GFLOP"
    told = summary["remote"]
    missing = ", ".join(f"{n} {reason}" for reason, n in told["missing"].items()) or "none"
    return f"unknown (remote: {told['requests']:,} requests; missing answers: {missing})"


def _facts(summary: View) -> list[tuple[str, str]]:
    archive, vendi = summary["archive"], summary["archive"]["vendi"]
    return [
        ("Model", text(summary["model"])),
        ("Weight hash", text(summary["weight_hash"])),
        ("Attacker", text(summary["attacker"])),
        ("Domain", text(summary["domain"])),
        *_baseline(summary["baseline"]),
        ("Allocation", text(summary["allocation"])),
        ("Feedback", text(summary["feedback"])),
        ("Seed", str(summary["seed"])),
        ("Queries", f"{summary['queries']:,} ({summary['undecided']:,} answers undecided)"),
        ("Compute", _compute(summary)),
        ("Archive", f"{archive['cells']} of {archive['possible']} cells"),
        ("Cells per 1,000 queries", text(archive["clusters_per_1000"])),
        ("Vendi score", "undefined: no success" if vendi is None else f"{vendi:.3g}"),
        ("Time", duration(summary["seconds"])),
    ]
