"""What ``superalign audit`` and ``superalign stress`` do, apart from printing and the HTML page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
import yaml

from superalign.errors import InputError
from superalign.explaining.command import CAUSAL_TEXTS, depths, write_run
from superalign.explaining.study import table
from superalign.files import require_space, take_lock, write_atomic
from superalign.models import LocalModel, load_model
from superalign.stress.plan import MORE, SIZES
from superalign.tasks.neutral import NEUTRAL_TEXTS
from superalign.validation.audit import Progress, audit, open_calibration, open_pair
from superalign.validation.named_directions import in_words
from superalign.validation.robustness import robustness
from superalign.validation.stress_test import stress


def audit_command(
    model: str,
    base: str | None,
    calibration: Path | None,
    out: Path,
    device: str | None,
    progress: Progress,
    neurons: int = 0,
    questions: int = 0,
) -> dict[str, Any]:
    """Audit ``model`` and write ``config.yaml`` and ``summary.json`` into the new folder ``out``.

    ``neurons`` are explained in each of five layers; so many ``questions`` per task make robustness
    curves (0: none).

    Raises:
        InputError: a model or the calibration cannot be had.
    """
    suspect, original = open_pair(model, base, device)
    known = open_calibration(calibration, suspect, original is not None)
    if neurons and suspect.slow_because:
        raise InputError(f"--neurons cannot read this model: {suspect.slow_because}")
    summary = audit(suspect, original, known, progress)
    slow = suspect.slow_because or (original is not None and original.slow_because)
    if original is not None and slow:
        summary["not_done"].append(f"directions in words: {slow}")
    elif original is not None:
        progress("directions", 0.0, "")
        summary["internals"]["directions"] = in_words(suspect, original)
        progress("directions", 1.0, "")
    if neurons:
        summary["internals"]["neurons"] = table(
            suspect, NEUTRAL_TEXTS, neurons, depths(suspect), CAUSAL_TEXTS, 0, progress
        )
    if questions:
        summary["robustness"] = robustness(suspect, original, questions, progress)
    settings: dict[str, Any] = {"model": model, "base": base}
    settings |= {"calibration": calibration and str(calibration)}
    settings |= {"device": device, "neurons": neurons, "robustness": questions}
    write_run(out, settings, summary)
    return summary


def stress_command(
    model: str,
    size: str,
    seed: int,
    out: Path,
    device: str | None,
    progress: Progress,
    workers: int | None = None,
    minutes: float | None = None,
    adapt: int = 0,
    more: Sequence[str] = (),
    inside: bool = False,
) -> dict[str, Any]:
    """Run the stress test in ``out``; called again with the same settings, it goes on.

    ``workers``: processes that build and audit; by default two on a processor with two cores or
    more, else one. ``minutes``: begin nothing after so long, and report on what is there.
    ``adapt``: so many caught organisms are retrained against the audit. ``more``: what is
    built beside the zoo (``stress.plan.MORE``). ``inside``: look into all models, too.

    Raises:
        InputError: unknown size, something unknown in ``more``, or ``out`` holds something else.
        StoreError: another process works in ``out``.
    """
    if size not in SIZES:
        raise InputError(f"unknown size '{size}'; allowed: {', '.join(SIZES)}")
    unknown = [name for name in more if name not in MORE]
    if unknown:
        raise InputError(f"--more '{unknown[0]}'; allowed: {', '.join(MORE)}")
    settings = {"model": model, "size": size, "seed": seed}
    config = out / "config.yaml"
    ours = config.is_file() and yaml.safe_load(config.read_text()) == settings
    if out.exists() and not ours and (not out.is_dir() or any(out.iterdir())):
        raise InputError(f"--out {out} holds something else; name a new folder")
    base = _bare(load_model(model, device=device))  # a wrong name leaves no folder behind
    out.mkdir(parents=True, exist_ok=True)
    require_space(out)
    write_atomic(config, yaml.safe_dump(settings, sort_keys=False))
    with take_lock(out / ".lock"):
        summary = stress(
            base, out, size, seed, progress,
            workers=workers or _workers(base), minutes=minutes, adapt=adapt, more=more,
            inside=inside,
        )  # fmt: skip
        write_run(out, settings, summary)
    return summary


def _workers(base: LocalModel) -> int:
    """Two where there are two cores to work on: more would want more memory than a laptop has."""
    return 2 if base.device.type == "cpu" and torch.get_num_threads() > 1 else 1


def outcome(summary: dict[str, Any]) -> list[str]:
    """A stress test's result in a few lines, for a terminal."""
    lines = []
    for name in ("auroc", "tpr_at_fpr", "diagnosis_top1", "trigger_recovery"):
        e = summary[name]
        value = "undefined" if e["value"] is None else f"{e['value']:.3g}"
        span = "" if e["low"] is None else f" [{e['low']:.3g}, {e['high']:.3g}]"
        lines.append(f"{name}: {value}{span} (n={e['n']})")
    for level in (summary.get("adaptive") or {"levels": []})["levels"]:
        e = level["caught"]
        if e["value"] is not None:
            lines.append(
                f"caught, trained on {level['rows']} of the audit's questions: "
                f"{e['value']:.3g} [{e['low']:.3g}, {e['high']:.3g}] (n={e['n']}; "
                f"{len(level['behaviour_lost'])} lost the behaviour)"
            )
    alarms = summary["false_alarms"]
    if summary["made"] < summary["planned"]:
        lines.append(f"cut short: {summary['made']} of {summary['planned']} models made so far")
    closely = summary["closely"]
    if closely["looked_at"] < closely["doubtful"]:
        lines.append(
            f"cut short: {closely['looked_at']} of {closely['doubtful']} models in doubt looked at "
            "closely so far"
        )
    return [*lines, f"false alarms: {alarms['count']} of {alarms['n']} clean twins"]


def _bare(model: LocalModel) -> LocalModel:
    """The model as a base to train on.

    Raises:
        InputError: it is an adapter, or has no fast path.
    """
    if model.adapter is not None:
        raise InputError(f"model '{model.name}' is an adapter; export it first (superalign export)")
    if model.slow_because:
        raise InputError(f"model '{model.name}' cannot be trained here: {model.slow_because}")
    return model
