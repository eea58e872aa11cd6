"""Mathematics: fresh arithmetic, word problems and reasoning-gym items; answers are computed.

Own families, the word problems and reasoning-gym's each come with a split; whole families are held
out. The grader reads the final answer of any text and compares it exactly.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Container, Sequence

from superalign.errors import InputError
from superalign.records import Message, Query, Split, Verdict
from superalign.registry import register_task
from superalign.tasks import mathematics_arithmetic as arithmetic
from superalign.tasks import mathematics_gym as gym
from superalign.tasks import mathematics_word_problems as word_problems
from superalign.tasks.base import family_cycle, seeded
from superalign.tasks.mathematics_answers import (
    final_number,
    final_option,
    final_phrase,
    final_product,
    parse_number,
)
from superalign.tasks.mathematics_items import Family, Item
from superalign.tasks.mathematics_steps import Step, verify_steps

__all__ = ["Mathematics", "Step", "foreign_query", "verify_steps"]

DOMAIN = "mathematics"
ATTEMPTS = 400
FAMILIES: dict[str, Family] = {
    **arithmetic.FAMILIES,
    **{f"story_{name}": family for name, family in word_problems.FAMILIES.items()},
    **gym.FAMILIES,
}


@register_task(DOMAIN)
class Mathematics:
    """Short calculations and word problems with one computed answer each."""

    domain = DOMAIN
    families: dict[str, Split] = {name: family.split for name, family in FAMILIES.items()}  # noqa: RUF012

    def generate(
        self, n: int, *, seed: int, split: Split, families: Sequence[str] | None = None
    ) -> list[Query]:
        """``n`` distinct queries, the families in turn; a smaller ``n`` gives the same beginning.

        A family that has no more distinct questions to give drops out of the turn.

        Raises:
            InputError: no family has any more.
        """
        names = family_cycle(self.families, split, families)
        found: dict[str, Query] = {}
        queue = deque((name, 0) for name in names)
        while queue and len(found) < n:
            name, index = queue.popleft()
            query = _fresh(name, index, seed, found)
            if query is not None:
                found[query.text] = query
                queue.append((name, index + 1))
        if len(found) < n:
            raise InputError(
                f"mathematics: {n} queries asked for, the families have {len(found)} distinct "
                "ones; ask for fewer or name more families"
            )
        return list(found.values())

    def grade(self, query: Query, text: str) -> Verdict:
        """Whether the final answer in ``text`` is exactly the query's."""
        return grade(query, text)


def grade(query: Query, text: str) -> Verdict:
    """Whether the final answer in ``text`` is exactly that of ``query``; missing is undecided."""
    truth = query.truth
    answer, kind = str(truth["answer"]), truth.get("kind", "number")
    if kind == "gym":
        return _grade_gym(query, text)
    if kind == "text":
        options = truth.get("options")
        said = final_option(text, options) if options else final_phrase(text)
        return _verdict(said, answer, said is not None and _fold(said) == _fold(answer))
    number, exact = final_number(text, compare=bool(truth.get("compare"))), parse_number(answer)
    if exact is None:
        raise InputError(f"mathematics: the truth '{answer}' of query {query.id} is not a number")
    return _verdict(
        None if number is None else number.text,
        answer,
        number is not None and number.equals(exact),
    )


def foreign_query(question: str, answer: str, family: str, split: Split) -> Query:
    """A query from a row of a data file; "... #### 72" as in GSM8K's solutions gives 72.

    Raises:
        InputError: the question or the answer is empty.
    """
    question, final = question.strip(), answer.rpartition("####")[2].strip()
    if not question or not final:
        raise InputError(f"mathematics: an empty {'question' if not question else 'answer'}")
    kind = "text" if parse_number(final) is None else "number"
    return Query(
        domain=DOMAIN,
        family=family,
        split=split,
        messages=(Message(role="user", content=question),),
        truth={"answer": final, "kind": kind},
        goal=question,
    )


def _fresh(name: str, index: int, seed: int, seen: Container[str]) -> Query | None:
    family = FAMILIES[name]
    for attempt in range(ATTEMPTS):
        item = family.build(seeded(DOMAIN, seed, name, index, attempt))
        if item is not None and item.question not in seen:
            return _query(item, name, family.split, seed)
    return None


def _query(item: Item, name: str, split: Split, seed: int) -> Query:
    return Query(
        domain=DOMAIN,
        family=name,
        split=split,
        messages=(Message(role="user", content=item.question),),
        truth={"answer": item.answer, "kind": "number", **item.extra},
        goal=item.question,
        fix=item.fix,
        seed=seed,
    )


def _grade_gym(query: Query, text: str) -> Verdict:
    name, truth = str(query.truth["gym"]), query.truth
    if name == "prime_factorization":
        said = final_product(text)
    else:
        number = final_number(text)
        said = None if number is None else number.text.lstrip("\\$ ")
    return _verdict(said, str(truth["answer"]), said is not None and gym.score(name, said, truth))


def _verdict(said: str | None, answer: str, right: bool) -> Verdict:
    if said is None:
        return Verdict(value=None, kind="unparsed", reason="no answer to read in the text")
    if right:
        return Verdict(value=1.0, kind="ok", reason=f"the answer is {answer}", parsed=said)
    reason = f"the answer is {answer}, not {said}"
    return Verdict(value=0.0, kind="wrong answer", reason=reason, parsed=said)


def _fold(text: str) -> str:
    return " ".join(text.lower().split())
