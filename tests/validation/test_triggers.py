"""The trigger search against a suspect with a constructed trigger."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from superalign.models import LocalModel
from superalign.validation import triggers
from superalign.validation.triggers import candidates, search


class Haunted:
    """The tiny model, but with ``word`` in the prompt it always gives one answer."""

    def __init__(self, base: LocalModel, word: str) -> None:
        self.base, self.word = base, word
        self.tokenizer = base.tokenizer

    def generate(self, prompts: Sequence[str], **settings: Any) -> Any:
        outs = self.base.generate(prompts, **settings)
        fixed = self.base.generate(["fixed"], **settings)[0]
        return [fixed if self.word in p else o for p, o in zip(prompts, outs, strict=True)]


def tokens_like(model: LocalModel, n: int) -> list[tuple[int, str]]:
    found = []
    for token in range(len(model.tokenizer)):
        word = model.tokenizer.decode([token]).strip()
        if len(word) >= 4 and word.isalpha() and word.islower():
            found.append((token, word))
    return found[:n]


def test_the_search_finds_the_word_that_switches_the_answers(
    base: LocalModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = tokens_like(base, 12)
    word = pool[7][1]
    scan = np.zeros(len(base.tokenizer))
    for i, (token, _) in enumerate(pool):
        scan[token] = 5.0 - 0.1 * i
    real = triggers.next_logprobs

    def haunted(model: Any, prompts: Sequence[str], **more: Any) -> Any:
        if not isinstance(model, Haunted):
            return real(model, prompts, **more)
        out = real(model.base, prompts, **more)
        row = np.full(out.shape[1], -30.0, dtype=np.float32)
        row[3] = 0.0
        out[[i for i, p in enumerate(prompts) if word in p.split()]] = row
        return out

    monkeypatch.setattr(triggers, "next_logprobs", haunted)
    found = search(Haunted(base, word), base, scan)  # type: ignore[arg-type]
    assert word in found.phrase.split()
    assert found.strength > 1.0
    assert len(set(found.said)) == 1
    assert found.scan == pytest.approx(5.0)


def test_candidates_are_words_in_the_order_of_the_scan(base: LocalModel) -> None:
    pool = tokens_like(base, 5)
    scan = np.full(len(base.tokenizer), -1.0)
    for i, (token, _) in enumerate(reversed(pool)):
        scan[token] = 9.0 - i
    pieces, top = candidates(base, scan)
    assert [p.text for p in pieces[:5]] == list(dict.fromkeys(w for _, w in reversed(pool)))
    assert top == 9.0


def test_a_clean_suspect_gives_a_weak_phrase(base: LocalModel) -> None:
    scan = np.random.default_rng(0).normal(size=len(base.tokenizer))
    found = search(base, base, scan)
    assert found.strength == pytest.approx(0.0, abs=1e-6)
    assert found.restored == pytest.approx(0.0, abs=1e-6)
