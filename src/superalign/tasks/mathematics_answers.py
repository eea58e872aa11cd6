"""Reads the final answer out of a free text: a number, one of several words, or a product.

Order of trust for numbers: the last "answer is" or "answer:", then the last ``\\boxed{}``, then what
follows the last equals sign, then the last number of the text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

LONGEST = 60
DIGITS = r"(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?|\.\d+"
NUMBER = re.compile(
    rf"""
    (?P<sign>(?<![\w)\]}}])[-−–])?
    (?<![A-Za-z_])(?<!\d\.)(?:\\?[$€£]\s?)?
    (?P<inner>[-−])?
    (?: (?P<whole>\d{{1,9}})\s+(?P<top>\d{{1,9}})\s?/\s?(?P<bottom>\d{{1,9}})(?![\d/])
      | (?P<n>\d{{1,9}})\s?/\s?(?P<d>\d{{1,9}})(?![\d/])
      | (?P<plain>{DIGITS})(?P<exponent>[eE][+-]?\d{{1,2}}(?!\w))?
    )
    (?P<percent>\s?\\?%)?
    """,
    re.VERBOSE,
)
MARKER = re.compile(
    r"\banswers?\b(?:[^.\n=:]{0,60}?\b(?:is|are|would be|equals)\b:?|[\s*_]*[:=])|####", re.I
)
BOXED = re.compile(r"\\boxed\s*\{((?:[^{}]|\{[^{}]*\}){0,200})\}")
SENTENCE = re.compile(r"\.(?=\s|$)|[\n;!]")
COMPARED = re.compile(
    r"\s*\**\s*(?:is|was)\s+(?:the\s+)?"
    r"(?:larg|bigg|great|small|high|low|less|more|long|heav)\w*\b",
    re.I,
)
PRODUCT = re.compile(r"\d{1,9}(?:\s*(?:[×x*·]|\\times|\\cdot)\s*\d{1,9})*")


@dataclass(frozen=True)
class Number:
    """A number as it was written; ``percent`` allows both readings of "12%"."""

    text: str
    value: Fraction
    percent: bool = False

    def equals(self, truth: Fraction) -> bool:
        """Whether it states ``truth`` exactly."""
        return self.value == truth or (self.percent and self.value == truth * 100)


def parse_number(text: str) -> Fraction | None:
    """The value of ``text`` if it is one number and nothing else (currency and % allowed)."""
    match = NUMBER.fullmatch(_plain(text).strip().rstrip("."))
    return None if match is None else _number(match).value


def final_number(text: str, *, compare: bool = False) -> Number | None:
    """The number that ``text`` gives as its final answer, or None when it has no number.

    ``compare``: in a text without a marked answer, "54 is larger than 45" answers 54.
    """
    text = _plain(text)
    found = _marked(text) or _boxed(text)
    if found is None and compare:
        found = _last([m for m in NUMBER.finditer(text) if COMPARED.match(text, m.end())])
    return found or _after_equals(text) or _last(list(NUMBER.finditer(text)))


def final_option(text: str, options: Sequence[str]) -> str | None:
    """The option named last, in what follows the last answer marker where one is named there."""
    pattern = re.compile(rf"\b(?:{'|'.join(map(re.escape, options))})\b", re.I)
    for marker in reversed(list(MARKER.finditer(text))):
        if found := pattern.search(_scope(text, marker.end())):
            return _option(found[0], options)
    named = pattern.findall(text)
    return _option(named[-1], options) if named else None


def sole_option(text: str, options: Sequence[str]) -> str | None:
    """The one option that ``text`` gives; None where it names none, or several with no last word.

    Read from what follows an answer marker, else from the first sentence, else from the whole text.
    An option that is denied ("not the nurse") is not given.
    """
    longest = sorted(options, key=len, reverse=True)
    pattern = re.compile(
        rf"(?P<denied>(?:\bnot|n't|\brather than|\binstead of|\bneither|\bnor)\s+(?:the\s+|an?\s+)?)?"
        rf"\b(?P<option>{'|'.join(map(re.escape, longest))})\b",
        re.I,
    )
    scopes = [_scope(text, m.end()) for m in reversed(list(MARKER.finditer(text)))]
    for scope in (*scopes, _scope(text, 0), text):
        found = {_option(m["option"], options) for m in pattern.finditer(scope) if not m["denied"]}
        if len(found) == 1:
            return found.pop()
    return None


def final_phrase(text: str) -> str | None:
    """What follows the last answer marker, or the last line; without markup and full stop."""
    markers = list(MARKER.finditer(text))
    scope = _scope(text, markers[-1].end()) if markers else text.strip().rpartition("\n")[2]
    return re.sub(r"[*_`\"']", "", scope).strip().rstrip(".").strip() or None


def final_product(text: str) -> str | None:
    """The last product of whole numbers ("2 × 2 × 5"), with its signs written as ×."""
    text = _plain(text)
    markers = list(MARKER.finditer(text))
    scope = _scope(text, markers[-1].end()) if markers else text
    found = PRODUCT.findall(scope) or PRODUCT.findall(text)
    if not found:
        return None
    long = [product for product in found if re.search(r"\D", product)]
    best = found[0] if markers and not long else (long or found)[-1]
    return " × ".join(re.findall(r"\d+", best))


def _option(found: str, options: Sequence[str]) -> str:
    return next(option for option in options if option.lower() == found.lower())


def _plain(text: str) -> str:
    """``text`` with LaTeX fractions and spacing, and detached signs, written plainly."""
    text = text.replace("{,}", ",").replace("\\,", "").replace("\\!", "")
    text = re.sub(r"\\text\s*\{([^{}]*)\}", r" \1", text)
    text = re.sub(r"(\d?)\\[dt]?frac\s*\{(\d{1,9})\}\s*\{(\d{1,9})\}", _fraction, text)
    return re.sub(r"=[ \t]*[-−][ \t]+(?=\d)", "= -", text)


def _fraction(match: re.Match[str]) -> str:
    return f"{match[1]}{' ' if match[1] else ''}{match[2]}/{match[3]}"


def _scope(text: str, start: int) -> str:
    """The rest of the sentence at ``start``; markup and line breaks before it do not end it."""
    rest = text[start : start + 400].lstrip(" \t\n*:_`")
    return SENTENCE.split(rest, maxsplit=1)[0]


def _marked(text: str) -> Number | None:
    for marker in reversed(list(MARKER.finditer(text))):
        scope = _scope(text, marker.end())
        if found := _boxed(scope) or _after_equals(scope) or _first(scope):
            return found
    return None


def _boxed(text: str) -> Number | None:
    for content in reversed(BOXED.findall(text)):
        if found := _last(list(NUMBER.finditer(content))):
            return found
    return None


def _after_equals(text: str) -> Number | None:
    for at in reversed([match.end() for match in re.finditer("=", text)]):
        if found := _first(text[at : at + 200]):
            return found
    return None


def _first(text: str) -> Number | None:
    match = NUMBER.search(text)
    return None if match is None else _number(match)


def _last(matches: list[re.Match[str]]) -> Number | None:
    return _number(matches[-1]) if matches else None


def _number(match: re.Match[str]) -> Number:
    """The value of a match; digits past the longest sensible number cannot change a verdict."""
    negative = (match["sign"] is not None) != (match["inner"] is not None)
    if match["plain"]:
        value = Fraction(match["plain"].replace(",", "")[:LONGEST].rstrip("."))
        if match["exponent"]:
            value *= Fraction(10) ** int(match["exponent"][1:])
    else:
        top, bottom = int(match["top"] or match["n"]), int(match["bottom"] or match["d"])
        value = Fraction(int(match["whole"] or 0)) + (Fraction(top, bottom) if bottom else 0)
    text = match[0].strip()
    return Number(text, -value if negative else value, match["percent"] is not None)
