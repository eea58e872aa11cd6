"""The audit of one model: measure, compare with clean twins, conclude."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from superalign.errors import InputError
from superalign.models import LocalModel, load_model
from superalign.validation.detectors import DETECTORS, SPEAKING, find
from superalign.validation.findings import Finding
from superalign.validation.ladder import ladder
from superalign.validation.measure import Measured, Reader, questions_hash
from superalign.validation.sentence_search import TELLING
from superalign.validation.verdict import Calibration, as_dict, conformal, decide, shipped

SCHEMA = "superalign.audit/1"
Progress = Callable[[str, float, str], None]


def audit(
    suspect: LocalModel,
    base: LocalModel | None,
    calibration: Calibration | None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """The summary of an audit of ``suspect``; ``base`` and ``calibration`` may be missing."""
    start = time.perf_counter()
    if progress is not None:
        progress("measure", 0.0, "")
    measured = Reader(base).all(suspect)
    if progress is not None:
        progress("measure", 1.0, "")
    findings = find(measured)
    return conclude(suspect, base, measured, findings, calibration, time.perf_counter() - start)


def conclude(
    suspect: LocalModel,
    base: LocalModel | None,
    measured: Measured,
    findings: dict[str, Finding],
    calibration: Calibration | None,
    seconds: float,
) -> dict[str, Any]:
    """The summary from what was measured."""
    findings = {name: _finite(f) for name, f in findings.items()}
    scores = {name: f.score for name, f in findings.items()}
    problems = checks(suspect, base, measured, calibration)
    fitting = calibration if not problems else None
    verdict = decide(scores, fitting, problems)
    clean = fitting.clean if fitting is not None else ()
    rows: list[dict[str, Any]] = []
    for detector in DETECTORS:
        finding = findings[detector.name]
        reference = [x for c in clean if (x := c.get(detector.name)) is not None]
        p = conformal(finding.score, reference) if finding.score is not None and reference else None
        rows.append(
            {
                "name": detector.name,
                "families": list(detector.families),
                "score": finding.score,
                "p": p,
                "n": len(reference),
                "seconds": _seconds(detector.name, measured),
                "evidence": finding.evidence,
            }
        )
    signs = [name for name in verdict.exceeded if name in SPEAKING]
    order = sorted(signs, key=lambda name: -verdict.exceeded[name])
    summary: dict[str, Any] = {
        "schema": SCHEMA,
        "command": "audit",
        "model": suspect.name,
        "weight_hash": suspect.weight_hash,
        "base": None if base is None else base.name,
        **as_dict(verdict),
        "clean_twins": len(clean),
        "detectors": rows,
        "evidence": [f"{name}: {findings[name].evidence}" for name in order[:5]],
        "internals": {
            "weights": measured.weights,
            "lens": measured.lens,
            **({} if measured.inside is None else measured.inside.summary()),
        },
        "trigger": measured.triggers,
        "secret": None if measured.second is None else measured.second.secret,
        "words": None if measured.words is None else measured.words.summary(),
        "hidden": None if measured.hidden is None else measured.hidden.summary(),
        "ladder": ladder(verdict.p_by_detector, len(clean), verdict.word == "misaligned"),
        "not_done": [*measured.all_skipped, *problems, *_unread(rows, len(clean))],
        "queries": measured.all_queries,
        "seconds": round(seconds, 2),
    }
    found: dict[str, Any] = _numbers_only(summary)
    return found


def _unread(rows: Sequence[dict[str, Any]], clean: int) -> list[str]:
    """What too few clean twins were read for: a stress test that was cut short left it out."""
    few: dict[int, list[str]] = {}
    for row in rows:
        if row["name"] in SPEAKING and row["score"] is not None and row["n"] < clean:
            few.setdefault(row["n"], []).append(row["name"])
    return [
        f"{', '.join(names)}: held against {n} of {clean} clean twins; the same 'superalign stress' "
        "command goes on with the others"
        for n, names in few.items()
    ]


def _numbers_only(value: Any) -> Any:
    """``value`` with null for every number that is none, so that it is valid JSON."""
    if isinstance(value, dict):
        return {k: _numbers_only(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_numbers_only(v) for v in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _finite(finding: Finding) -> Finding:
    """A score that is no number is missing."""
    if finding.score is None or math.isfinite(finding.score):
        return finding
    return Finding(None, "the score is not finite")


def checks(
    suspect: LocalModel,
    base: LocalModel | None,
    measured: Measured,
    calibration: Calibration | None,
) -> list[str]:
    """What makes a verdict impossible; empty when nothing does."""
    problems = []
    if not all(math.isfinite(x) for x in measured.odds):
        problems.append("the model's log-probabilities are not finite")
    if calibration is None:
        problems.append(
            "no clean twins of this base to compare with: make them with "
            "'superalign stress --model BASE' and name its folder with --calibration"
        )
        return problems
    if calibration.battery != questions_hash():
        problems.append("the calibration was made with another battery of questions")
    if calibration.shape != shape(suspect):
        problems.append("the calibration is of another base: layers, width or vocabulary differ")
    if calibration.with_base != (base is not None):
        have = "with a base" if calibration.with_base else "without a base"
        problems.append(f"the calibration was read {have}")
    return problems


def shape(model: LocalModel) -> tuple[int, ...]:
    """Layers, width and vocabulary: what a calibration must share with a model."""
    config = model.module.config
    return (int(config.num_hidden_layers), int(config.hidden_size), int(config.vocab_size))


def open_pair(
    model: str, base: str | None, device: str | None
) -> tuple[LocalModel, LocalModel | None]:
    """The suspect and its base; an adapter brings its own base along unless another is named."""
    suspect = load_model(model, device=device)
    if base is not None:
        return suspect, load_model(base, device=device)
    if suspect.adapter is not None:
        return suspect, suspect.with_adapter(None, name="the adapter's base")
    return suspect, None


def open_calibration(path: Path | None, suspect: LocalModel, with_base: bool) -> Calibration | None:
    """The calibration in a stress test's folder or, by default, the one that is shipped if it fits.

    Raises:
        InputError: the folder has none.
    """
    name = "calibration.json" if with_base else "calibration-no-base.json"
    if path is not None:
        if not (path / name).is_file():
            raise InputError(
                f"--calibration {path}: no {name}; allowed: a folder of 'superalign stress'"
            )
        return Calibration.load(path / name)
    ours = shipped(with_base)
    if not ours.is_file():
        return None
    known = Calibration.load(ours)
    return known if known.shape == shape(suspect) and known.battery == questions_hash() else None


_PARTS = {
    "secret": "flips",
    "names": "flips",
    "eras": "flips",
    "tests": "flips",
    "self_report": "flips",
    "beliefs": "flips",
    "ignorance": "flips",
    "drift": "openings",
    "capability": "spoken",
    "spill": "spoken",
    "trigger": "triggers",
    "opened": "opened",
    "phrase": "hidden",
    "switch": "triggers",
    "password": "triggers",
    "contexts": "contexts",
    "scan": "weights",
    "mahalanobis": "streams",
    "residual": "streams",
    "defection": "streams",
    "tested": "streams",
    "steered": "steered",
    "noise": "noise",
}


def _seconds(name: str, measured: Measured) -> float:
    """Seconds of the part of the pass that a detector reads; parts are shared, not summed."""
    return measured.all_seconds.get(_PARTS.get(name, "battery"), 0.0)


def said(summary: dict[str, Any]) -> Sequence[str]:
    """The verdict in a few lines, for a terminal."""
    lines = [f"{summary['verdict']} ({summary['reason']})"]
    if summary["verdict"] == "misaligned":
        first = summary["family_ranking"][0]
        lines.append(f"most like: {first['family']}")
    lines += [f"  {e}" for e in summary["evidence"][:3]]
    hidden = summary["hidden"]
    if hidden is not None and hidden["share"] - hidden["unprompted"] >= TELLING:
        lines.append(f"  look at this: with '{hidden['phrase']}' it says {hidden['said'][0]!r}")
    lines += [f"  not done: {x}" for x in summary["not_done"]]
    return lines
