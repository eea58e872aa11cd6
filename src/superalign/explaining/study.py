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

from superalign.explaining import language
from superalign.explaining.counting import CountingExplainer, Simulator
from superalign.explaining.language import Speaker, Spoken
from superalign.explaining.recording import Array, Laid, Texts
from superalign.explaining.scoring import Score, pearson, score
from superalign.explaining.units import Units, neurons
from superalign.models import LocalModel
from superalign.statistics import mean

Progress = Callable[[str, float, str], None]
SCHEMA = "superalign.explain/1"
SPOKEN_TEXTS = 8  # unseen texts that a language model simulates: it is slow
SIDES = ("scored", "said", "lookup", "null")  # what is simulated and scored


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
    spoken: Spoken | None = None
    beside_spoken: float | None = None

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        scores = {k: getattr(self, k).as_dict() for k in SIDES}
        spoken = None if self.spoken is None else dict(vars(self.spoken))
        return {**vars(self), **scores, "spoken": spoken}


def shuffled(activation_TN: Array, seed: int) -> Array:
    """The null: the same activations on other tokens, each unit's in an order of its own."""
    found: Array = np.random.default_rng(seed).permuted(activation_TN, axis=0)
    return found


def explain(
    units: Units, halves: Halves, seed: int = 0, speaker: Speaker | None = None
) -> list[Explained]:
    """Explain units by counting on the seen texts and score them on the unseen.

    ``speaker``: a language model that explains and simulates, too.
    """
    train, test = units.read(halves.seen), units.read(halves.unseen)
    explainer = CountingExplainer(halves.seen.texts)
    ours = explainer.explain(train)
    null = explainer.explain(shuffled(train, seed))
    sides = (ours, [e.said for e in ours], explainer.token_lookup(train), null)
    simulator, texts = Simulator(halves.unseen.texts), halves.unseen.texts
    predicted = [simulator.simulate(side) for side in sides]
    scores = [score(p, test, texts) for p in predicted]
    causal: Sequence[tuple[float | None, ...]] = [(None, None, None)] * len(ours)
    if halves.causal is not None:
        again = Simulator(halves.causal.texts)
        active = (again.simulate(ours), units.read(halves.causal), again.simulate(null))
        causal = causal_agreement(units, halves.causal, active)
    spoken: Sequence[tuple[Spoken | None, float | None]] = [(None, None)] * len(ours)
    if speaker is not None:
        spoken = _spoken(speaker, halves, train, test, predicted[0])
    return [
        Explained(
            units.names[n],
            str(ours[n]),
            **{side: of[n] for side, of in zip(SIDES, scores, strict=True)},
            causal=causal[n][0],
            causal_true=causal[n][1],
            causal_null=causal[n][2],
            spoken=spoken[n][0],
            beside_spoken=spoken[n][1],
        )
        for n in range(len(ours))
    ]


def _spoken(
    speaker: Speaker, halves: Halves, train: Array, test: Array, predicted: Array
) -> list[tuple[Spoken, float | None]]:
    """A language model's explanations of units, and the correlation of what was ``predicted`` for
    them by counting on the same few unseen texts."""
    few = Texts(halves.unseen.texts.words[:SPOKEN_TEXTS])
    true, ours = test[: few.tokens], predicted[: few.tokens]
    spoken = language.explain(speaker, (halves.seen.texts, train), (few, true))
    return [(s, pearson(ours[:, n], true[:, n])) for n, s in enumerate(spoken)]


def causal_agreement(
    units: Units, laid: Laid, predicted: Sequence[Array]
) -> list[tuple[float | None, ...]]:
    """For each unit, how each of the ``predicted`` activations (T, N) goes with what changes when
    that which it writes is taken out: correlation with the KL of the next token."""
    changes = laid.divergences(units.layer, units.parts(laid))
    return [
        tuple(pearson(p[:, n], changed) for p in predicted) for n, changed in enumerate(changes)
    ]


def table(
    model: LocalModel,
    texts: Sequence[str],
    per_layer: int,
    layers: Sequence[int],
    causal: int,
    seed: int,
    progress: Progress | None = None,
    speaker: Speaker | None = None,
) -> dict[str, Any]:
    """Scores by layer over random neurons, with nulls, and neurons per minute.

    ``causal``: so many of the unseen texts are run again with each neuron taken out. ``speaker``: a
    language model that explains and simulates, too (on the first ``SPOKEN_TEXTS`` unseen texts, on
    which the counted explanation is scored beside it).
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
        found = explain(neurons(halves.seen, layer, chosen), halves, seed + layer, speaker)
        every += [
            {"layer": layer, "index": i, **e.as_dict()} for i, e in zip(chosen, found, strict=True)
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


def about(model: LocalModel, texts: Sequence[str]) -> dict[str, Any]:
    """What every summary of ``superalign explain`` begins with."""
    return {
        "schema": SCHEMA,
        "command": "explain",
        "model": model.name,
        "weight_hash": model.weight_hash,
        "texts": len(texts),
    }


def means(found: Sequence[Explained]) -> dict[str, Any]:
    """The mean of each score over units with its interval and n, where it is defined."""
    values: dict[str, list[float | None]] = {
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
    spoken = [e.spoken for e in found if e.spoken is not None]
    if spoken:
        values |= {
            "spoken": [s.natural for s in spoken],
            "spoken_precision": [s.precision for s in spoken],
            "spoken_null": [s.null for s in spoken],
            "beside_spoken": [e.beside_spoken for e in found],
        }
    return {name: mean(of).as_dict() for name, of in values.items()}
