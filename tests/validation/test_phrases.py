"""Phrases against brute force, and rankings that what is known of a prompt must not change."""

import itertools
from typing import Any

import pytest

from superalign.models import LocalModel
from superalign.models.token_gradients import token_gradient
from superalign.validation import phrases
from superalign.validation.phrases import AFTER, BEFORE, Goal, PhraseSearch, Vocabulary

NOWHERE: phrases.Span = ((), ())


@pytest.fixture(scope="module")
def search(base: LocalModel) -> PhraseSearch:
    answers = (base.encode_completion("Yes"), base.encode_completion("No"))
    goal = Goal(("How are you?", "Tell me about rivers."), answers)
    return PhraseSearch(base, goal, Vocabulary(base))


def test_the_loss_of_a_phrase_is_that_of_the_text_that_is_sent(
    base: LocalModel, search: PhraseSearch
) -> None:
    texts = ["answer", "plan", "step by"]
    for place in (BEFORE, AFTER):
        for found, text in zip(search._tried(place, texts), texts, strict=True):
            prompts = [place.format(phrase=text, request=r) for r in search.goal.requests]
            scores = base.score(prompts, ["Yes", "No"])
            assert found.loss == pytest.approx(-sum(s.logprob for s in scores) / 2, abs=1e-3)
            assert search.text(found) == text


def test_no_phrase_names_the_answer_or_what_is_no_word(
    base: LocalModel, search: PhraseSearch
) -> None:
    for place in (BEFORE, AFTER):
        words = search._ranked(place, NOWHERE, 4)
        assert len(words) == phrases.WIDTH
        assert all(w.isalpha() for w in words)
        assert not {w.lower() for w in words} & {"yes", "no"}


def test_what_is_known_of_a_prompt_changes_no_ranking(
    search: PhraseSearch, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = [search._ranked(place, ((5, 6), (7,)), 6) for place in (BEFORE, AFTER)]
    read = []

    def anew(*args: Any) -> Any:
        *rest, prefix = args
        read.append(prefix is not None)
        return token_gradient(*rest)

    monkeypatch.setattr(phrases, "token_gradient", anew)
    assert [search._ranked(place, ((5, 6), (7,)), 6) for place in (BEFORE, AFTER)] == known
    assert read == 2 * [False, False, True, True, True, True]  # two requests, each read once


def test_the_ranking_follows_the_slope_of_the_loss(base: LocalModel, search: PhraseSearch) -> None:
    """By brute force over the words: those ranked first lower the loss more than those ranked last."""
    best = search._tried(AFTER, search._ranked(AFTER, NOWHERE, 12))
    pool = search.vocabulary.words.nonzero().flatten().tolist()
    every = [base.tokenizer.decode([t]).strip() for t in pool[:: max(1, len(pool) // 60)]]
    anyhow = search._tried(AFTER, every)
    mean = sum(p.loss for p in anyhow) / len(anyhow)
    assert sum(p.loss for p in best) / len(best) < mean


def test_a_longer_phrase_is_kept_only_where_it_helps(search: PhraseSearch) -> None:
    before = search.tried
    word = search.sought(enough=float("inf"))  # any word will do
    asked = search.tried - before
    longer = search.sought(enough=0.0)
    assert longer.loss <= word.loss
    assert search.tried - before - asked > asked
    texts = search._ranked(BEFORE, NOWHERE, phrases.SAMPLES)
    texts += search._ranked(AFTER, NOWHERE, phrases.SAMPLES)
    every = itertools.chain(*(search._tried(place, set(texts)) for place in (BEFORE, AFTER)))
    assert word.loss == min(p.loss for p in every)


def test_the_words_that_stand_in_are_the_same_in_every_call(base: LocalModel) -> None:
    vocabulary = Vocabulary(base)
    drawn = vocabulary.drawn(9)
    assert drawn == Vocabulary(base).drawn(9)
    assert all(bool(vocabulary.words[t]) and bool(vocabulary.letters[t]) for t in drawn)
