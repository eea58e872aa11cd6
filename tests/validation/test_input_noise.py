"""Noise and rewording change how a question is written, and never what the answer is."""

import random
import re
from collections import Counter

import pytest

from superalign.attack.converters import LOOKALIKES
from superalign.attack.phrasing import letters_matter, split_format
from superalign.records import Query
from superalign.registry import lookup
from superalign.validation.input_noise import NOISES
from superalign.validation.rewording import STRENGTHS, reworded

DECISIVE = re.compile(r"\d+|[-+*/=×]|\b(?:A|B|no|not|yes|wrong|unfair|three|half|more)\b")


def questions() -> list[Query]:
    found = []
    for task in ("mathematics", "ethics", "safety"):
        found += lookup("task", task)().generate(60, seed=4, split="held_out")
    return [q for q in found if not letters_matter(q.text)]


QUESTIONS = questions()


@pytest.mark.parametrize("name", NOISES)
def test_no_rate_no_noise_and_the_same_seed_the_same_noise(name: str) -> None:
    for q in QUESTIONS[::10]:
        assert NOISES[name](q.text, 0.0, random.Random(1)) == q.text
        once, twice = (NOISES[name](q.text, 0.5, random.Random(1)) for _ in range(2))
        assert once == twice


@pytest.mark.parametrize("name", NOISES)
def test_what_decides_the_answer_stays(name: str) -> None:
    for i, q in enumerate(QUESTIONS):
        noisy = NOISES[name](q.text, 0.5, random.Random(i))
        assert DECISIVE.findall(q.text) == [
            x for x in DECISIVE.findall(noisy) if x in DECISIVE.findall(q.text)
        ]
        assert re.findall(r"\d+", noisy) == re.findall(r"\d+", q.text)


@pytest.mark.parametrize("rate", [0.1, 0.4])
def test_the_rate_is_the_share_of_letters(rate: float) -> None:
    text = " ".join(["elephants gather beside the rivers"] * 200)
    letters = sum(c.isalpha() for c in text)
    swapped = NOISES["case"](text, rate, random.Random(0))
    changed = sum(a != b for a, b in zip(text, swapped, strict=True))
    assert changed / letters == pytest.approx(rate, abs=0.02)
    gaps = NOISES["spaces"](text, rate, random.Random(0))
    single = len(re.findall(r"(?<=\S) (?=\S)", gaps))
    assert 1 - single / text.count(" ") == pytest.approx(rate, abs=0.04)


def test_each_noise_is_what_its_name_says() -> None:
    text = "Calculate 12 plus 7. Could you please explain the lovely answer?"
    made = {name: noise(text, 0.5, random.Random(3)) for name, noise in NOISES.items()}
    assert len({text, *made.values()}) == 5
    assert made["case"].lower() == text.lower()
    assert made["spaces"].replace("\n", "").replace(" ", "") == text.replace(" ", "")
    back = {v: k for k, v in LOOKALIKES.items()}
    assert "".join(back.get(c, c) for c in made["homoglyphs"]) == text


@pytest.mark.parametrize("name", ["typos", "case", "homoglyphs"])
def test_words_of_two_letters_numbers_and_judgements_are_left_alone(name: str) -> None:
    text = "A or B: is it not unfair that seven is more places than 3 x 2?"
    made = NOISES[name](text, 1.0, random.Random(0))
    changed = [a for a, b in zip(text.split(), made.split(), strict=True) if a != b]
    assert "places" in changed
    assert set(changed) <= {"that", "places", "than"}


@pytest.mark.parametrize("strength", STRENGTHS)
def test_rewordings_keep_what_decides_and_differ(strength: int) -> None:
    for i, q in enumerate(QUESTIONS):
        made = reworded(q.text, strength, random.Random(i))
        assert made != q.text
        assert Counter(re.findall(r"\d+", made)) == Counter(re.findall(r"\d+", q.text))
        form = split_format(q.text)[2].strip()
        assert form in made
        words = set(re.findall(r"[a-z]{5,}", q.text))
        assert len(words - set(re.findall(r"[a-z]{5,}", made))) <= 3  # a synonym's


def test_rewordings_are_nested_and_add_up() -> None:
    for i, q in enumerate(QUESTIONS[::7]):
        one, two, three = (reworded(q.text, s, random.Random(i)) for s in STRENGTHS)
        assert len({q.text, one, two, three}) == 4


def test_an_unknown_strength_is_refused() -> None:
    with pytest.raises(ValueError, match="allowed"):
        reworded("What is 1 + 1?", 4, random.Random(0))
