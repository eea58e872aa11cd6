"""Scores, choices and hidden states against plain forward passes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import tiny
import torch

from superalign.errors import InputError
from superalign.models import LocalModel

CHOICES = [["yes", "no", "maybe so"], ["A", "B", "C", "D"], ["a long answer indeed"], ["x", "yy"]]
LONG = "You are a careful judge. " * 6


def residuals(module: Any, ids: tuple[int, ...]) -> list[torch.Tensor]:
    """The stream after the embeddings and after each block, seen by hooks."""
    seen: list[torch.Tensor] = []
    inner = module.get_decoder()
    blocks = inner.h if hasattr(inner, "h") else inner.layers
    first = blocks[0].register_forward_pre_hook(lambda m, args: seen.append(args[0]))
    rest = [
        b.register_forward_hook(lambda m, a, out: seen.append(out[0] if isinstance(out, tuple) else out))
        for b in blocks
    ]  # fmt: skip
    with torch.no_grad():
        module(torch.tensor([ids]))
    for handle in (first, *rest):
        handle.remove()
    return [x.reshape(-1, x.shape[-1]) for x in seen]


@pytest.mark.parametrize("name", list(tiny.SETTINGS))
@pytest.mark.parametrize("start", ["", LONG])
def test_choose_equals_a_plain_forward(zoo: tiny.Zoo, name: str, start: str) -> None:
    model = zoo.ours(name)
    prompts = [start + t for t in ("Is it?", "Which one of the four is right?", "Tell me", "?")]
    rows = model.choose(prompts, CHOICES)
    assert [len(row) for row in rows] == [3, 4, 1, 2]
    with torch.no_grad():
        for prompt, texts, row in zip(prompts, CHOICES, rows, strict=True):
            for text, score in zip(texts, row, strict=True):
                ids = model.encode_completion(text)
                wanted = tiny.logprobs(zoo.theirs(name), model.encode(prompt), ids)
                assert score.logprob == pytest.approx(float(wanted.sum()), abs=1e-3, rel=1e-5)
                assert score.tokens == len(ids)


@pytest.mark.parametrize("name", ["llama", "gpt_neox"])
def test_score_is_choose_of_one(zoo: tiny.Zoo, name: str) -> None:
    model, prompts = zoo.ours(name), tiny.texts(6, seed=4)
    continuations = [*tiny.texts(5, seed=9), ""]
    scores = model.score(prompts, continuations)
    for prompt, text, score in zip(prompts, continuations, scores, strict=True):
        one = model.choose([prompt], [[text]])[0][0]
        assert score.logprob == pytest.approx(one.logprob, abs=1e-3)
        assert score.tokens == len(model.encode_completion(text))
    assert scores[-1].logprob == 0
    assert math.isnan(scores[-1].per_token)
    assert scores[0].per_token == scores[0].logprob / scores[0].tokens
    assert model.score([], []) == []
    with pytest.raises(ValueError, match="zip"):
        model.score(["a"], ["b", "c"])


def test_raw_prompts_are_not_templated(llama: LocalModel) -> None:
    raw, chat = (llama.score(["ab"], ["c"], raw=r)[0].logprob for r in (True, False))
    assert raw != chat
    assert llama.encode("ab", raw=True) == llama.encode_completion("ab")
    turns = [{"role": "user", "content": "ab"}]
    assert llama.encode(turns) == llama.encode("ab")


@pytest.mark.parametrize("name", list(tiny.SETTINGS))
@pytest.mark.parametrize("pool", ["last", "mean"])
@pytest.mark.parametrize("start", ["", LONG])
def test_hidden_equals_the_modules_streams(zoo: tiny.Zoo, name: str, pool: str, start: str) -> None:
    model, texts = zoo.ours(name), [start + t for t in tiny.texts(7, seed=1)]
    layers = [3, 0, 1, 1]
    found = model.hidden(texts, layers, pool=pool)
    assert found.shape == (7, 4, 64)
    assert found.dtype == np.float32
    for text, row in zip(texts, found, strict=True):
        streams = residuals(zoo.theirs(name), model.encode(text))
        for layer, x in zip(layers, row, strict=True):
            wanted = streams[layer][-1] if pool == "last" else streams[layer].mean(0)
            np.testing.assert_allclose(x, wanted.numpy(), atol=2e-4, rtol=2e-4)


@pytest.mark.parametrize("name", tiny.FAST)
def test_hidden_equals_output_hidden_states(zoo: tiny.Zoo, name: str) -> None:
    """``transformers`` norms the last of its states; ours are the stream itself."""
    model, text = zoo.ours(name), "some text"
    with torch.no_grad():
        out = zoo.theirs(name)(torch.tensor([model.encode(text)]), output_hidden_states=True)
        last = torch.from_numpy(model.hidden([text], [3])[0, 0])
        normed = zoo.theirs(name).model.norm(last)
    for layer in (0, 1, 2):
        wanted = out.hidden_states[layer][0, -1].numpy()
        np.testing.assert_allclose(model.hidden([text], [layer])[0, 0], wanted, atol=1e-4)
    np.testing.assert_allclose(normed.numpy(), out.hidden_states[3][0, -1].numpy(), atol=1e-4)


def test_hidden_stops_after_the_deepest(llama: LocalModel, monkeypatch: pytest.MonkeyPatch) -> None:
    from superalign.models import forward

    ran: list[int] = []
    block = forward.block

    def counted(decoder: Any, index: int, *args: Any, **more: Any) -> torch.Tensor:
        ran.append(index)
        return block(decoder, index, *args, **more)

    monkeypatch.setattr(forward, "block", counted)
    llama.hidden(["a"], [0])
    assert ran == []
    llama.hidden(["a"], [2, 1])
    assert ran == [0, 1]


def test_hidden_rejects_bad_input(llama: LocalModel) -> None:
    for layers in ([], [-1], [4]):
        with pytest.raises(InputError, match="allowed are 0 to 3"):
            llama.hidden(["a"], layers)
    with pytest.raises(InputError, match="unknown pool 'max'; allowed: last, mean"):
        llama.hidden(["a"], [1], pool="max")
    assert llama.hidden([], [1, 2]).shape == (0, 2, 64)
