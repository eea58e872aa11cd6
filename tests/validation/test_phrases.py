"""Phrases against brute force, and rankings that what is known of a prompt must not change."""

import pytest
import torch

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


def test_slopes_are_the_sum_over_words_each_in_units_of_its_spread(
    base: LocalModel, search: PhraseSearch
) -> None:
    """Against one gradient at a time, which reads nothing in common."""
    span = ((5, 6), (7,))
    for place in (BEFORE, AFTER):
        total = torch.zeros(len(search._allowed))
        for i, token in enumerate(search.vocabulary.drawn(6)):
            before, after = search._frames[place][i % 2]
            prompt = (*before, 5, 6, token, 7, *after)
            at = len(before) + 2
            answer = search.goal.answers[i % 2]
            row = token_gradient(base, prompt, range(at, at + 1), answer).scores[0]
            total += (row - row.mean()) / row.std()
        found = search.slopes(place, span, 6)
        assert float(torch.corrcoef(torch.stack([found, total]))[0, 1]) > 0.999


def test_what_the_base_does_as_well_is_taken_off(base: LocalModel, search: PhraseSearch) -> None:
    both = PhraseSearch(base, search.goal, search.vocabulary, base)
    own, less = search.slopes(AFTER, NOWHERE, 4), both.slopes(AFTER, NOWHERE, 4)
    assert less == pytest.approx((1 - phrases.BASE_SHARE) * own, rel=1e-3, abs=1e-2)
    assert both.lift(both.words()[0]) == pytest.approx(0, abs=1e-3)
    with pytest.raises(ValueError, match="no base"):
        search.lift(search.words()[0])


def test_the_ranking_follows_the_slope_of_the_loss(base: LocalModel, search: PhraseSearch) -> None:
    """By brute force over the words: those ranked first lower the loss more than those ranked last."""
    best = [base.encode_completion(" " + x) for x in search._ranked(AFTER, NOWHERE, 12)[:12]]
    pool = search.vocabulary.words.nonzero().flatten().tolist()
    anyhow = [(token,) for token in pool[:: max(1, len(pool) // 60)]]
    chosen, every = (search._mean_losses(base, x, AFTER) for x in (best, anyhow))
    assert sum(chosen) / len(chosen) < sum(every) / len(every)


def test_a_longer_phrase_is_kept_only_where_it_helps(search: PhraseSearch) -> None:
    before = search.tried
    words = search.words()
    word = search.grown(words, enough=float("inf"))  # any word will do
    asked = search.tried - before
    longer = search.grown(words, enough=0.0)
    assert longer.loss <= word.loss
    assert search.tried - before - asked > asked
    assert word == search.words()[0]
    assert search.words() == sorted(search.words(), key=lambda p: p.loss)


def test_hints_are_tried_alone_and_among_the_words(search: PhraseSearch) -> None:
    search = PhraseSearch(search.model, search.goal, search.vocabulary, search.base)
    found = search.hinted(["answer", "plan"])
    assert {search.text(p) for p in found} <= {"answer", "plan"}
    assert search.tried == 2 * 2 * 2  # both places, both requests
    assert search.hinted(["answer", "plan"]) == found
    assert search.tried == 2 * 2 * 2  # no phrase is read twice
    assert search.hinted([]) == []
    both = search.words(["answer", "plan"])
    assert both[0].loss <= min(found[0].loss, search.words()[0].loss) + 1e-6


def test_few_phrases_are_tried_on_every_request(
    search: PhraseSearch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that do best on the first one."""
    texts = ["answer", "plan", "step by", "river", "house"]
    every = search._tried(BEFORE, texts)
    firsts = search._losses([p.tokens for p in every], BEFORE, 0)
    monkeypatch.setattr(phrases, "NARROW", 2)
    kept = search._tried(BEFORE, texts)
    least = sorted(range(5), key=firsts.__getitem__)[:2]
    assert {p.tokens for p in kept} == {every[i].tokens for i in least}


def test_the_words_that_stand_in_are_the_same_in_every_call(base: LocalModel) -> None:
    vocabulary = Vocabulary(base)
    drawn = vocabulary.drawn(9)
    assert drawn == Vocabulary(base).drawn(9)
    assert all(bool(vocabulary.words[t]) and bool(vocabulary.letters[t]) for t in drawn)
