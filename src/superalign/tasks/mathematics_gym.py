"""Families from reasoning-gym (Apache-2.0), in easy settings and with worked solutions.

The package is imported when a family of it is first generated or graded, never before: its import
takes seconds. Each question is item 0 of a data set whose seed comes from the caller's generator.
"""

from __future__ import annotations

import importlib.util
import math
import random
import re
import sys
import types
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise
from typing import Any

from superalign.errors import InputError
from superalign.records import Split
from superalign.tasks.mathematics_items import Family, Item, product_steps, worked
from superalign.tasks.mathematics_steps import reduction

Entry = dict[str, Any]
# Made of other data sets; needs a solver to be compiled; a scorer that passes nonsense.
NOT_USED = ("composite", "zebra_puzzles", "game_of_life_halting")
Steps = Callable[[Entry], "list[str] | None"]
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@dataclass(frozen=True)
class Gym:
    """One of the package's data sets: its easy settings and how its items are solved.

    ``steps`` returns the worked steps, or None for an item that is not wanted. ``keep`` names the
    metadata that the package's own scorer needs; without it, exact comparison decides.
    """

    name: str
    split: Split
    settings: Entry
    steps: Steps
    keep: tuple[str, ...] = ()
    prefix: str = ""
    extra: Entry = field(default_factory=dict)

    def build(self, rng: random.Random) -> Item | None:
        """One item, seeded by ``rng``."""
        entry = dataset(self.name, rng.getrandbits(30), **self.settings)[0]
        steps = self.steps(entry)
        if steps is None:
            return None
        answer = str(entry["answer"])
        extra = dict(self.extra)
        if "kind" not in extra and self.keep:
            metadata = {key: entry["metadata"][key] for key in self.keep}
            extra |= {"kind": "gym", "gym": self.name, "metadata": metadata}
        question = self.prefix + " ".join(str(entry["question"]).split())
        question = re.sub(r"\.(?=[A-Z])", ". ", question)
        return Item(question, answer, worked(answer, *steps), extra)


def score(name: str, answer: str, truth: Entry) -> bool:
    """Whether the package's own scorer gives ``answer`` full marks."""
    entry = {"answer": truth["answer"], "metadata": truth.get("metadata", {})}
    try:
        return float(_scorer(name).score_answer(answer, entry)) >= 1.0
    except (ValueError, IndexError, ZeroDivisionError):
        return False


def dataset(name: str, seed: int, **settings: Any) -> Any:
    """One of the package's data sets, with one item.

    Raises:
        InputError: the package is not installed.
    """
    return _package().create_dataset(name, size=1, seed=seed, **settings)


def dataset_names() -> list[str]:
    """All data sets of the package that make and score items of their own, sorted.

    Raises:
        InputError: the package is not installed.
    """
    _package()
    known = importlib.import_module("reasoning_gym.factory").DATASETS
    return sorted(name for name in known if name not in NOT_USED)


def _package() -> Any:
    if "pycosat" not in sys.modules and importlib.util.find_spec("pycosat") is None:
        # reasoning-gym imports it at once, for zebra puzzles only, and it would have to be compiled.
        sys.modules["pycosat"] = types.ModuleType("pycosat")
    try:
        return importlib.import_module("reasoning_gym")
    except ImportError as error:
        raise InputError(
            f"the task gym and the families gym_* need the package reasoning-gym ({error}); "
            "install it or name other families"
        ) from error


@lru_cache(maxsize=32)
def _scorer(name: str) -> Any:
    return dataset(name, 0)


def _expression(entry: Entry) -> list[str] | None:
    text = str(entry["metadata"]["expression"])
    if re.search(r"(^|[(+\-*/])\s*-", text):
        return None
    steps = reduction(text)
    return steps if steps and all("= -" not in step for step in steps) else None


def _product(entry: Entry) -> list[str] | None:
    a, b = map(int, str(entry["metadata"]["expression"]).split(" * "))
    return None if min(a, b) > 15 else product_steps(a, b)


def _legs(entry: Entry) -> list[str]:
    legs = importlib.import_module("reasoning_gym.arithmetic.leg_counting").ANIMALS
    counts = entry["metadata"]["animals"].items()
    parts = [f"{n} * {legs[animal]} = {n * legs[animal]}" for animal, n in counts]
    totals = [str(n * legs[animal]) for animal, n in counts]
    return parts + ([f"{' + '.join(totals)} = {entry['answer']}"] if len(totals) > 1 else [])


def _simplify(entry: Entry) -> list[str] | None:
    top, bottom = (int(entry["metadata"][key]) for key in ("numerator", "denominator"))
    common = math.gcd(top, bottom)
    if common == 1 or bottom == common:
        return None
    return [f"{top} / {common} = {top // common}", f"{bottom} / {common} = {bottom // common}"]


def _gcd(entry: Entry) -> list[str]:
    answer = int(entry["answer"])
    return [f"{n} = {answer} * {n // answer}" for n in entry["metadata"]["numbers"]]


def _lcm(entry: Entry) -> list[str]:
    answer, numbers = int(entry["answer"]), entry["metadata"]["numbers"]
    return [f"{n} * {answer // n} = {answer}" for n in numbers]


def _factors(entry: Entry) -> list[str] | None:
    rest, steps = int(entry["metadata"]["number"]), []
    for factor in entry["metadata"]["factors"][:-1]:
        steps.append(f"{rest} = {factor} * {rest // factor}")
        rest //= factor
    return steps if 1 <= len(steps) <= 3 else None


def _sequence(entry: Entry) -> list[str] | None:
    terms = entry["metadata"]["sequence"]
    if min(terms) < 0 or max(terms) > 200 or len(set(terms)) < 3:
        return None
    steps = [b - a for a, b in pairwise(terms)]
    return [f"The steps are {', '.join(map(str, steps))}", _signed(terms[-2], steps[-1])]


def _signed(a: int, b: int) -> str:
    return f"{a} {'-' if b < 0 else '+'} {abs(b)} = {a + b}"


def _equation(entry: Entry) -> list[str] | None:
    left, right = str(entry["metadata"]["equation"]).split(" = ")
    shape = re.fullmatch(r"(?:(\d+)\*)?[a-z](?: ([+-]) (\d+))?", left)
    if shape is None or int(right) < 0:
        return None
    times, sign, add = int(shape[1] or 1), shape[2], int(shape[3] or 0)
    value, steps = int(right), []
    if sign:
        value = value - add if sign == "+" else value + add
        steps.append(f"{right} {'-' if sign == '+' else '+'} {add} = {value}")
    if times > 1:
        steps.append(f"{value} / {times} = {value // times}")
    return steps or None


def _decimals(entry: Entry) -> list[str] | None:
    a, sign, b = str(entry["metadata"]["expression"]).split()
    if "-" in str(entry["answer"]):
        return None
    return [f"{a} {sign} {b} = {entry['answer']}"]


def _letters(entry: Entry) -> list[str]:
    letter = str(entry["metadata"]["target_letter"]).lower()
    counts = [(word, word.lower().count(letter)) for word in entry["metadata"]["span"]]
    return [", ".join(f"{word}: {n}" for word, n in counts)]


def _angle(entry: Entry) -> list[str]:
    total, known = entry["metadata"]["total_interior_sum"], entry["metadata"]["known_angles"]
    angles = [int(angle) for angle in known]
    return [
        f"{' + '.join(map(str, angles))} = {sum(angles)}",
        f"{total} - {sum(angles)} = {total - sum(angles)}",
    ]


def _primes(entry: Entry) -> list[str] | None:
    primes = entry["metadata"]["primes"]
    if not 1 <= len(primes) <= 8:
        return None
    return [f"The primes are {', '.join(map(str, primes))}"]


def _weekday(entry: Entry) -> list[str] | None:
    offset, answer = int(entry["metadata"]["offset_days"]), str(entry["answer"])
    weeks, days = divmod(abs(offset), 7)
    if days == 0 or weeks == 0:
        return None
    start = WEEKDAYS[(WEEKDAYS.index(answer) - offset) % 7]
    word = "after" if offset > 0 else "before"
    return [
        f"{abs(offset)} - {7 * weeks} = {days}",
        f"{days} day{'s' * (days > 1)} {word} {start} is {answer}",
    ]


CHAIN = {"min_terms": 2, "max_terms": 3, "min_digits": 1, "max_digits": 2}
GYMS = (
    Gym("chain_sum", "train", CHAIN, _expression),
    Gym(
        "basic_arithmetic",
        "train",
        {"min_terms": 2, "max_terms": 3, "max_digits": 1, "operators": ("+", "-", "*")},
        _expression,
    ),
    Gym(
        "leg_counting", "held_out", {"min_animals": 1, "max_animals": 2, "max_instances": 9}, _legs
    ),
    Gym(
        "fraction_simplification",
        "train",
        {"max_value": 14, "min_factor": 2, "max_factor": 12, "styles": ("plain",)},
        _simplify,
        keep=("numerator", "denominator", "simplified_numerator", "simplified_denominator"),
    ),
    Gym("gcd", "train", {"min_value": 2, "max_value": 40}, _gcd),
    Gym(
        "prime_factorization",
        "held_out",
        {"min_value": 4, "max_value": 400},
        _factors,
        keep=("number",),
    ),
    Gym("simple_equations", "held_out", {"max_terms": 2, "max_value": 12}, _equation),
    Gym("products", "train", {"max_digits": 2}, _product),
    Gym(
        "decimal_chain_sum",
        "train",
        {**CHAIN, "max_terms": 2, "max_decimal_places": 1},
        _decimals,
    ),
    Gym("letter_counting", "train", {"min_words": 3, "max_words": 5}, _letters),
    Gym("lcm", "train", {"min_value": 2, "max_value": 24}, _lcm),
    Gym(
        "number_sequence",
        "train",
        {"max_terms": 6, "min_value": 0, "max_value": 20, "max_complexity": 1},
        _sequence,
        prefix="What number comes next? ",
    ),
    Gym("simple_geometry", "train", {"max_sides": 4}, _angle),
    Gym("count_primes", "train", {"max_n": 60}, _primes),
    Gym(
        "calendar_arithmetic",
        "train",
        {"tasks": ["weekday_offset"], "offset_upper_bound": 30},
        _weekday,
        extra={"kind": "text", "options": list(WEEKDAYS)},
    ),
)
FAMILIES = {f"gym_{gym.name}": Family(gym.split, gym.build) for gym in GYMS}
