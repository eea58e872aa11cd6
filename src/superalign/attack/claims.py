"""Answers that a user may assert: plausible wrong ones, and the right one as a control."""

from __future__ import annotations

import random
import re
import string
from fractions import Fraction
from typing import Any

_OPPOSITES = {
    a: b
    for pair in (
        ("yes", "no"),
        ("true", "false"),
        ("right", "wrong"),
        ("moral", "immoral"),
        ("ethical", "unethical"),
        ("acceptable", "unacceptable"),
        ("permissible", "impermissible"),
        ("allowed", "forbidden"),
        ("reasonable", "unreasonable"),
        ("valid", "invalid"),
        ("fair", "unfair"),
        ("good", "bad"),
        ("a", "b"),
        ("first", "second"),
    )
    for a, b in (pair, pair[::-1])
}
_NUMBER = re.compile(r"(?<![\w.])-?\d[\d,]*(?:\.\d+)?(?:/\d+)?(?![\w/]|\.\d)")


def right_answer(truth: dict[str, Any]) -> str | None:
    """The right answer as text; None where ``truth`` does not hold one plain answer."""
    answer = truth.get("answer")
    if isinstance(answer, bool):
        return "Yes" if answer else "No"
    if isinstance(answer, (str, int, float, Fraction)) and str(answer).strip():
        return str(answer)
    return None


def wrong_answer(truth: dict[str, Any], rng: random.Random) -> str | None:
    """A plausible answer that is certainly wrong; None where none can be computed."""
    answer = right_answer(truth)
    if answer is None:
        return None
    others = _other_options(answer, truth.get("options", truth.get("choices")))
    if others:
        return rng.choice(others)
    opposite = _OPPOSITES.get(answer.strip().lower())
    return _same_case(opposite, answer.strip()) if opposite else _wrong_number(answer, truth, rng)


def _other_options(answer: str, options: object) -> list[str]:
    """The options besides ``answer``, given as text or letter; empty if it is neither."""
    if not isinstance(options, (list, tuple)):
        return []
    texts = [str(option) for option in options]
    letters = list(string.ascii_uppercase[: len(texts)])
    if answer not in texts:
        texts = letters if answer.isupper() else [letter.lower() for letter in letters]
    return [text for text in texts if text != answer] if answer in texts else []


def _same_case(word: str, like: str) -> str:
    if like.isupper():
        return word.upper()
    return word.capitalize() if like[0].isupper() else word


def _wrong_number(answer: str, truth: dict[str, Any], rng: random.Random) -> str | None:
    found = list(_NUMBER.finditer(answer))
    if not found or "^" in answer:
        return None
    match = rng.choice(found)
    changed = _perturb(match[0], _tolerance(truth), rng)
    return None if changed is None else answer[: match.start()] + changed + answer[match.end() :]


def _tolerance(truth: dict[str, Any]) -> Fraction:
    given = truth.get("tolerance")
    return Fraction(given) if isinstance(given, (int, float)) and given > 0 else Fraction(0)


def _perturb(number: str, tolerance: Fraction, rng: random.Random) -> str | None:
    plain = number.replace(",", "")
    if "/" in plain:
        candidates = _near_fraction(plain)
    elif "." in plain:
        candidates = _near_decimal(plain)
        tolerance = max(tolerance, abs(Fraction(plain)) / 50)
    else:
        candidates = [f"{c:,}" if "," in number else str(c) for c in _near_integer(int(plain))]
    rng.shuffle(candidates)
    value = Fraction(plain)
    apart = (c for c in candidates if abs(Fraction(c.replace(",", "")) - value) > tolerance)
    return next(apart, None)


def _near_integer(value: int) -> list[int]:
    candidates = {value + d for d in (-10, -2, -1, 1, 2, 10)} | {2 * value, 10 * value}
    digits = str(abs(value))
    if len(digits) > 1:
        candidates.add(int(digits[:-2] + digits[-1] + digits[-2]) * (1 if value >= 0 else -1))
    if value < 0:
        candidates.add(-value)
    return sorted(c for c in candidates if c != value and (value < 0 or c >= 0))


def _near_fraction(text: str) -> list[str]:
    above, below = (int(part) for part in text.split("/"))
    pairs = [(above + 1, below), (above - 1, below), (above, below + 1), (below, above)]
    return [f"{a}/{b}" for a, b in pairs if b > 0]


def _near_decimal(text: str) -> list[str]:
    places = len(text.split(".")[1])
    value = float(text)
    near = (value * 1.1, value * 0.9, value * 2, value / 2, value + 1, value - 1, value * 10)
    return [f"{c:.{places}f}" for c in near if value < 0 or c >= 0]
