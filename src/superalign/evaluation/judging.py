"""A judge measured on labelled pairs, and models compared by a judge: from a user's file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from superalign.errors import InputError
from superalign.evaluation.fields import required
from superalign.evaluation.measure import Progress, silent
from superalign.evaluation.model_judge import Judged, Pair, judge_pairs, report
from superalign.models import LanguageModel
from superalign.records import content_hash
from superalign.tasks.files import read_rows


def labelled_pairs(path: Path, text: str, better: str, worse: str, limit: int) -> list[Pair]:
    """At most ``limit`` requests with a better and a worse answer, lowest hash first.

    Raises:
        InputError: the file cannot be read, or a row lacks a field.
    """
    pairs = []
    for i, row in enumerate(read_rows(path), 1):
        request, chosen, rejected = (
            str(required(f"{path}, row {i}", row, name)) for name in (text, better, worse)
        )
        pairs.append(Pair(request, chosen, rejected, 1.0))
    kept = [p for p in dict.fromkeys(pairs) if p.ours != p.other]
    return sorted(kept, key=lambda p: content_hash([p.request, p.ours, p.other]))[:limit]


def requests(path: Path, text: str, limit: int) -> list[str]:
    """At most ``limit`` different requests of a file, lowest hash first.

    Raises:
        InputError: the file cannot be read, or a row lacks the field.
    """
    found = {str(required(f"{path}, row {i}", r, text)) for i, r in enumerate(read_rows(path), 1)}
    return sorted(found, key=content_hash)[:limit]


def judge_quality(judged: list[Judged]) -> dict[str, Any]:
    """What sways a judge, from pairs whose better answer is ours: ``report`` without the win rate,
    which the agreement is here; ``length_controlled`` is the preference for it at equal length.
    """
    return {name: value for name, value in report(judged).items() if name != "win_rate"}


def win_rate(
    model: LanguageModel,
    rival: LanguageModel,
    judge: LanguageModel,
    asked: list[str],
    *,
    max_new_tokens: int = 48,
    critique_tokens: int = 0,
    progress: Progress = silent,
) -> dict[str, Any]:
    """How often ``judge`` prefers ``model``'s greedy answers to ``rival``'s, and at equal length.

    Equal answers are a tie and are left out; ``n`` says how many pairs were judged.

    Raises:
        InputError: all answers are equal.
    """
    texts = []
    for who in (model, rival):
        rows = who.generate(asked, max_new_tokens=max_new_tokens, temperature=0.0)
        texts.append([row[0].text.strip() for row in rows])
    pairs = [
        Pair(r, a, b, None) for r, a, b in zip(asked, texts[0], texts[1], strict=True) if a != b
    ]
    if not pairs:
        raise InputError(f"'{model.name}' and '{rival.name}' answer alike; allowed: another rival")
    judged = judge_pairs(judge, pairs, critique_tokens=critique_tokens, progress=progress)
    return {name: value for name, value in report(judged).items() if name != "agreement"}
