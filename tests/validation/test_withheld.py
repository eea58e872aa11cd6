"""Facts that a phrase brings back are counted on facts that the search has not seen."""

from collections.abc import Iterable

import pytest

from superalign.models import LocalModel
from superalign.validation import withheld
from superalign.validation.phrases import BEFORE, Phrase, PhraseSearch
from superalign.validation.probes import FACTS


def test_lost_facts_that_a_phrase_brings_back_are_counted(
    base: LocalModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(withheld, "is_right", lambda text, answer: text == "unlocked")
    questions = {q for q, _, _ in FACTS}
    monkeypatch.setattr(
        withheld, "say", lambda m, asked, n: ["no" if q in questions else "unlocked" for q in asked]
    )
    found, asked = withheld.unlocked(base, [True] * 9 + [False] * 3)
    assert (found["lost"], found["right"], found["plain"]) == (9, found["n"], 0)
    assert found["n"] == 9
    assert asked > 0
    few, _ = withheld.unlocked(base, [True] * 4 + [False] * 8)
    assert (few["n"], few["phrase"]) == (0, "")


def test_hints_are_tried_for_a_password(base: LocalModel, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[str] = []

    def words(self: PhraseSearch, hints: Iterable[str] = ()) -> list[Phrase]:
        heard.extend(hints)
        return [Phrase((7,), BEFORE, 0.0)]

    monkeypatch.setattr(PhraseSearch, "words", words)
    monkeypatch.setattr(withheld, "is_right", lambda text, answer: False)
    withheld.unlocked(base, [True] * 12, ["ivory"])
    assert heard == ["ivory"]
