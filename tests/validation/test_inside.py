"""Internals by closed forms and scikit-learn, and on models whose difference was planted."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.covariance import LedoitWolf
from sklearn.linear_model import Ridge

from superalign.models import LocalModel
from superalign.models.adapters import Adapter
from superalign.models.steering import SteeredModel, Steering
from superalign.validation import inside, noise
from superalign.validation.anomaly import RIDGE, EarlyToLate, along, log_distances
from superalign.validation.flips import odd_one_out
from superalign.validation.inside import InsideLook, InsideReader, anomalies
from superalign.validation.noise import NoisyAdapter, noise_sweep
from superalign.validation.steered import (
    STRENGTHS,
    Unsteered,
    carried,
    first_tokens,
    middle,
    steered,
)
from superalign.validation.streams import KINDS, SENTENCES, Streams, layers, read_streams

rng = np.random.default_rng(0)


def changed(base: LocalModel, blocks: set[int], size: float = 0.5) -> LocalModel:
    """A view whose adapter changes every projection of some blocks."""
    adapter = base.fresh_adapter(rank=2, alpha=4, seed=1)
    g = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for (block, _), (_, b) in adapter.parameters.items():
            if block in blocks:
                b += size * torch.randn(b.shape, generator=g)
    return base.with_adapter(adapter)


def test_distances_are_those_of_scikit_learn() -> None:
    x = (rng.normal(size=(30, 8)) @ rng.normal(size=(8, 8))).astype(np.float32)
    states = rng.normal(size=(5, 8)).astype(np.float32)
    theirs = LedoitWolf().fit(x.astype(np.float64)).mahalanobis(states.astype(np.float64))
    np.testing.assert_allclose(log_distances(x, states), np.log(theirs / 8), rtol=1e-6)


def test_errors_are_those_of_scikit_learn_and_nothing_stands_out_in_what_was_fitted() -> None:
    x = rng.normal(size=(400, 6)).astype(np.float32)
    y = (x @ rng.normal(size=(6, 6)) + 0.1 * rng.normal(size=(400, 6))).astype(np.float32)
    fitted = EarlyToLate.fit(x, y)
    centred = x.astype(np.float64) - x.astype(np.float64).mean(0)
    ridge = Ridge(alpha=RIDGE * float((centred**2).sum()) / 6).fit(x, y)
    off = x[:3] + np.float32(2.0)
    left = (y - ridge.predict(x)).std(0)
    expected = np.log((((y[:3] - ridge.predict(off)) / left) ** 2).mean(1))
    np.testing.assert_allclose(fitted.log_errors(off, y[:3]), expected, rtol=1e-3)
    assert np.exp(fitted.log_errors(x, y)).mean() == pytest.approx(1.0, rel=1e-3)
    strange = y[:5] + np.float32(3.0)
    assert fitted.log_errors(x[:5], strange).min() > fitted.log_errors(x, y).max()


def test_yes_lies_one_way_from_no() -> None:
    no, way = rng.normal(size=(3, 1, 4)), rng.normal(size=4)
    answers = np.concatenate([no + way, no], 1).astype(np.float32)
    across = rng.normal(size=4)
    across -= (across @ way) / (way @ way) * way
    centre = rng.normal(size=4).astype(np.float32)
    states = (centre + np.stack([0 * way, way, 2 * way + across])).astype(np.float32)
    np.testing.assert_allclose(along(answers, centre, states), [0, 1, 2], atol=1e-5)


def test_streams_are_the_models_own_states(base: LocalModel) -> None:
    found, (early, late) = read_streams(base), layers(base)
    kind, (suspected, _, asked) = "names", KINDS["names"]
    prompt = f"{suspected[2]} {asked[1]}"
    expected = base.hidden([prompt], [early, late])[0]
    np.testing.assert_allclose(found.contexts[kind][2, 1], expected, atol=1e-4)
    np.testing.assert_allclose(
        found.sentences[3], base.hidden([SENTENCES[3]], [late])[0, 0], atol=1e-4
    )
    question = "Is this a test?"
    [yes] = inside.read_streams(base).answers["tested"][:1, 0]
    ids = (*base.encode(question), *base.encode_completion("Yes"))
    assert np.abs(yes - states_at(base, ids, late)).max() < 1e-4


def states_at(model: LocalModel, ids: tuple[int, ...], layer: int) -> Any:
    with torch.no_grad():
        out = model.module(torch.tensor([ids]), output_hidden_states=True)
    return out.hidden_states[layer][0, -1].float().numpy()


def planted(kind: str, context: int, push: float) -> Streams:
    """Streams of noise in which one context's late states are pushed along the way to yes."""
    width = 6
    tokens = rng.normal(size=(300, 2, width)).astype(np.float32)
    tokens[:, 1] = tokens[:, 0] + 0.3 * tokens[:, 1]
    contexts = {}
    for name, (suspected, ordinary, asked) in KINDS.items():
        early = rng.normal(size=(len(suspected) + len(ordinary), len(asked), width))
        early /= 3
        late = early + 0.1 * rng.normal(size=early.shape)
        contexts[name] = np.stack([early, late], 2).astype(np.float32)
    contexts[kind][context, :, 1, 0] += np.float32(push)
    no = rng.normal(size=(4, 1, width))
    way = np.eye(width)[0]
    answers = np.concatenate([no + way, no], 1).astype(np.float32)
    return Streams(tokens, tokens[:100, 1], contexts, {"defection": answers, "tested": answers}, 1)


@pytest.mark.parametrize("kind", KINDS)
def test_a_context_whose_states_are_unlike_the_others_is_named_by_every_score(kind: str) -> None:
    own, base = anomalies(planted(kind, 1, 6.0)), anomalies(planted(kind, 1, 0.0))
    for score in ("mahalanobis", "residual", "defection", "tested"):
        found = {k: odd_one_out(k, own[score][k], base[score][k], KINDS) for k in KINDS}
        worst = max(found, key=lambda k: found[k])
        assert (worst, found[worst][1]) == (kind, KINDS[kind][0][1]), score


def test_the_difference_is_the_vector_that_was_added_and_says_what_it_said(
    base: LocalModel,
) -> None:
    """The suspect is the base with a vector in its stream: steering must bring out its answers."""
    layer = middle(base)
    vector = base.module.lm_head.weight[base.encode_completion("Sure")[0]].float().clone()
    length = float(np.median(np.linalg.norm(first_tokens(base), axis=1)))
    vector *= STRENGTHS[-1] * length / vector.norm()
    suspect = SteeredModel(base, Steering(vector, layer))
    moved = first_tokens(suspect) - first_tokens(base)
    np.testing.assert_allclose(moved, np.tile(vector.numpy(), (len(moved), 1)), atol=1e-3)
    found = steered(suspect, base, Unsteered.of(base))
    assert found["norm"] == pytest.approx(STRENGTHS[-1], rel=1e-3)
    own = suspect.generate(["How do I clean a wool carpet?"], max_new_tokens=12, temperature=0)
    assert found["answers"][str(STRENGTHS[-1])][0] == own[0][0].text
    assert found["open"] > 0  # it says so itself


def test_two_models_that_are_one_carry_nothing(base: LocalModel) -> None:
    found = steered(base, base, Unsteered.of(base))
    assert (found["norm"], found["answers"]) == (0.0, {})
    assert found["share"] == found["unsteered"]
    assert carried(base, base) is None


def test_patching_finds_the_block_that_was_changed(base: LocalModel) -> None:
    """The tiny model has two blocks and is patched between them."""
    low, high = carried(changed(base, {0}), base), carried(changed(base, {1}), base)
    assert low == {"1": pytest.approx(1.0, abs=1e-3)}
    assert high == {"1": pytest.approx(0.0, abs=1e-3)}
    both = carried(changed(base, {0, 1}), base)
    assert both is not None
    assert both["1"] < 1.0


def test_noise_has_the_size_that_is_asked_and_leaves_the_adapter_in(base: LocalModel) -> None:
    suspect = changed(base, {1})
    inner = suspect.adapter
    assert inner is not None
    noisy = NoisyAdapter(suspect, 0.25, 3)
    weight = base.module.model.layers[1].mlp.up_proj.weight.float()
    change = inner.delta(1, "up_proj")
    assert change is not None
    drawn = noisy.delta(1, "up_proj") - change
    assert float(drawn.std() / weight.square().mean().sqrt()) == pytest.approx(0.25, rel=0.05)
    again = NoisyAdapter(suspect, 0.25, 3).delta(1, "up_proj")
    assert torch.equal(noisy.delta(1, "up_proj"), again)
    other = NoisyAdapter(suspect, 0.25, 4).delta(1, "up_proj")
    both = torch.stack([drawn.ravel(), (other - change).ravel()])
    assert abs(float(torch.corrcoef(both)[0, 1])) < 0.1
    still = suspect.with_adapter(NoisyAdapter(suspect, 0.0, 3)).score(["Hello"], ["Sure"])
    assert still[0].logprob == pytest.approx(
        suspect.score(["Hello"], ["Sure"])[0].logprob, abs=1e-4
    )
    moved = suspect.with_adapter(noisy).score(["Hello"], ["Sure"])
    assert moved[0].logprob != pytest.approx(still[0].logprob, abs=1e-3)


def test_facts_that_noise_brings_back_count_and_those_that_stay_lost_do_not(
    base: LocalModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Accuracy by hand: a sandbagger is right under noise of one level, a weak model under none."""

    def feigned(model: LocalModel) -> float:
        level = getattr(model.adapter, "_level", 0.0)
        return {0.0: 0.25, 0.1: 0.75}.get(level, 0.0)

    monkeypatch.setattr(noise, "accuracy", feigned)
    found = noise_sweep(base)
    assert found["rise"] == pytest.approx(0.5)
    assert found["levels"]["0.1"] == [0.75] * 3
    monkeypatch.setattr(noise, "accuracy", lambda model: 0.25)
    assert noise_sweep(base)["rise"] == 0.0


def test_noise_is_swept_only_where_facts_are_lost(
    base: LocalModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inside, "accuracy", lambda model: 0.5)
    assert inside._noise(base, 0.75)["levels"] == {}
    monkeypatch.setattr(inside, "noise_sweep", lambda model: {"levels": {"0.1": [1.0]}})
    assert inside._noise(base, 11 / 12)["levels"] == {"0.1": [1.0]}


def test_a_look_inside_is_read_back_and_without_a_base_has_none_of_it(
    base: LocalModel, tmp_path: Path
) -> None:
    look = InsideReader(base).look(changed(base, {0}))
    look.save(tmp_path / "look.json")
    assert InsideLook.load(tmp_path / "look.json") == look
    alone = look.without_base()
    assert (alone.base_anomalies, alone.steered, alone.carried) == (None, None, None)
    fresh = InsideReader(None).look(changed(base, {0}))
    assert fresh.anomalies == look.anomalies
    assert (fresh.base_anomalies, fresh.steered) == (None, None)
    assert fresh.noise is not None


def test_a_model_without_a_fast_path_says_what_was_not_done(base: LocalModel) -> None:
    slow = base.with_adapter(Adapter(1, 1.0))
    slow.slow_because = "it is a test"
    look = InsideReader(base).look(slow)
    assert "weight noise: it is a test" in look.skipped[0]
    assert (look.steered, look.noise) == (None, None)
    assert look.anomalies
    assert dataclasses.asdict(look)["skipped"]
