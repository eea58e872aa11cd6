"""Arithmetic families: small operands, several wordings each, solutions by place value."""

from __future__ import annotations

import random
from collections.abc import Callable
from fractions import Fraction

from superalign.records import Split
from superalign.tasks.mathematics_items import (
    Builder,
    Family,
    Item,
    difference_steps,
    product_steps,
    show,
    sum_steps,
    worked,
)

FAMILIES: dict[str, Family] = {}

ASK = (
    "What is {e}?",
    "Calculate {e}.",
    "Work out {e}.",
    "Compute {e}.",
    "{e} = ?",
    "How much is {e}?",
    "Please calculate {e}.",
    "What do you get for {e}?",
    "Evaluate {e}. Give the result as a number.",
    "Find the value of {e}.",
)
TIMES = ("*", "×", "x", "times")
OVER = ("/", "÷", "divided by")


def family(name: str, split: Split) -> Callable[[Builder], Builder]:
    """Add a builder to ``FAMILIES``."""

    def decorate(build: Builder) -> Builder:
        FAMILIES[name] = Family(split, build)
        return build

    return decorate


def ask(rng: random.Random, expression: str, *spoken: str) -> str:
    """``expression`` in one of the common wordings, or one of the operation's own."""
    return rng.choice((*ASK, *spoken)).format(e=expression)


def _addition(rng: random.Random, low: int, high: int) -> Item:
    a, b = rng.randint(low, high), rng.randint(low, high)
    spoken = (f"Add {a} and {b}.", f"What is the sum of {a} and {b}?", f"What is {a} plus {b}?")
    return Item(ask(rng, f"{a} + {b}", *spoken), str(a + b), worked(a + b, *sum_steps(a, b)))


def _subtraction(rng: random.Random, low: int, high: int) -> Item:
    b, a = sorted((rng.randint(low, high), rng.randint(low, high)))
    spoken = (f"Subtract {b} from {a}.", f"What is {a} minus {b}?", f"Take {b} away from {a}.")
    return Item(ask(rng, f"{a} - {b}", *spoken), str(a - b), worked(a - b, *difference_steps(a, b)))


def _rounded(build: Callable[[random.Random, int, int], Item], rng: random.Random) -> Item:
    """A problem of ``build`` in round numbers: its operands times ten or a hundred."""
    unit = rng.choice((10, 100))
    low, high = (2, 30) if unit == 10 else (2, 9)
    return build(_Multiples(rng, unit), low, high)


class _Multiples(random.Random):
    """Draws multiples of ``unit``; everything else comes from ``rng``."""

    def __init__(self, rng: random.Random, unit: int) -> None:
        super().__init__(rng.random())
        self._unit = unit

    def randint(self, a: int, b: int) -> int:
        """A multiple of the unit between ``a`` and ``b`` units."""
        return self._unit * super().randint(a, b)


def _multiplication(rng: random.Random, a: int, b: int) -> Item:
    spoken = (f"Multiply {a} by {b}.", f"What is the product of {a} and {b}?")
    question = ask(rng, f"{a} {rng.choice(TIMES)} {b}", *spoken)
    return Item(question, str(a * b), worked(a * b, *product_steps(a, b)))


@family("addition_two_digit", "held_out")
def addition_two_digit(rng: random.Random) -> Item:
    """23 + 45."""
    return _addition(rng, 2, 30)


@family("addition_three_digit", "held_out")
def addition_three_digit(rng: random.Random) -> Item:
    """200 + 300."""
    return _rounded(_addition, rng)


@family("subtraction_two_digit", "held_out")
def subtraction_two_digit(rng: random.Random) -> Item:
    """54 - 27."""
    return _subtraction(rng, 2, 30)


@family("subtraction_three_digit", "train")
def subtraction_three_digit(rng: random.Random) -> Item:
    """500 - 200."""
    return _rounded(_subtraction, rng)


@family("multiplication_one_by_two", "train")
def multiplication_one_by_two(rng: random.Random) -> Item:
    """7 * 23."""
    return _multiplication(rng, rng.randint(2, 6), rng.randint(2, 12))


@family("multiplication_two_by_one", "train")
def multiplication_two_by_one(rng: random.Random) -> Item:
    """23 * 7."""
    return _multiplication(rng, rng.randint(2, 12), rng.randint(2, 6))


@family("division_exact", "train")
def division_exact(rng: random.Random) -> Item:
    """56 / 7."""
    b, q = rng.randint(2, 6), rng.randint(2, 10)
    a = b * q
    spoken = (f"Divide {a} by {b}.", f"How many times does {b} go into {a}?")
    question = ask(rng, f"{a} {rng.choice(OVER)} {b}", *spoken)
    return Item(question, str(q), worked(q, f"{b} * {q} = {a}", f"So {a} / {b} = {q}"))


@family("chain_three_terms", "train")
def chain_three_terms(rng: random.Random) -> Item | None:
    """23 + 45 - 9."""
    a, b, c = rng.randint(3, 20), rng.randint(1, 10), rng.randint(1, 10)
    signs = rng.choice(("+-", "-+", "++", "--"))
    first = a + b if signs[0] == "+" else a - b
    total = first + c if signs[1] == "+" else first - c
    if min(first, total) < 0:
        return None
    steps = f"{a} {signs[0]} {b} = {first}", f"{first} {signs[1]} {c} = {total}"
    return Item(ask(rng, f"{a} {signs[0]} {b} {signs[1]} {c}"), str(total), worked(total, *steps))


@family("multiply_then_add", "train")
def multiply_then_add(rng: random.Random) -> Item | None:
    """6 * 7 + 5, or 5 + 6 * 7."""
    a, b, c = rng.randint(2, 6), rng.randint(2, 9), rng.randint(1, 10)
    sign, product = rng.choice("+-"), a * b
    total = product + c if sign == "+" else product - c
    if total < 0:
        return None
    expression = f"{a} {rng.choice(TIMES[:3])} {b}"
    flipped = sign == "+" and rng.random() < 0.5
    whole = f"{c} + {expression}" if flipped else f"{expression} {sign} {c}"
    last = f"{c} + {product} = {total}" if flipped else f"{product} {sign} {c} = {total}"
    return Item(ask(rng, whole), str(total), worked(total, f"{a} * {b} = {product}", last))


COMPARE_TWO = (
    "Which is {w}, {a} or {b}?",
    "Which number is {w}: {a} or {b}?",
    "Tell me the {w} of {a} and {b}.",
    "{a} or {b}: which one is {w}?",
)
COMPARE_THREE = (
    "Which is the {w} of {a}, {b} and {c}?",
    "Find the {w} number: {a}, {b}, {c}.",
    "What is the {w} number among {a}, {b} and {c}?",
    "Pick the {w}: {a}, {b} or {c}.",
)


@family("comparison", "train")
def comparison(rng: random.Random) -> Item | None:
    """Which is larger, 0.5 or 0.35?"""
    scale = rng.choice((1, 1, 10, 100))
    values = [Fraction(rng.randint(11, 199), scale) for _ in range(rng.choice((2, 3)))]
    if scale == 100:
        values[0] = Fraction(rng.randint(1, 19), 10)
    if len(set(values)) < len(values):
        return None
    big, order = rng.random() < 0.5, sorted(values)
    best = order[-1] if big else order[0]
    texts = dict(zip("abc", map(show, values), strict=False))
    if len(values) == 2:
        word = rng.choice(("larger", "bigger", "greater") if big else ("smaller", "lower"))
        question = rng.choice(COMPARE_TWO).format(w=word, **texts)
        step = f"{show(order[1])} - {show(order[0])} = {show(order[1] - order[0])}"
        step += f", so {show(best)} is {word}"
    else:
        word = rng.choice(("largest", "biggest") if big else ("smallest", "lowest"))
        question = rng.choice(COMPARE_THREE).format(w=word, **texts)
        step = f"From small to large: {', '.join(map(show, order))}"
    return Item(question, show(best), worked(best, step), {"compare": True})


MISSING = (
    "What number goes in the blank: {e}?",
    "Find the missing number: {e}",
    "Fill in the blank: {e}",
    "{e} What is the missing number?",
    "Which number makes this true: {e}?",
)


@family("missing_number", "train")
def missing_number(rng: random.Random) -> Item:
    """12 + _ = 30."""
    a, b = rng.randint(2, 20), rng.randint(1, 12)
    shape = rng.randrange(4)
    if shape == 0:
        equation, answer, step = f"{a} + _ = {a + b}", b, f"{a + b} - {a} = {b}"
    elif shape == 1:
        equation, answer, step = f"_ - {b} = {a}", a + b, f"{a} + {b} = {a + b}"
    elif shape == 2:
        equation, answer, step = f"{a + b} - _ = {a}", b, f"{a + b} - {a} = {b}"
    else:
        a, b = rng.randint(2, 6), rng.randint(2, 10)
        equation, answer, step = f"{a} * _ = {a * b}", b, f"{a * b} / {a} = {b}"
    equation = equation.replace("_", rng.choice(("__", "?", "[ ]", "□")))
    return Item(rng.choice(MISSING).format(e=equation), str(answer), worked(answer, step))


PERCENTS = {5: (20, 1), 10: (10, 1), 20: (5, 1), 25: (4, 1), 30: (10, 3), 40: (5, 2)}
PERCENTS |= {50: (2, 1), 60: (5, 3), 75: (4, 3), 80: (5, 4), 90: (10, 9)}


@family("percent_of", "train")
def percent_of(rng: random.Random) -> Item:
    """20% of 60."""
    percent = rng.choice(list(PERCENTS))
    parts, times = PERCENTS[percent]
    whole = parts * rng.randint(1, 12)
    share = whole // parts
    steps = [f"{percent}% is {times}/{parts}", f"{whole} / {parts} = {share}"]
    if times > 1:
        steps.append(f"{share} * {times} = {share * times}")
    spoken = f"What is {percent} percent of {whole}?", f"Find {percent}% of {whole}."
    question = ask(rng, f"{percent}% of {whole}", *spoken)
    return Item(question, str(share * times), worked(share * times, *steps))


@family("fraction_of", "train")
def fraction_of(rng: random.Random) -> Item:
    """3/4 of 20."""
    d = rng.randint(2, 5)
    n, part = rng.randint(1, d - 1), rng.randint(1, 10)
    whole, result = d * part, n * part
    steps = [f"{whole} / {d} = {part}"] + ([f"{part} * {n} = {result}"] if n > 1 else [])
    question = ask(rng, f"{n}/{d} of {whole}", f"Find {n}/{d} of {whole}.")
    return Item(question, str(result), worked(result, *steps))


@family("fraction_addition", "held_out")
def fraction_addition(rng: random.Random) -> Item:
    """1/8 + 3/8."""
    d = rng.randint(3, 15)
    a, b = rng.randint(1, d - 1), rng.randint(1, d - 1)
    sign = "+" if a <= b else rng.choice("+-")
    top = a + b if sign == "+" else a - b
    total = Fraction(top, d)
    steps = [f"{a} {sign} {b} = {top}, so it is {top}/{d}"]
    if total.denominator != d:
        steps.append(f"{top}/{d} = {total}")
    return Item(ask(rng, f"{a}/{d} {sign} {b}/{d}"), str(total), worked(str(total), *steps))


UNITS = (
    ("hours", "minutes", 60),
    ("minutes", "seconds", 60),
    ("days", "hours", 24),
    ("weeks", "days", 7),
    ("years", "months", 12),
    ("feet", "inches", 12),
    ("yards", "feet", 3),
    ("meters", "centimeters", 100),
    ("kilograms", "grams", 1000),
    ("kilometers", "meters", 1000),
    ("gallons", "quarts", 4),
    ("dollars", "cents", 100),
)
CONVERT = (
    "How many {small} are there in {q}?",
    "Convert {q} to {small}.",
    "Express {q} in {small}.",
    "How many {small} make up {q}?",
)


@family("unit_conversion", "held_out")
def unit_conversion(rng: random.Random) -> Item:
    """How many minutes are there in 3 hours and 20 minutes?"""
    large, small, factor = rng.choice(UNITS)
    n, rest = rng.randint(2, 9), rng.choice((0, 0, 0, rng.randint(2, min(factor - 1, 99))))
    total = n * factor + rest
    quantity = f"{n} {large}"
    steps = [f"{n} * {factor} = {n * factor}"]
    if rest:
        quantity += f" and {rest} {small}"
        steps.append(f"{n * factor} + {rest} = {total}")
    question = rng.choice(CONVERT).format(small=small, q=quantity)
    return Item(question, str(total), worked(total, *steps))


NEXT = (
    "What number comes next: {s}, ...?",
    "Continue the sequence: {s}, ?",
    "Find the next number: {s}, __",
    "Which number follows in the pattern {s}?",
    "{s}. What comes next?",
)


@family("sequence_next", "train")
def sequence_next(rng: random.Random) -> Item:
    """4, 7, 10, 13, ?"""
    step, length = rng.choice((1, 2, 3, 4, 5, 10)), rng.choice((4, 5))
    down = rng.random() < 0.3
    start = rng.randint(1, 20) + (step * length if down else 0)
    sign = -1 if down else 1
    terms = [start + sign * step * i for i in range(length + 1)]
    gap = f"{terms[0]} - {terms[1]} = {step}" if down else f"{terms[1]} - {terms[0]} = {step}"
    last = f"{terms[-2]} {'-' if down else '+'} {step} = {terms[-1]}"
    question = rng.choice(NEXT).format(s=", ".join(map(str, terms[:-1])))
    return Item(question, str(terms[-1]), worked(terms[-1], f"The step is {gap}", last))


ROUND = (
    "Round {a} to the nearest {u}.",
    "What is {a} rounded to the nearest {u}?",
    "Give {a} to the nearest {u}.",
    "To the nearest {u}, what is {a}?",
)


@family("rounding", "train")
def rounding(rng: random.Random) -> Item | None:
    """Round 47 to the nearest ten. (Exact halves are left out.)"""
    unit, name = rng.choice(((10, "ten"), (10, "ten"), (100, "hundred")))
    a = rng.randint(unit + 1, 99 if unit == 10 else 999)
    below = a // unit * unit
    if a % unit in (0, unit // 2):
        return None
    answer = below if a % unit < unit / 2 else below + unit
    near = f"{a} - {below} = {a - below}" if answer == below else f"{answer} - {a} = {answer - a}"
    steps = f"{a} is between {below} and {below + unit}", f"{near}, so {answer} is nearest"
    return Item(rng.choice(ROUND).format(a=a, u=name), str(answer), worked(answer, *steps))


AVERAGE = (
    "What is the average of {s}?",
    "Find the mean of {s}.",
    "Calculate the average of {s}.",
    "The numbers are {s}. What is their average?",
)


@family("average", "train")
def average(rng: random.Random) -> Item | None:
    """The average of 4, 6 and 8."""
    values = [rng.randint(1, 16) for _ in range(rng.choice((2, 3)))]
    total, n = sum(values), len(values)
    if total % n:
        return None
    listed = f"{', '.join(map(str, values[:-1]))} and {values[-1]}"
    steps = f"{' + '.join(map(str, values))} = {total}", f"{total} / {n} = {total // n}"
    question = rng.choice(AVERAGE).format(s=listed)
    return Item(question, str(total // n), worked(total // n, *steps))
