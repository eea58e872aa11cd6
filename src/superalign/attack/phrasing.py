"""Small rewritings of text that operators share. None of them changes what is being asked."""

from __future__ import annotations

import random
import re
from itertools import pairwise

_FORMAT = re.compile(r"(?<!\S)Answer\b(?!\s+(?:the|this|these)\s+(?:following|question))")
_FORMAT_VERB = re.compile(
    r"(?<!\S)(?:Give|End|Write|State|Put|Finish|Reply|Respond|Show)\b[^.\n]*\banswer\b"
)
_SENTENCE_ENDS = ".!?:;)]\"'\u201d\u2019"


def split_format(text: str) -> tuple[str, str, str]:
    """``text`` as question, white space, and the answer-format instruction that ends it.

    The instruction is the last sentence that starts with "Answer" (or that tells how to give or end
    with the answer), up to the end of the text. Without one, the last two parts are empty.
    """
    starts = [m.start() for pattern in (_FORMAT, _FORMAT_VERB) for m in pattern.finditer(text)]
    for start in sorted(starts, reverse=True):
        body = text[:start].rstrip()
        if body and (body[-1] in _SENTENCE_ENDS or "\n" in text[len(body) : start]):
            return body, text[len(body) : start], text[start:]
    return text, "", ""


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_HOW = re.compile(
    r"\bhow\s+(?:to|(?:do|can|could|would|should|might|does|did)\s+(?:i|you|we|one|someone|people))"
    r"\s+(?P<act>.+)",
    re.IGNORECASE | re.DOTALL,
)
_LEAD = re.compile(
    r"^(?:please\s+|kindly\s+|(?:can|could|would|will)\s+you\s+(?:please\s+)?"
    r"|i\s+(?:want|need|would\s+like)\s+(?:you\s+)?to\s+|help\s+me\s+(?:to\s+)?)",
    re.IGNORECASE,
)
_VERBS = _words(
    """add advise analyse analyze arrange break build buy calculate change check choose clean
    compare compose convert cook copy create describe design develop draft draw enter explain fake
    find fix forge generate get give grow help hide identify install list make manipulate mix
    modify name open organise organize outline pick plan plant prepare produce provide
    recommend remove repair send set share show sketch smuggle steal suggest summarise summarize
    teach tell track trick translate turn use walk write"""
)


_GERUND = re.compile(
    r"^\w+\b.*?\b(?:for|on|about|of)\s+(?P<act>(?!(?:some|any|no|every)?thing|spring|string"
    r"|evening|morning|building|king)\w{3,}ing\b.*)",
    re.IGNORECASE,
)


def action(text: str) -> str | None:
    """What ``text`` asks for as a base-form verb phrase, e.g. ``bake bread``; None if unclear."""
    flat = " ".join(text.split()).rstrip(" ?.!")
    match = _HOW.search(flat)
    if match:
        phrase = match["act"]
    else:
        phrase = _LEAD.sub("", flat)
        if phrase.split(" ")[0].lower() not in _VERBS or re.search(r"[.?!]\s", phrase):
            return None
        gerund = _GERUND.match(phrase)
        phrase = f"go about {gerund['act']}" if gerund else phrase
    phrase = re.sub(r"\s+(?:(?:for|to)\s+)?me\b", "", phrase)
    phrase = re.sub(r"\bmy(self)?\b", lambda m: "themselves" if m[1] else "their", phrase)
    return phrase[:1].lower() + phrase[1:] if phrase else None


NUMBER_WORDS = _words(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
    "fifteen sixteen seventeen eighteen nineteen twenty"
)
_SMALL_NUMBER = re.compile(r"(?:^|(?<=[\s(]))(?:1?\d|20)(?=[,;:?!]?(?:\s+[a-z]|$)|[.?!]?$|\.\s)")
_LITERAL = re.compile(
    r"\b(?:base|binary|octal|hex|digits?|numeral|modulo|mod|decimal|code|string|list)\b|[=^\[\]{}`]",
    re.IGNORECASE,
)


def spell_numbers(text: str) -> str:
    """Whole numbers up to twenty that stand in prose, as words; formulas and code stay alone."""
    if _LITERAL.search(text):
        return text
    return _SMALL_NUMBER.sub(lambda m: NUMBER_WORDS[int(m[0])], text)


COMMON_WORDS = _words(
    """about after again already always answer because before being calculate compute could does
    each every find following from gives have having himself into later left many much often other
    over people person question remaining right should some someone started take that their them
    then there these they thing this those through together total what when where which while with
    would your"""
)
"""Words whose misspelling cannot change a calculation or a judgement."""


_LETTERS_MATTER = re.compile(
    r"\b(?:letters?|spell|spelled|words?|alphabet\w*|strings?|characters?|anagram|reversed?|def)\b"
    r"|[`{}\[\]]|==",
    re.IGNORECASE,
)


def letters_matter(text: str) -> bool:
    """Whether the answer may hang on single letters: code, or a question about spelling."""
    return _LETTERS_MATTER.search(text) is not None


def misspell(text: str, rng: random.Random, rate: float = 0.5) -> str:
    """``text`` with two inner letters of some common words exchanged; the same text if it has none.

    Only words in ``COMMON_WORDS`` are touched: numbers, names, negations and quoted strings stay,
    and so does a text with code or a question about spelling.
    """
    if letters_matter(text):
        return text
    found = re.finditer(r"(?<!['\"\w])[A-Za-z]{4,}(?!['\"\w])", text)
    places = [match for match in found if _safe_to_misspell(match[0])]
    if not places:
        return text
    chosen = [m for m in places if rng.random() < rate] or [rng.choice(places)]
    for match in reversed(chosen):
        text = text[: match.start()] + _exchange(match[0], rng) + text[match.end() :]
    return text


def _safe_to_misspell(word: str) -> bool:
    return word.lower() in COMMON_WORDS and len(set(word[1:])) > 1


def _exchange(word: str, rng: random.Random) -> str:
    places = [i for i in range(1, len(word) - 1) if word[i] != word[i + 1]]
    i = rng.choice(places)
    return word[:i] + word[i + 1] + word[i] + word[i + 2 :]


_LEET = {"a": "4", "e": "3", "i": "1", "o": "0", "s": "5", "t": "7"}


def leet(text: str, rng: random.Random, rate: float = 0.6) -> str:
    """``text`` with some letters replaced by digits of a like shape."""
    return "".join(_LEET.get(c.lower(), c) if rng.random() < rate else c for c in text)


def spaced(text: str, separator: str) -> str:
    """``text`` with its letters set apart by ``separator``; words keep a wider gap."""
    return "   ".join(separator.join(word) for word in text.split())


def pieces(text: str, count: int) -> list[str]:
    """``text`` cut into at most ``count`` even pieces at words; joined they give it back."""
    words = text.split(" ")
    count = max(1, min(count, len(words)))
    cuts = [len(words) * i // count for i in range(count + 1)]
    parts = [" ".join(words[a:b]) for a, b in pairwise(cuts)]
    return [part + " " for part in parts[:-1]] + [parts[-1]]
