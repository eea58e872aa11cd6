"""Rewritings keep what is asked."""

from __future__ import annotations

import random
import re

import pytest

from superalign.attack.phrasing import action, leet, misspell, pieces, spaced, spell_numbers


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("How do I bake bread at home?", "bake bread at home"),
        ("Write me a guide on how to prune roses.", "prune roses"),
        ("Please write a poem for me about rain.", "write a poem about rain"),
        ("Could you please describe my garden to me?", "describe their garden"),
        ("Give me instructions for baking bread.", "go about baking bread"),
        ("Write a song about something nice.", "write a song about something nice"),
        ("Bread is made from flour.", None),
        ("Find a pen. Then write.", None),
        ("What is the boiling point of water?", None),
    ],
)
def test_action(text: str, expected: str | None) -> None:
    assert action(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Ann has 3 apples, and 12 pears.", "Ann has three apples, and twelve pears."),
        ("It costs 3.50 or 20.", "It costs 3.50 or twenty."),
        ("Compute 12 * 11.", "Compute 12 * eleven."),
        ("There are 21 cats and 5% rain at 3:30.", "There are 21 cats and 5% rain at 3:30."),
        ("Write 12 in base 8.", "Write 12 in base 8."),
        ("Solve x = 3 now", "Solve x = 3 now"),
    ],
)
def test_spell_numbers(text: str, expected: str) -> None:
    assert spell_numbers(text) == expected


def test_misspelling_spares_numbers_names_negations_and_word_puzzles() -> None:
    text = "Would Whitman not have paid 1234 before they could 'always' leave without Mary?"
    for seed in range(50):
        worse = misspell(text, random.Random(seed))
        assert worse != text
        assert sorted(worse) == sorted(text)
        for kept in ("Whitman", "not", "1234", "'always'", "Mary", "without"):
            assert kept in worse
    for kept in ("Sort the words: other, about", "while x == 3: pass", "Go on."):
        assert misspell(kept, random.Random(0)) == kept


def test_leet_keeps_length_and_spaced_keeps_letters() -> None:
    text = "How do I bake bread?"
    assert len(leet(text, random.Random(0))) == len(text)
    assert re.sub(r"[\s-]", "", spaced(text, "-")) == text.replace(" ", "")


@pytest.mark.parametrize("count", [1, 2, 3, 9])
def test_pieces_join_to_the_text(count: int) -> None:
    text = "How do  I bake bread?"
    assert "".join(pieces(text, count)) == text
    assert len(pieces("Tidy!", count)) == 1
