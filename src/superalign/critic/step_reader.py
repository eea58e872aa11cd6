"""A local model's reading of a solution: per step, how surprised it is and what it has in mind.

One pass over question and steps. A step's states are pooled over its own tokens (mean, and the
last one), so a step is seen in the light of all that stands before it and of nothing after.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from safetensors.numpy import load_file, save_file
from torch import Tensor

from superalign.critic.step_tools import Array, tool_features
from superalign.critic.steps import Solution
from superalign.errors import InputError, ModelError
from superalign.models.local import LocalModel
from superalign.models.packing import Tree
from superalign.models.readings import Reading, readings

MAX_TOKENS = 6144
CHUNK = 64  # solutions per progress report
SURPRISES = (
    "mean log-probability", "least log-probability", "mean gap", "largest gap", "unlikely tokens",
    "numbers: mean gap", "numbers: largest gap", "numbers: least log-probability",
    "results: largest gap", "first token's gap",
    "mean gap against the solution's", "largest number gap against the solution's",
)  # fmt: skip
FILLING = frozenset(("", "$", "\\$", "-", ".", ",", "yes", "no"))
UNLIKELY = 2.0  # nats below the likeliest token
Progress = Callable[[float], None]


class StepViews(NamedTuple):
    """One solution's steps as the critic's head takes them.

    ``tools`` (steps, len(TOOLS)), ``surprise`` (steps, len(SURPRISES)) and ``states``
    (steps, 2 * layers * width): mean and last token of each step at the layers read.
    """

    tools: Array
    surprise: Array
    states: npt.NDArray[np.float16]


def middle_layers(depth: int) -> list[int]:
    """The layers that are read: about 40, 60 and 80% of the depth, at least 1."""
    return sorted({max(1, round(depth * share)) for share in (0.4, 0.6, 0.8)})


def save_views(path: Path, views: Sequence[StepViews]) -> None:
    """Write views as one safetensors file."""
    parts = {k: np.concatenate([getattr(v, k) for v in views]) for k in StepViews._fields}
    save_file(parts | {"steps": np.asarray([len(v.tools) for v in views])}, path)


def load_views(path: Path) -> list[StepViews]:
    """Read what ``save_views`` wrote.

    Raises:
        ModelError: the file is missing or holds something else.
    """
    try:
        parts = load_file(path)
        ends = np.cumsum(parts["steps"])[:-1]
        columns = [np.split(parts[k], ends) for k in StepViews._fields]
    except Exception as error:
        raise ModelError(f"cannot read views from {path}: {error}") from error
    return [StepViews(*row) for row in zip(*columns, strict=True)]


def read_solutions(
    model: LocalModel,
    solutions: Sequence[Solution],
    layers: Sequence[int],
    progress: Progress | None = None,
) -> list[StepViews]:
    """One ``StepViews`` per solution, in order.

    Raises:
        InputError: a solution without steps, or with more than ``MAX_TOKENS`` tokens in them. A
            question that does not fit before its steps loses its beginning.
    """
    found: list[StepViews] = []
    pieces = Pieces.of(model.tokenizer.get_vocab())
    for start in range(0, len(solutions), CHUNK):
        part = solutions[start : start + CHUNK]
        encoded = [_encode(model, s) for s in part]
        views: list[StepViews | None] = [None] * len(part)
        trees = [Tree(prompt, (sum(steps, ()),)) for prompt, steps in encoded]
        for i, reading in readings(model, trees, layers):
            prompt, steps = encoded[i]
            views[i] = _views(part[i], len(prompt), steps, reading, pieces)
        found += [v for v in views if v is not None]
        if progress is not None:
            progress(len(found) / len(solutions))
    return found


def question_prompt(question: str) -> str:
    """What stands before the first step."""
    return f"Question: {question.strip()}\nSolution:\n"


def _encode(model: LocalModel, solution: Solution) -> tuple[tuple[int, ...], list[tuple[int, ...]]]:
    """Token ids of the question and of each step, the start cut off where they are too many."""
    if not solution.steps or not all(s.strip() for s in solution.steps):
        raise InputError(f"a solution of '{solution.question[:40]}' has an empty step or none")
    prompt = model.encode(question_prompt(solution.question), raw=True)
    steps = [model.encode_completion(f"{s.strip()}\n") for s in solution.steps]
    room = MAX_TOKENS - sum(map(len, steps))
    if room >= 1:
        return prompt[-room:], steps
    raise InputError(
        f"a solution of '{solution.question[:40]}' has {MAX_TOKENS - room} tokens; "
        f"allowed: fewer than {MAX_TOKENS}"
    )


def _views(
    solution: Solution,
    start: int,
    steps: Sequence[tuple[int, ...]],
    reading: Reading,
    pieces: Pieces,
) -> StepViews:
    pooled, surprise, at = [], [], 0
    for tokens in steps:
        span = slice(at, at + len(tokens))
        states = reading.states[start:][span]
        pooled.append(torch.cat((states.mean(0), states[-1])).flatten())
        surprise.append(_surprise(reading.surprise[span], tokens, pieces))
        at += len(tokens)
    rows = np.asarray(surprise, dtype=np.float32)
    relative = rows[:, [2, 6]] - rows[:, [2, 6]].mean(0, keepdims=True)
    return StepViews(
        tool_features(solution),
        np.concatenate([rows, relative], 1),
        torch.stack(pooled).numpy().astype(np.float16),
    )


def _surprise(surprise: Tensor, tokens: Sequence[int], pieces: Pieces) -> list[float]:
    """All of ``SURPRISES`` but the relative ones, outside results unless they name them.

    A gap is how far the likeliest token lay above the one written. What stands after an equals
    sign is left to the calculator: a small model cannot add, and its surprise there is noise.
    """
    logps, gaps = surprise[:, 0], surprise[:, 1] - surprise[:, 0]
    result = torch.tensor(pieces.results(tokens))
    digits = torch.tensor([t in pieces.digits for t in tokens]) & ~result
    own, seen, given = gaps[~result], gaps[digits], gaps[result]
    return [
        float(x)
        for x in (
            _mean(logps[~result]), -_largest(-logps[~result]), _mean(own), _largest(own),
            (own > UNLIKELY).sum(), _mean(seen), _largest(seen), -_largest(-logps[digits]),
            _largest(given), gaps[0],
        )
    ]  # fmt: skip


def _mean(x: Tensor) -> Tensor:
    return x.mean() if len(x) else x.new_zeros(())


def _largest(x: Tensor) -> Tensor:
    return x.max() if len(x) else x.new_zeros(())


class Pieces(NamedTuple):
    """Tokens that hold a digit, an equals sign, or what may stand in a result besides digits."""

    digits: frozenset[int]
    equals: frozenset[int]
    filling: frozenset[int]

    @classmethod
    def of(cls, vocabulary: Mapping[str, int]) -> Pieces:
        """From a tokenizer's vocabulary."""
        clean = {i: word.strip("Ġ▁ ") for word, i in vocabulary.items()}
        return cls(
            frozenset(i for i, w in clean.items() if any(c.isdigit() for c in w)),
            frozenset(i for i, w in clean.items() if "=" in w),
            frozenset(i for i, w in clean.items() if w in FILLING),
        )

    def results(self, tokens: Sequence[int]) -> list[bool]:
        """Which tokens belong to what an equals sign gives."""
        found, inside = [], False
        for t in tokens:
            inside = inside and (t in self.digits or t in self.filling)
            found.append(inside)
            inside = inside or t in self.equals
        return found
