"""Steps of a worked solution: which equations are found, and whether they hold."""

import contextlib
import time
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from superalign.records import Message, Query
from superalign.tasks.mathematics import (
    Mathematics,
    Step,
    verify_steps,
)
from superalign.tasks.mathematics_answers import final_number, parse_number
from superalign.tasks.mathematics_items import show
from superalign.tasks.mathematics_steps import Undecidable, evaluate

NUMBER = Query(
    domain="mathematics",
    family="test",
    split="train",
    messages=(Message(role="user", content="?"),),
    truth={"answer": "1", "kind": "number"},
)


def oks(text: str) -> list[tuple[str, str, bool]]:
    return [(step.equation, show(step.value), step.ok) for step in verify_steps(text)]


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("So 23 + 45 = 68.", [("23 + 45 = 68", "68", True)]),
        ("So 23 + 45 = 78.", [("23 + 45 = 78", "68", False)]),
        ("2 + 3 * 4 = 14", [("2 + 3 * 4 = 14", "14", True)]),
        ("(2 + 3) × 4 = 20", [("(2 + 3) × 4 = 20", "20", True)]),
        ("7 x 6 = 42, 8x2=15", [("7 x 6 = 42", "42", True), ("8x2=15", "16", False)]),
        ("84 ÷ 7 = 12", [("84 ÷ 7 = 12", "12", True)]),
        ("3 \\times 4 = 12", [("3 \\times 4 = 12", "12", True)]),
        ("20% of 50 = 10", [("20% of 50 = 10", "10", True)]),
        ("17 % 5 = 2", [("17 % 5 = 2", "2", True)]),
        ("15 / 60 * 100 = 25%", [("15 / 60 * 100 = 25%", "25", True)]),
        ("$5 * 3 = $15", [("5 * 3 = $15", "15", True)]),
        ("1,200 + 50 = 1,250", [("1,200 + 50 = 1,250", "1250", True)]),
        (
            "5 red apples + 3 apples = 9 apples",
            [("5 red apples + 3 apples = 9 apples", "8", False)],
        ),
        ("1 1/2 + 2 = 3.5", [("1 1/2 + 2 = 3.5", "3.5", True)]),
        ("10 / 3 = 3.33", [("10 / 3 = 3.33", "10/3", True)]),
        ("10 / 3 = 3.34", [("10 / 3 = 3.34", "10/3", False)]),
        ("28 / 1/5 = 140", [("28 / 1/5 = 140", "140", True)]),
        ("-3 + 2 = -1", [("-3 + 2 = -1", "-1", True)]),
        ("- 3 + 4 = 7\n* 1 + 1 = 2", [("3 + 4 = 7", "7", True), ("1 + 1 = 2", "2", True)]),
        ("1) 3 + 4 = 7", [("3 + 4 = 7", "7", True)]),
        ("**3 + 4 = 7**", [("3 + 4 = 7", "7", True)]),
        ("48/2 = <<48/2=24>>24", [("48/2=24", "24", True)]),
        ("12 = 3 * 4", [("12 = 3 * 4", "12", True)]),
        ("3 + 4 = 7 + 2 = 9", [("3 + 4 = 7", "7", True), ("7 + 2 = 9", "9", True)]),
        (
            "2 * 3 + 4 = 6 + 4 = 11",
            [("2 * 3 + 4 = 6 + 4", "10", True), ("6 + 4 = 11", "10", False)],
        ),
        ("total = 5 + 3 = 8", [("5 + 3 = 8", "8", True)]),
        ("20 + 40 = 60 and 3 + 5 = 8", [("20 + 40 = 60", "60", True), ("3 + 5 = 8", "8", True)]),
        ("a total of 5 + 3 = 8 cats", [("5 + 3 = 8 cats", "8", True)]),
        ("10 points per win * 4 = 40", [("10 points per win * 4 = 40", "40", True)]),
    ],
)
def test_finds_and_recomputes_equations(text: str, steps: list[tuple[str, str, bool]]) -> None:
    assert oks(text) == steps
    assert all(step.equation in text for step in verify_steps(text))


@pytest.mark.parametrize(
    "text",
    [
        "2x + 3 = 7",
        "x + 3 = 7",
        "y - 3 + 2 = 7",
        "2^3 + 1 = 9",
        "2**3 + 1 = 9",
        "sqrt(9) + 1 = 4",
        "√9 + 1 = 4",
        "\\sqrt{9} + 1 = 4",
        "49 - 3ab = 6",
        "5! + 1 = 121",
        "5 / 0 = 0",
        "x = 5",
        "3 apples = 3",
        "1/2 hour = 30 minutes",
        "17 / 5 = 3 remainder 2",
        "half of 8 + 2 = 6",
        "6 divided by 3 + 1 = 3",
        "12 + __ = 30",
        "12 + ? = 30",
        "50 + 20% = 60",
        "10:30 + 2 = 12:30",
        "Area_2 + 1 = 9",
        "((((" * 500 + "1 + 1) = 2",
        "1 + " * 3_000 + "1 = 2",
        "9" * 5_000 + " + 1 = 2",
        "= = = 3",
        "",
    ],
)
def test_accuses_only_what_it_understands(text: str) -> None:
    assert not [step for step in verify_steps(text) if not step.ok]


@st.composite
def expressions(draw: st.DrawFn, depth: int = 3) -> tuple[str, Fraction]:
    """A random expression, fully bracketed at random, and its value computed beside it."""
    if depth == 0 or draw(st.booleans()):
        places = draw(st.integers(0, 2))
        number = draw(st.integers(0, 9999))
        value = Fraction(number, 10**places)
        return (f"{number // 10**places}" if places == 0 else f"{float(value):.{places}f}"), value
    left, a = draw(expressions(depth=depth - 1))
    right, b = draw(expressions(depth=depth - 1))
    sign = draw(st.sampled_from("+-*×/÷x"))
    gap = draw(st.sampled_from(["", " "]))
    if sign in "/÷" and b == 0:
        return left, a
    results = {"+": a + b, "-": a - b, "*": a * b, "×": a * b, "x": a * b}
    value = a / b if sign in "/÷" else results[sign]
    return f"({left}{gap}{sign}{gap}{right})", value


@given(expressions())
def test_parser_agrees_with_fraction(case: tuple[str, Fraction]) -> None:
    text, value = case
    assert evaluate(text) == value


@given(st.lists(st.integers(0, 99), min_size=2, max_size=6), st.data())
def test_precedence_agrees_with_python(numbers: list[int], data: st.DataObject) -> None:
    signs = data.draw(st.lists(st.sampled_from("+-*"), min_size=5, max_size=5))
    total, product = Fraction(0), Fraction(numbers[0])
    for sign, number in zip(signs, numbers[1:], strict=False):
        if sign == "*":
            product *= number
        else:
            total, product = total + product, Fraction(number if sign == "+" else -number)
    text = str(numbers[0]) + "".join(f" {s} {n}" for s, n in zip(signs, numbers[1:], strict=False))
    assert evaluate(text) == total + product
    [right] = verify_steps(f"We get {text} = {total + product}.")
    [wrong] = verify_steps(f"We get {text} = {total + product + 1}.")
    assert (right.value, right.ok, wrong.ok) == (total + product, True, False)


@given(st.text(alphabet="0123456789+-*x/÷%().,= \n$abof\\{}^_", max_size=60))
def test_never_raises(text: str) -> None:
    for step in verify_steps(text):
        assert isinstance(step, Step)
        assert step.equation in text
    final_number(text)
    Mathematics().grade(NUMBER, text)
    with contextlib.suppress(Undecidable):
        evaluate(text)


@pytest.mark.parametrize(
    "part",
    [")", "(", "=", "\n", "1 + ", "\\boxed{", "answer is ", "1,", "1/", "-", "a ", "\\text{"],
)
def test_long_nonsense_is_read_quickly(part: str) -> None:
    start = time.process_time()
    verify_steps(part * 10_000 + "1 + 1 = 2")
    Mathematics().grade(NUMBER, part * 10_000)
    assert time.process_time() - start < 5


@given(st.fractions(max_denominator=1000, min_value=-(10**6), max_value=10**6))
def test_shown_numbers_are_read_back(value: Fraction) -> None:
    assert parse_number(show(value)) == value
    found = final_number(f"3 + 4 = 7. The answer is {show(value)}.")
    assert found is not None
    assert found.value == value
