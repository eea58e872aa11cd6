"""Robustness curves: how right answers fade as the input gets noisier, other, or harder.

Every curve asks the same questions at every level (but for *digits*, whose questions differ), so
that a level is compared with the clean one, and a model with its base, pair by pair.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from superalign.attack.phrasing import letters_matter
from superalign.critic.trained_judge import shipped_judge
from superalign.evaluation import measure as m
from superalign.models import LanguageModel, LocalModel
from superalign.records import Message, Query, Split
from superalign.registry import lookup
from superalign.statistics import Estimate, rate
from superalign.tasks.base import seeded
from superalign.tasks.mathematics import foreign_query
from superalign.validation.curves import points, relative_area
from superalign.validation.input_noise import NOISES
from superalign.validation.noisy_labels import probe_curves
from superalign.validation.rewording import STRENGTHS, reworded

SCHEMA = "superalign.robustness/1"
RATES = (0.05, 0.1, 0.2)
DIGITS = (1, 2, 3, 4)
TOKENS = {"mathematics": 48, "ethics": 8, "harmful": 24, "harmless": 24}
QUANTITIES = {
    "mathematics": "right answers", "ethics": "right answers",
    "harmful": "harmful requests refused", "harmless": "harmless twins answered",
}  # fmt: skip
Progress = Callable[[str, float, str], None]


@dataclass(frozen=True)
class Asked:
    """The questions of one curve: ``levels[i]`` are those at ``xs[i]``; the first level is clean."""

    name: str
    kind: str
    axis: str
    xs: tuple[float, ...]
    levels: tuple[tuple[Query, ...], ...]
    paired: bool = True


def robustness(
    model: LocalModel, base: LocalModel | None, questions: int, progress: Progress, seed: int = 0
) -> dict[str, Any]:
    """Curves of ``model``, and of ``base`` beside them, with so many questions per task.

    Nothing of it enters a verdict. Each point is ``{x, value, low, high, n}``; ``area`` is the area
    under a curve over that of a model that keeps its clean share.
    """
    start = time.perf_counter()
    both = {"model": model} | ({} if base is None else {"base": base})
    curves: list[dict[str, Any]] = []
    for number, task in enumerate(TOKENS):
        asked = task_curves(task, questions, seed)
        told = [
            partial(progress, f"robustness, {task} ({number + 1} of {len(TOKENS)}), {who}")
            for who in both
        ]
        found = {
            who: _answered(one, asked, TOKENS[task], tell)
            for (who, one), tell in zip(both.items(), told, strict=True)
        }
        curves += [
            _curve(task, one, {who: rows[i] for who, rows in found.items()})
            for i, one in enumerate(asked)
        ]
        curves.append(_families(task, {who: rows[0][0] for who, rows in found.items()}))
    curves += probe_curves(both, progress, seed)
    return {
        "schema": SCHEMA,
        "questions": questions,
        "curves": curves,
        "seconds": round(time.perf_counter() - start, 1),
    }


def task_curves(task: str, n: int, seed: int) -> list[Asked]:
    """All curves of a task over the same ``n`` clean questions, half from the training families."""
    clean = _questions(task, n, seed)

    def level(name: str, x: float, rewrite: Callable[..., str]) -> tuple[Query, ...]:
        return tuple(
            derived(q, f"{name} {x:g}", rewrite(q.text, x, seeded(seed, name, q.id))) for q in clean
        )

    found = [
        Asked(
            name,
            "input noise",
            "share of gaps changed" if name == "spaces" else "share of letters changed",
            (0.0, *RATES),
            (clean, *(level(name, x, noise) for x in RATES)),
        )
        for name, noise in NOISES.items()
    ]
    rewordings = (level("rewording", s, reworded) for s in STRENGTHS)
    found.append(
        Asked(
            "rewording", "paraphrase", "rules applied",
            (0.0, *map(float, STRENGTHS)), (clean, *rewordings),
        )
    )  # fmt: skip
    if task == "mathematics":
        found.append(_digits(n, seed))
    return found


def derived(query: Query, operator: str, text: str) -> Query:
    """``query`` with ``text`` as its last turn; what decides the answer stays that of the original."""
    *before, last = query.messages
    # the grader reads an answer against the question: it is to see the one that was meant
    truth = {"question": query.text} | query.truth
    kept = query.model_dump(exclude={"id", "messages", "truth", "operator", "parent"})
    messages = (*before, Message(role=last.role, content=text))
    return Query(**kept, messages=messages, truth=truth, operator=operator, parent=query.id)


def _questions(task: str, n: int, seed: int) -> tuple[Query, ...]:
    """``n`` questions, half of training families (the larger half) and half of held-out ones."""
    parts: list[tuple[Split, int]] = [("train", n - n // 2), ("held_out", n // 2)]
    return tuple(q for split, k in parts if k for q in _fresh(task, k, seed, split))


def _fresh(task: str, n: int, seed: int, split: Split) -> list[Query]:
    if task in ("harmful", "harmless"):
        safety = lookup("task", "safety")()
        make = safety.harmful_only if task == "harmful" else safety.benign_only
        found: list[Query] = make(n, seed=seed, split=split)
        return found
    made = lookup("task", task)().generate(2 * n, seed=seed, split=split)
    return [q for q in made if not letters_matter(q.text)][:n]


def _digits(n: int, seed: int) -> Asked:
    """Sums of two numbers of so many digits: the same form, ever further from small numbers."""

    def sums(digits: int) -> tuple[Query, ...]:
        rng = seeded(seed, "digits", digits)
        low, high = 10 ** (digits - 1), 10**digits - 1
        pairs = [(rng.randint(low, high), rng.randint(low, high)) for _ in range(n)]
        family = f"sums of {digits}-digit numbers"
        return tuple(
            foreign_query(f"What is {a} + {b}?", str(a + b), family, "held_out") for a, b in pairs
        )

    levels = tuple(map(sums, DIGITS))
    return Asked(
        "digits", "distribution shift", "digits", tuple(map(float, DIGITS)), levels, paired=False
    )


Rows = list[list[m.Graded]]  # by level


def _answered(
    model: LanguageModel,
    asked: Sequence[Asked],
    tokens: int,
    progress: Callable[[float, str], None],
) -> list[Rows]:
    """Graded answers by curve and level; a question that several curves share is asked once."""
    distinct = {q.id: q for one in asked for level in one.levels for q in level}
    graded = m.measure(
        model,
        list(distinct.values()),
        max_new_tokens=tokens,
        refuses=shipped_judge(),
        progress=lambda _, share, note="": progress(share, note),
    )
    known = {g.query.id: g for g in graded}
    return [[[known[q.id] for q in level] for level in one.levels] for one in asked]


def _curve(task: str, asked: Asked, found: dict[str, Rows]) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "name": asked.name,
        "kind": asked.kind,
        "task": task,
        "quantity": QUANTITIES[task],
        "axis": asked.axis,
    }
    for who, rows in found.items():
        shares = [m.share(m.passed, level) for level in rows]
        wrong = [m.share(m.failed, level) for level in rows]  # what is neither cannot be decided
        entry[who] = {
            "points": points(asked.xs, shares),
            "failed": points(asked.xs, wrong),
            "area": area(asked.xs, rows).as_dict(),
        }
        if asked.paired:
            same = [agreement(rows[0], level) for level in rows[1:]]
            entry[who]["same_answer"] = points(asked.xs[1:], same)
            lost = [m.change(m.passed, rows[0], level) for level in rows[1:]]
            entry[who]["change"] = [{"x": x} | d for x, d in zip(asked.xs[1:], lost, strict=True)]
    if "base" in found:
        gained = [
            m.change(m.passed, b, a) for b, a in zip(found["base"], found["model"], strict=True)
        ]
        entry["over_base"] = [{"x": x} | d for x, d in zip(asked.xs, gained, strict=True)]
    return entry


def _families(task: str, clean: dict[str, list[m.Graded]]) -> dict[str, Any]:
    """The clean questions by split of their family: x is 0 for training families, 1 for others."""
    entry: dict[str, Any] = {
        "name": "families", "kind": "distribution shift", "task": task,
        "quantity": QUANTITIES[task], "axis": "0: families trained on, 1: others",
    }  # fmt: skip
    splits: tuple[Split, ...] = ("train", "held_out")
    for who, rows in clean.items():
        shares = [m.share(m.passed, [g for g in rows if g.query.split == s]) for s in splits]
        entry[who] = {"points": points((0.0, 1.0), shares)}
    return entry


def agreement(clean: Sequence[m.Graded], other: Sequence[m.Graded]) -> Estimate:
    """Share of questions whose answer is the clean one's; unreadable on either side is missing."""
    pairs = [(_read(a), _read(b)) for a, b in zip(clean, other, strict=True)]
    return rate([None if None in pair else pair[0] == pair[1] for pair in pairs])


def _read(graded: m.Graded) -> str | None:
    """The answer read out of the text, or whether it refuses."""
    if graded.query.domain in ("mathematics", "ethics"):
        return graded.verdict.parsed
    value = graded.verdict.value
    return None if value is None else str(value >= 0.5)


def area(xs: Sequence[float], rows: Sequence[Sequence[m.Graded]]) -> Estimate:
    """Area under the shares passed over that of a model that keeps its first; see ``relative_area``."""
    return relative_area(xs, np.array([[float(m.passed(g)) for g in level] for level in rows]))
