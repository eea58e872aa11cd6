"""What ``superalign explain`` does, apart from printing and the HTML pages."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from superalign.errors import InputError
from superalign.explaining.directions import Direction, study
from superalign.explaining.index import build
from superalign.explaining.language import Speaker
from superalign.explaining.sparse_autoencoder import (
    SparseAutoencoder,
    alive,
    features,
    later_states,
    quality,
    train,
)
from superalign.explaining.study import Halves, Progress, about, explain, means, table
from superalign.files import require_space, storing, write_atomic
from superalign.models import LocalModel
from superalign.tasks.files import read_rows
from superalign.tasks.neutral import NEUTRAL_TEXTS

INDEX = "neurons.sqlite"
CAUSAL_TEXTS = 4
DEPTHS = 5
FEATURES_PER_NUMBER = 2  # of the residual stream
STEPS = 1500  # of training an autoencoder


def read_texts(path: Path | None) -> Sequence[str]:
    """Texts to explain from: a .txt file's lines, or the ``text`` of a table's rows; by default ours.

    Raises:
        InputError: the file cannot be read, or holds fewer than two texts.
    """
    if path is None:
        return NEUTRAL_TEXTS
    if path.suffix == ".txt":
        try:
            texts = path.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"--texts {path}: {error}") from error
    else:
        rows = list(read_rows(path))
        if not all(isinstance(row.get("text"), str) for row in rows):
            raise InputError(f"--texts {path}: every row needs a 'text'")
        texts = [row["text"] for row in rows]
    kept = [t for t in texts if t.strip()]
    if len(kept) < 2:
        raise InputError(f"--texts {path}: {len(kept)} texts; at least 2 are needed")
    return kept


def depths(model: LocalModel) -> list[int]:
    """Five blocks from the first to the last."""
    return sorted({round(i * (model.depth - 1) / (DEPTHS - 1)) for i in range(DEPTHS)})


def make_index(
    model: LocalModel, texts: Sequence[str], out: Path, progress: Progress
) -> dict[str, Any]:
    """The index of all neurons of ``model``, as ``out/neurons.sqlite``.

    Raises:
        InputError: the model or the texts do not suit.
        StoreError: it could not be written.
    """
    out.mkdir(parents=True, exist_ok=True)
    require_space(out)
    return build(model, texts, out / INDEX, progress)


def explain_sample(
    model: LocalModel,
    texts: Sequence[str],
    per_layer: int,
    seed: int,
    speaker: Speaker | None,
    progress: Progress,
) -> dict[str, Any]:
    """Random neurons at five depths, explained, scored and tested; see ``table``."""
    found = table(model, texts, per_layer, depths(model), CAUSAL_TEXTS, seed, progress, speaker)
    return {**about(model, texts), **found}


def explain_directions(
    model: LocalModel, texts: Sequence[str], directions: Sequence[Direction], progress: Progress
) -> dict[str, Any]:
    """Both ends of each direction, explained, scored, taken out and added."""
    start = time.perf_counter()
    halves = Halves.of(model, texts, CAUSAL_TEXTS)
    found = []
    for done, direction in enumerate(directions):
        progress("directions", done / len(directions), direction.name)
        found += study([direction], halves)
    progress("directions", 1.0, "")
    seconds = round(time.perf_counter() - start, 1)
    return {**about(model, texts), "directions": found, "seconds": seconds}


def explain_features(
    model: LocalModel,
    texts: Sequence[str],
    source: str,
    layer: int,
    count: int,
    out: Path,
    seed: int,
    progress: Progress,
) -> dict[str, Any]:
    """``count`` random features of a sparse autoencoder of the stream after ``layer`` blocks.

    ``source``: a safetensors file, or ``train`` for one that is trained on the texts explained from
    and kept as ``out/autoencoder.safetensors``. Its quality is that on the unseen texts.

    Raises:
        InputError: no such file or layer, or one that does not fit the model.
        StoreError: the trained one could not be written.
    """
    start = time.perf_counter()
    halves = Halves.of(model, texts, CAUSAL_TEXTS)
    if source == "train":
        states = later_states(halves.seen, layer)
        width = FEATURES_PER_NUMBER * states.shape[1]

        def told(share: float) -> None:
            progress("train", share, "")

        found = train(states, width, steps=STEPS, seed=seed, progress=told)
        out.mkdir(parents=True, exist_ok=True)
        with storing(out):
            found.save(out / "autoencoder.safetensors")
    else:
        found = SparseAutoencoder.load(Path(source))
    chosen = alive(found, layer, halves.seen, count, seed)
    progress("features", 0.0, "")
    explained = explain(features(found, layer, halves.seen, chosen), halves, seed)
    progress("features", 1.0, "")
    return {
        **about(model, texts),
        "layer": layer,
        "reconstruction": quality(found, later_states(halves.unseen, layer)),
        "means": means(explained),
        "features": [e.as_dict() for e in explained],
        "seconds": round(time.perf_counter() - start, 1),
    }


def write_run(out: Path, settings: dict[str, Any], summary: dict[str, Any]) -> None:
    """Write ``config.yaml`` and ``summary.json`` into ``out``, which is made where it is missing."""
    out.mkdir(parents=True, exist_ok=True)
    write_atomic(out / "config.yaml", yaml.safe_dump(settings, sort_keys=False))
    write_atomic(out / "summary.json", json.dumps(summary, indent=1, allow_nan=False))
