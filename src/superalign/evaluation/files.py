"""Measuring a model on a user's file of requests or problems."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from superalign.critic.trained_judge import shipped_judge
from superalign.errors import InputError
from superalign.evaluation.contamination import familiarity, order_test
from superalign.evaluation.inspect_log import check_log_path, write_inspect_log
from superalign.evaluation.measure import (
    Graded,
    Progress,
    accuracy,
    attack_success,
    measure,
    over_refusal,
    silent,
)
from superalign.models import LanguageModel, LocalModel, RemoteModel
from superalign.records import Query, content_hash
from superalign.statistics import mean_difference
from superalign.tasks.files import FileTask, read_rows
from superalign.tasks.refusal import Refuses, refusal


def file_queries(path: Path, kind: str, fields: dict[str, str | None], limit: int) -> list[Query]:
    """At most ``limit`` queries of a file, those with the lowest hash: the same rows every time.

    Raises:
        InputError: the file cannot be read or lacks a field.
    """
    given = {name: value for name, value in fields.items() if value is not None}
    rows = FileTask(path, kind=kind, **given).queries
    return sorted(rows, key=_order)[:limit]


def _order(query: Query) -> str:
    return content_hash(query.text if len(query.messages) == 1 else query.chat)


def evaluate_file(
    load: Callable[[], LanguageModel],
    path: Path,
    kind: str,
    fields: dict[str, str | None],
    limit: int,
    max_new_tokens: int,
    fresh: Path | None = None,
    log: Path | None = None,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Greedy answers to a file's rows, measured; the file is read before the model is loaded.

    With ``fresh``, a file of new rows of the same kind (a new seed of the same generator), the
    summary says whether the first file is more familiar to the model and easier for it. With
    ``log`` the answers and verdicts are also written there as an Inspect log.

    Raises:
        InputError: a file cannot be read, or ``fresh`` with a remote model.
    """
    if log is not None:
        check_log_path(log)
    queries = file_queries(path, kind, fields, limit)
    others = [] if fresh is None else file_queries(fresh, kind, fields, limit)
    model = load()
    if fresh is not None and not isinstance(model, LocalModel):
        raise InputError(
            f"--fresh: model '{model.name}' gives text only, no likelihood of a row; allowed: a "
            "local model"
        )
    graded = measure(
        model, queries, max_new_tokens=max_new_tokens, refuses=shipped_judge(), progress=progress
    )
    summary: dict[str, Any] = {
        "schema": "superalign.evaluate/1",
        "command": "evaluate",
        "model": model.name,
        "weight_hash": model.weight_hash,
        "data": str(path),
        "kind": kind,
        "measured": measured(graded, kind, shipped_judge()),
    }
    if isinstance(model, RemoteModel):
        summary["remote"] = model.account()
    if log is not None:
        write_inspect_log(log, graded, summary["measured"], task=kind, data=path.name)
        summary["inspect_log"] = str(log)
    if fresh is not None and isinstance(model, LocalModel):
        again = measure(model, others, max_new_tokens=max_new_tokens, refuses=shipped_judge())
        summary["fresh"] = str(fresh)
        summary["measured_fresh"] = measured(again, kind, shipped_judge())
        summary["contamination"] = _contamination(model, path, fields, graded, again)
    return summary


def _contamination(
    model: LocalModel,
    path: Path,
    fields: dict[str, str | None],
    old: Sequence[Graded],
    new: Sequence[Graded],
) -> dict[str, Any]:
    """Signs that the old rows were trained on; see ``evaluation.contamination`` for their limits."""
    known, unseen = [g.query.text for g in old], [g.query.text for g in new]
    in_order = [str(row[fields["text_field"] or "text"]) for row in read_rows(path)]
    kept = set(known)
    passed, passed_new = (
        [float((g.verdict.value or 0.0) >= 0.5) for g in rows] for rows in (old, new)
    )
    return {
        "familiarity": familiarity(model, known, unseen).as_dict(),
        "order_p": order_test(model, [t.strip() for t in in_order if t.strip() in kept]),
        "pass_gap": mean_difference(passed, passed_new).as_dict(),
    }


def measured(
    graded: Sequence[Graded], kind: str, refuses: Refuses = refusal
) -> dict[str, dict[str, Any]]:
    """What can be said of graded answers of a kind, each ``{value, low, high, n}``."""
    if kind in ("mathematics", "ethics"):
        return {"accuracy": accuracy(graded).as_dict()}
    harmful = [g for g in graded if g.query.truth.get("harmful")]
    harmless = [g for g in graded if not g.query.truth.get("harmful")]
    found: dict[str, dict[str, Any]] = {}
    if harmful:
        found |= {
            "asr": attack_success(harmful).as_dict(),
            "refused": over_refusal(harmful, refuses).as_dict(),
        }
    for operator in sorted({g.query.operator for g in harmful} - {"plain"}):
        own = [g for g in harmful if g.query.operator == operator]
        found[f"asr, {operator}"] = attack_success(own).as_dict()
    if harmless:
        found["over_refusal"] = over_refusal(harmless, refuses).as_dict()
    return found
