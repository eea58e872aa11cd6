"""The summary as the page's template wants it: every gap filled with words, nothing assumed."""

from __future__ import annotations

from typing import Any

from superalign.report import plots
from superalign.report.numbers import (
    ABSENT,
    by_domain,
    duration,
    mapping,
    metric,
    number,
    read,
    rows,
    size,
    text,
    verdict,
)
from superalign.statistics import Estimate

View = dict[str, Any]
RELATIVE = ("win", "tie", "loss")
CRITIC = ("sensitivity", "specificity", "ece", "auroc")
GATE = ("sensitivity", "specificity", "challenge_flips", "length_bias")


def view(summary: dict[str, Any]) -> View:
    """All sections of the page that come from the summary."""
    rounds = _rounds(summary)
    return {
        "facts": facts(summary),
        "phases": phases(summary.get("seconds_per_phase")),
        "human": mapping(summary.get("human_labels")),
        "notes": _notes(summary.get("notes")),
        "headline": headline(summary),
        "relative": relative(summary),
        "breakdown": breakdown(summary),
        "curves": curves(summary, rounds),
        "operators": operators(rounds),
        "critic": critic(rounds),
        "gate": gate(rounds),
        "ledger": ledger(rounds),
        "rounds": [round_row(i, r) for i, r in rounds],
    }


def facts(summary: dict[str, Any]) -> list[tuple[str, str]]:
    """What the run was."""
    human = mapping(summary.get("human_labels"))
    simulated = human.get("simulated")
    kind = "simulated" if simulated else "source unknown" if simulated is None else "from people"
    used = f"{text(human.get('used'), '?')} of {text(human.get('budget'), '?')}, {kind}"
    seed, rounds = summary.get("seed"), summary.get("rounds")
    return [
        ("Model", text(summary.get("model"))),
        ("Weight hash", text(summary.get("weight_hash"))),
        ("Learner", text(summary.get("learner"))),
        ("Seed", "not recorded" if seed is None else str(seed)),
        ("Rounds", "not recorded" if rounds is None else str(len(rows(rounds)))),
        ("Human labels", used if human else "not recorded"),
        ("Time", duration(summary.get("seconds"))),
        ("Peak memory", size(summary.get("peak_memory_bytes"))),
    ]


def phases(value: Any) -> list[View]:
    """Time by phase, longest first, each as a share of their sum."""
    known = [(k, s) for k, v in mapping(value).items() if (s := number(v)) is not None and s >= 0]
    total = sum(s for _, s in known) or 1.0
    ordered = sorted(known, key=lambda pair: -pair[1])
    return [
        {"name": k, "seconds": s, "share": s / total, "bar": plots.share_bar(s / total)}
        for k, s in ordered
    ]


def headline(summary: dict[str, Any]) -> list[View]:
    """One row per domain and quantity: held-out before and after, and a verdict."""
    found = []
    for domain, entry in by_domain(summary.get("held_out")):
        before, after = mapping(entry.get("before")), mapping(entry.get("after"))
        keys = [k for k in dict.fromkeys([*before, *after]) if k not in RELATIVE]
        change = mapping(entry.get("change"))
        found += [_pair(domain, k, before.get(k), after.get(k), change.get(k)) for k in keys]
    return found


def relative(summary: dict[str, Any]) -> list[View]:
    """Win, tie and loss of the learner's answers against those it gave at the start."""
    found = []
    for domain, entry in by_domain(summary.get("held_out")):
        after = mapping(entry.get("after"))
        found += [
            {"domain": domain, "name": metric(k).name, "value": read(after[k])}
            for k in RELATIVE
            if k in after
        ]
    return found


def breakdown(summary: dict[str, Any]) -> list[View]:
    """Held-out quantities by operator, category, ...; the worst after the run first."""
    tables = []
    for key, table in mapping(summary.get("held_out_breakdown")).items():
        kind, _, axis = key.partition("_by_")
        found = [
            _pair("", kind, e.get("before"), e.get("after")) | {"name": name}
            for name, e in ((n, mapping(e)) for n, e in mapping(table).items())
        ]
        sign = -1 if metric(kind).better == "lower" else 1
        found.sort(key=lambda r: (r["after"].value is None, sign * (r["after"].value or 0.0)))
        axis = axis.replace("_", " ") or "group"
        title = f"{metric(kind).name} by {axis}"
        tables.append({"title": title, "axis": axis, "rows": found, "hint": metric(kind).hint})
    return tables


def curves(summary: dict[str, Any], rounds: list[tuple[int, View]]) -> list[View]:
    """One figure per domain and quantity; round 0 is the held-out measurement before the run."""
    lines: dict[tuple[str, str], dict[float, Estimate]] = {}
    for i, entry in rounds:
        for domain, quantities in by_domain(entry.get("progress")):
            for key, value in quantities.items():
                lines.setdefault((domain, key), {})[i] = read(value)
    held_out = mapping(summary.get("held_out"))
    figures = []
    for (domain, key), points in lines.items():
        start = mapping(mapping(held_out.get(domain)).get("before")).get(key)
        if start is not None:
            points.setdefault(0, read(start))
        figures.append(_figure(domain, key, sorted(points.items())))
    return figures


def operators(rounds: list[tuple[int, View]]) -> View:
    """Attack outcomes by round, domain and operator."""
    found: list[View] = []
    for i, entry in rounds:
        for row in rows(entry.get("attacks")):
            rate = read(row.get("rate"))
            names = {k: text(row.get(k), "–") for k in ("domain", "operator", "family")}
            counts = {k: number(row.get(k)) for k in ("trials", "hits", "missing")}
            found.append(
                {"round": i, **names, **counts, "rate": rate, "bar": plots.interval_bar(rate)}
            )
    return {
        "rows": found,
        "rounds": sorted({r["round"] for r in found}),
        "domains": sorted({r["domain"] for r in found}),
        "latest": max((r["round"] for r in found), default=0),
    }


def critic(rounds: list[tuple[int, View]]) -> list[View]:
    """Per domain: reliability in the latest round that has it, and quality by round."""
    history: dict[str, list[tuple[int, View]]] = {}
    for i, entry in rounds:
        for domain, quality in by_domain(entry.get("critic")):
            history.setdefault(domain, []).append((i, quality))
    return [_critic_domain(domain, history[domain]) for domain in history]


def gate(rounds: list[tuple[int, View]]) -> list[View]:
    """By round and examined domain: may the critic label, and what its examination measured."""
    return [
        {
            "round": i, "domain": domain, "decision": text(entry.get("decision")),
            "reason": text(entry.get("reason"), ""), "cells": [read(entry.get(k)) for k in GATE],
        }
        for i, row in rounds
        for domain, entry in by_domain(row.get("gate"))
        if "sensitivity" in entry
    ]  # fmt: skip


def ledger(rounds: list[tuple[int, View]]) -> View:
    """Reward and truth by round and domain, and what was decided."""
    entries: list[View] = []
    lines: dict[str, list[View]] = {}
    for i, entry in rounds:
        for domain, row in by_domain(entry.get("ledger")):
            line = {"round": i, "domain": domain, "action": text(row.get("action"), "not recorded")}
            line |= {k: read(row.get(k)) for k in ("reward", "truth")}
            line["reason"] = text(row.get("reason"), "")
            entries.append(line)
            lines.setdefault(domain, []).append(line)
    figures = [
        {"title": d, "svg": plots.curve(_pairs(own, ("reward", "truth")), f"{d}: reward and truth")}
        for d, own in lines.items()
    ]
    return {"rows": entries, "figures": figures}


def round_row(index: int, entry: View) -> View:
    """What a round did: archive, human labels, update, time."""
    archive, human = mapping(entry.get("archive")), mapping(entry.get("human"))
    update = mapping(entry.get("update"))
    spent = [s for v in mapping(entry.get("seconds_per_phase")).values() if (s := number(v))]
    return {
        "round": index,
        "size": archive.get("size"), "added": archive.get("added"),
        "coverage": archive.get("coverage"),
        "asked": human.get("asked"), "used": human.get("used"), "left": human.get("budget_left"),
        "algorithm": text(update.get("algorithm"), "no update"),
        "demonstrations": update.get("demonstrations"), "preferences": update.get("preferences"),
        "tokens": update.get("tokens"),
        "loss_first": update.get("loss_first"), "loss_last": update.get("loss_last"),
        "seconds": sum(spent) if spent else None,
    }  # fmt: skip


def _rounds(summary: dict[str, Any]) -> list[tuple[int, View]]:
    found = rows(summary.get("rounds"))
    numbered = [(number(r.get("round")), i, r) for i, r in enumerate(found, start=1)]
    return [(i if n is None else int(n), r) for n, i, r in numbered]


def _pair(domain: str, key: str, first: Any, last: Any, change: Any = None) -> View:
    kind, before, after = metric(key), read(first), read(last)
    bar = plots.interval_bar(after, before) if kind.unit == "rate" else ""
    word = verdict(before, after, kind.better, read(change) if change is not None else None)
    return {
        "domain": domain, "name": kind.name, "hint": kind.hint, "unit": kind.unit,
        "before": before, "after": after, "verdict": word, "bar": bar,
    }  # fmt: skip


def _figure(domain: str, key: str, points: list[tuple[float, Estimate]]) -> View:
    kind = metric(key)
    title = f"{domain}: {kind.name}"
    sizes = sorted({e.n for _, e in points if e.n})
    svg = plots.curve([plots.Series(kind.name, points)], title, kind.unit)
    return {
        "title": title, "hint": kind.hint, "svg": svg, "points": points, "unit": kind.unit,
        "uneven": len(sizes) > 1, "sizes": sizes,
    }  # fmt: skip


def _pairs(lines: list[View], keys: tuple[str, ...]) -> list[plots.Series]:
    return [plots.Series(k, [(row["round"], row.get(k, ABSENT)) for row in lines]) for k in keys]


def _critic_domain(domain: str, history: list[tuple[int, View]]) -> View:
    table = [{"round": i, **{k: read(q.get(k)) for k in CRITIC}} for i, q in history]
    binned = [(i, rows(q.get("reliability"))) for i, q in history]
    latest, bins = next(((i, b) for i, b in reversed(binned) if b), (history[-1][0], []))
    title = f"{domain}: predicted against observed, round {latest}"
    quality = plots.curve(_pairs(table, CRITIC[:2]), f"{domain}: sensitivity and specificity")
    return {
        "domain": domain, "table": table, "round": latest, "quality": quality,
        "reliability": plots.reliability(bins, title) if bins else None,
    }  # fmt: skip


def _notes(value: Any) -> list[str]:
    return [text(n) for n in (value if isinstance(value, list) else [value]) if n]
