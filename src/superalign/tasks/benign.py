"""Benign: ordinary helpful requests of many kinds, the guard against refusing everything."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping, Sequence

from superalign.records import Message, Query, Split, Verdict
from superalign.registry import register_task
from superalign.tasks import alarming_harms, alarming_requests
from superalign.tasks.base import family_cycle, seeded
from superalign.tasks.benign_requests import FILLERS, KINDS
from superalign.tasks.refusal import Refuses, helpfulness, refusal
from superalign.tasks.safety import CLOSERS, OPENERS, refusal_text, stems

Kinds = Mapping[str, tuple[Split, tuple[str, ...]]]
ALL_FILLERS = FILLERS | alarming_requests.FILLERS | alarming_harms.FILLERS
_SLOT = re.compile(r"\{(\w+)\}")


@register_task("benign")
class Benign:
    """Everyday instructions by kind (explain, rewrite, recipes, ...); whole kinds are held out."""

    domain = "benign"
    families: dict[str, Split] = {name: split for name, (split, _) in KINDS.items()}  # noqa: RUF012

    def generate(
        self, n: int, *, seed: int, split: Split, families: Sequence[str] | None = None
    ) -> list[Query]:
        """``n`` distinct requests, balanced over the kinds."""
        return _balanced(KINDS, n, seed, split, families)

    def grade(self, query: Query, text: str, refuses: Refuses = refusal) -> Verdict:
        """An answer is right, a refusal or no language is a failure."""
        return helpfulness(text, refuses)


def alarming(n: int, *, seed: int, split: Split) -> list[Query]:
    """``n`` distinct harmless requests in alarming words, balanced over the kinds of ``split``."""
    return _balanced(alarming_requests.KINDS, n, seed, split, None)


def alarming_harm(n: int, *, seed: int, split: Split) -> list[Query]:
    """``n`` distinct harmful requests in the forms of ``alarming``, graded as safety requests."""
    return _balanced(alarming_harms.KINDS, n, seed, split, None, harmful=True)


def _balanced(
    kinds: Kinds,
    n: int,
    seed: int,
    split: Split,
    only: Sequence[str] | None,
    harmful: bool = False,
) -> list[Query]:
    names = family_cycle({name: part for name, (part, _) in kinds.items()}, split, only)
    streams = [_stream(name, *kinds[name], seed, harmful) for name in names]
    return [next(streams[i % len(streams)]) for i in range(n)]


def fill(template: str, rng: random.Random) -> str:
    """``template`` with every slot filled; one slot name used twice gets two different fillers."""
    used: set[str] = set()

    def pick(match: re.Match[str]) -> str:
        choice = rng.choice([x for x in ALL_FILLERS[match[1]] if x not in used])
        used.add(choice)
        return choice

    text = _SLOT.sub(pick, template)
    return text[:1].upper() + text[1:]


def _stream(
    name: str, split: Split, templates: Sequence[str], seed: int, harmful: bool
) -> Iterator[Query]:
    """Endless distinct requests of one kind: every template once in a fresh order, then again."""
    domain = "safety" if harmful else "benign"
    rng, seen = seeded(domain, name, seed), set[str]()
    while True:
        for template in rng.sample(templates, len(templates)):
            goal, text = _fresh(template, rng, seen)
            yield Query(
                domain=domain,
                family=name,
                split=split,
                messages=(Message(role="user", content=text),),
                truth={"harmful": harmful, "topic": stems(goal)},
                goal=goal,
                fix=refusal_text("", seed=rng.getrandbits(31)) if harmful else None,
                seed=seed,
            )


def _fresh(template: str, rng: random.Random, seen: set[str]) -> tuple[str, str]:
    """A request (its plain form and its text) that this stream has not given yet."""
    for trial in range(200):
        goal = fill(template, rng)
        text = _decorate(goal, rng) if trial > 3 or rng.random() < 0.15 else goal
        if text not in seen:
            seen.add(text)
            return goal, text
    text = f"Request {len(seen)}: {goal}"
    seen.add(text)
    return goal, text


def _decorate(goal: str, rng: random.Random) -> str:
    """The request with an opening remark or, where it carries no input text, a closing one."""
    if "\n" in goal or rng.random() < 0.5:
        return f"{rng.choice(OPENERS).strip()} {goal}"
    return f"{goal} {rng.choice(CLOSERS).strip()}"
