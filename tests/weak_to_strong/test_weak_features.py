"""Features: the tree's branches are what separate passes give, and the cache finds only its own."""

from pathlib import Path

import numpy as np
import pytest

import toy
from superalign.models import LocalModel
from superalign.weak_to_strong import features as module
from superalign.weak_to_strong.features import Reading, features, tokens_of, zero_shot
from superalign.weak_to_strong.tasks import SEPARATOR

TEXTS = ["The film was good.", "It rained all day and nobody came to see it.", "No.", "Yes, yes."]
BRANCHES = ("\nIn one word, this is", "\nQuestion: Is it?\nAnswer:")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> LocalModel:
    return toy.model(tmp_path_factory.getbasetemp())


def test_views_are_those_of_separate_passes(model: LocalModel, tmp_path: Path) -> None:
    found = features(model, TEXTS, Reading((1, 2), BRANCHES), cache=tmp_path)
    assert found.shape == (4, 4, 2, 32)
    for column, pool in enumerate(("mean", "last")):
        alone = model.hidden(TEXTS, [1, 2], pool=pool, raw=True)
        assert found[:, column] == pytest.approx(alone, rel=0.02, abs=0.02)
    for column, branch in enumerate(BRANCHES, 2):
        for row, text in enumerate(TEXTS):
            if model.encode(text, raw=True) + model.encode_completion(branch) != model.encode(
                text + branch, raw=True
            ):
                continue  # the tokenizer would join the two
            alone = model.hidden([text + branch], [1, 2], raw=True)[0]
            assert found[row, column] == pytest.approx(alone, rel=0.02, abs=0.02)


def test_a_model_without_fast_path_reads_the_same(model: LocalModel, tmp_path: Path) -> None:
    fast = features(model, TEXTS, Reading((1, 2), BRANCHES), cache=tmp_path / "a")
    slow = LocalModel(model.name, model.module, model.tokenizer)
    slow._decoder, slow.slow_because = None, "made so by the test"
    assert features(slow, TEXTS, Reading((1, 2), BRANCHES), cache=tmp_path / "b") == pytest.approx(
        fast, rel=0.03, abs=0.03
    )


def test_the_cache_is_read_and_never_for_other_content(
    model: LocalModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = features(model, TEXTS, Reading((1,)), cache=tmp_path)
    passes: list[int] = []
    real = module._states
    monkeypatch.setattr(module, "_states", lambda *a: passes.append(1) or real(*a))
    again = features(model, TEXTS, Reading((1,)), cache=tmp_path)
    assert (again == first).all()
    assert passes == []
    others = [
        (TEXTS[:3], Reading((1,))),
        (TEXTS, Reading((2,))),
        (TEXTS, Reading((1,), BRANCHES[:1])),
        (TEXTS, Reading((1,), (), 3)),
    ]
    for texts, reading in others:
        features(model, texts, reading, cache=tmp_path)
    assert len(passes) == len(others)
    other = model.with_adapter(model.fresh_adapter(rank=1, alpha=1, seed=0))
    features(other, TEXTS, Reading((1,)), cache=tmp_path)
    assert len(passes) == len(others) + 1


def test_a_long_text_keeps_its_end_and_an_answer_its_start(model: LocalModel) -> None:
    ids = model.encode("one two three four five six seven", raw=True)
    assert tokens_of(model, "one two three four five six seven", 4) == ids[-4:]
    context, answer = "a long context that goes on", "an answer that goes on and on and on"
    cut = tokens_of(model, context + SEPARATOR + answer, 9)
    assert cut[3:] == model.encode_completion("\n" + answer)[:6]
    assert cut[:3] == model.encode(context, raw=True)[-3:]


def test_zero_shot_compares_yes_with_no(model: LocalModel, tmp_path: Path) -> None:
    found = zero_shot(model, TEXTS, "Is it?", 50, tmp_path)
    # the question is its own piece of tokens, as in the features
    stem = [model.encode(t, raw=True) + model.encode_completion(BRANCHES[1]) for t in TEXTS]
    for p, ids in zip(found, stem, strict=True):
        yes, no = (
            s.logprob
            for s in model.choose([model.tokenizer.decode(ids)], [[" Yes", " No"]], raw=True)[0]
        )
        assert p == pytest.approx(1 / (1 + np.exp(no - yes)), abs=0.02)
    assert (zero_shot(model, TEXTS, "Is it?", 50, tmp_path) == found).all()
