"""The prover–verifier game and recursive reward modelling in the oversight report."""

from __future__ import annotations

from typing import Any

from superalign.report import plots
from superalign.report.numbers import read, rows

View = dict[str, Any]
PLAYED = ("fooled", "accepted", "believed")


def provers_view(summary: dict[str, Any]) -> View | None:
    """Belief in both provers by round, and each verifier against the sneaky prover of each round."""
    played = rows(summary.get("prover_verifier"))
    if not played:
        return None
    lines = [
        plots.Series(name, [(r["round"], read(r[key])) for r in played])
        for name, key in (("sneaky prover", "fooled"), ("helpful prover", "believed"))
    ]
    return {
        "svg": plots.curve(lines, "Belief in the provers", "rate", "round"),
        "legend": [line.name for line in lines],
        "rows": [{"round": r["round"], "cells": [read(r[k]) for k in PLAYED]} for r in played],
        "matrix": [
            {"round": r["round"], "cells": [read(c) for c in r["fooled_by"]]} for r in played
        ],
    }


def recursive_view(summary: dict[str, Any]) -> list[View]:
    """Rows by level and helper taken away, each beside its formula."""
    return [
        {
            "name": f"level {r['level']}, {r['steps']} steps, without {r['without']}",
            "found": read(r["found"]), "found_expected": r["found_expected"],
            "false": read(r["false_claims"]), "false_expected": r["false_claims_expected"],
        }
        for r in rows(summary.get("recursive"))
    ]  # fmt: skip
