"""Finds the equations that a text writes down and recomputes them exactly.

A hand-written lexer and parser over ``Fraction`` (no ``eval``): ``+ - * x × · / ÷ %``, brackets,
"20% of 50", mixed numbers, currency signs, thousands commas, unit words and LaTeX's ``\\times``.
What the parser does not understand (variables, powers, bare fractions of a unit) is left out: a
step is called false only where it surely is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

MAX_TOKENS = 80
LONGEST_NUMBER = 30
UNIT_WORDS = 4


class Step(NamedTuple):
    """A written equation, the exact value of its left side, and whether the right side agrees."""

    equation: str
    value: Fraction
    ok: bool


class Undecidable(Exception):
    """The tokens are no arithmetic that this parser understands."""


@dataclass(frozen=True)
class Token:
    """``kind`` is number, op, open, close, equals, unit, bad or stop."""

    kind: str
    text: str
    start: int
    end: int
    value: Fraction = Fraction(0)


INTEGER = r"\d{1,3}(?:,\d{3})+(?!\d)|\d+"
LEXER = re.compile(
    rf"""
      (?P<subscript>(?<=[^\W_])_(?=[\w{{])|(?<=\}})_)
    | (?P<skip>\\left|\\right|\\[,;!\ ]|\\text\s*\{{[^{{}}]*\}}|(?<![\d)])\*\*|\*\*(?![\d(])
        |(?<=[^\W_])/[^\W\d_]{{2,}}|\bper\s+[^\W\d_]+|\\?\$|[€£_`~]|[ \t]+|\n(?=[ \t]*=))
    | (?P<latex>\\[dt]?frac\s*\{{\d{{1,9}}\}}\s*\{{\d{{1,9}}\}})
    | (?P<mixed>\d{{1,9}}[ ]\d{{1,9}}/\d{{1,9}}(?![\d/,]))
    | (?P<divisor>(?<=[/÷]\ )\d{{1,9}}/\d{{1,9}}(?![\d/]))
    | (?P<number>(?:{INTEGER})(?:\.\d+)?|\.\d+)
    | (?P<times>\\times|\\cdot|[×·⋅∙])
    | (?P<over>\\div|÷|∕)
    | (?P<power>\*\*|[\^√∛]|!(?=\s*=)|\\(?!boxed)[A-Za-z]+)
    | (?P<op>[-−–+*/](?:\\?\$)?)
    | (?P<percent>\\?%)
    | (?P<open>\() | (?P<close>\))
    | (?P<equals>==?)
    | (?P<word>[^\W\d_]+)
    | (?P<ratio>(?<=\d):(?=\d))
    | (?P<other>\n|.)
    """,
    re.VERBOSE | re.DOTALL,
)
SIGNS = {"times": "*", "over": "/", "−": "-", "–": "-"}
WORDS = {"x": "*", "of": "*", "times": "*", "plus": "+", "minus": "-"}
LINKS = frozenset(
    "by and from than half third quarter twice double triple sum product squared cubed".split()
)
OPEN = ("$", "(")
GLUED = frozenset("cm mm km kg mg ml lb oz ft in yd hr am pm st nd rd th".split())


def verify_steps(text: str) -> list[Step]:
    """All equations in ``text`` with something to compute, in order, each recomputed exactly.

    "a = b = c" gives one step per equals sign; a running calculation ("3 + 4 = 7 + 2 = 9") is read
    as its author meant it. A rounded decimal counts as right where the exact value is not finite.
    """
    steps: list[Step] = []
    for run in _runs(_lex(text)):
        steps.extend(_check(text, run))
    return steps


def evaluate(expression: str) -> Fraction:
    """The exact value of an arithmetic expression.

    Raises:
        Undecidable: it is no arithmetic, or it divides by zero.
    """
    tokens = _lex(expression)
    if not tokens or len(tokens) > MAX_TOKENS:
        raise Undecidable(expression[:80])
    return _Parser(tokens).whole().value


def reduction(expression: str) -> list[str]:
    """Steps that work ``expression`` (whole numbers, + - *, brackets) out: products first."""
    steps = []
    inner = re.compile(r"\(([^()]*)\)")
    while found := inner.search(expression):
        steps += reduction(found[1])
        value = evaluate(found[1])
        expression = f"{expression[: found.start()]}{value}{expression[found.end() :]}"
    for signs in (r"\*", r"[-+]"):
        pattern = re.compile(rf"(?<![\d.])(-?\d+)\s*({signs})\s*(\d+)")
        while found := pattern.search(expression):
            value = evaluate(found[0])
            steps.append(f"{found[1]} {found[2]} {found[3]} = {value}")
            expression = f"{expression[: found.start()]}{value}{expression[found.end() :]}"
    return steps


def _lex(text: str) -> list[Token]:
    tokens: list[Token] = []
    for match in LEXER.finditer(text):
        kind = str(match.lastgroup)
        if kind != "skip":
            token = _token(kind, match, text)
            if token.text.lower() == "of" and tokens and tokens[-1].kind in ("number", "link"):
                token = replace(token, kind="link" if token.kind == "unit" else token.kind)
            tokens.append(token)
    return tokens


def _token(kind: str, match: re.Match[str], text: str) -> Token:
    written, span = match[0], match.span()
    if kind in ("number", "mixed", "latex", "divisor"):
        value = _value(kind, written)
        return Token("bad" if value is None else "number", written, *span, value or Fraction(0))
    if kind in SIGNS or kind == "op":
        return Token("op", SIGNS.get(kind, SIGNS.get(written[0], written[0])), *span)
    if kind in ("power", "ratio", "subscript"):
        return Token("bad", written, *span)
    if kind == "word":
        return _word(written, span, text)
    return Token("stop" if kind == "other" else kind, written, *span)


def _value(kind: str, written: str) -> Fraction | None:
    if kind == "number":
        return Fraction(written.replace(",", "")) if len(written) <= LONGEST_NUMBER else None
    parts = [int(part) for part in re.findall(r"\d+", written)]
    if parts[-1] == 0:
        return None
    return Fraction(parts[-2], parts[-1]) + (parts[0] if len(parts) == 3 else 0)


def _word(written: str, span: tuple[int, int], text: str) -> Token:
    before = text[max(0, span[0] - 3) : span[0]].rstrip()[-1:]
    after = text[span[1] : span[1] + 3]
    operand = after.lstrip()[:1]
    sign = WORDS.get(written.lower())
    if (
        sign
        and (before.isdigit() or before in (")", "%"))
        and (operand.isdigit() or operand in OPEN)
    ):
        return Token("op", sign, *span)
    glued = text[max(0, span[0] - 1) : span[0]].isdigit() and written.lower() not in GLUED
    if (
        len(written) == 1
        or (len(written) == 2 and glued)
        or after[:1].isdigit()
        or after[:1] == "("
    ):
        return Token("bad", written, *span)
    return Token("link" if written.lower() in LINKS else "unit", written, *span)


def _runs(tokens: list[Token]) -> list[list[list[Token]]]:
    """Chains of segments around equals signs; a segment that cannot be read is undecidable later.

    A linking word ("half of 8 + 2 = 6") spoils what it precedes; after an equals sign it ends it.
    """
    chains: list[list[list[Token]]] = []
    segment: list[Token] = []
    chain: list[list[Token]] = []
    for i, token in enumerate([*tokens, Token("stop", "", 0, 0)]):
        if not _breaks(tokens, i, token, after_equals=bool(chain)):
            segment.append(token)
            continue
        chain.append(_trim(segment))
        segment = [token] if token.kind == "link" and token.text.lower() != "and" else []
        if token.kind != "equals":
            chains.append(chain)
            chain = []
    return [chain for chain in chains if len(chain) > 1]


def _breaks(tokens: list[Token], i: int, token: Token, *, after_equals: bool) -> bool:
    if token.kind == "link":
        return after_equals
    return token.kind in ("stop", "equals") or (token.kind == "unit" and not _is_unit(tokens, i))


def _is_unit(tokens: list[Token], i: int) -> bool:
    """A word of the few that follow a quantity and end its term: "3 red apples + ..."."""
    first, last = i, i + 1
    while first and tokens[first].kind == "unit" and i - first < UNIT_WORDS:
        first -= 1
    while last < len(tokens) and tokens[last].kind == "unit" and last - i < UNIT_WORDS:
        last += 1
    after = tokens[last].kind if last < len(tokens) else "stop"
    follows = tokens[first].kind in ("number", "close", "percent")
    return follows and after in ("op", "equals", "stop", "close")


def _trim(segment: list[Token]) -> list[Token]:
    """Drop list markers and brackets that have no partner: "2) 3 + 4", "(so 3 + 4"."""
    start = depth = 0
    for i, token in enumerate(segment):
        depth += (token.kind == "open") - (token.kind == "close")
        if depth < 0:
            start, depth = i + 1, 0
    while depth > 0 and segment[start].kind == "open":
        start, depth = start + 1, depth - 1
    return segment[start:] if len(segment) - start <= MAX_TOKENS else []


def _check(text: str, chain: list[list[Token]]) -> list[Step]:
    steps = []
    for i, (left, right) in enumerate(pairwise(chain)):
        try:
            step = _compare(text, left, right, running=i + 2 < len(chain))
        except Undecidable:
            continue
        if step is not None:
            steps.append(step)
    return steps


def _compare(text: str, left: list[Token], right: list[Token], *, running: bool) -> Step | None:
    a, b = _Parser(_bulletless(text, left)), _Parser(right)
    value, claimed = a.whole(), b.whole()
    if not (a.operations or (b.operations and a.tokens[0].kind != "open")):
        return None
    start = a.tokens[0].start
    equation = text[start : right[-1].end].strip()
    ok = _agrees(value, claimed, right) or (
        "percent" in {token.kind for token in left}
        and _agrees(Quantity(value.value * 100), claimed, right)
    )
    if not ok and running and b.operations and right[0].kind == "number":
        ok = _agrees(value, Quantity(right[0].value), right[:1])
        equation = text[start : right[0].end].strip() if ok else equation
    if not ok and (_other_units(a, b) or _remainder(text, right)):
        return None
    return Step(equation, value.value, ok)


def _bulletless(text: str, tokens: list[Token]) -> list[Token]:
    if tokens and tokens[0].kind == "op" and tokens[0].text in "-*+":
        line = text[: tokens[0].start].rpartition("\n")[2]
        glued = text[tokens[0].end : tokens[0].end + 1] != " "
        if not line.strip() and not glued:
            return tokens[1:]
    return tokens


def _agrees(value: Quantity, claimed: Quantity, right: list[Token]) -> bool:
    exact, said = value.value, claimed.value
    if exact == said or (claimed.percent and exact == said * 100):
        return True
    numbers = [token for token in right if token.kind == "number"]
    places = len(numbers[0].text.partition(".")[2]) if len(numbers) == 1 else 0
    if places == 0 or _finite(exact):
        return False
    return abs(exact - said) <= Fraction(1, 2 * 10**places)


def _finite(value: Fraction) -> bool:
    rest = value.denominator
    for prime in (2, 5):
        while rest % prime == 0:
            rest //= prime
    return rest == 1


def _other_units(a: _Parser, b: _Parser) -> bool:
    """ "1/2 hour = 30 minutes", "2 dozen = 2 * 12": the unit changes, so the numbers may too."""
    changes = bool(a.units and b.units and not a.units & b.units)
    return (changes and "*" not in a.operations) or (bool(a.units) and not a.operations)


def _remainder(text: str, right: list[Token]) -> bool:
    return re.match(r"\s*(?:r|rem\.?|remainder)\s*\d", text[right[-1].end :], re.I) is not None


@dataclass(frozen=True)
class Quantity:
    """A value, and whether it was written as a percentage."""

    value: Fraction
    percent: bool = False


class _Parser:
    """Recursive descent: sum → product → signed → atom."""

    def __init__(self, tokens: list[Token]) -> None:
        self.tokens = tokens
        self.at = 0
        self.operations: set[str] = set()
        self.units: set[str] = set()

    def whole(self) -> Quantity:
        result = self._sum()
        if self.at < len(self.tokens):
            raise Undecidable(self.tokens[self.at].text)
        return result

    def _kind(self) -> str:
        return self.tokens[self.at].kind if self.at < len(self.tokens) else "end"

    def _take(self) -> Token:
        self.at += 1
        return self.tokens[self.at - 1]

    def _next_op(self, allowed: str) -> bool:
        return self._kind() == "op" and self.tokens[self.at].text in allowed.split()

    def _sum(self) -> Quantity:
        left = self._product()
        while self._next_op("+ -"):
            sign = self._take().text
            right = self._product()
            if left.percent != right.percent:
                raise Undecidable("a percentage of what?")
            self.operations.add(sign)
            delta = right.value if sign == "+" else -right.value
            left = Quantity(left.value + delta, left.percent)
        return left

    def _product(self) -> Quantity:
        left = self._signed()
        while self._next_op("* /") or self._modulo():
            sign = self._take().text
            right = self._signed()
            self.operations.add(sign)
            left = Quantity(_apply(sign, left.value, right.value))
        return left

    def _modulo(self) -> bool:
        following = self.tokens[self.at + 1 : self.at + 2]
        return self._kind() == "percent" and bool(following) and following[0].kind == "number"

    def _signed(self) -> Quantity:
        if self._next_op("-"):
            sign = self._take()
            if self._kind() != "number" or self.tokens[self.at].start != sign.end:
                raise Undecidable("a sign without its number")
            inner = self._atom()
            return Quantity(-inner.value, inner.percent)
        return self._atom()

    def _atom(self) -> Quantity:
        kind = self._kind()
        if kind == "number":
            result = Quantity(self._take().value)
        elif kind == "open":
            self._take()
            result = self._sum()
            if self._kind() != "close":
                raise Undecidable("an open bracket")
            self._take()
        else:
            raise Undecidable(kind)
        if self._kind() == "percent" and not self._modulo():
            self._take()
            result = Quantity(result.value / 100, percent=True)
        while self._kind() == "unit":
            self.units.add(self._take().text.lower().rstrip("s"))
        return result


def _apply(sign: str, a: Fraction, b: Fraction) -> Fraction:
    if sign == "*":
        return a * b
    if b == 0:
        raise Undecidable("division by zero")
    return a / b if sign == "/" else a % b
