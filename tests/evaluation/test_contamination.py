"""Contamination tests: formulas by hand, and signs that show on a model that was made to remember."""

from __future__ import annotations

import itertools
import math
import random
from pathlib import Path

import numpy as np
import pytest
import torch

import toy
from superalign.config import LearnerConfig
from superalign.evaluation.contamination import (
    canary,
    exposure,
    familiarity,
    min_k_plus_plus,
    ngram_overlap,
    order_test,
)
from superalign.learner.examples import Example
from superalign.learner.offline import train_offline
from superalign.models import LocalModel
from superalign.models.base import Score
from superalign.models.fake import FakeModel
from superalign.models.packing import Tree
from superalign.models.token_statistics import TokenStatistics, token_statistics

WORDS = "red blue green small large old new warm cold quick slow quiet loud early late".split()
THINGS = "cup lamp chair table book road river stone tree bird boat hat key bell coin".split()


def sentences(n: int, seed: int) -> list[str]:
    rng = random.Random(seed)
    return [
        f"The {rng.choice(WORDS)} {rng.choice(THINGS)} has {rng.randrange(100, 999)} "
        f"{rng.choice(WORDS)} {rng.choice(THINGS)}s."
        for _ in range(n)
    ]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> LocalModel:
    return toy.model(tmp_path_factory.getbasetemp())


@pytest.fixture(scope="module")
def remembering(model: LocalModel) -> LocalModel:
    """The tiny model trained on 20 sentences until it knows them."""
    view = model.with_adapter(model.fresh_adapter(rank=16, alpha=32, seed=0), name="remembers")
    encoded = [model.encode(text, raw=True) for text in sentences(20, 1)]
    examples = [Example(Tree(ids[:1], (ids[1:],)), 1.0, 1.0) for ids in encoded]
    config = LearnerConfig(algorithm="sft", learning_rate=0.02, epochs=25, batch_tokens=256)
    train_offline(view, examples, config, seed=0)
    return view


def test_statistics_are_those_of_the_plain_softmax(model: LocalModel) -> None:
    text = "The red cup has 512 old coins."
    [found] = token_statistics(model, [text])
    ids = torch.tensor([model.encode(text, raw=True)])
    with torch.no_grad():
        log_p = torch.log_softmax(model.module(ids).logits[0, :-1].float(), -1)
    p = log_p.exp()
    mean = (p * log_p).sum(-1)
    deviation = ((p * (log_p - mean[:, None]) ** 2).sum(-1)).sqrt()
    assert np.allclose(found.logprob, log_p.gather(1, ids[0, 1:, None])[:, 0], atol=1e-4)
    assert np.allclose(found.expected, mean, atol=1e-4)
    assert np.allclose(found.deviation, deviation, atol=1e-3)


def test_min_k_by_hand() -> None:
    row = TokenStatistics(
        *(np.array(x, np.float32) for x in ([-1, -9, -2, -5, -3], [-2] * 5, [2] * 5))
    )
    # normalised: 0.5, -3.5, 0, -1.5, -0.5; the lowest 40% are two tokens
    assert min_k_plus_plus([row], 0.4) == [pytest.approx(-2.5)]
    empty = np.zeros(0, np.float32)
    assert min_k_plus_plus([TokenStatistics(empty, empty, empty)]) == [None]


def test_what_was_trained_on_is_familiar_and_what_was_not_is_not(
    model: LocalModel, remembering: LocalModel
) -> None:
    old, fresh = sentences(20, 1), sentences(20, 2)
    seen = familiarity(remembering, old, fresh)
    assert seen.auroc.value is not None
    assert seen.auroc.value > 0.95
    assert seen.p is not None
    assert seen.p < 0.01
    clean = familiarity(model, old, fresh)
    assert clean.auroc.low is not None
    assert clean.auroc.low < 0.6


class Ordered(FakeModel):
    """Likes one order of sentences."""

    def score(self, prompts, continuations, *, raw=False):  # type: ignore[no-untyped-def]
        rng = random.Random(0)
        rows = []
        for p, c in zip(prompts, continuations, strict=True):
            numbers = [int(w) for w in (p + c).replace("\n", " ").split() if w.isdigit()]
            rising = sum(a < b for a, b in itertools.pairwise(numbers))
            rows.append(Score(rising + rng.gauss(0, 0.1), 1))
        return rows


def test_the_published_order_shows() -> None:
    texts = [f"row {i} is here" for i in range(40)]
    assert order_test(Ordered(), texts) < 1e-4
    shuffled = random.Random(3).sample(texts, len(texts))
    assert order_test(Ordered(), shuffled) > 0.01
    assert order_test(Ordered(), texts[:7]) is None


def test_overlap_counts_ngrams() -> None:
    corpus = ["one two three four five six"]
    shares = ngram_overlap(["Two, three: FOUR!", "three four nine ten", "hi"], corpus, n=3)
    assert shares == [1.0, 0.0, None]


def test_a_planted_canary_stands_out(model: LocalModel) -> None:
    planted = canary(0)
    assert planted != canary(1)
    view = model.with_adapter(model.fresh_adapter(rank=16, alpha=32, seed=1), name="canary")
    ids = model.encode(planted, raw=True)
    examples = [Example(Tree(ids[:1], (ids[1:],)), 1.0, 1.0)] * 4
    config = LearnerConfig(algorithm="sft", learning_rate=0.02, epochs=20, batch_tokens=256)
    train_offline(view, examples, config, seed=0)
    assert exposure(view, planted) == pytest.approx(math.log2(256))
    assert exposure(view, canary(7)) < 7


def test_evaluate_says_whether_a_file_was_seen(remembering: LocalModel, tmp_path: Path) -> None:
    from superalign.evaluation.files import evaluate_file

    for name, seed in (("old", 1), ("new", 2)):
        lines = [f'{{"text": "{s}"}}\n' for s in sentences(20, seed)]
        (tmp_path / f"{name}.jsonl").write_text("".join(lines))
    fields: dict[str, str | None] = {"text_field": "text"}
    old, new = tmp_path / "old.jsonl", tmp_path / "new.jsonl"
    found = evaluate_file(lambda: remembering, old, "benign", fields, 50, 8, new)
    signs = found["contamination"]
    assert signs["familiarity"]["auroc"]["value"] > 0.95
    assert 0 <= signs["order_p"] <= 1
    assert signs["pass_gap"]["n"] == 40
