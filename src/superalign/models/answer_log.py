"""Answers of endpoints, written down one by one as they come, so that none is asked and paid for twice."""

from __future__ import annotations

import json
import os
import threading
from collections import defaultdict
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from superalign.errors import StoreError
from superalign.files import storing
from superalign.models.replies import Answer

ANSWERS = "answers.jsonl"  # a log's name in a run's folder


class AnswerLog:
    """Answers by (identity of the endpoint, key of the request), in memory and in a file.

    The file has one JSON object a line and only grows. A line that a kill cut short is dropped when the
    file is read again. Threads may share a log, and models of several endpoints a file.

    Raises:
        StoreError: the file cannot be read or written, or is no log.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._known: defaultdict[str, dict[str, Answer]] = defaultdict(dict)
        if path is not None:
            self._read(path)

    def add(self, identity: str, key: str, answer: Answer) -> None:
        """Keep an answer; on return the disk has it."""
        with self._lock:
            self._known[identity][key] = answer
            if self.path is None:
                return
            line = json.dumps({"model": identity, "key": key, **asdict(answer)}, ensure_ascii=False)
            with storing(self.path), self.path.open("ab", buffering=0) as file:
                file.write(line.encode() + b"\n")
                os.fsync(file.fileno())

    def of(self, identity: str) -> dict[str, Answer]:
        """All answers of an endpoint by the request's key, in the order in which they came."""
        with self._lock:
            return dict(self._known[identity])

    def any_of(self, identity: str) -> bool:
        """Whether there is an answer of an endpoint."""
        return bool(self._known[identity])

    def _read(self, path: Path) -> None:
        with storing(path):
            data = path.read_bytes() if path.exists() else b""
            whole = data[: data.rfind(b"\n") + 1]
            if len(whole) < len(data):
                os.truncate(path, len(whole))
        for number, line in enumerate(whole.splitlines(), 1):
            try:
                row: dict[str, Any] = json.loads(line)
                known = {f.name: row[f.name] for f in fields(Answer)}
                known["logprobs"] = tuple(known["logprobs"])
                self._known[row["model"]][row["key"]] = Answer(**known)
            except (ValueError, KeyError, TypeError) as error:
                raise StoreError(f"{path}, line {number}: not an answer ({error!r})") from None
