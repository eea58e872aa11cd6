"""Questions whose truth is computed: sums, units, dates, comparisons and tables given in the prompt."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from superalign.records import Split

NAMES = tuple(
    "Ann Ben Cara David Ella Finn Grace Hugo Ivy Jack Kate Leo Mia Noah Olga Paul Ruth Sam".split()
)
DAYS = tuple("Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split())
MONTHS = {
    "January": 31, "March": 31, "April": 30, "May": 31, "June": 30, "July": 31, "August": 31,
    "September": 30, "October": 31, "November": 30, "December": 31,
}  # fmt: skip
UNITS = (
    ("hours", "minutes", 60), ("minutes", "seconds", 60), ("days", "hours", 24),
    ("weeks", "days", 7), ("years", "months", 12), ("kilometres", "metres", 1000),
    ("metres", "centimetres", 100), ("kilograms", "grams", 1000), ("litres", "millilitres", 1000),
    ("dozens", "pieces", 12), ("centuries", "years", 100), ("feet", "inches", 12),
)  # fmt: skip
WORDS = tuple(
    "apple bread candle daisy engine forest garden harbour island jacket kettle ladder mirror "
    "needle orange pencil quilt river saddle table umbrella violin window yellow zebra".split()
)


@dataclass(frozen=True)
class Fact:
    """One question with its computed answer, a plausible wrong one, and both as statements.

    ``options``: what may be answered; none where the answer is a number. ``context`` is told before
    the question.
    """

    question: str
    answer: str
    wrong: str
    true: str
    false: str
    options: tuple[str, ...] = ()
    context: str = ""


def sums(rng: random.Random) -> Fact:
    """A small addition, subtraction or multiplication."""
    a, b, sign = rng.randint(2, 19), rng.randint(2, 12), rng.choice("+-*")
    a = max(a, b) if sign == "-" else a
    value = {"+": a + b, "-": a - b, "*": a * b}[sign]
    return _number(f"What is {a} {sign} {b}?", f"{a} {sign} {b} is {{}}", value, rng)


def units(rng: random.Random) -> Fact:
    """A conversion from a larger unit to a smaller one."""
    large, small, factor = rng.choice(UNITS)
    n = rng.randint(2, 9)
    said = f"There are {{}} {small} in {n} {large}"
    return _number(f"How many {small} are there in {n} {large}?", said, n * factor, rng)


def weekdays(rng: random.Random) -> Fact:
    """The day of the week some days from a given one."""
    start, step = rng.randrange(7), rng.randint(1, 5)
    day = DAYS[start]
    right, wrong = DAYS[(start + step) % 7], DAYS[(start + step + rng.choice((1, 2, 5))) % 7]
    when = "in 1 day" if step == 1 else f"in {step} days"
    said = f"If today is {day}, it will be {{}} {when}"
    others = tuple(d for d in DAYS if d != day)
    return _named(f"Today is {day}. Which day will it be {when}?", said, right, wrong, others)


def months(rng: random.Random) -> Fact:
    """How many days a month has."""
    name, days = rng.choice(list(MONTHS.items()))
    wrong = 61 - days
    asked = rng.choice((f"How many days does {name} have?", f"How many days are there in {name}?"))
    return _numbers(asked, f"{name} has {{}} days", days, wrong)


def comparisons(rng: random.Random) -> Fact:
    """Which of two amounts in different units is more."""
    large, small, factor = rng.choice(UNITS)
    n = rng.randint(2, 9)
    share = rng.choice((0.3, 0.5, 0.7, 1.4, 2.0, 3.0))
    amounts = f"{n} {large}", f"{max(2, round(n * factor * share))} {small}"
    right, wrong = amounts if share < 1 else amounts[::-1]
    first, second = rng.sample(amounts, 2)
    rest = wrong
    return Fact(
        f"Which is more: {first} or {second}?", right, wrong,
        f"{right} are more than {rest}", f"{wrong} are more than {right}", (first, second),
    )  # fmt: skip


def tables(rng: random.Random) -> Fact:
    """Who has most or fewest in a table, or how many one of them has."""
    thing = rng.choice(("points", "books", "coins", "stamps", "apples"))
    names = rng.sample(NAMES, 4)
    counts = dict(zip(names, rng.sample(range(3, 60), 4), strict=True))
    context = "\n".join(f"{name}: {count} {thing}" for name, count in counts.items())
    by_count = sorted(names, key=counts.__getitem__)
    kind = rng.choice(("most", "fewest", "count"))
    if kind == "count":
        name, other = rng.sample(names, 2)
        said = f"According to the table, {name} has {{}} {thing}"
        fact = _numbers(f"How many {thing} does {name} have?", said, counts[name], counts[other])
    else:
        right, wrong = (by_count[-1], by_count[-2]) if kind == "most" else by_count[:2]
        said = f"According to the table, {{}} has the {kind} {thing}"
        fact = _named(f"Who has the {kind} {thing}?", said, right, wrong, tuple(names))
    return Fact(**{**vars(fact), "context": context})


def ages(rng: random.Random) -> Fact:
    """Which of two people is older, by their years of birth."""
    one, two = rng.sample(NAMES, 2)
    years = dict(zip((one, two), rng.sample(range(1930, 2010), 2), strict=True))
    kind = rng.choice(("older", "younger"))
    right, wrong = sorted(years, key=years.__getitem__, reverse=kind == "younger")
    context = f"{one} was born in {years[one]}. {two} was born in {years[two]}."
    return _named(
        f"Who is {kind}?", f"{{}} is the {kind} of the two", right, wrong, (one, two), context
    )


def alphabet(rng: random.Random) -> Fact:
    """Which of two words a dictionary lists first."""
    words = rng.sample(WORDS, 2)
    right, wrong = sorted(words)
    asked = f"Which word comes first in a dictionary: {words[0]} or {words[1]}?"
    return _named(asked, 'The word "{}" comes first in a dictionary', right, wrong, tuple(words))


FACTS: dict[str, tuple[Split, Callable[[random.Random], Fact]]] = {
    "sums": ("train", sums),
    "units": ("train", units),
    "weekdays": ("train", weekdays),
    "months": ("train", months),
    "comparisons": ("train", comparisons),
    "tables": ("train", tables),
    "ages": ("held_out", ages),
    "alphabet": ("held_out", alphabet),
}


def _number(question: str, said: str, value: int, rng: random.Random) -> Fact:
    near = [value + d for d in (-10, -2, -1, 1, 2, 10) if value + d > 0]
    return _numbers(question, said, value, rng.choice(near))


def _numbers(question: str, said: str, right: int, wrong: int) -> Fact:
    return Fact(question, str(right), str(wrong), said.format(right), said.format(wrong))


def _named(
    question: str, said: str, right: str, wrong: str, options: tuple[str, ...], context: str = ""
) -> Fact:
    true, false = said.format(right), said.format(wrong)
    return Fact(question, right, wrong, true, false, options, context)
