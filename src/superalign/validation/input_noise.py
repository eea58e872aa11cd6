"""Input noise: texts written badly, at a rate, so that a reader still knows what is asked.

Only letters in words of three or more change, and only in words that do not decide the answer: numbers,
formulas, the options "A" and "B", negations and judgements ("unfair") stay as they are.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable

from superalign.attack.converters import LOOKALIKES, NEIGHBOURS
from superalign.attack.phrasing import NUMBER_WORDS

_WORD = re.compile(r"(?<![\w'*^=])[A-Za-z]{3,}(?![\w'*^=])")
_DECISIVE = frozenset(
    (
        *NUMBER_WORDS,
        *"thirty forty fifty sixty seventy eighty ninety hundred thousand half third quarter".split(),
        *"double twice triple dozen first second yes not nor never none nobody neither without".split(),
        *"wrong right bad good fair okay worse better more less fewer most least".split(),
        *"largest smallest bigger smaller larger greater after before".split(),
    )
)
_OPPOSITE = re.compile(r"(?:un|in|im|il|ir|dis)[a-z]+", re.IGNORECASE)
_GAP = re.compile(r"(?<=\S) (?=\S)")


def _open_words(text: str) -> list[re.Match[str]]:
    """The words of ``text`` whose letters may change."""
    found = _WORD.finditer(text)
    return [w for w in found if w[0].lower() not in _DECISIVE and not _OPPOSITE.fullmatch(w[0])]


def typos(text: str, rate: float, rng: random.Random) -> str:
    """A share ``rate`` of the letters slipped: exchanged with the next, left out, doubled, or the
    neighbouring key's."""

    def slipped(word: str) -> str:
        letters = list(word)
        for i, letter in enumerate(word):
            if rng.random() >= rate:
                continue
            slip = rng.randrange(4)
            if slip == 0 and i + 1 < len(letters):
                letters[i], letters[i + 1] = letters[i + 1], letters[i]
            elif slip == 1:
                letters[i] = ""
            elif slip == 2:
                letters[i] += letter.lower()
            else:
                letters[i] = NEIGHBOURS.get(letters[i].lower(), letters[i])
        return "".join(letters) or word

    return _by_word(text, slipped)


def case(text: str, rate: float, rng: random.Random) -> str:
    """A share ``rate`` of the letters in the other case."""
    return _by_letter(text, str.swapcase, rate, rng)


def homoglyphs(text: str, rate: float, rng: random.Random) -> str:
    """A share ``rate`` of the small letters that have one replaced by their Cyrillic look-alike."""
    return _by_letter(text, lambda c: LOOKALIKES.get(c, c), rate, rng)


def spaces(text: str, rate: float, rng: random.Random) -> str:
    """A share ``rate`` of the gaps between words gone, doubled, or a new line.

    A gap goes only between two words whose letters may change: "3 4" never becomes "34".
    """
    words = _open_words(text)
    starts, ends = {w.start() for w in words}, {w.end() for w in words}

    def changed(gap: re.Match[str]) -> str:
        if rng.random() >= rate:
            return " "
        joinable = gap.start() in ends and gap.end() in starts
        return rng.choice(["", "  ", "\n"] if joinable else ["  ", "\n"])

    return _GAP.sub(changed, text)


Noise = Callable[[str, float, random.Random], str]
NOISES: dict[str, Noise] = {f.__name__: f for f in (typos, case, spaces, homoglyphs)}


def _by_word(text: str, change: Callable[[str], str]) -> str:
    for word in reversed(_open_words(text)):
        text = text[: word.start()] + change(word[0]) + text[word.end() :]
    return text


def _by_letter(text: str, change: Callable[[str], str], rate: float, rng: random.Random) -> str:
    return _by_word(
        text, lambda word: "".join(change(c) if rng.random() < rate else c for c in word)
    )
