"""What every mathematics family makes: a question, its answer and a worked solution."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from superalign.records import Split

Builder = Callable[[random.Random], "Item | None"]


@dataclass(frozen=True)
class Item:
    """One question. ``extra`` joins the query's truth (a grader's kind, options, gym metadata)."""

    question: str
    answer: str
    fix: str
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Family:
    """A family's split and its builder; a builder returns None for a draw that it rejects."""

    split: Split
    build: Builder


def show(value: int | Fraction) -> str:
    """``value`` as one writes it: an integer, a finite decimal, else a fraction in lowest terms."""
    value = Fraction(value)
    if value.denominator == 1:
        return str(value.numerator)
    for places in range(1, 7):
        if (value * 10**places).denominator == 1:
            sign, digits = "-" if value < 0 else "", str(abs(int(value * 10**places)))
            digits = digits.zfill(places + 1)
            return f"{sign}{digits[:-places]}.{digits[-places:]}"
    return f"{value.numerator}/{value.denominator}"


def worked(answer: int | Fraction | str, *steps: str) -> str:
    """The steps as sentences, then ``The answer is X.``"""
    final = answer if isinstance(answer, str) else show(answer)
    return " ".join([*(f"{step}." for step in steps if step), f"The answer is {final}."])


def sum_steps(a: int, b: int) -> list[str]:
    """``a + b`` split by place value where there is a place to split."""
    unit = 100 if min(a, b) >= 100 else 10
    if min(a, b) < 10:
        return [f"{a} + {b} = {a + b}"]
    high, low = a // unit * unit + b // unit * unit, a % unit + b % unit
    first = f"{a // unit * unit} + {b // unit * unit} = {high}"
    if low == 0:
        return [first]
    return [first, f"{a % unit} + {b % unit} = {low}", f"{high} + {low} = {a + b}"]


def difference_steps(a: int, b: int) -> list[str]:
    """``a - b``, the tens (or hundreds) first, then the rest."""
    unit = 100 if b >= 100 else 10
    if b < 10 or b % unit == 0:
        return [f"{a} - {b} = {a - b}"]
    high = b // unit * unit
    return [f"{a} - {high} = {a - high}", f"{a - high} - {b - high} = {a - b}"]


def product_steps(a: int, b: int) -> list[str]:
    """``a * b`` with the factor of two digits split into tens and units."""
    small, large = sorted((a, b))
    if large < 11 or small < 2 or large % 10 == 0:
        return [f"{a} * {b} = {a * b}"]
    tens, units = large // 10 * 10, large % 10
    return [
        f"{small} * {tens} = {small * tens}",
        f"{small} * {units} = {small * units}",
        f"{small * tens} + {small * units} = {a * b}",
    ]
