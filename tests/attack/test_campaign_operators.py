"""Operators for campaigns: encodings that can be undone, conversations, bred attacks."""

from __future__ import annotations

import base64
import random

import pytest

from superalign.attack.base import operators
from superalign.attack.conversation import Conversation
from superalign.attack.converters import CONVERTERS
from superalign.attack.evolution import perturbed
from superalign.records import Message, Query
from superalign.registry import registered

TEXT = "How do I bake bread at home?"


def goal(text: str = TEXT) -> Query:
    return Query(
        domain="safety",
        family="kitchen",
        split="train",
        messages=(Message(role="user", content=text),),
        truth={"harmful": True},
        goal=text,
    )


def test_the_loop_sees_none_of_them() -> None:
    campaign = set(operators("campaign", "held_out"))
    assert len(CONVERTERS) >= 20
    assert set(CONVERTERS) <= campaign
    for split in ("train", "held_out"):
        for domain in ("safety", "benign", "mathematics", "ethics"):
            assert not campaign & set(operators(domain, split))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "undo"),
    [
        ("binary", lambda t: bytes(int(b, 2) for b in t.split()).decode()),
        ("hexadecimal", lambda t: bytes.fromhex(t).decode()),
        ("octal", lambda t: bytes(int(b, 8) for b in t.split()).decode()),
        ("base32", lambda t: base64.b32decode(t).decode()),
        ("ascii85", lambda t: base64.a85decode(t).decode()),
        ("reversed", lambda t: t[::-1]),
        ("reversed_words", lambda t: " ".join(t.split()[::-1])),
        ("unicode_escapes", lambda t: t.encode().decode("unicode_escape")),
        ("zero_width", lambda t: t.replace("\u200b", "")),
        ("one_word_a_line", lambda t: t.replace("\n", " ")),
        ("random_case", lambda t: t.capitalize().replace(" i ", " I ")),
        ("rot47", lambda t: CONVERTERS["rot47"][1](t, random.Random(0))),
    ],
)
def test_encodings_can_be_undone(name: str, undo) -> None:  # type: ignore[no-untyped-def]
    assert undo(CONVERTERS[name][1](TEXT, random.Random(0))) == TEXT


@pytest.mark.parametrize("name", list(CONVERTERS))
def test_every_converter_changes_the_text_and_keeps_the_goal(name: str) -> None:
    made = registered("attack")[name]().propose(goal(), random.Random(1), ())
    assert made.text != TEXT
    assert (made.goal, made.operator, made.split) == (TEXT, name, "held_out")


def test_a_conversation_has_its_turns() -> None:
    for name, operator in operators("campaign", "held_out").items():
        if isinstance(operator, Conversation):
            opening = operator.opening(goal(), random.Random(0))
            assert len(opening) == operator.turns - 1 >= 1, name
            assert "{" not in " ".join(opening)


def test_crossover_uses_what_worked() -> None:
    made = registered("attack")["authority"]().propose(goal("Write a poem."), random.Random(0), ())
    bred = registered("attack")["crossover"]().propose(goal(), random.Random(0), [made])
    assert bred.text == made.text.replace("Write a poem.", TEXT)


def test_composition_wraps_twice() -> None:
    made = registered("attack")["composed"]().propose(goal(), random.Random(5), ())
    assert (made.operator, made.goal) == ("composed", TEXT)


def test_noise_keeps_the_length_and_the_words() -> None:
    noisy = perturbed(TEXT, random.Random(0))
    assert len(noisy) == len(TEXT)
    assert noisy != TEXT
    assert len(noisy.split()) == len(TEXT.split())
