"""Which of several texts does a model hold likelier? Bias by pairs of sentences and by filled blanks.

Sources: Nangia et al. (2020), CrowS-Pairs, EMNLP, arXiv 2010.00133; Perez et al. (2022), model-written
Winogender sentences, arXiv 2212.09251. The pairs of the first are known to be noisy (Blodgett et al. 2021).
Sentences are scored whole and raw, without a chat template, after a line break: their first word counts too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import softmax
from scipy.stats import spearmanr

from superalign.errors import InputError
from superalign.evaluation.fields import number, required, texts
from superalign.evaluation.measure import Progress, silent
from superalign.models import LanguageModel
from superalign.records import content_hash
from superalign.statistics import Estimate, bootstrap, mean, rate
from superalign.tasks.files import read_rows

START = "\n"  # stands before a sentence, so that its first token has a probability
BLANK = "_"
BATCH = 128  # texts scored at once
Measured = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Texts:
    """Texts that differ in what is asked about; ``start`` is what they share at the beginning.

    Attributes:
        group: what results are split by (pairs), or what is drawn whole (blanks).
        number: what the preference is set against, e.g. the share of women in an occupation.
    """

    start: str
    ends: tuple[str, ...]
    group: str = ""
    number: float | None = None


def pair_items(path: Path, text: str, other: str, group: str | None, limit: int) -> list[Texts]:
    """At most ``limit`` pairs of a file, those with the lowest hash; equal texts are refused.

    Raises:
        InputError: the file cannot be read, or a row lacks a field.
    """
    items = []
    for i, row in enumerate(read_rows(path), 1):
        where = f"{path}, row {i}"
        ends = tuple(str(required(where, row, name)).strip() for name in (text, other))
        if ends[0] == ends[1]:
            raise InputError(f"{where}: '{text}' and '{other}' are equal; allowed: two texts")
        items.append(Texts(START, ends, str(required(where, row, group)) if group else ""))
    return _lowest(items, limit)


def blank_items(
    path: Path, text: str, choices: str, against: str | None, group: str | None, limit: int
) -> list[Texts]:
    """At most ``limit`` sentences with one blank (``_``) and what may stand there, lowest hash first.

    Raises:
        InputError: the file cannot be read, a row lacks a field, has no blank, or has other choices
            in number than the first.
    """
    items: list[Texts] = []
    for i, row in enumerate(read_rows(path), 1):
        where = f"{path}, row {i}"
        sentence, options = str(required(where, row, text)), texts(where, row, choices)
        if sentence.count(BLANK) != 1 or len(set(options)) < 2:
            raise InputError(f"{where}: allowed is a sentence with one blank '_' and two options")
        if items and len(options) != len(items[0].ends):
            raise InputError(f"{where}: {len(options)} options; allowed: {len(items[0].ends)}")
        before, after = sentence.split(BLANK)
        gap = " " if before.endswith(" ") else ""
        ends = tuple(f"{gap}{option}{after}" for option in options)
        level = number(where, row, against) if against else None
        unit = str(required(where, row, group)) if group else ""
        items.append(Texts(START + before.rstrip(" "), ends, unit, level))
    return _lowest(items, limit)


def measure_pairs(
    model: LanguageModel, items: Sequence[Texts], progress: Progress = silent
) -> Measured:
    """How often, and by how much, the first text of a pair is likelier; also by group.

    ``preferred``: share of pairs (a tie is missing); 0.5 is no preference. ``log_ratio``: mean
    difference of log-probability, in nats.
    """
    gaps = [row[0] - row[1] for row in _logprobs(model, items, progress)]
    groups = sorted({item.group for item in items} - {""})
    found = _preference(gaps, "")
    for group in groups:
        own = [g for g, item in zip(gaps, items, strict=True) if item.group == group]
        found |= _preference(own, f", {group}")
    return found


def _preference(gaps: Sequence[float], suffix: str) -> Measured:
    return {
        f"preferred{suffix}": rate([g > 0 if g else None for g in gaps]).as_dict(),
        f"log_ratio{suffix}": mean(gaps).as_dict(),
    }


def measure_blanks(
    model: LanguageModel, items: Sequence[Texts], progress: Progress = silent
) -> Measured:
    """What a model fills blanks with, option by option, and whether that follows the number.

    ``probability, option K``: mean probability of the K-th option among those given. ``correlation``:
    Spearman's, of the number with the log-odds of the second option against the first. Groups are
    drawn whole in the bootstrap.
    """
    rows = np.array(_logprobs(model, items, progress))
    shares = softmax(rows, axis=1)
    odds = rows[:, 1] - rows[:, 0]
    found = {
        f"probability, option {k + 1}": _by_group(items, partial(_mean_of, shares[:, k]))
        for k in range(shares.shape[1])
    }
    found["log_odds, option 2 against 1"] = _by_group(items, partial(_mean_of, odds))
    if all(item.number is not None for item in items):
        levels = np.array([item.number for item in items], dtype=float)
        found["correlation"] = _by_group(items, lambda kept: _ranked(levels[kept], odds[kept]))
    return {name: estimate.as_dict() for name, estimate in found.items()}


def _mean_of(values: Any, kept: Any) -> float:
    return float(values[kept].mean())


def _ranked(first: Any, second: Any) -> float:
    """Spearman's correlation; NaN where one of the two does not vary."""
    vary = min(np.ptp(first), np.ptp(second)) > 0
    return float(spearmanr(first, second).statistic) if vary else float("nan")


def _by_group(items: Sequence[Texts], statistic: Callable[[Any], float]) -> Estimate:
    """``statistic`` of the places of items, with a bootstrap over groups (or items)."""
    places: dict[str, list[int]] = {}
    for i, item in enumerate(items):
        places.setdefault(item.group or f"item {i}", []).append(i)
    units = list(places.values())

    def drawn(chosen: Any) -> float:
        return float(statistic(np.concatenate([units[int(c)] for c in chosen])))

    return replace(bootstrap(range(len(units)), drawn), n=len(items))


def _logprobs(
    model: LanguageModel, items: Sequence[Texts], progress: Progress
) -> list[list[float]]:
    """Summed log-probability (nats) of each item's texts."""
    rows: list[list[float]] = []
    for at in range(0, len(items), BATCH):
        part = items[at : at + BATCH]
        scores = model.choose([i.start for i in part], [i.ends for i in part], raw=True)
        rows += [[score.logprob for score in row] for row in scores]
        progress("likelihoods", len(rows) / len(items))
    return rows


def _lowest(items: Sequence[Texts], limit: int) -> list[Texts]:
    return sorted(dict.fromkeys(items), key=lambda i: content_hash([i.start, i.ends]))[:limit]
