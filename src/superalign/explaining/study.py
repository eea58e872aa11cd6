"""Explain units, simulate them from the explanation, and score the simulation.

The protocol is that of OpenAI's "Language models can explain neurons in language models" (Bills et
al., 2023): explain from some texts, predict the activations on others, correlate over all tokens.
What later work showed is needed (arXiv 2309.10312, 2506.05774) is reported beside it: correlation at
the natural frequency of tokens and not only on texts picked for high activation, average precision,
the same score for an explanation of shuffled activations, and a causal test.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from superalign.explaining.counting import CountingExplainer, Simulator
from superalign.explaining.recording import Array, Laid
from superalign.explaining.scoring import Score, pearson, score
from superalign.explaining.units import Units, neurons
from superalign.models import LocalModel
from superalign.statistics import mean

Progress = Callable[[str, float, str], None]


@dataclass(frozen=True)
class Halves:
    """Texts to explain from, texts to score on, and the few of these that the causal test runs on."""

    seen: Laid
    unseen: Laid
    causal: Laid | None

    @classmethod
    def of(cls, model: LocalModel, texts: Sequence[str], causal: int = 0) -> Halves:
        """Every other text to explain from, the rest to score on."""
        few = Laid(model, texts[1::2][:causal]) if causal else None
        return cls(Laid(model, texts[0::2]), Laid(model, texts[1::2]), few)


@dataclass(frozen=True)
class Explained:
    """A unit, its explanation, and scores on unseen texts.

    ``said``: of the words alone; ``lookup``: of the token-lookup baseline; ``null``: of an explanation
    of shuffled activations. ``causal``: correlation of the predicted activation with the change of
    the next-token distribution (KL, nats) when what the unit writes is taken out; ``causal_true``: the
    same of its true activation, the most that an explanation could reach; ``causal_null``: of the null.
    """

    name: str
    explanation: str
    scored: Score
    said: Score
    lookup: Score
    null: Score
    causal: float | None = None
    causal_true: float | None = None
    causal_null: float | None = None

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        scores = {k: getattr(self, k).as_dict() for k in ("scored", "said", "lookup", "null")}
        return {**vars(self), **scores}


def shuffled(activation_TN: Array, seed: int) -> Array:
    """The null: the same activations on other tokens, each unit's in an order of its own."""
    found: Array = np.random.default_rng(seed).permuted(activation_TN, axis=0)
    return found


def explain(units: Units, halves: Halves, seed: int = 0) -> list[Explained]:
    """Explain units by counting on the seen texts and score them on the unseen."""
    train, test = units.read(halves.seen), units.read(halves.unseen)
    explainer = CountingExplainer(halves.seen.texts)
    ours = explainer.explain(train)
    null = explainer.explain(shuffled(train, seed))
    sides = (ours, [e.said for e in ours], explainer.token_lookup(train), null)
    simulator, texts = Simulator(halves.unseen.texts), halves.unseen.texts
    scores = [score(simulator.simulate(side), test, texts) for side in sides]
    causal = [(None, None, None)] * len(ours)
    if halves.causal is not None:
        again = Simulator(halves.causal.texts)
        predicted = (again.simulate(ours), units.read(halves.causal), again.simulate(null))
        causal = causal_agreement(units, halves.causal, predicted)
    return [
        Explained(name, str(words), *own, *changed)
        for name, words, own, changed in zip(
            units.names, ours, zip(*scores, strict=True), causal, strict=True
        )
    ]


def causal_agreement(
    units: Units, laid: Laid, predicted: Sequence[Array]
) -> list[tuple[float | None, ...]]:
    """For each unit, how each of the ``predicted`` activations (T, N) goes with what changes when
    that which it writes is taken out: correlation with the KL of the next token."""
    changes = laid.divergences(units.layer, units.parts(laid))
    return [tuple(pearson(p[:, n], changed) for p in predicted) for n, changed in enumerate(changes)]


def table(
    model: LocalModel,
    texts: Sequence[str],
    per_layer: int,
    layers: Sequence[int],
    causal: int,
    seed: int,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Scores by layer over random neurons, with nulls, and neurons per minute.

    ``causal``: so many of the unseen texts are run again with each neuron taken out.
    """
    start = time.perf_counter()
    rng = np.random.default_rng(seed)
    halves = Halves.of(model, texts, causal)
    width = model.decoder.layers[0].down.weight.shape[1]
    rows, every = [], []
    for done, layer in enumerate(layers):
        if progress is not None:
            progress("neurons", done / len(layers), f"layer {layer}")
        chosen = sorted(int(i) for i in rng.choice(width, min(per_layer, width), replace=False))
        found = explain(neurons(halves.seen, layer, chosen), halves)
        every += [
            {"layer": layer, "index": i, **e.as_dict()}
            for i, e in zip(chosen, found, strict=True)
        ]
        rows.append({"layer": layer, **means(found)})
    if progress is not None:
        progress("neurons", 1.0, "")
    seconds = time.perf_counter() - start
    return {
        "by_layer": rows,
        "neurons": every,
        "neurons_per_minute": 60 * len(every) / seconds,
        "seconds": round(seconds, 1),
    }


def means(found: Sequence[Explained]) -> dict[str, Any]:
    """The mean of each score over units with its interval and n, where it is defined."""
    values = {
        "natural": [e.scored.natural for e in found],
        "top_and_random": [e.scored.top_and_random for e in found],
        "precision": [e.scored.precision for e in found],
        "base_rate": [e.scored.base_rate for e in found],
        "said": [e.said.natural for e in found],
        "token_lookup": [e.lookup.natural for e in found],
        "null": [e.null.natural for e in found],
        "causal": [e.causal for e in found],
        "causal_true": [e.causal_true for e in found],
        "causal_null": [e.causal_null for e in found],
    }
    return {name: mean(of).as_dict() for name, of in values.items()}
