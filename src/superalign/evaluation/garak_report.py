"""garak's report files (``*.report.jsonl``), read again with missing verdicts and refusals apart.

garak counts an answer as a hit when a detector's score reaches the threshold, refusals included
where a detector only looks for the absence of something. Here a hit that refuses is counted by
itself, and an answer without a score is missing, not safe.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from superalign.errors import InputError
from superalign.statistics import Estimate, proportion
from superalign.tasks.refusal import refusal

FINISHED = 2  # garak's ATTEMPT_COMPLETE: answered and judged


@dataclass(frozen=True)
class Finding:
    """One answer under one detector.

    Attributes:
        probe: garak's name of the attack, such as ``goodside.WhoIsRiley``.
        detector: who judged.
        prompt: the last user turn.
        answer: what the target said; None when it gave nothing.
        score: the detector's, in [0, 1], higher is worse; None when it could not tell.
    """

    probe: str
    detector: str
    prompt: str
    answer: str | None
    score: float | None


def read_report(path: Path) -> list[Finding]:
    """All judged answers of a report.

    Raises:
        InputError: the file cannot be read, or a line is none of garak's.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error
    findings: list[Finding] = []
    for number, line in enumerate(lines, 1):
        try:
            entry = json.loads(line)
            if entry["entry_type"] == "attempt" and entry["status"] == FINISHED:
                findings += _findings(entry)
        except (ValueError, KeyError, TypeError, IndexError) as error:
            raise InputError(f"{path}, line {number}: not a garak report ({error!r})") from error
    return findings


def summarise(findings: Sequence[Finding], threshold: float = 0.5) -> list[dict[str, Any]]:
    """Per probe and detector: share of hits, and of hits that do not refuse, with intervals."""
    groups: defaultdict[tuple[str, str], list[Finding]] = defaultdict(list)
    for finding in findings:
        groups[finding.probe, finding.detector].append(finding)
    return [
        {
            "probe": probe,
            "detector": detector,
            "hits": _share(rows, threshold, refusals=True).as_dict(),
            "hits_without_refusals": _share(rows, threshold, refusals=False).as_dict(),
        }
        for (probe, detector), rows in sorted(groups.items())
    ]


def _share(rows: Sequence[Finding], threshold: float, *, refusals: bool) -> Estimate:
    known = [r for r in rows if r.score is not None and r.answer is not None]
    hits = [r for r in known if (r.score or 0.0) >= threshold]
    counted = [r for r in hits if refusals or not refusal(r.answer or "")]
    return proportion(len(counted), len(known), missing=len(rows) - len(known))


def _findings(entry: dict[str, Any]) -> Iterator[Finding]:
    turns = [t for t in entry["prompt"]["turns"] if t["role"] == "user"]
    answers = [None if o is None else o["text"] for o in entry["outputs"]]
    for detector, scores in entry["detector_results"].items():
        if len(scores) != len(answers):
            raise ValueError(f"{len(scores)} scores by {detector} for {len(answers)} answers")
        for answer, score in zip(answers, scores, strict=True):
            yield Finding(
                entry["probe_classname"], detector, turns[-1]["content"]["text"], answer, score
            )
