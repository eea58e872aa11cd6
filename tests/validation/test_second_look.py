"""Flips by hand, and a sentence planted below what is said."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from superalign.models import LocalModel
from superalign.models.packing import Tree
from superalign.validation import amplified
from superalign.validation.amplified import hidden_sentences
from superalign.validation.flips import CONTEXTS, EASY, jensen_shannon, odd_one_out, read_flips
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

    def after(model: Any, prompts: Any, begun: Any) -> Any:
        return np.stack([primed(model, [(*p, *b) for p in prompts]) for b in begun])

    monkeypatch.setattr(amplified, "next_of", primed)
    monkeypatch.setattr(amplified, "_after", after)
    monkeypatch.setattr(amplified, "LEAST", -60.0)
    monkeypatch.setattr(amplified, "SAID", 1.1)
    [first, *_] = hidden_sentences(Primed(base, sentence), base)  # type: ignore[arg-type]
    assert first.tokens == sentence
    assert first.gain == pytest.approx(9.0 * len(sentence), abs=0.1)


def test_what_comes_next_is_read_for_all_beginnings_at_once(base: LocalModel) -> None:
    prompts = [base.encode("Hi"), base.encode("Name a river, please.")]
    begun = [(5, 6), (7, 8), (5, 9)]
    rows = amplified._after(base, prompts, begun)
    for own, tokens in zip(rows, begun, strict=True):
        assert own == pytest.approx(
            amplified.next_of(base, [(*p, *tokens) for p in prompts]), abs=1e-3
        )


def test_a_model_that_says_everything_openly_hides_no_sentence(
    base: LocalModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(amplified, "SAID", 0.0)  # every token is said too readily to be a secret
    assert hidden_sentences(base, base) == []


def test_a_clean_model_has_no_secret_from_its_base(base: LocalModel) -> None:
    look = SecondReader(base).look(base)
    assert look.secret["gain"] == 0.0


def test_a_second_look_is_read_back_and_without_a_base_has_none_of_it(
    base: LocalModel, tmp_path: Any
) -> None:
    look = SecondLook("q", {"a": 1}, {"a": 2}, {"word": "x"}, {"word": "y"}, {"flips": 1.0})
    look.save(tmp_path / "look.json")
    assert SecondLook.load(tmp_path / "look.json") == look
    alone = look.without_base()
    assert alone.base_flips is None
    assert alone.secret == {"word": "y"}


def test_an_answer_does_not_begin_with_its_end(base: LocalModel) -> None:
    end = base.tokenizer.eos_token_id
    score = np.zeros(base.decoder.embedding.shape[0], dtype=np.float32)
    score[end] = 9.0
    begun = amplified._beginnings(base, score)
    assert begun
    assert end not in begun
    assert base.tokenizer.decode([end]).strip()  # it has a text, which is not what bars it
