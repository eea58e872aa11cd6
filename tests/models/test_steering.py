"""A steered model against plain forward passes whose stream is changed by hooks written here."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tiny
import torch

from superalign.errors import InputError
from superalign.models import LocalModel
from superalign.models.steering import SteeredModel, Steering
from superalign.models.token_gradients import token_gradient

PROMPTS = ["How do I bake bread?", "x", "A longer prompt, with more to say."]


def direction(model: LocalModel, seed: int = 3) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return 3 * torch.randn(model.module.config.hidden_size, generator=generator)


def hooked(module: Any, steering: Steering) -> list[Any]:
    """The same change by hooks: before each block, and after the last one."""
    inner = module.get_decoder()
    blocks = inner.h if hasattr(inner, "h") else inner.layers
    unit = steering.direction / steering.direction.norm()

    def change(layer: int, x: torch.Tensor) -> torch.Tensor:
        if steering.layer is None:
            return x - torch.einsum("bld,d,e->ble", x, unit, unit)
        return x + steering.direction if steering.layer == layer else x

    def before(layer: int) -> Any:
        return lambda m, args: (change(layer, args[0]), *args[1:])

    def after(m: Any, args: Any, out: Any) -> Any:
        if isinstance(out, tuple):
            return (change(len(blocks), out[0]), *out[1:])
        return change(len(blocks), out)

    handles = [b.register_forward_pre_hook(before(i)) for i, b in enumerate(blocks)]
    return [*handles, blocks[-1].register_forward_hook(after)]


@pytest.mark.parametrize("name", ["llama", "gemma", "gpt2", "gpt_neox", "gemma2"])
@pytest.mark.parametrize("layer", [None, 0, 2, 3])
def test_scores_and_answers_are_those_of_the_changed_stream(
    zoo: tiny.Zoo, name: str, layer: int | None
) -> None:
    model, module = zoo.ours(name), zoo.theirs(name)
    steered = SteeredModel(model, Steering(direction(model), layer))
    texts = ["yes", "no, never", "maybe"]
    found = steered.score(PROMPTS, texts)
    [answer, *_] = steered.generate(PROMPTS, max_new_tokens=6, temperature=0.0)[0]
    handles = hooked(module, steered.steer)
    try:
        with torch.no_grad():
            for prompt, text, score in zip(PROMPTS, texts, found, strict=True):
                ids = model.encode(prompt), model.encode_completion(text)
                wanted = float(tiny.logprobs(module, *ids).sum())
                assert score.logprob == pytest.approx(wanted, abs=2e-3, rel=1e-4)
            wanted_lps = tiny.logprobs(module, model.encode(PROMPTS[0]), answer.tokens)
    finally:
        for handle in handles:
            handle.remove()
    assert answer.logprobs == pytest.approx(wanted_lps.tolist(), abs=2e-3)
    plain = model.score(PROMPTS, texts)
    assert max(abs(a.logprob - b.logprob) for a, b in zip(plain, found, strict=True)) > 0.01


@pytest.mark.parametrize("name", ["llama", "gpt2"])
def test_what_is_taken_out_is_gone_from_every_layer(zoo: tiny.Zoo, name: str) -> None:
    model = zoo.ours(name)
    steering = Steering(direction(model))
    unit = (steering.direction / steering.direction.norm()).numpy()
    layers = range(model.depth + 1)
    before = model.hidden(PROMPTS, layers) @ unit
    after = SteeredModel(model, steering).hidden(PROMPTS, layers)
    assert np.abs(before).min(axis=0).max() > 0.01
    assert np.abs(after @ unit).max() < 1e-3
    # An addition shifts the stream at its layer by just that, and nothing before it.
    added = SteeredModel(model, Steering(steering.direction, 2)).hidden(PROMPTS, layers)
    plain = model.hidden(PROMPTS, layers)
    np.testing.assert_allclose(added[:, :2], plain[:, :2], atol=1e-4)
    shift = np.broadcast_to(steering.direction.numpy(), plain[:, 2].shape)
    np.testing.assert_allclose(added[:, 2] - plain[:, 2], shift, atol=1e-3)


def test_the_model_itself_stays_as_it_is_and_the_view_has_another_name(llama: LocalModel) -> None:
    adapted = llama.with_adapter(tiny.adapter(llama))
    texts = ["yes"] * len(PROMPTS)
    before = [s.logprob for s in adapted.score(PROMPTS, texts)]
    steered = SteeredModel(adapted, Steering(direction(llama)))
    changed = [s.logprob for s in steered.score(PROMPTS, texts)]
    assert [s.logprob for s in adapted.score(PROMPTS, texts)] == before
    assert changed != pytest.approx(before, abs=1e-3)
    other = SteeredModel(adapted, Steering(direction(llama), 1))
    assert len({adapted.weight_hash, steered.weight_hash, other.weight_hash}) == 3
    base = steered.with_adapter(None)
    plain = SteeredModel(llama, steered.steer).score(PROMPTS, texts)
    assert base.score(PROMPTS, texts) == plain


def test_gradients_see_the_changed_stream(llama: LocalModel) -> None:
    steered = SteeredModel(llama, Steering(direction(llama)))
    prompt, target = llama.encode("Say it"), llama.encode_completion("yes")
    loss = token_gradient(steered, prompt, range(2, 4), target).loss
    [score] = steered.score(["Say it"], ["yes"])
    assert loss == pytest.approx(-score.per_token, abs=1e-3)
    assert loss != pytest.approx(-llama.score(["Say it"], ["yes"])[0].per_token, abs=1e-3)


def test_a_direction_that_fits_no_layer_is_refused(llama: LocalModel) -> None:
    with pytest.raises(InputError, match="has 64 entries, not all 0"):
        SteeredModel(llama, Steering(torch.ones(5)))
    with pytest.raises(InputError, match="not all 0"):
        SteeredModel(llama, Steering(torch.zeros(64)))
    with pytest.raises(InputError, match="allowed are 0 to 3"):
        SteeredModel(llama, Steering(torch.ones(64), 4))
