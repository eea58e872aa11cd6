"""Every data set of reasoning-gym (Apache-2.0) as a family, with the package's own scorers.

For evaluation: all families are held out, in the package's default settings. (The easy families with
worked solutions that the loop trains on are ``mathematics_gym``'s.) An item is named by its data set and
seed; its grader makes it again, since what a scorer needs of it is no plain data.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property, lru_cache
from typing import Any

from superalign.errors import InputError
from superalign.records import Message, Query, Split, Verdict
from superalign.registry import register_task
from superalign.tasks.base import family_cycle, seeded
from superalign.tasks.mathematics_gym import dataset, dataset_names

FORMAT = "\n\nEnd with the answer alone, between <answer> and </answer>."
_MARKED = re.compile(r"<answer>(.*?)(?:</answer>|\Z)", re.DOTALL | re.IGNORECASE)
_TRIES = 20  # seeds tried for an item that was not drawn yet


@register_task("gym")
class ReasoningGym:
    """About a hundred generators: algebra, logic, games, graphs, code, …; answers are scored."""

    domain = "gym"

    @cached_property
    def families(self) -> dict[str, Split]:
        """Data set → ``held_out``; the package is imported here for the first time.

        Raises:
            InputError: reasoning-gym is not installed.
        """
        return dict.fromkeys(dataset_names(), "held_out")

    def generate(
        self, n: int, *, seed: int, split: Split, families: Sequence[str] | None = None
    ) -> list[Query]:
        """See :class:`superalign.tasks.base.Task`.

        Raises:
            InputError: a data set has fewer different items than asked for.
        """
        names = family_cycle(self.families, split, families)
        if n and not names:
            raise InputError(f"gym: no families in split '{split}'; allowed: held_out")
        found: dict[str, Query] = {}
        for i in range(n):
            query = self._fresh(names[i % len(names)], seed, i, found)
            found[query.goal] = query
        return list(found.values())

    def grade(self, query: Query, text: str) -> Verdict:
        """Full marks of the data set's own scorer pass; an answer without the marks is missing."""
        marked = _MARKED.findall(text)
        if not marked or not marked[-1].strip():
            return Verdict(value=None, kind="unparsed", reason="no answer between the marks")
        said = marked[-1].strip()
        right = _score(query.family, int(query.truth["seed"]), said)
        return Verdict(
            value=float(right),
            kind="correct" if right else "wrong answer",
            reason=f"'{said[:80]}' by the scorer of {query.family}",
            parsed=said,
        )

    def _fresh(self, name: str, seed: int, index: int, known: dict[str, Query]) -> Query:
        for k in range(_TRIES):
            query = _query(name, seeded("gym", name, seed, index, k).getrandbits(30))
            if query.goal not in known:
                return query
        raise InputError(
            f"gym: {name} has too few different items; ask for fewer or other families"
        )


def _query(name: str, seed: int) -> Query:
    entry = _item(name, seed)
    question, answer = str(entry["question"]).strip(), entry["answer"]  # None: many are right
    return Query(
        domain="gym",
        family=name,
        split="held_out",
        messages=(Message(role="user", content=question + FORMAT),),
        truth={"seed": seed} if answer is None else {"seed": seed, "answer": str(answer)},
        goal=question,
        seed=seed,
    )


@lru_cache(maxsize=256)
def _item(name: str, seed: int) -> dict[str, Any]:
    return dict(dataset(name, seed)[0])


def _score(name: str, seed: int, said: str) -> bool:
    """Whether the scorer gives full marks; an answer that it cannot read is wrong."""
    try:
        return float(dataset(name, seed).score_answer(said, _item(name, seed))) >= 1.0
    except Exception:  # scorers parse a model's text, and raise whatever their parsers do
        return False
