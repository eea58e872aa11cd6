"""A language model as explainer and simulator: a double that is good at both, and the real reading."""

import re
from collections.abc import Sequence

import numpy as np
import pytest
import torch

from superalign.explaining.language import LocalSpeaker, explain, question, simulate
from superalign.explaining.recording import Array, Texts
from superalign.explaining.study import table
from superalign.models import LocalModel
from superalign.tasks.neutral import NEUTRAL_TEXTS

SEEN = Texts(tuple(tuple(" " + w for w in t.split()) for t in NEUTRAL_TEXTS[0::2]))
UNSEEN = Texts(tuple(tuple(" " + w for w in t.split()) for t in NEUTRAL_TEXTS[1::2]))
WORDS = ("the", "of", "water")


def fires(texts: Texts, word: str) -> Array:
    noise = np.random.default_rng(0).uniform(0, 0.02, texts.tokens)
    return np.array([float(w.strip() == word) for row in texts.words for w in row]) + noise


class Reader:
    """Names the token that fired most often, and simulates just what it was told."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def say(self, prompt: str) -> str:
        self.asked.append(prompt)
        counts: dict[str, int] = {}
        for word, digit in re.findall(r"^(.*)\t(\d)$", prompt, re.MULTILINE):
            counts[word] = counts.get(word, 0) + int(digit)
        return f"the word '{max(counts, key=lambda w: counts[w])}'"

    def expected(self, prompts: Sequence[str], words: Sequence[Sequence[str]]) -> list[Array]:
        found = []
        for prompt, row in zip(prompts, words, strict=True):
            [named] = re.findall(r"the word '(.*?)'", prompt)
            found.append(np.array([9.0 * (w.strip() == named) for w in row]))
        return found


def both(texts: Texts) -> tuple[Texts, Array]:
    return texts, np.stack([fires(texts, w) for w in WORDS], 1)


def test_a_good_explainer_and_simulator_score_high_and_another_units_words_do_not() -> None:
    for word, found in zip(WORDS, explain(Reader(), both(SEEN), both(UNSEEN)), strict=True):
        assert found.explanation == f"the word '{word}'"
        assert found.natural is not None
        assert found.natural > 0.9
        assert found.precision is not None
        assert found.precision > 0.9
        assert found.null is not None
        assert abs(found.null) < 0.1


def test_one_unit_alone_has_no_other_units_words() -> None:
    seen, unseen = ((t, a[:, :1]) for t, a in (both(SEEN), both(UNSEEN)))
    [found] = explain(Reader(), seen, unseen)
    assert found.null is None


def test_the_explainer_sees_tokens_with_digits_from_the_highest_texts() -> None:
    texts = Texts(((" a", " b", " c"), (" d", " e", " f")))
    asked = question(texts, np.array([0.0, 0.1, 0.5, 0.0, 1.0, 0.59]))
    assert asked.index("e\t9") < asked.index("c\t5")
    assert "f\t5" in asked
    assert "It fires on: e, f, c" in asked


def test_expected_digits_are_those_of_the_module(base: LocalModel) -> None:
    """Independent reference: the module's own forward pass, one position at a time."""
    speaker = LocalSpeaker(base)
    words = [["The", " old"], [" house", " by", " the"]]
    found = speaker.expected(["How active?", "And here?"], words)
    digits = [base.encode_completion(str(d))[0] for d in range(10)]
    for prompt, row, values in zip(["How active?", "And here?"], words, found, strict=True):
        ids = list(base.encode(prompt))
        for word, value in zip(row, values, strict=True):
            ids += base.encode_completion(f"{word.strip()}\t")
            with torch.no_grad():
                logits = base.module(torch.tensor([ids])).logits[0, -1, digits]
            expected = torch.softmax(logits, 0) @ torch.arange(10.0)
            assert value == pytest.approx(float(expected), abs=1e-3)
            ids += base.encode_completion("?\n")


def test_a_local_model_simulates_every_token(base: LocalModel) -> None:
    speaker = LocalSpeaker(base)
    few = Texts(UNSEEN.words[:2])
    predicted = simulate(speaker, speaker.say("What is this?"), few)
    assert predicted.shape == (few.tokens,)
    assert ((predicted >= 0) & (predicted <= 9)).all()


def test_a_table_sets_the_language_model_beside_counting(base: LocalModel) -> None:
    found = table(base, NEUTRAL_TEXTS[:8], 2, (0,), 1, seed=0, speaker=Reader())
    [row] = found["by_layer"]
    assert {"spoken", "spoken_null", "beside_spoken"} <= set(row)
    assert all(n["spoken"]["explanation"].startswith("the word") for n in found["neurons"])
