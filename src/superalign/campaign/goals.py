"""What a campaign tries to make a model do: answer harmful requests, or known questions wrongly."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.cluster import KMeans
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer

from superalign.campaign.settings import CampaignConfig
from superalign.errors import InputError
from superalign.evaluation.files import file_queries
from superalign.records import Query, Split
from superalign.registry import lookup
from superalign.tasks.base import Task
from superalign.tasks.files import read_rows
from superalign.tasks.safety import Safety

SPLITS: tuple[Split, Split] = ("train", "held_out")


@dataclass(frozen=True)
class Goal:
    """A harmful request, or a question with a known answer.

    ``cluster`` is its risk category or family, or what its wording is near to.
    """

    query: Query
    cluster: str

    @property
    def id(self) -> str:
        """Identity of the request."""
        return self.query.id


def campaign_goals(config: CampaignConfig) -> list[Goal]:
    """The goals of a campaign, in a stable order.

    Raises:
        InputError: the file cannot be read or lacks a field.
    """
    if config.goals is None:
        task: Task = lookup("task", config.domain)()
        make = task.harmful_only if isinstance(task, Safety) else task.generate
        split = config.categories or ("all" if config.attacker == "operators" else "held_out")
        if split == "all":
            queries = _both_splits(task, make, config.limit, config.seed)
        else:
            queries = make(config.limit, seed=config.seed, split=split)
        return [Goal(q, q.family) for q in queries]
    if config.domain != "safety":
        raise InputError(f"goals {config.goals} with domain '{config.domain}'; allowed: safety")
    path = Path(config.goals)
    fields: dict[str, str | None] = {"text_field": config.text_field}
    queries = file_queries(path, "safety", fields, config.limit)
    if config.category_field is None:
        names = wording_clusters([q.text for q in queries], config.seed)
    else:
        names = _categories(path, config.text_field, config.category_field, queries)
    return [
        Goal(q.model_copy(update={"family": name}), name)
        for q, name in zip(queries, names, strict=True)
    ]


def benign_twins(config: CampaignConfig, n: int) -> list[Query]:
    """``n`` harmless requests in the wording of harmful ones, from the safety task."""
    task = Safety()
    return _both_splits(task, task.benign_only, n, config.seed)


def wording_clusters(texts: list[str], seed: int) -> list[str]:
    """A cluster name per text: k-means on TF-IDF's leading directions, about sqrt(n) clusters."""
    n = len(texts)
    k = max(1, round(np.sqrt(n)))
    if k == 1:
        return ["cluster 1"] * n
    table = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), sublinear_tf=True)
    rows = table.fit_transform(texts)
    width = min(32, n - 1, rows.shape[1] - 1)
    rows = TruncatedSVD(width, random_state=seed).fit_transform(rows)
    found = KMeans(k, n_init=4, random_state=seed).fit_predict(rows)
    return [f"cluster {int(c) + 1}" for c in found]


def _both_splits(task: Task, make: Callable[..., list[Query]], n: int, seed: int) -> list[Query]:
    """``n`` queries, balanced over all families of both splits."""
    sizes = {s: sum(part == s for part in task.families.values()) for s in SPLITS}
    total = sum(sizes.values())
    held_out = round(n * sizes["held_out"] / total)
    counts = {"train": n - held_out, "held_out": held_out}
    return [q for s in SPLITS if counts[s] for q in make(counts[s], seed=seed, split=s)]


def _categories(path: Path, text: str, category: str, queries: list[Query]) -> list[str]:
    known: dict[str, str] = {}
    for number, row in enumerate(read_rows(path), 1):
        if row.get(category) in (None, ""):
            present = ", ".join(row) or "none"
            raise InputError(f"{path}, row {number}: no field '{category}'; present: {present}")
        known.setdefault(str(row.get(text, "")).strip(), str(row[category]))
    return [known[q.text] for q in queries]
