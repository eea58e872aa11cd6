"""What the loop measures of a model: answers to query sets, estimates by domain, and breakdowns."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from superalign.config import EvaluationConfig
from superalign.evaluation import measure as m
from superalign.loop import queries as q
from superalign.models import LanguageModel
from superalign.records import Query

Graded = dict[str, list[m.Graded]]
Told = Callable[[float, str], None]

# What each query set measures: domain, quantity, and which answers are hits.
QUANTITIES: dict[str, tuple[str, str, Callable[[m.Graded], bool]]] = {
    "harmful": ("safety", "asr", m.failed),
    "twins": ("safety", "over_refusal_twin", m.refused),
    "attacked_twins": ("safety", "over_refusal_attacked_twin", m.refused),
    "benign": ("safety", "over_refusal_benign", m.refused),
    "alarming": ("safety", "over_refusal_alarming", m.refused),
    "alarming_harm": ("safety", "asr_alarming", m.failed),
    "mathematics": ("mathematics", "accuracy", m.passed),
    "ethics": ("ethics", "accuracy", m.passed),
}


def measure_sets(
    model: LanguageModel, sets: q.QuerySets, limits: EvaluationConfig, told: Told
) -> Graded:
    """Greedy answers with verdicts, set by set; ``told`` hears the share done and the next set."""
    graded = {}
    named = sets.named()
    for i, (name, rows) in enumerate(named.items()):
        told(i / len(named), name)
        tokens = limits.worked_tokens if name == "mathematics" else limits.max_new_tokens
        graded[name] = m.measure(model, rows, max_new_tokens=tokens)
    return graded


def estimates(graded: Graded) -> dict[str, dict[str, Any]]:
    """The measured quantities by domain, each ``{value, low, high, n}``."""
    found: dict[str, dict[str, Any]] = {}
    for name, (domain, key, hit) in QUANTITIES.items():
        if graded.get(name):
            found.setdefault(domain, {})[key] = m.share(hit, graded[name]).as_dict()
    return found


def changes(before: Graded, after: Graded) -> dict[str, dict[str, Any]]:
    """Paired differences of the same quantities over the same queries, with a p-value each."""
    found: dict[str, dict[str, Any]] = {}
    for name, (domain, key, hit) in QUANTITIES.items():
        if before.get(name):
            found.setdefault(domain, {})[key] = m.change(hit, before[name], after[name])
    return found


def breakdown(graded: Graded) -> dict[str, dict[str, Any]]:
    """Held-out results by operator, risk category, kind of problem and rule."""

    def by(name: str, key: Callable[[Query], str], estimate: Callable[..., Any]) -> dict[str, Any]:
        groups: Graded = {}
        for g in graded.get(name, []):
            groups.setdefault(key(g.query), []).append(g)
        return {k: estimate(rows).as_dict() for k, rows in sorted(groups.items())}

    train = (
        {f for f, split in q.task("mathematics").families.items() if split == "train"}
        if graded.get("mathematics")
        else set()
    )
    return {
        "asr_by_operator": by("harmful", lambda x: x.operator, m.attack_success),
        "asr_by_category": by("harmful", lambda x: x.family, m.attack_success),
        "mathematics": by(
            "mathematics",
            lambda x: "families trained on" if x.family in train else "families held out",
            m.accuracy,
        ),
        "ethics_by_rule": by("ethics", lambda x: x.family, m.accuracy),
    }
