"""The truthfulness task: computed truth, balance, splits, and its grader."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from superalign.errors import InputError
from superalign.records import Query
from superalign.registry import lookup
from superalign.tasks.base import seeded
from superalign.tasks.truthfulness import Truthfulness
from superalign.tasks.truthfulness_beliefs import BELIEFS
from superalign.tasks.truthfulness_facts import DAYS, FACTS, MONTHS, UNITS

TASK = Truthfulness()


@pytest.fixture(scope="module")
def queries() -> list[Query]:
    return [
        q
        for split in ("train", "held_out")
        for q in TASK.generate(240, seed=3, split=split)  # type: ignore[arg-type]
    ]


def facts(name: str, n: int = 200) -> list:  # type: ignore[type-arg]
    rng = seeded("test", name)
    return [FACTS[name][1](rng) for _ in range(n)]


def test_it_is_registered_and_repeats_itself() -> None:
    assert lookup("task", "truthfulness") is Truthfulness
    first = TASK.generate(60, seed=4, split="train")
    assert first == Truthfulness().generate(60, seed=4, split="train")
    assert TASK.generate(20, seed=4, split="train") == first[:20]
    other = {q.text for q in TASK.generate(60, seed=5, split="train")}
    assert len(other & {q.text for q in first}) < 20


def test_whole_families_are_held_out(queries: list[Query]) -> None:
    assert len(TASK.families) >= 12
    assert sum(split == "held_out" for split in TASK.families.values()) >= 4
    assert all(q.split == TASK.families[q.family] for q in queries)


def test_no_text_comes_twice_and_answers_are_balanced(queries: list[Query]) -> None:
    assert len({q.text for q in queries}) == len(queries)
    answers = Counter(q.truth["answer"] for q in queries)
    for one, two in (("Yes", "No"), ("A", "B")):
        assert 0.8 < answers[one] / answers[two] < 1.25
    assert {q.truth["form"] for q in queries} == {"number", "name", "claim", "choice"}


def test_its_own_answer_is_right_and_the_false_one_wrong(queries: list[Query]) -> None:
    flip = {"Yes": "No", "No": "Yes", "A": "B", "B": "A"}
    for query in queries:
        assert TASK.grade(query, str(query.fix)).value == 1.0, query.text
        answer = query.truth["answer"]
        others = [o for o in query.truth.get("options", ()) if o != answer]
        wrong = flip.get(answer) or (others[0] if others else str(int(answer) + 1))
        assert TASK.grade(query, f"{wrong}.").value == 0.0, query.text
        assert TASK.grade(query, "What a lovely day it is.").value is None


def test_a_choice_that_is_only_said_again_is_no_answer(queries: list[Query]) -> None:
    query = next(q for q in queries if q.truth["form"] == "choice")
    [listed] = re.findall(r"A: .*\nB: .*", query.text)
    assert TASK.grade(query, listed).value is None
    assert TASK.grade(query, f"B: {query.truth['false']}").value is not None


def test_sums_units_and_months_are_computed_rightly() -> None:
    for fact in facts("sums"):
        a, sign, b = re.findall(r"\d+|[-+*]", fact.question)
        value = {"+": int(a) + int(b), "-": int(a) - int(b), "*": int(a) * int(b)}[sign]
        assert int(fact.answer) == value != int(fact.wrong)
    factors = {(large, small): factor for large, small, factor in UNITS}
    for fact in facts("units"):
        small, n, large = re.match(
            r"How many (\w+) are there in (\d+) (\w+)\?", fact.question
        ).groups()  # type: ignore[union-attr]
        assert int(fact.answer) == int(n) * factors[large, small] != int(fact.wrong)
    for fact in facts("months", 60):
        [name] = [m for m in MONTHS if m in fact.question]
        assert {int(fact.answer), int(fact.wrong)} == {30, 31}
        assert int(fact.answer) == MONTHS[name]


def test_weekdays_comparisons_tables_and_ages_are_computed_rightly() -> None:
    for fact in facts("weekdays"):
        day, step = re.match(r"Today is (\w+)\. .* in (\d) days?\?", fact.question).groups()  # type: ignore[union-attr]
        assert fact.answer == DAYS[(DAYS.index(day) + int(step)) % 7] != fact.wrong
        assert {fact.answer, fact.wrong} <= {*fact.options, day}
        assert day not in fact.options
    in_small = {large: (small, factor) for large, small, factor in UNITS}
    for fact in facts("comparisons"):
        amounts = {}
        for said in fact.options:
            n, unit = said.split()
            amounts[said] = [int(n), unit]
        [small] = {in_small[u][0] for _, u in amounts.values() if u in in_small} & {
            u for _, u in amounts.values()
        } or {min(u for _, u in amounts.values())}
        worth = {
            said: n * (in_small[u][1] if u in in_small and in_small[u][0] == small else 1)
            for said, (n, u) in amounts.items()
        }
        assert worth[fact.answer] > worth[fact.wrong]
    for fact in facts("tables"):
        rows = {n: int(c) for n, c in re.findall(r"(\w+): (\d+)", fact.context)}
        if "most" in fact.question or "fewest" in fact.question:
            best = (max if "most" in fact.question else min)(rows, key=rows.__getitem__)
            assert fact.answer == best != fact.wrong
        else:
            [name] = [n for n in rows if n in fact.question]
            assert int(fact.answer) == rows[name] != int(fact.wrong)
    for fact in facts("ages"):
        years = {n: int(y) for n, y in re.findall(r"(\w+) was born in (\d+)", fact.context)}
        first = (min if "older" in fact.question else max)(years, key=years.__getitem__)
        assert fact.answer == first != fact.wrong
    assert all(f.answer == min(f.options) for f in facts("alphabet"))


def test_beliefs_come_in_pairs_that_differ() -> None:
    pairs = [pair for _, rows in BELIEFS.values() for pair in rows]
    assert len(pairs) >= 70
    statements = [s for pair in pairs for s in pair]
    assert len(set(statements)) == len(statements)
    assert all(s[0].isupper() and not s.endswith(".") for s in statements)


def test_a_family_that_is_used_up_says_so() -> None:
    with pytest.raises(InputError, match="'belief_body' has no more distinct queries"):
        TASK.generate(5000, seed=0, split="train", families=["belief_body"])
