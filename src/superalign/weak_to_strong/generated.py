"""Rows from the project's own generators: labels known by construction, as many as one likes."""

from __future__ import annotations

from typing import Any

import superalign.tasks  # noqa: F401 - registers the built-in tasks
from superalign.errors import InputError
from superalign.registry import lookup

PREFIX = "task:"
LABELS = {"ethics": "wrong", "safety": "harmful"}  # a domain's truth that two classes come from
SPARE = 2  # rows drawn for each wanted one: half of the ethics questions judge nothing


def generated_rows(path: str, rows: int) -> list[dict[str, Any]]:
    """Rows ``{text, label, group}`` of ``task:ethics`` (is it wrong?) or ``task:safety`` (harmful?).

    A minimal pair, and a request with its twin, are one group. Training families only.

    Raises:
        InputError: another name.
    """
    name = path.removeprefix(PREFIX)
    if name not in LABELS:
        raise InputError(
            f"'{path}' has no classes; allowed: {', '.join(PREFIX + n for n in LABELS)}, and "
            "task:mathematics, which is answered in writing"
        )
    queries = lookup("task", name)().generate(SPARE * rows, seed=0, split="train")
    found = []
    for query in queries:
        value = query.truth[LABELS[name]]
        if value is not None:
            group = query.truth.get("pair") or query.twin or query.id
            found.append({"text": query.goal, "label": int(value), "group": str(group)})
    return found
