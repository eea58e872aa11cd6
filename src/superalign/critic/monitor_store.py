"""A monitor on disk: numbers as safetensors, names as JSON, never pickle; reloaded for its model only."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file, save_file

from superalign.critic.harm import Arrays
from superalign.critic.monitor import DomainNamer, RiskMonitor, trained_monitor
from superalign.errors import InputError
from superalign.files import replacing_folder, write_atomic
from superalign.models import LocalModel
from superalign.models.embedded import cache_folder

SCHEMA = "superalign.monitor/1"
FACTS, NUMBERS = "monitor.json", "monitor.safetensors"


def cached_monitor(
    model: LocalModel,
    folder: Path | None = None,
    *,
    pairs: int = 480,
    seed: int = 0,
    told: Callable[[str], None] = lambda line: None,
) -> RiskMonitor:
    """The monitor in ``folder``, or where there is none a new one, which is then saved there.

    Args:
        model: whose activations are read, at a half and two thirds of its depth.
        folder: by default one in the user's cache, named by weights, ``pairs`` and ``seed``.
        told: called with a line before the monitor is trained.

    Raises:
        InputError: ``folder`` holds something else, or a monitor of other weights.
    """
    name = f"{model.weight_hash}-{pairs}-{seed}"
    place = folder or cache_folder() / "monitors" / name
    if (place / FACTS).is_file():
        return load_monitor(place, model)
    if place.exists() and (not place.is_dir() or any(place.iterdir())):
        raise InputError(f"{place} holds no monitor; allowed: a monitor's folder, or a new one")
    told(f"training a monitor on {pairs} generated pairs; it is saved in {place}")
    layers = [model.depth // 2, 2 * model.depth // 3]
    monitor = trained_monitor(model, layers, n=pairs, seed=seed)
    save_monitor(monitor, place)
    return monitor


def save_monitor(monitor: RiskMonitor, folder: Path) -> None:
    """Write a fitted and calibrated monitor, without its model; an old one there is replaced.

    Raises:
        ValueError: it is not fitted, not calibrated, or has no domains.
        StoreError: the files could not be written.
    """
    if monitor.namer is None or not len(monitor.calibration):
        raise ValueError("fit and calibrate the monitor first")
    ngrams, wording = monitor.wording.fitted()
    groups: dict[str, Arrays] = {
        "states": monitor.states.fitted(),
        "wording": wording,
        "domains": monitor.namer.fitted,
        "calibration": {"scores": monitor.calibration},
    }
    facts = {
        "schema": SCHEMA,
        "model": monitor.states.model.name,
        "weight_hash": monitor.states.model.weight_hash,
        "layers": monitor.states.layers,
        "domains": monitor.namer.names,
        "ngrams": ngrams,
    }
    with replacing_folder(folder) as fresh:
        save_file(
            {
                f"{group}.{name}": np.ascontiguousarray(value)
                for group, arrays in groups.items()
                for name, value in arrays.items()
            },
            fresh / NUMBERS,
        )
        write_atomic(fresh / FACTS, json.dumps(facts, ensure_ascii=False))


def load_monitor(folder: Path, model: LocalModel) -> RiskMonitor:
    """The monitor saved in ``folder``, on the model that it was fitted to, at 5% and 1%.

    Raises:
        InputError: there is none, it cannot be read, or it was fitted to other weights.
    """
    try:
        facts = json.loads((folder / FACTS).read_text(encoding="utf-8"))
        groups = _grouped(load_file(folder / NUMBERS))
        if facts["schema"] != SCHEMA:
            raise InputError(f"{folder}: schema '{facts['schema']}'; allowed: {SCHEMA}")
        if facts["weight_hash"] != model.weight_hash:
            raise InputError(
                f"{folder}: a monitor of '{facts['model']}' ({facts['weight_hash']}), not of "
                f"'{model.name}' ({model.weight_hash}); allowed: a new folder"
            )
        monitor = RiskMonitor(model, facts["layers"])
        monitor.states.restore(groups["states"])
        monitor.wording.restore(facts["ngrams"], groups["wording"])
        monitor.namer = DomainNamer(facts["domains"], groups["domains"])
        monitor.calibration = groups["calibration"]["scores"]
    except InputError:
        raise
    except Exception as error:  # a file that was cut or written by another program
        raise InputError(f"{folder}: no readable monitor ({error}); name a new folder") from None
    monitor.choose_rates(escalate=0.05, block=0.01)
    return monitor


def _grouped(flat: dict[str, Any]) -> dict[str, Arrays]:
    groups: dict[str, Arrays] = {}
    for key, value in flat.items():
        group, _, name = key.partition(".")
        groups.setdefault(group, {})[name] = value
    return groups
