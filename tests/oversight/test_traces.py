"""Traces execute: what a line says, what was due, and what a repair leads to."""

import random

import pytest

from superalign.oversight.flaws import KINDS, make_trace
from superalign.oversight.problems import FAMILIES
from superalign.oversight.traces import (
    Instruction,
    Line,
    Operand,
    Problem,
    Trace,
    faithful,
    read_line,
)

CHAIN = Problem(
    "arithmetic",
    "Start with 5. Then add 3; multiply by 2. What is left?",
    (
        Instruction("+", (Operand(5), Operand(3))),
        Instruction("*", (Operand(0, True), Operand(2))),
    ),
)


def test_a_chain_worked_by_hand() -> None:
    trace = faithful(CHAIN)
    assert [x.text for x in trace.lines] == ["5 + 3 = 8", "8 * 2 = 16"]
    assert CHAIN.answer == 16
    assert trace.first_error is None


def test_repairs_are_executed() -> None:
    flawed = Trace(CHAIN, (Line("5 + 3 = 9", 0, "slip"), Line("9 * 2 = 18", 1)))
    assert flawed.due(0) == "5 + 3 = 8"
    assert flawed.repaired(0, "5 + 3 = 8") == 16
    assert flawed.fix_holds(0, "3 + 5 = 8")
    assert not flawed.fix_holds(0, "4 + 4 = 8")  # a true sum that nobody asked for
    assert flawed.repaired(0, "5 + 3 = 9") is None  # its own sum is false
    assert not flawed.fix_holds(0, "the sum is wrong")
    assert not flawed.fix_holds(1, "9 * 2 = 18")  # right given the line before, but too late


@pytest.mark.parametrize(
    ("text", "reading"),
    [
        ("5 + 3 = 8", ("+", (5, 3), 8)),
        ("total: 12 - 4 = 7.", ("-", (12, 4), 7)),
        ("Ada: not yes = no", ("not", (1,), 0)),
        ("Ben: yes and no = no", ("and", (1, 0), 0)),
        ("So Ada stands at no.", None),
        ("5 + yes = 8", None),
        ("5 / 0 = 1", None),
        ("__import__('os')", None),
    ],
)
def test_what_a_line_says(text: str, reading: object) -> None:
    assert read_line(text) == reading


@pytest.mark.parametrize("family", FAMILIES)
def test_planted_flaws_are_the_only_faults(family: str) -> None:
    rng = random.Random(1)
    kinds = set()
    for n in range(150):
        k = rng.randint(3, 10)
        wanted = n % 3
        trace = make_trace(rng, k, flaws=wanted, family=family, decoys=0.3)
        kinds |= {trace.lines[p].flaw for p in trace.flaws}
        assert len(trace.flaws) == wanted
        first = trace.first_error
        upto = len(trace) if first is None else first
        for position in range(upto):  # before the first flaw every performed line is the one due
            line = trace.lines[position]
            if line.performs is not None:
                assert trace.fix_holds(position, line.text)
        if first is not None:
            due = trace.due(first)
            assert due is not None
            assert trace.fix_holds(first, due)
            assert not trace.fix_holds(first, trace.lines[first].text)
    assert kinds >= {"slip", "wrong copy"}
    assert kinds <= set(KINDS)


def test_all_kinds_of_flaw_occur_and_places_are_uniform() -> None:
    rng = random.Random(2)
    traces = [make_trace(rng, 5, flaws=1) for _ in range(1500)]
    assert {t.lines[t.flaws[0]].flaw for t in traces} == set(KINDS)
    places = [sum(t.flaws[0] == p for t in traces) / 1500 for p in range(5)]
    assert max(places) - min(places) < 0.06


@pytest.mark.parametrize("k", [2, 3, 7, 16, 40])
def test_every_family_has_any_number_of_steps(k: int) -> None:
    rng = random.Random(3)
    for family in FAMILIES:
        trace = make_trace(rng, k, family=family)
        assert len(trace) == k
        assert trace.problem.answer == trace.state(k)[k - 1]


def test_refuses_what_cannot_be() -> None:
    with pytest.raises(ValueError, match="flaws"):
        make_trace(random.Random(0), 3, flaws=4)
