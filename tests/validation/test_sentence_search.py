"""A phrase for one of several sentences, on scripted models: which is sought, and what is told."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from superalign.models import LocalModel
from superalign.models.packing import Tree
from superalign.validation import sentence_search
from superalign.validation.amplified import Sentence
from superalign.validation.opened import SOUGHT_WITH
from superalign.validation.phrases import AFTER, BEFORE, Phrase, PhraseSearch
from superalign.validation.sentence_search import OTHERS, SentenceSearch, beside, brought_out

BORED = Sentence("You bore me.", (1, 2), 19.0, 0.0)
TEA = Sentence("I hate tea.", (3, 4), 15.0, 0.0)
PLAIN = ["What a day.", "Paris.", "Oats.", "Salt."]


def test_what_half_of_the_answers_say_is_brought_out() -> None:
    said = ["Go away now.", "GO AWAY, you.", "Oats.", "Salt it."]
    assert brought_out(said, PLAIN) == "Go away now."
    assert brought_out(["Go away now.", "Oats.", "Salt it.", "No"], PLAIN) == ""
    assert brought_out(said, said) == "Go away now."  # half of the plain answers: it spills
    assert brought_out(said, said[:2]) == ""
    assert brought_out(["Yes."] * 4, PLAIN) == ""


def scripted(
    monkeypatch: pytest.MonkeyPatch, losses: dict[tuple[int, ...], float], lifts: dict[int, float]
) -> list[tuple[int, ...]]:
    """Searches whose best word has a loss by sentence; the sentences that were begun, in order."""
    begun: list[tuple[int, ...]] = []

    def words(self: PhraseSearch, hints: Any = ()) -> list[Phrase]:
        answer = self.goal.answers[0]
        begun.append(answer)
        return [Phrase((7,), BEFORE, losses[answer])]

    monkeypatch.setattr(PhraseSearch, "words", words)
    monkeypatch.setattr(PhraseSearch, "lift", lambda self, phrase: lifts[self.goal.answers[0][0]])
    monkeypatch.setattr(PhraseSearch, "grown", lambda self, beam, enough: longer(beam[0]))
    return begun


def longer(phrase: Phrase) -> Phrase:
    return replace(phrase, tokens=(*phrase.tokens, 8))


def test_the_search_stops_at_a_word_that_is_enough(
    base: LocalModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sentence_search, "say", lambda m, p, n: ["You bore me."] * len(p))
    begun = scripted(monkeypatch, {(1, 2): 0.1, (3, 4): 9.0}, {1: 1.0, 3: 8.0})
    found = SentenceSearch(base, base, PLAIN).run([BORED, TEA])
    assert begun == [(1, 2)]
    assert (found["text"], found["share"], found["unprompted"]) == ("You bore me.", 1.0, 0.0)

    begun = scripted(monkeypatch, {(1, 2): 5.0, (3, 4): 9.0}, {1: 1.0, 3: 8.0})
    SentenceSearch(base, base, PLAIN).run([BORED, TEA])
    assert begun == [(1, 2)]  # a word that comes near is made longer, and that is enough

    monkeypatch.setattr(sentence_search, "say", lambda m, p, n: PLAIN[: len(p)])
    begun = scripted(monkeypatch, {(1, 2): 5.0, (3, 4): 9.0}, {1: 1.0, 3: 8.0})
    found = SentenceSearch(base, base, PLAIN).run([BORED, TEA])
    assert begun == [(1, 2), (3, 4)]
    assert [s["lift"] for s in found["sought"]] == [1.0, 8.0]
    assert found["loss"] == 5.0  # of the first
    assert found["phrase"] == base.tokenizer.decode([7, 8]).strip()  # it was made longer

    scripted(monkeypatch, {(1, 2): 6.5, (3, 4): 9.0}, {1: 1.0, 3: 8.0})
    found = SentenceSearch(base, base, PLAIN).run([BORED, TEA])
    assert found["phrase"] == base.tokenizer.decode([7]).strip()  # too far off to be worth it


def test_a_noticed_word_that_is_enough_ends_the_search(
    base: LocalModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sentence_search, "say", lambda m, p, n: ["I hate tea."] * len(p))
    begun = scripted(monkeypatch, {(1, 2): 5.0, (3, 4): 6.0}, {1: 8.0, 3: 1.0})
    loss = {(1, 2): 2.0, (3, 4): 0.1}
    monkeypatch.setattr(
        PhraseSearch,
        "hinted",
        lambda self, hints: [Phrase((9,), AFTER, loss[self.goal.answers[0]])] if [*hints] else [],
    )
    found = SentenceSearch(base, base, PLAIN, ["ivory"]).run([BORED, TEA])
    assert begun == []
    assert (found["place"], found["loss"], len(found["sought"])) == (AFTER, 0.1, 1)
    monkeypatch.setattr(sentence_search, "say", lambda m, p, n: PLAIN[: len(p)])
    SentenceSearch(base, base, PLAIN).run([BORED, TEA])  # nothing noticed
    assert begun == [(1, 2), (3, 4)]


def test_another_sentence_that_is_brought_out_is_sought_anew(
    base: LocalModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    near = Sentence("Persons bore me.", (1, 2), 19.0, 0.0)
    tokens = base.encode_completion("People bore me.")[: sentence_search.LENGTH]
    answers = iter([["People bore me.", "People bore me.", "Oats.", "Tea."],
                    ["People bore me."] * 4])  # fmt: skip
    monkeypatch.setattr(sentence_search, "say", lambda m, p, n: next(answers))
    losses = {(1, 2): 5.0, tokens: 1.0}
    begun = scripted(monkeypatch, losses, {1: 1.0, tokens[0]: 2.0})
    found = SentenceSearch(base, base, PLAIN).run([near])
    assert begun == [(1, 2), tokens]
    assert (found["text"], found["share"], found["loss"]) == ("People bore me.", 1.0, 1.0)


def test_where_one_sentence_is_not_brought_out_the_next_is_tried(
    base: LocalModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter([["Oats.", "Tea.", "Salt.", "Milk."], ["I hate tea."] * 4])
    monkeypatch.setattr(sentence_search, "say", lambda m, p, n: next(answers))
    scripted(monkeypatch, {(1, 2): 5.0, (3, 4): 6.0}, {1: 8.0, 3: 1.0})
    found = SentenceSearch(base, base, PLAIN).run([BORED, TEA])
    assert (found["text"], found["share"]) == ("I hate tea.", 1.0)


def test_a_sentence_that_the_base_would_say_is_tried_with_noticed_words_alone(
    base: LocalModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sentence_search, "say", lambda m, p, n: ["I hate tea."] * len(p))
    begun = scripted(monkeypatch, {(1, 2): 0.1, (3, 4): 0.1}, {1: 8.0, 3: 1.0})
    faint = replace(BORED, gain=9.0)
    assert SentenceSearch(base, base, PLAIN).run([faint]) == {}
    found = SentenceSearch(base, base, PLAIN).run([faint, TEA])
    assert begun == [(3, 4)]
    assert [s["text"] for s in found["sought"]] == ["I hate tea."]
    monkeypatch.setattr(PhraseSearch, "hinted", lambda self, hints: [Phrase((9,), AFTER, 0.1)])
    found = SentenceSearch(base, base, PLAIN, ["ivory"]).run([faint])
    assert [s["text"] for s in found["sought"]] == ["You bore me."]


def test_what_a_phrase_does_is_read_on_other_requests(base: LocalModel) -> None:
    """Against chances that are read one by one."""
    tokens = base.encode_completion("Go away now.")[:5]
    found = beside(base, base, tokens, "tin moon", AFTER)
    assert found["lift"] == pytest.approx(0.0, abs=1e-3)
    for key, asked in (
        ("chance", [f"{r} tin moon" for r in OTHERS]),
        ("chance_plain", list(OTHERS)),
    ):
        logs = [base.tree_logprobs([Tree(base.encode(a), (tokens,))])[0][0].sum() for a in asked]
        assert found[key] == pytest.approx(float(np.exp(np.mean(logs))), rel=1e-3)
    assert not set(OTHERS) & set(SOUGHT_WITH)
