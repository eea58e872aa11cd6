"""Reward models in the oversight report: the gate, the pressure, and labels that were flipped."""

from __future__ import annotations

from typing import Any

from superalign.report import plots
from superalign.report.numbers import mapping, read, rows, text

View = dict[str, Any]
PUSHES = {"best_of_n": "best of n", "tilt": "tilt"}


def reward_view(summary: dict[str, Any]) -> View | None:
    """What the template shows; None where the run has no reward models."""
    models = rows(summary.get("reward_models"))
    if not models:
        return None
    return {
        "models": [_model(m) for m in models],
        "figures": [_figure(models, key, name) for key, name in PUSHES.items()],
        "legend": [m["name"] for m in models],
        "levels": _levels(models),
        "noise": [
            {"name": f"{r['loss']}, {r['noise']:.0%} flipped", "value": read(r["pair_accuracy"])}
            for r in rows(summary.get("label_noise"))
        ],
    }


def _model(model: View) -> View:
    gate, gao = mapping(model["qualification"]), mapping(model["gao"])
    return {
        "name": model["name"],
        "gate": "may label" if gate["qualified"] else "fails",
        "reason": text(gate["failures"], "passed"),
        "cells": [
            *(read(model[k]) for k in ("auroc", "pair_accuracy")),
            *(read(gate[k]) for k in ("sensitivity", "specificity", "length_bias")),
        ],
        "gao": [read(mapping(gao[push])[k]) for push in PUSHES.values() for k in ("alpha", "beta")],
        "fall": [read(mapping(model["fall_from_peak"])[push]) for push in PUSHES.values()],
    }


def _figure(models: list[View], key: str, name: str) -> View:
    """Truth by the divergence from the sampler, a line per reward model."""
    lines = [
        plots.Series(m["name"], [(round(p["kl"], 3), read(p["truth"])) for p in rows(m[key])])
        for m in models
    ]
    svg = plots.curve(lines, f"Truth under {name}", "rate", "KL, nats")
    return {"title": f"Right work under {name}", "svg": svg}


def _levels(models: list[View]) -> list[View]:
    """The numbers behind the figures."""
    return [
        {
            "name": f"{m['name']}, {name} {point['n'] if key == 'best_of_n' else point['strength']}",
            "kl": f"{point['kl']:.3f}",
            "proxy": read(point["proxy"]),
            "truth": read(point["truth"]),
        }
        for m in models
        for key, name in PUSHES.items()
        for point in rows(m[key])
    ]
