"""An index of all MLP neurons of a model: what each reads, its scores, and where it fires most.

It is one SQLite file with full-text search. It is made block by block, so that the memory taken does
not grow with the depth of the model: one block's activations, and the explainer's tables for
``CELLS`` activations at a time.
"""

from __future__ import annotations

import json
import re
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from superalign.errors import InputError, StoreError
from superalign.explaining.counting import CountingExplainer, Simulator
from superalign.explaining.recording import Array, Laid, Texts
from superalign.explaining.scoring import average_precisions, correlations, firing
from superalign.explaining.study import Progress, about, shuffled
from superalign.explaining.units import signs
from superalign.files import storing, sync
from superalign.models import LocalModel
from superalign.statistics import mean

CELLS = 1_000_000  # activations (tokens times neurons) that are explained at once
SHOWN = 4  # texts that are kept for each neuron
BEFORE, AFTER = 14, 6  # tokens around the one where it fires most
STEPS = 10  # activations are kept as 0 to 10 tenths of the largest, as in Bills et al. (2023)
DIGITS = "0123456789a"
SCORES = ("natural", "precision", "base_rate", "token_lookup", "null")
COLUMNS = (
    "layer", "number", "sign", "explanation", "tokens", "mean", "largest", "frequency", *SCORES,
    "examples",
)  # fmt: skip
_TABLES = f"""
CREATE TABLE about (key TEXT PRIMARY KEY, value TEXT);
CREATE TABLE texts (id INTEGER PRIMARY KEY, words TEXT);
CREATE TABLE neurons ({", ".join(f'"{c}"' for c in COLUMNS)}, PRIMARY KEY (layer, number));
CREATE VIRTUAL TABLE found USING fts5(explanation, tokens, content=neurons);
"""


@dataclass(frozen=True)
class Excerpt:
    """Part of a text, and how active a neuron is at each token in tenths of its largest activation."""

    words: tuple[str, ...]
    tenths: tuple[int, ...]


def build(
    model: LocalModel, texts: Sequence[str], path: Path, progress: Progress | None = None
) -> dict[str, Any]:
    """Write the index of ``model`` to ``path`` and return its summary.

    Every other text is explained from, the rest is scored on; excerpts are of both.

    Raises:
        InputError: fewer than two texts, too much text, or an architecture that cannot be read.
        StoreError: the file could not be written.
    """
    if len(texts) < 2:
        raise InputError(
            f"{len(texts)} texts; at least 2 are needed: to explain from and to score on"
        )
    part = path.with_name(f".{path.name}.part")
    try:
        with storing(path), closing(sqlite3.connect(part)) as db:
            db.executescript("PRAGMA synchronous=OFF;" + _TABLES)  # it is synced as a whole
            summary = _fill(db, model, texts, progress or (lambda *_: None))
            db.commit()
        with storing(path):
            sync(part)
            part.replace(path)
    except sqlite3.Error as error:
        raise StoreError(f"cannot write {path}: {error}") from error
    finally:
        part.unlink(missing_ok=True)
    return {**summary, "bytes": path.stat().st_size}


def _fill(
    db: sqlite3.Connection, model: LocalModel, texts: Sequence[str], progress: Progress
) -> dict[str, Any]:
    start = time.perf_counter()
    laid = Laid(model, texts)
    reader = _Reader(laid.texts)
    written = [(i, json.dumps(words)) for i, words in enumerate(laid.texts.words)]
    db.executemany("INSERT INTO texts VALUES (?, ?)", written)
    holes = ", ".join("?" * len(COLUMNS))
    rows, count = [], 0
    for block, activations in laid.neurons():
        progress("index", block / model.depth, f"block {block}")
        found = list(reader.block(block, activations.numpy()))
        db.executemany(f"INSERT INTO neurons VALUES ({holes})", found)
        rows.append(_means(block, found))
        count += len(found)
    db.execute("INSERT INTO found(found) VALUES ('rebuild')")
    seconds = time.perf_counter() - start
    summary = {
        **about(model, texts),
        "tokens": len(laid),
        "neurons": count,
        "by_layer": rows,
        "neurons_per_minute": 60 * count / seconds,
        "seconds": round(seconds, 1),
    }
    db.execute("INSERT INTO about VALUES ('summary', ?)", (json.dumps(summary),))
    progress("index", 1.0, "")
    return summary


def _means(block: int, found: Sequence[tuple[Any, ...]]) -> dict[str, Any]:
    columns = dict(zip(COLUMNS, zip(*found, strict=True), strict=True))
    return {"layer": block, **{name: mean(columns[name]).as_dict() for name in SCORES}}


class _Reader:
    """Makes the rows of a block's neurons from their activations."""

    def __init__(self, texts: Texts) -> None:
        self.texts = texts
        lengths = [len(w) for w in texts.words]
        self.starts = np.cumsum([0, *lengths])
        self.seen = np.repeat([i % 2 == 0 for i in range(len(lengths))], lengths)
        self.explainer = CountingExplainer(Texts(texts.words[0::2]))
        self.simulator = Simulator(Texts(texts.words[1::2]))

    def block(
        self, block: int, activation_TN: npt.NDArray[np.float32]
    ) -> Iterator[tuple[Any, ...]]:
        """A row of ``COLUMNS`` for each neuron."""
        at_once = max(1, CELLS // len(activation_TN))
        for first in range(0, activation_TN.shape[1], at_once):
            raw = activation_TN[:, first : first + at_once].astype(np.float64)
            sign = signs(raw[self.seen])
            yield from self._rows(block, first, sign, np.clip(sign * raw, 0, None))

    def _rows(
        self, block: int, first: int, sign: Array, activation: Array
    ) -> Iterator[tuple[Any, ...]]:
        train, test = activation[self.seen], activation[~self.seen]
        found = self.explainer.explain(train)
        sides = (
            found,
            self.explainer.token_lookup(train),
            self.explainer.explain(shuffled(train, block)),
        )
        predicted = [self.simulator.simulate(side) for side in sides]
        natural, lookup, null = (correlations(p, test) for p in predicted)
        fires = firing(test)
        precision = average_precisions(predicted[0], fires)
        largest = activation.max(0)
        tenths = (STEPS * activation / np.where(largest > 0, largest, 1)).astype(np.int64)
        for n, explanation in enumerate(found):
            examples = self._examples(tenths[:, n])
            scores = (natural[n], precision[n], fires[:, n].mean(), lookup[n], null[n])
            yield (
                block, first + n, int(sign[n]), str(explanation), self._tokens(examples, tenths[:, n]),
                _short(activation[:, n].mean()), _short(largest[n]),
                _short(firing(activation[:, n : n + 1]).mean()), *map(_short, scores),
                " ".join(_encoded(tenths[a:b, n], text, a - self.starts[text]) for text, a, b in examples),
            )  # fmt: skip

    def _examples(self, tenths: npt.NDArray[np.int64]) -> list[tuple[int, int, int]]:
        """The text and the span of tokens of the excerpts where a neuron fires most."""
        peaks = np.maximum.reduceat(tenths, self.starts[:-1])
        sums = np.add.reduceat(tenths, self.starts[:-1])
        order = np.lexsort((-sums, -peaks))[:SHOWN]
        found = []
        for text in (int(i) for i in order if peaks[i] > 0):
            low, high = int(self.starts[text]), int(self.starts[text + 1])
            peak = low + int(tenths[low:high].argmax())
            found.append((text, max(low, peak - BEFORE), min(high, peak + AFTER + 1)))
        return found

    def _tokens(
        self, examples: Sequence[tuple[int, int, int]], tenths: npt.NDArray[np.int64]
    ) -> str:
        """The tokens of the excerpts at which it is above half of its largest activation."""
        words = [
            self.texts.words[text][t - self.starts[text]].strip().lower()
            for text, low, high in examples
            for t in range(low, high)
            if tenths[t] > STEPS // 2
        ]
        return " ".join(dict.fromkeys(words))


def _short(x: float) -> float | None:
    """Four digits, or None for what is no number."""
    return float(f"{x:.4g}") if np.isfinite(x) else None


def _encoded(tenths: npt.NDArray[np.int64], text: int, start: int) -> str:
    return f"{text}:{start}:{''.join(DIGITS[i] for i in tenths)}"


def decoded(examples: str, words: Sequence[Sequence[str]]) -> list[Excerpt]:
    """The excerpts behind a row's ``examples``, of texts with ``words``."""
    found = []
    for example in examples.split():
        text, start, digits = example.split(":")
        span = words[int(text)][int(start) : int(start) + len(digits)]
        found.append(Excerpt(tuple(span), tuple(DIGITS.index(d) for d in digits)))
    return found


class Index:
    """An index that ``build`` has made.

    Raises:
        InputError: there is none at ``path``.
    """

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise InputError(
                f"no index at {path}; make one with 'superalign explain MODEL --out DIR'"
            )
        self.path = path
        self._db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        self._db.row_factory = sqlite3.Row
        with storing(path):
            try:
                self.summary: dict[str, Any] = json.loads(
                    self._db.execute("SELECT value FROM about WHERE key = 'summary'").fetchone()[0]
                )
                self.words: list[list[str]] = [
                    json.loads(row[0])
                    for row in self._db.execute("SELECT words FROM texts ORDER BY id")
                ]
            except (sqlite3.DatabaseError, TypeError) as error:
                raise InputError(f"{path} is no index of neurons: {error}") from error

    def find(self, text: str, limit: int = 20) -> list[dict[str, Any]]:
        """Neurons whose explanation, or the tokens they fire on, hold all words of ``text``.

        The best explained come first.

        Raises:
            InputError: ``text`` has no letters or digits.
        """
        words = re.findall(r"\w+", text)
        if not words:
            raise InputError(f"'{text}': a search needs letters or digits")
        query = " ".join(f'"{w}"' for w in words)
        rows = self._db.execute(
            "SELECT neurons.* FROM found JOIN neurons ON neurons.rowid = found.rowid "
            "WHERE found MATCH ? ORDER BY natural IS NULL, natural DESC LIMIT ?",
            (query, limit),
        )
        return [self._as_dict(row) for row in rows]

    def _as_dict(self, row: sqlite3.Row) -> dict[str, Any]:
        excerpts = decoded(row["examples"], self.words)
        shown = [
            {"text": "".join(e.words), "tenths": list(e.tenths), "tokens": list(e.words)}
            for e in excerpts
        ]
        return {**dict(row), "examples": shown}

    def block(self, layer: int) -> list[dict[str, Any]]:
        """The rows of one block's neurons, as they are stored."""
        rows = self._db.execute("SELECT * FROM neurons WHERE layer = ? ORDER BY number", (layer,))
        return [dict(row) for row in rows]
