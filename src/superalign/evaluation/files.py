"""Measuring a model on a user's file of requests or problems."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from superalign.evaluation.measure import Graded, accuracy, attack_success, measure, over_refusal
from superalign.models import LocalModel
from superalign.records import Query, content_hash
from superalign.tasks.files import FileTask


def file_queries(path: Path, kind: str, fields: dict[str, str | None], limit: int) -> list[Query]:
    """At most ``limit`` queries of a file, those with the lowest hash: the same rows every time.

    Raises:
        InputError: the file cannot be read or lacks a field.
    """
    given = {name: value for name, value in fields.items() if value is not None}
    rows = FileTask(path, kind=kind, **given).queries
    return sorted(rows, key=lambda q: content_hash(q.text))[:limit]


def evaluate_file(
    load: Callable[[], LocalModel],
    path: Path,
    kind: str,
    fields: dict[str, str | None],
    limit: int,
    max_new_tokens: int,
) -> dict[str, Any]:
    """Greedy answers to a file's rows, measured; the file is read before the model is loaded."""
    queries = file_queries(path, kind, fields, limit)
    model = load()
    graded = measure(model, queries, max_new_tokens=max_new_tokens)
    return {
        "schema": "superalign.evaluate/1",
        "command": "evaluate",
        "model": model.name,
        "weight_hash": model.weight_hash,
        "data": str(path),
        "kind": kind,
        "measured": measured(graded, kind),
    }


def measured(graded: Sequence[Graded], kind: str) -> dict[str, dict[str, Any]]:
    """What can be said of graded answers of a kind, each ``{value, low, high, n}``."""
    if kind in ("mathematics", "ethics"):
        return {"accuracy": accuracy(graded).as_dict()}
    harmful = [g for g in graded if g.query.truth.get("harmful")]
    harmless = [g for g in graded if not g.query.truth.get("harmful")]
    found: dict[str, dict[str, Any]] = {}
    if harmful:
        found |= {
            "asr": attack_success(harmful).as_dict(),
            "refused": over_refusal(harmful).as_dict(),
        }
    if harmless:
        found["over_refusal"] = over_refusal(harmless).as_dict()
    return found
