"""Benign: ordinary helpful requests of many kinds, the guard against refusing everything."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence

from superalign.records import Message, Query, Split, Verdict
from superalign.registry import register_task
from superalign.tasks.base import family_cycle, seeded
from superalign.tasks.benign_requests import FILLERS, KINDS
from superalign.tasks.refusal import helpfulness
from superalign.tasks.safety import CLOSERS, OPENERS, stems

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
        names = family_cycle(self.families, split, families)
        streams = {name: _stream(name, seed) for name in names}
        return [next(streams[names[i % len(names)]]) for i in range(n)]

    def grade(self, query: Query, text: str) -> Verdict:
        """An answer is right, a refusal or no language is a failure."""
        return helpfulness(text)


def fill(template: str, rng: random.Random) -> str:
    """``template`` with every slot filled; one slot name used twice gets two different fillers."""
    used: set[str] = set()

    def pick(match: re.Match[str]) -> str:
        choice = rng.choice([x for x in FILLERS[match[1]] if x not in used])
        used.add(choice)
        return choice

    text = _SLOT.sub(pick, template)
    return text[:1].upper() + text[1:]


def _stream(name: str, seed: int) -> Iterator[Query]:
    """Endless distinct requests of one kind: every template once in a fresh order, then again."""
    rng, seen = seeded("benign", name, seed), set[str]()
    templates = KINDS[name][1]
    while True:
        for template in rng.sample(templates, len(templates)):
            goal, text = _fresh(template, rng, seen)
            yield Query(
                domain="benign",
                family=name,
                split=KINDS[name][0],
                messages=(Message(role="user", content=text),),
                truth={"harmful": False, "topic": stems(goal)},
                goal=goal,
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
