"""A made-up world for weak-to-strong tests: the truth is the student's most salient direction."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np

from superalign.weak_to_strong.heads import Space, fit, one_hot
from superalign.weak_to_strong.labels import labels_of
from superalign.weak_to_strong.method import Setting
from superalign.weak_to_strong.supervisors import flip

Command = Callable[..., tuple[int, str, str]]  # a command: exit code, output, errors
GOOD = "lovely superb charming wonderful brilliant delightful".split()
BAD = "dreadful boring awful clumsy tedious horrible".split()
FILLER = "the film story plot cast music camera scene ending script was and with very".split()


def setting(
    n: int = 240, flip_rate: float = 0.3, seed: int = 0, pairs: bool = False, width: int = 20
) -> tuple[Setting, np.ndarray]:
    """A setting whose weak labels are the truth flipped at random, and the truth of its test rows."""
    rng = np.random.default_rng(seed)
    latent = rng.normal(size=2 * n)
    x = (1.2 * latent[:, None] + rng.normal(size=(2 * n, width))).astype(np.float32)
    truth = (latent > 0).astype(np.int64)
    told = flip(truth[:n], np.full(n, flip_rate), 2, rng)
    soft = 0.1 + 0.8 * one_hot(told, 2)
    other = flip(truth[:n], np.full(n, 0.35), 2, rng)
    views = {
        "plain": Space.of(x[:n], x[n:], intercept=not pairs),
        "cue at 1": Space.of(x[:n, : width // 2], x[n:, : width // 2], intercept=not pairs),
    }
    made = Setting(
        views=views,
        weak=labels_of("weak", soft),
        annotators=(labels_of("weak", soft), labels_of("other", one_hot(other, 2))),
        ladder=(Space.of(x[:n, :5], x[n:, :5], intercept=not pairs),),
        prior=None
        if pairs
        else (one_hot(truth[:n], 2) * 0.4 + 0.3, one_hot(truth[n:], 2) * 0.4 + 0.3),
        tuned=views["plain"],
        pairs=pairs,
        seed=seed,
        finetune=lambda y, loss: fit(views["plain"], y).probabilities(views["plain"].others[0]),
    )
    return made, truth[n:]


def reviews(n: int, seed: int = 0) -> list[dict[str, object]]:
    """Rows of short reviews; the label is whether the one telling word is a good one."""
    rng = np.random.default_rng(seed)
    rows = []
    for i in range(n):
        words = list(rng.choice(FILLER, 7))
        words[int(rng.integers(7))] = str(rng.choice(GOOD if i % 2 else BAD))
        rows.append({"id": f"r{i}", "text": f"{' '.join(words)} number {i}", "label": i % 2})
    return rows


def write(path: Path, rows: list[dict[str, object]]) -> Path:
    """Rows as JSON lines."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path
