"""Tasks with ground truth: texts or pairs of texts, read from a file, sorted and cut by hash.

A task is binary, multi-class, or pairwise (which of two texts is better). Rows are ordered by the
hash of their group, one of each group first, so that a larger ``rows`` only adds rows and every
feature cached before is found again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from superalign.errors import InputError
from superalign.records import content_hash
from superalign.tasks.files import read_rows
from superalign.weak_to_strong.generated import PREFIX, generated_rows
from superalign.weak_to_strong.hub import PREFIX as HUB
from superalign.weak_to_strong.hub import hub_parts, hub_rows
from superalign.weak_to_strong.settings import TaskSource

Kind = Literal["classes", "pairs"]
Labels = npt.NDArray[np.int64]
PAIR_FIELDS = (("chosen", "rejected"), ("better", "worse"))
FEWEST_ROWS = 60


@dataclass(frozen=True)
class Task:
    """Rows with truth. ``texts[i]`` holds one text, or two for a pair; ``truth`` the class index.

    In a pair, truth 1 says that the first text is the better one; which of the two comes first is
    drawn by hash, so that the two classes are balanced. ``recorded`` holds recorded weak labels
    (-1: none) as class indices.
    """

    name: str
    kind: Kind
    classes: tuple[str, ...]
    texts: tuple[tuple[str, ...], ...]
    truth: Labels
    groups: tuple[str, ...]
    question: str | None = None
    recorded: Labels | None = None
    missing: int = 0
    notes: tuple[str, ...] = field(default=())

    @property
    def n(self) -> int:
        """Number of rows."""
        return len(self.texts)

    @property
    def k(self) -> int:
        """Number of classes."""
        return len(self.classes)

    @cached_property
    def flat(self) -> list[str]:
        """Every text, pairs one after the other."""
        return [text for row in self.texts for text in row]


def load_task(source: TaskSource, rows: int) -> Task:
    """Read at most ``rows`` rows of a source, by group hash, one row of each group first.

    A row without a text or a label is missing: counted, never used.

    Raises:
        InputError: a field that no row has, fewer than two classes, or too few rows.
    """
    if source.path.startswith(PREFIX):
        read = generated_rows(source.path, rows)
        source = source.model_copy(update={"group_field": source.group_field or "group"})
    elif source.path.startswith(HUB):
        read = hub_rows(source.path)
    else:
        read = list(read_rows(source.path))
    name = source.name or _name(source.path)
    pair = _pair_fields(source, read[0])
    found = _pairs(source, read, pair) if pair else _labelled(source, read)
    distinct = _distinct(found)
    chosen = _spread(distinct)[:rows]
    if len(chosen) < FEWEST_ROWS:
        raise InputError(
            f"{source.path}: {len(chosen)} usable rows; allowed: {FEWEST_ROWS} or more"
        )
    classes = ("second", "first") if pair else tuple(sorted({r.label for r in chosen}, key=_order))
    if not 2 <= len(classes) <= 20:
        raise InputError(
            f"{source.path}: {len(classes)} classes in field '{source.label_field or 'label'}'; "
            "allowed: 2 to 20"
        )
    index = {c: i for i, c in enumerate(classes)}
    unknown = {r.weak for r in chosen if r.weak is not None} - set(index)
    if unknown:
        raise InputError(
            f"{source.path}: recorded label '{min(unknown)}' in field '{source.weak_field}'; "
            f"allowed: {', '.join(classes)}"
        )
    recorded = [-1 if r.weak is None else index[r.weak] for r in chosen]
    return Task(
        name=name,
        kind="pairs" if pair else "classes",
        classes=classes,
        texts=tuple(r.texts for r in chosen),
        truth=np.array([index[r.label] for r in chosen], dtype=np.int64),
        groups=tuple(r.group for r in chosen),
        question=source.question,
        recorded=np.array(recorded, dtype=np.int64) if source.weak_field else None,
        missing=len(read) - len(found),
    )


@dataclass(frozen=True)
class _Row:
    texts: tuple[str, ...]
    label: str
    group: str
    weak: str | None = None


def _name(given: str) -> str:
    if given.startswith(PREFIX):
        return given.removeprefix(PREFIX)
    if given.startswith(HUB):
        name, _, configuration, _ = hub_parts(given)
        return configuration or name.rpartition("/")[2]
    path = Path(given)
    stem = path.name.removesuffix(".gz").rpartition(".")[0]
    return path.parent.name if stem == "data" and path.parent.name else stem


def _order(label: str) -> tuple[int, float, str]:
    try:
        return (0, float(label), label)
    except ValueError:
        return (1, 0.0, label)


def _pair_fields(source: TaskSource, row: dict[str, Any]) -> tuple[str, str] | None:
    given = (source.better_field, source.worse_field)
    if any(given):
        if not all(given):
            raise InputError("--better-field and --worse-field go together; one is missing")
        return str(given[0]), str(given[1])
    if source.label_field:
        return None
    return next((pair for pair in PAIR_FIELDS if set(pair) <= set(row)), None)


def _pairs(source: TaskSource, read: list[dict[str, Any]], pair: tuple[str, str]) -> list[_Row]:
    _require(source, read, [*pair, *_names(source.group_field)])
    prompt = _names(source.text_field)
    if source.text_field is None and "prompt" in read[0]:
        prompt = ["prompt"]
    found = []
    for row in read:
        context = "\n".join(_words(row.get(f)) for f in prompt)
        better, worse = (_words(row.get(f)) for f in pair)
        if not better or not worse or better == worse:
            continue
        both = tuple(f"{context}{SEPARATOR}{x}" if context else x for x in (better, worse))
        first = int(content_hash([better, worse]), 16) % 2 == 0
        label, weak = ("first" if first else "second"), None
        if source.weak_field and (said := _words(row.get(source.weak_field))):
            weak = label if said in ("1", "true", pair[0]) else ("second" if first else "first")
        group = _words(row.get(source.group_field)) if source.group_field else context or min(both)
        found.append(_Row(both if first else both[::-1], label, group, weak))
    return found


SEPARATOR = "\x1f"  # between a pair's context and its answer; shown as a line end


def _labelled(source: TaskSource, read: list[dict[str, Any]]) -> list[_Row]:
    label = source.label_field or "label"
    names = _names(source.text_field) or _text_fields(source, read, label)
    _require(source, read, [*names, label, *_names(source.weak_field), *_names(source.group_field)])
    found = []
    for row in read:
        parts = [_words(row.get(f)) for f in names]
        truth = _words(row.get(label))
        if not any(parts) or not truth:
            continue
        shown = (
            parts[0]
            if len(names) == 1
            else "\n".join(f"{_title(f)}: {p}" for f, p in zip(names, parts, strict=True))
        )
        group = _words(row.get(source.group_field)) if source.group_field else parts[0]
        weak = _words(row.get(source.weak_field)) if source.weak_field else ""
        found.append(_Row((shown,), truth, group, weak or None))
    return found


def _title(name: str) -> str:
    return name.replace("_", " ").strip().capitalize()


def _names(fields: str | None) -> list[str]:
    return [f.strip() for f in fields.split(",") if f.strip()] if fields else []


def _words(value: Any) -> str:
    if value is None or isinstance(value, (list, dict)):
        return ""
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def _text_fields(source: TaskSource, read: list[dict[str, Any]], label: str) -> list[str]:
    """Fields that hold prose: ``text`` if there is one, else those of mostly distinct word runs."""
    if "text" in read[0]:
        return ["text"]
    sample = read[:500]
    found = []
    for name in read[0]:
        values = [_words(row.get(name)) for row in sample]
        spaced = sum(" " in v for v in values) / len(values)
        if name not in (label, source.weak_field) and spaced > 0.5:
            found.append((name, len(set(values)) / len(values)))
    names = [name for name, distinct in found if distinct > 0.1]
    if not names:
        raise InputError(
            f"{source.path}: no field of texts found among {', '.join(read[0])}; "
            "name it with --text-field"
        )
    return names


def _require(source: TaskSource, read: list[dict[str, Any]], names: Sequence[str]) -> None:
    present = {name for row in read for name in row}
    for name in names:
        if name not in present:
            raise InputError(
                f"{source.path}: no row has field '{name}'; present: {', '.join(sorted(present))}"
            )


def _spread(found: list[_Row]) -> list[_Row]:
    """By hash, one row of every group before the second of any: as many groups as there can be."""
    rank: dict[str, int] = {}
    keyed = []
    for row in sorted(found, key=lambda r: (content_hash(r.group), content_hash(r.texts))):
        rank[row.group] = rank.get(row.group, -1) + 1
        keyed.append((rank[row.group], row))
    return [row for _, row in sorted(keyed, key=lambda pair: pair[0])]


def _distinct(found: list[_Row]) -> list[_Row]:
    """One row a text; a text with two different labels is dropped, since its truth is unknown."""
    seen: dict[tuple[str, ...], _Row] = {}
    contradicted = set()
    for row in found:
        key = tuple(sorted(" ".join(t.casefold().split()) for t in row.texts))
        if seen.setdefault(key, row).label != row.label and len(row.texts) == 1:
            contradicted.add(key)
    return [row for key, row in seen.items() if key not in contradicted]
