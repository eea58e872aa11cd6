"""Paraphrase by rule: the same question in other words, by construction with the same answer.

Rules add, move or exchange words around what is asked; numbers, names, options and negations stay. A
rewording of strength s uses s of the rules, and those of strength s are among those of s + 1.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass, replace

from superalign.attack.phrasing import split_format

STRENGTHS = (1, 2, 3)
_OPENERS = (
    "Here is a question for you.",
    "I would like your answer to this.",
    "Could you help me with the following?",
    "Please have a look at this one.",
    "Hello! I have something to ask.",
)
_CLOSERS = (
    "Thank you!",
    "Thanks in advance.",
    "I look forward to your answer.",
    "That is what I would like to know.",
)
_LABELS = ("Question:", "Q:", "My question:", "Request:")
_SYNONYMS = tuple(
    (re.compile(rf"\b{old}\b"), new)
    for old, new in (
        ("(?:Calculate|Compute|Evaluate)", "Work out"),
        (r"Work out(?= \d)", "Calculate"),
        ("What do you get for", "What is the result of"),
        ("How much is", "What is"),
        ("What is", "What's"),
        ("How many (?=[a-z]+ (?:are|is|do|does|did) )", "What number of "),
        ("in total", "altogether"),
        ("altogether", "in total"),
        ("[Dd]id not", "didn't"),
        ("didn't", "did not"),
        ("don't", "do not"),
        ("I am", "I'm"),
        ("Is it", "Would you say it is"),
        ("Tell me", "Let me know"),
        ("Give me", "Provide me with"),
        ("Instruct me on", "Teach me"),
        ("Develop", "Work out"),
        ("Produce", "Create"),
        (r"Write(?= (?:an?|me)\b)", "Compose"),
        ("How do I", "How can I"),
        ("How can I", "How do I"),
        ("Help me(?! with)", "Assist me to"),
        ("Explain", "Make clear"),
        (r"Is this(?= (?:an?|wrong|okay|fine|fair|un[a-z]+)\b)", "Would you say this is"),
    )
)


@dataclass(frozen=True)
class _Text:
    """A text in pieces: what stands before the question, its words, and how to answer it."""

    before: str
    body: str
    gap: str
    form: str

    def __str__(self) -> str:
        return f"{self.before}{self.body}{self.gap}{self.form}"


def _opened(text: _Text, rng: random.Random) -> _Text:
    return replace(text, before=f"{rng.choice(_OPENERS)} {text.before}")


def _closed(text: _Text, rng: random.Random) -> _Text:
    return replace(text, body=f"{text.body}\n{rng.choice(_CLOSERS)}", gap="\n" if text.form else "")


def _labelled(text: _Text, rng: random.Random) -> _Text:
    return replace(text, before=f"{text.before}{rng.choice(_LABELS)} ")


def _synonym(text: _Text, rng: random.Random) -> _Text:
    fitting = [(old, new) for old, new in _SYNONYMS if old.search(text.body)]
    if not fitting:
        return text
    old, new = rng.choice(fitting)
    return replace(text, body=old.sub(new, text.body, count=1))


def _form_first(text: _Text, rng: random.Random) -> _Text:
    if not text.form:
        return text
    return replace(text, before=f"{text.form.strip()}\n{text.before}", gap="", form="")


_RULES = (_opened, _closed, _labelled, _synonym, _form_first)


def reworded(text: str, strength: int, rng: random.Random) -> str:
    """``text`` after ``strength`` rules; three of the five fit every text.

    Raises:
        ValueError: ``strength`` is none of ``STRENGTHS``.
    """
    if strength not in STRENGTHS:
        raise ValueError(f"strength {strength}; allowed: {STRENGTHS}")
    body, gap, form = split_format(text)
    made, done = _Text("", body, gap, form), 0
    for rule in rng.sample(_RULES, len(_RULES)):
        if done == strength:
            break
        changed = rule(made, rng)
        done += changed != made
        made = changed
    return str(made)
