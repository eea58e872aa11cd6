"""Five families of executable problems, each with any number of steps k >= 2."""

from __future__ import annotations

import random
from collections.abc import Callable

from superalign.oversight.traces import LARGEST, Instruction, Operand, Problem, apply

SPOKEN = {"+": "add {}", "-": "subtract {}", "*": "multiply by {}"}
NAMES = (
    "Ada Ben Cleo Dan Eve Finn Gus Hana Ivo Jane Kim Leo Mia Noa Otto Pia Quin Rosa Sam Tess Uma "
    "Vera Wim Xena Yan Zoe"
).split()
FRUIT = "pears figs plums limes kiwis dates melons peaches apples grapes mangos lemons".split()
UNITS = (
    ("days", (("weeks", 7),)),
    ("hours", (("days", 24),)),
    ("minutes", (("hours", 60),)),
    ("inches", (("feet", 12), ("yards", 36))),
    ("pints", (("gallons", 8), ("quarts", 2))),
    ("months", (("years", 12),)),
    ("ounces", (("pounds", 16),)),
    ("cups", (("gallons", 16), ("quarts", 4), ("pints", 2))),
)
DRAWS = 200


def arithmetic(rng: random.Random, k: int) -> Problem:
    """A chain: start with a number, then change it k times."""
    start = rng.randint(5, 60)
    value, words, steps = start, [], []
    for i in range(k):
        operation, other = _change(rng, value)
        value = apply(operation, (value, other))
        words.append(SPOKEN[operation].format(other))
        first = Operand(start) if i == 0 else Operand(i - 1, True)
        steps.append(Instruction(operation, (first, Operand(other))))
    return Problem(
        "arithmetic", f"Start with {start}. Then {'; '.join(words)}. What is left?", tuple(steps)
    )


def variables(rng: random.Random, k: int) -> Problem:
    """A straight program: each variable is made of earlier ones and constants."""
    letters = rng.sample("abcdefghjkmnpqrstuvwxyz", 23)
    names = [letters[i % 23] + (str(i // 23) if i >= 23 else "") for i in range(k + 1)]
    start = rng.randint(3, 30)
    values, said, steps = [start], [f"{names[0]} = {start}"], []
    for i in range(1, k + 1):
        first = i - 1 if rng.random() < 0.7 else rng.randrange(i)
        operation, other = _change(rng, values[first])
        earlier = rng.randrange(i)
        use = operation != "*" and earlier != first and rng.random() < 0.4
        b = values[earlier] if use else other
        if use and operation == "-" and b >= values[first]:
            operation = "+"
        if apply(operation, (values[first], b)) > LARGEST:
            operation, use, b = "-", False, rng.randint(1, 9)
        refs = [_slot(first, start), _slot(earlier, start) if use else Operand(b)]
        values.append(apply(operation, (values[first], b)))
        said.append(f"{names[i]} = {names[first]} {operation} {names[earlier] if use else b}")
        steps.append(Instruction(operation, tuple(refs), names[i]))
    return Problem("variables", f"{'; '.join(said)}. What is {names[k]}?", tuple(steps))


def _slot(index: int, start: int) -> Operand:
    """Variable 0 is given, variable i is the result of instruction i - 1."""
    return Operand(start) if index == 0 else Operand(index - 1, True)


def deductions(rng: random.Random, k: int) -> Problem:
    """Who is at home: each person's yes or no follows from those before."""
    order = rng.sample(NAMES, len(NAMES))
    names = [order[i % len(order)] + ("" if i < len(order) else f" {i}") for i in range(k + 1)]
    start = rng.randint(0, 1)
    said, steps = [f"{names[0]} is {'' if start else 'not '}at home"], []
    for i in range(1, k + 1):
        first = i - 1 if rng.random() < 0.8 else rng.randrange(i)
        others = [j for j in range(i) if j != first]
        operation = rng.choice(["not", "and", "or"]) if others else "not"
        one = _slot(first, start)
        if operation == "not":
            said.append(f"{names[i]} is at home if {names[first]} is not")
            steps.append(Instruction("not", (one,), names[i]))
        else:
            other = rng.choice(others)
            said.append(
                f"{names[i]} is at home if {names[first]} {operation} {names[other]} "
                f"{'are' if operation == 'and' else 'is'}"
            )
            steps.append(Instruction(operation, (one, _slot(other, start)), names[i]))
    question = f"{'. '.join(said)}. Otherwise people are out. Is {names[k]} at home?"
    return Problem("deductions", question, tuple(steps))


def table(rng: random.Random, k: int) -> Problem:
    """A bill: look prices up, multiply by the counts, add as you go."""
    bought = (k + 1) // 2
    goods = [FRUIT[i % 12] if i < 12 else f"{FRUIT[i % 12]} {i // 12}" for i in range(bought + 2)]
    rng.shuffle(goods)
    prices = {g: rng.randint(2, 19) for g in goods}
    counts = [rng.randint(2, 9) for _ in range(bought)]
    parts = [(g, c, prices[g]) for g, c in zip(goods, counts, strict=False)]
    listed = ", ".join(f"{g} {p}" for g, p in sorted(prices.items()))
    wanted = ", ".join(f"{c} {g}" for g, c, _ in parts)
    extra = rng.randint(2, 40) if k % 2 == 0 else None
    fee = "" if extra is None else f" and a fee of {extra}"
    question = f"Prices: {listed}. The order: {wanted}{fee}. What is the total?"
    return Problem("table", question, _totals([(g, c, p) for g, c, p in parts], extra))


def units(rng: random.Random, k: int) -> Problem:
    """A sum of amounts in one unit, each converted first."""
    target, larger = rng.choice(UNITS)
    converted = (k + 1) // 2
    parts = [
        (name, rng.randint(2, 12), factor) for name, factor in rng.choices(larger, k=converted)
    ]
    extra = rng.randint(2, 30) if k % 2 == 0 else None
    known = ", ".join(f"{f} {target} in one of the {n}" for n, f in larger)
    amounts = ", ".join(
        [*(f"{c} {n}" for n, c, _ in parts), *([f"{extra} {target}"] if extra else [])]
    )
    question = f"There are {known}. How many {target} are {amounts} together?"
    return Problem("units", question, _totals(parts, extra))


def _totals(parts: list[tuple[str, int, int]], extra: int | None) -> tuple[Instruction, ...]:
    """Products of the parts, each added to the running total; ``extra`` comes last."""
    steps: list[Instruction] = []
    total: Operand | None = None
    for label, count, factor in parts:
        steps.append(Instruction("*", (Operand(count), Operand(factor)), label))
        made = Operand(len(steps) - 1, True)
        if total is not None:
            steps.append(Instruction("+", (total, made), "total"))
            made = Operand(len(steps) - 1, True)
        total = made
    if extra is not None and total is not None:
        steps.append(Instruction("+", (total, Operand(extra)), "total"))
    return tuple(steps)


def _change(rng: random.Random, value: int) -> tuple[str, int]:
    """An operation and its second operand that keep a value positive and readable."""
    allowed = ["+"] + ["-"] * (value > 12) * 2 + ["*"] * (value <= 60)
    operation = rng.choice(allowed)
    if operation == "*":
        return operation, rng.randint(2, 5)
    high = min(60, value - 2) if operation == "-" else 60
    return operation, rng.randint(2, max(2, high))


FAMILIES: dict[str, Callable[[random.Random, int], Problem]] = {
    "arithmetic": arithmetic,
    "variables": variables,
    "deductions": deductions,
    "table": table,
    "units": units,
}
