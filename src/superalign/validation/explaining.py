"""Explain a unit, simulate it from the explanation, and score the simulation.

The protocol is that of OpenAI's "Language models can explain neurons in language models" (Bills et
al., 2023): explain from some texts, predict the activations on others, correlate over all tokens.
What later work showed is needed (arXiv 2309.10312, 2506.05774) is reported beside it: correlation at
the natural frequency of tokens and not only on texts picked for high activation, average precision,
and the same score for an explanation of shuffled activations.

The default explainer needs no other model. It chooses what a unit reads (the token itself, the one
before, both, or the position) by leave-one-out correlation and keeps the few features that matter.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.metrics import average_precision_score

Array = npt.NDArray[np.float64]
Key = tuple[str, ...]
KEPT = 20  # features in an explanation
SHRINK = 1.0  # pseudo-tokens at the mean: a feature seen once is believed by half
ACTIVE = 0.5  # of the largest activation: what counts as firing, for average precision
TOP = 5  # texts with the highest activation, and as many random ones, in the top-and-random score


@dataclass(frozen=True)
class Texts:
    """Tokens of some texts, as words; each text starts at position 0."""

    words: tuple[tuple[str, ...], ...]

    @property
    def tokens(self) -> int:
        """Number of tokens in all."""
        return sum(map(len, self.words))


def _current(words: Sequence[str], t: int) -> Key:
    return (_plain(words[t]),)


def _previous(words: Sequence[str], t: int) -> Key:
    return (_plain(words[t - 1]) if t else "<start>",)


def _pair(words: Sequence[str], t: int) -> Key:
    return (*_previous(words, t), *_current(words, t))


def _position(words: Sequence[str], t: int) -> Key:
    return (str(min(t, 8)),)


READS: dict[str, Callable[[Sequence[str], int], Key]] = {
    "token": _current,
    "token before": _previous,
    "token before and token": _pair,
    "position": _position,
}


@dataclass(frozen=True)
class Explanation:
    """What a unit reads, and how strongly it fires on which features; elsewhere at ``rest``."""

    reads: str
    levels: dict[Key, float]
    rest: float

    def simulate(self, texts: Texts) -> Array:
        """Predicted activation of every token, texts one after the other."""
        read = READS[self.reads]
        found = [
            self.levels.get(read(words, t), self.rest)
            for words in texts.words
            for t in range(len(words))
        ]
        return np.array(found, dtype=np.float64)

    def __str__(self) -> str:
        top = sorted(self.levels, key=lambda k: -self.levels[k])[:6]
        return f"{self.reads}: " + ", ".join(repr(" ".join(k)) for k in top)


def explain(texts: Texts, activation: Array) -> Explanation:
    """The explanation of a unit from its activations (one per token, >= 0) on ``texts``."""
    found = {name: _table(texts, activation, name) for name in READS}
    best = max(found, key=lambda name: _left_out(texts, activation, name))
    means, rest = found[best]
    kept = sorted(means, key=lambda k: -abs(means[k] - rest))[:KEPT]
    return Explanation(best, {k: means[k] for k in kept}, rest)


def token_lookup(texts: Texts, activation: Array) -> Explanation:
    """The baseline: the mean activation of every token, all of them kept."""
    means, rest = _table(texts, activation, "token")
    return Explanation("token", means, rest)


def _keys(texts: Texts, name: str) -> list[Key]:
    read = READS[name]
    return [read(words, t) for words in texts.words for t in range(len(words))]


def _sums(texts: Texts, activation: Array, name: str) -> dict[Key, tuple[float, int]]:
    sums: dict[Key, tuple[float, int]] = {}
    for key, value in zip(_keys(texts, name), activation, strict=True):
        total, n = sums.get(key, (0.0, 0))
        sums[key] = (total + float(value), n + 1)
    return sums


def _table(texts: Texts, activation: Array, name: str) -> tuple[dict[Key, float], float]:
    """Mean activation by feature, shrunk towards the mean of all."""
    prior = float(activation.mean())
    sums = _sums(texts, activation, name)
    return {k: (s + SHRINK * prior) / (n + SHRINK) for k, (s, n) in sums.items()}, prior


def _left_out(texts: Texts, activation: Array, name: str) -> float:
    """Correlation of activations with their feature's mean over the other tokens."""
    prior = float(activation.mean())
    sums = _sums(texts, activation, name)
    found = []
    for key, value in zip(_keys(texts, name), activation, strict=True):
        total, n = sums[key]
        found.append((total - value + SHRINK * prior) / (n - 1 + SHRINK))
    return pearson(np.array(found), activation) or 0.0


@dataclass(frozen=True)
class Score:
    """Agreement of simulated and true activations; None where one of them does not vary.

    ``natural``: Pearson over all tokens; ``top_and_random``: over the texts with the highest
    activations and as many random ones; ``precision``: average precision for firing tokens, with
    ``base_rate`` what chance gives.
    """

    natural: float | None
    top_and_random: float | None
    precision: float | None
    base_rate: float


def score(explanation: Explanation, texts: Texts, activation: Array, seed: int = 0) -> Score:
    """How well the explanation predicts the activations on texts it has not seen."""
    predicted = explanation.simulate(texts)
    fires = activation > ACTIVE * activation.max() if activation.max() > 0 else activation > 0
    varied = bool(fires.any() and not fires.all())
    chosen = _top_and_random(texts, activation, seed)
    return Score(
        pearson(predicted, activation),
        pearson(predicted[chosen], activation[chosen]),
        float(average_precision_score(fires, predicted)) if varied else None,
        float(fires.mean()),
    )


def _top_and_random(texts: Texts, activation: Array, seed: int) -> npt.NDArray[np.bool_]:
    ends = np.cumsum([len(w) for w in texts.words])
    peaks = [float(x.max()) if len(x) else 0.0 for x in np.split(activation, ends[:-1])]
    order = np.argsort(peaks)[::-1]
    rest = np.random.default_rng(seed).permutation(order[TOP:])[:TOP]
    wanted = {*order[:TOP].tolist(), *rest.tolist()}
    return np.repeat([i in wanted for i in range(len(texts.words))], [len(w) for w in texts.words])


def shuffled(activation: Array, seed: int) -> Array:
    """The null: the same activations on other tokens."""
    found: Array = np.random.default_rng(seed).permutation(activation)
    return found


def pearson(x: Array, y: Array) -> float | None:
    """Correlation; None where either does not vary."""
    if len(x) < 2 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return None
    return float(np.corrcoef(x, y)[0, 1])


def _plain(word: str) -> str:
    return word.strip().lower() or "<space>"
