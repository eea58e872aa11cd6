"""Directions of the residual stream, explained and tested as neurons are.

A direction has two ends; each is a unit. How far a state lies along it is taken from the mean over
the texts that are explained from. The first token of a text is left out: its state is many times as
long as others, whatever the text (massive activations, arXiv 2402.17762).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from superalign.errors import InputError
from superalign.explaining.recording import Array, Laid
from superalign.explaining.study import Halves, explain
from superalign.explaining.units import Units

PROMOTED = 8  # words that a direction makes likelier
STEERED = 4  # texts on which they are found, and as many on which they are tested


@dataclass(frozen=True)
class Direction:
    """A direction of the residual stream after ``layer`` blocks; the vector's length says nothing."""

    name: str
    layer: int
    vector: Tensor

    def __post_init__(self) -> None:
        length = float(self.vector.norm())
        if self.vector.dim() != 1 or not 0 < length < float("inf"):
            raise InputError(f"direction '{self.name}' is no finite vector other than zero")
        object.__setattr__(self, "vector", self.vector.float() / length)


def read_directions(path: Path, layer: int | None) -> list[Direction]:
    """The directions in a safetensors file: each tensor (width,), or (n, width) for n of them.

    ``layer``: where they lie; by default the number at the end of the tensor's name ("layer.12").

    Raises:
        InputError: the file cannot be read, or does not say where a direction lies.
    """
    try:
        tensors = load_file(path)
    except (OSError, SafetensorError) as error:
        raise InputError(f"--direction {path}: {error}") from error
    found = []
    for name, tensor in sorted(tensors.items()):
        last = name.rpartition(".")[2]
        if layer is None and not last.isdigit():
            raise InputError(f"--direction {path}: say with --layer where '{name}' lies")
        where = int(last) if layer is None else layer
        rows = tensor if tensor.dim() == 2 else tensor[None]
        for i, row in enumerate(rows):
            found.append(Direction(name if len(rows) == 1 else f"{name}[{i}]", where, row))
    return found


def ends(seen: Laid, direction: Direction) -> Units:
    """Both ends of a direction, the positive first.

    Raises:
        InputError: the direction has another width than the model, or no such layer.
    """
    width = seen.model.decoder.embedding.shape[1]
    if len(direction.vector) != width:
        raise InputError(
            f"direction '{direction.name}' has {len(direction.vector)} numbers; the model's "
            f"residual stream has {width}"
        )
    middle = float(_along(seen, direction)[~seen.begins.numpy()].mean())

    def read(laid: Laid) -> Array:
        along = _along(laid, direction) - middle
        along[laid.begins.numpy()] = 0
        return np.stack([np.clip(along, 0, None), np.clip(-along, 0, None)], 1)

    both = torch.stack([direction.vector, -direction.vector])
    return Units((f"{direction.name} +", f"{direction.name} −"), direction.layer, read, both)


def _along(laid: Laid, direction: Direction) -> Array:
    found: Array = (laid.states(direction.layer) @ direction.vector).double().numpy()
    return found


def study(
    directions: Sequence[Direction], halves: Halves, *, steer: bool = True
) -> list[dict[str, Any]]:
    """Explanations, scores and effects of both ends of each direction, ready for JSON.

    ``steer``: also find the words that become likelier as the next ones when the end is added at its
    largest activation (``promotes``), and by how many nats they do on other texts (``steered``), beside
    the same for a random direction of the same length (``steered_null``).
    """
    found = []
    for direction in directions:
        units = ends(halves.seen, direction)
        seed = crc32(direction.name.encode())  # each has a null of its own
        strengths = units.read(halves.seen).max(0)
        for n, explained in enumerate(explain(units, halves, seed)):
            row = {"layer": direction.layer, **explained.as_dict(), "strength": float(strengths[n])}
            if steer:
                row |= _steered(halves, units, n, float(strengths[n]), seed)
            found.append(row)
    return found


def _steered(halves: Halves, units: Units, n: int, strength: float, seed: int) -> dict[str, Any]:
    added = strength * units.writes[n]
    random = torch.randn(added.shape, generator=torch.Generator().manual_seed(seed))
    random *= added.norm() / random.norm()
    few = [half.first(STEERED) for half in (halves.seen, halves.unseen)]
    rises, again = (laid.next_words(units.layer, (added, random)) for laid in few)
    words = [rise.topk(PROMOTED).indices for rise in rises]
    steered, null = (float(rise[top].mean()) for rise, top in zip(again, words, strict=True))
    promoted = [halves.seen.model.tokenizer.decode([int(i)]) for i in words[0]]
    return {"promotes": promoted, "steered": steered, "steered_null": null}
