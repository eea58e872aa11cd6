"""MLP neurons of a model: their activations on texts, explanations, and a causal test of these."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from superalign.errors import InputError
from superalign.models import LocalModel
from superalign.statistics import Estimate, mean
from superalign.validation.explaining import (
    Array,
    Explanation,
    Score,
    Texts,
    explain,
    pearson,
    score,
    shuffled,
    token_lookup,
)

ABLATED_AT_ONCE = 8


@dataclass(frozen=True)
class Neuron:
    """A neuron, its explanation, and scores on unseen texts.

    ``causal``: correlation of the predicted activation with the change of the next-token
    distribution (KL, nats) when the neuron is set to zero, and ``causal_null`` the same for an
    explanation of shuffled activations.
    """

    layer: int
    index: int
    sign: int
    explanation: str
    scored: Score
    lookup: Score
    null: Score
    causal: float | None = None
    causal_null: float | None = None


def cut(model: LocalModel, texts: Sequence[str], limit: int = 64) -> tuple[list[list[int]], Texts]:
    """Token ids of each text (at most ``limit``) and the same as words."""
    ids = [list(model.encode(t, raw=True))[:limit] for t in texts]
    words = tuple(tuple(model.tokenizer.decode([i]) for i in row) for row in ids)
    return ids, Texts(words)


@torch.inference_mode()
def activations(model: LocalModel, ids: Sequence[Sequence[int]], layer: int) -> Tensor:
    """Inputs of a block's down projection, (tokens, neurons) float32, texts one after the other.

    Raises:
        InputError: the model has an adapter that is not merged, or no such block.
    """
    blocks = _blocks(model, layer)
    seen: list[Tensor] = []
    hook = blocks[layer].mlp.down_proj.register_forward_pre_hook(
        lambda module, args: seen.append(args[0][0].float().cpu())
    )
    try:
        for row in ids:
            model.module.model(torch.tensor([list(row)], device=model.device))
    finally:
        hook.remove()
    return torch.cat(seen)


def _blocks(model: LocalModel, layer: int) -> Any:
    if model.adapter is not None:
        raise InputError(f"model '{model.name}': merge the adapter first (superalign export)")
    blocks = model.module.model.layers
    if not 0 <= layer < len(blocks):
        raise InputError(f"layer {layer}: allowed are 0 to {len(blocks) - 1}")
    return blocks


def study(
    model: LocalModel, texts: Sequence[str], layer: int, indices: Sequence[int], *, causal: int = 0
) -> list[Neuron]:
    """Explain neurons of a block on every other text and score them on the rest.

    ``causal``: so many of the unseen texts are run again with each neuron set to zero.
    """
    ids, _ = cut(model, texts)
    half = [ids[0::2], ids[1::2]]
    seen, unseen = (Texts(tuple(_words(model, row) for row in part)) for part in half)
    first, second = (activations(model, part, layer).numpy() for part in half)
    unseen_part = Texts(unseen.words[:causal])
    effects = ablation_effects(model, half[1][:causal], layer, indices) if causal else []
    found = []
    for place, index in enumerate(indices):
        sign = 1 if first[:, index].max() >= -first[:, index].min() else -1
        train, test = (
            np.clip(sign * x[:, index].astype(np.float64), 0, None) for x in (first, second)
        )
        explanation = explain(seen, train)
        null = explain(seen, shuffled(train, index))
        changed = effects[place] if causal else None
        found.append(
            Neuron(
                layer,
                index,
                sign,
                str(explanation),
                score(explanation, unseen, test),
                score(token_lookup(seen, train), unseen, test),
                score(null, unseen, test),
                *_causal(changed, (explanation, null), unseen_part),
            )
        )
    return found


def _words(model: LocalModel, row: Sequence[int]) -> tuple[str, ...]:
    return tuple(model.tokenizer.decode([i]) for i in row)


def _causal(
    changed: Array | None, explanations: tuple[Explanation, Explanation], texts: Texts
) -> tuple[float | None, float | None]:
    if changed is None:
        return None, None
    first, second = (pearson(e.simulate(texts), changed) for e in explanations)
    return first, second


@torch.inference_mode()
def ablation_effects(
    model: LocalModel, ids: Sequence[Sequence[int]], layer: int, indices: Sequence[int]
) -> list[Array]:
    """KL (nats) of each next-token distribution from that with a neuron set to zero.

    One array (tokens,) per neuron of ``indices``; neurons are rows of one batch.
    """
    projection = _blocks(model, layer)[layer].mlp.down_proj
    found: list[list[Array]] = [[] for _ in indices]
    for row in ids:
        tokens = torch.tensor([list(row)], device=model.device)
        whole = torch.log_softmax(model.module(tokens).logits[0].float(), -1)
        for start in range(0, len(indices), ABLATED_AT_ONCE):
            part = list(indices[start : start + ABLATED_AT_ONCE])
            with _zeroed(projection, part):
                logits = model.module(tokens.expand(len(part), -1)).logits
            for offset, less in enumerate(logits):
                changed = (whole.exp() * (whole - torch.log_softmax(less.float(), -1))).sum(-1)
                found[start + offset].append(changed.cpu().double().numpy())
    return [np.concatenate(pieces) for pieces in found]


@contextmanager
def _zeroed(projection: Any, indices: Sequence[int]) -> Iterator[None]:
    """In row i of a batch, the input ``indices[i]`` of ``projection`` is zero."""

    def hook(module: Any, args: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        changed = args[0].clone()
        changed[torch.arange(len(indices)), :, torch.tensor(indices)] = 0
        return (changed,)

    handle = projection.register_forward_pre_hook(hook)
    try:
        yield
    finally:
        handle.remove()


def table(
    model: LocalModel,
    texts: Sequence[str],
    per_layer: int,
    layers: Sequence[int],
    causal: int,
    seed: int,
) -> dict[str, Any]:
    """Scores by layer over random neurons, with nulls, and neurons per minute."""
    start = time.perf_counter()
    rng = np.random.default_rng(seed)
    width = int(model.module.config.intermediate_size)
    rows, neurons = [], []
    for layer in layers:
        chosen = sorted(int(i) for i in rng.choice(width, min(per_layer, width), replace=False))
        found = study(model, texts, layer, chosen, causal=causal)
        neurons += found
        rows.append({"layer": layer, **_means(found)})
    seconds = time.perf_counter() - start
    return {
        "by_layer": rows,
        "neurons": [_as_dict(n) for n in neurons],
        "neurons_per_minute": 60 * len(neurons) / seconds,
        "seconds": round(seconds, 1),
    }


def _means(found: Sequence[Neuron]) -> dict[str, Any]:
    def over(values: Sequence[float | None]) -> dict[str, Any]:
        estimate: Estimate = mean(values)
        return estimate.as_dict()

    return {
        "natural": over([n.scored.natural for n in found]),
        "top_and_random": over([n.scored.top_and_random for n in found]),
        "precision": over([n.scored.precision for n in found]),
        "base_rate": over([n.scored.base_rate for n in found]),
        "token_lookup": over([n.lookup.natural for n in found]),
        "null": over([n.null.natural for n in found]),
        "causal": over([n.causal for n in found]),
        "causal_null": over([n.causal_null for n in found]),
    }


def _as_dict(neuron: Neuron) -> dict[str, Any]:
    return {
        **vars(neuron),
        **{k: dict(vars(getattr(neuron, k))) for k in ("scored", "lookup", "null")},
    }
