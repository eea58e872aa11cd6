"""A student's readings of a task: named vectors of every row, ready to be cut into splits."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from superalign.models.local import LocalModel
from superalign.weak_to_strong.features import (
    Progress,
    Reading,
    features,
    question_cue,
    zero_shot,
)
from superalign.weak_to_strong.tasks import Task
from superalign.weak_to_strong.tuning import tuned

Vectors = npt.NDArray[np.float32]
CUES = ("\nIn one word, this is",)
DEPTHS = (0.2, 1 / 3, 7 / 15, 0.6, 11 / 15)  # shares of the model's depth that are read
VIEW_DEPTHS = 2  # so many of the deepest are views of their own; all are the ladder


@dataclass(frozen=True)
class Readings:
    """One task read by one student.

    ``views`` maps a name to vectors (n, width), differences of two texts for pairs; ``plain``, the
    last token of the bare text at the deepest layer read, is always there. ``ladder`` holds the
    plain reading of shallower layers by number, weakest first; ``prior`` the zero-shot answer (n, 2),
    ``tuned`` the plain reading of a student tuned on the task's texts.
    """

    views: dict[str, Vectors]
    ladder: dict[int, Vectors] = field(default_factory=dict)
    prior: npt.NDArray[np.float64] | None = None
    tuned: Vectors | None = None


def layers_of(depth: int) -> tuple[int, ...]:
    """The layers read of a model with ``depth`` blocks, ascending, without repeats."""
    return tuple(sorted({max(1, round(share * depth)) for share in DEPTHS}))


def read(
    model: LocalModel,
    task: Task,
    max_tokens: int,
    cache: Path | None = None,
    progress: Progress | None = None,
    *,
    tune: bool = False,
) -> Readings:
    """Read every text of ``task``: bare, after a general cue, and after its question if it has one."""
    layers = layers_of(model.depth)
    cues = dict(zip(("cue",), CUES, strict=True))
    if task.question:
        cues["question"] = question_cue(task.question)
    reading = Reading(layers, tuple(cues.values()), max_tokens)
    x = features(model, task.flat, reading, cache=cache, progress=progress, name=task.name)
    names = ("mean", "last", *cues)
    found = {
        f"{name} at {layer}": difference(x[:, column, layers.index(layer)], task)
        for column, name in enumerate(names)
        for layer in layers[-VIEW_DEPTHS:]
    }
    plain = found.pop(f"last at {layers[-1]}")
    ladder = {n: difference(x[:, 1, i], task) for i, n in enumerate(layers[:-1])}
    prior = None
    if task.question and task.k == 2 and task.kind == "classes":
        yes = zero_shot(model, task.flat, task.question, max_tokens, cache).astype(np.float64)
        prior = np.stack([1 - yes, yes], 1)
    own = None
    if tune:
        other = tuned(model, task, max_tokens, cache, progress)
        bare = Reading(layers[-1:], (), max_tokens)
        y = features(other, task.flat, bare, cache=cache, progress=progress, name=task.name)
        own = difference(y[:, 1, 0], task)
    return Readings({"plain": plain, **found}, ladder, prior, own)


def weak_vectors(
    model: LocalModel,
    task: Task,
    max_tokens: int,
    cache: Path | None = None,
    progress: Progress | None = None,
) -> Vectors:
    """A weak model's vectors (n, width): the mean of its last layer over the bare text."""
    reading = Reading((model.depth,), (), max_tokens)
    x = features(model, task.flat, reading, cache=cache, progress=progress, name=task.name)
    return difference(x[:, 0, 0], task)


def difference(x: Vectors, task: Task) -> Vectors:
    """Vectors per row: those of the texts, or for a pair first less second."""
    return x[0::2] - x[1::2] if task.kind == "pairs" else x
