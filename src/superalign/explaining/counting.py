"""The default explainer, which needs no other model: it counts what a unit fires on.

An explanation is a sum of levels of features: the token, the one before, both, the word, the kind
of token, the position, ... Features are added as long as they help on tokens that are left out, and
the few levels that explain most are kept. Thousands of units are explained at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy import sparse

from superalign.explaining.recording import Array, Texts
from superalign.explaining.scoring import correlations

Key = tuple[str, ...]
KEPT = 100  # levels in an explanation
STAGES = 3  # kinds of features in an explanation
GAIN = 0.005  # in left-out correlation, that one more kind of feature must bring
SHRINK = 2.0  # pseudo-tokens at the mean: a feature seen once is believed by a third
SAID = 8  # levels that an explanation names in words
ENDINGS = ("ing", "ed", "ly", "er", "ion", "s")


def _plain(word: str) -> str:
    return word.strip().lower() or "<space>"


def _current(words: Sequence[str], t: int) -> Key:
    return (_plain(words[t]),)


def _previous(words: Sequence[str], t: int) -> Key:
    return (_plain(words[t - 1]) if t else "<start>",)


def _pair(words: Sequence[str], t: int) -> Key:
    return (*_previous(words, t), *_current(words, t))


def _position(words: Sequence[str], t: int) -> Key:
    return (str(min(t, 8)),)


def _word(words: Sequence[str], t: int) -> Key:
    """The word so far, of which a token may be a piece."""
    start = t
    while start and not words[start][:1].isspace():
        start -= 1
    return (_plain("".join(words[start : t + 1])),)


def _kind(words: Sequence[str], t: int) -> Key:
    """Sign, digits, or: begin or inner piece, capital, ending."""
    word = words[t].strip()
    if not any(c.isalnum() for c in word):
        return (word or "<space>",)
    if word.isdigit():
        return ("digits",)
    place = "begin" if words[t][:1].isspace() or t == 0 else "inner"
    ending = next((e for e in ENDINGS if word.endswith(e) and len(word) > len(e) + 1), "")
    form = (place, "capital" if word[0].isupper() else "small")
    return (*form, f"-{ending}") if ending else form


def _kinds(words: Sequence[str], t: int) -> Key:
    return (*(_kind(words, t - 1) if t else ("<start>",)), *_kind(words, t))


def _sentence(words: Sequence[str], t: int) -> Key:
    """Tokens since the sentence began, at most 6."""
    since = 0
    while since < min(t, 6) and not any(c in ".!?" for c in words[t - since - 1]):
        since += 1
    return (str(since),)


READS: dict[str, Callable[[Sequence[str], int], Key]] = {
    "token": _current,
    "token before": _previous,
    "token before and token": _pair,
    "position": _position,
    "word so far": _word,
    "kind": _kind,
    "kind before and kind": _kinds,
    "place in the sentence": _sentence,
}


@dataclass(frozen=True)
class Explanation:
    """What a unit reads: ``rest`` everywhere, and a level for each feature that holds at a token.

    ``levels``: by what is read and its value, the most important first.
    """

    levels: dict[tuple[str, Key], float]
    rest: float

    @property
    def reads(self) -> tuple[str, ...]:
        """The kinds of features, the most important first."""
        return tuple(dict.fromkeys(kind for kind, _ in self.levels))

    @property
    def said(self) -> Explanation:
        """What is put into words: the first few levels above rest."""
        risen = [k for k, level in self.levels.items() if level > 0][:SAID]
        return Explanation({k: self.levels[k] for k in risen}, self.rest)

    def __str__(self) -> str:
        words: dict[str, list[str]] = {}
        for kind, key in self.said.levels:
            words.setdefault(kind, []).append(repr(" ".join(key)))
        return "; ".join(f"{kind}: {', '.join(keys)}" for kind, keys in words.items()) or "nothing"


class Feature:
    """One kind of feature at every token of some texts."""

    def __init__(self, texts: Texts, kind: str) -> None:
        read = READS[kind]
        found = [read(words, t) for words in texts.words for t in range(len(words))]
        numbers: dict[Key, int] = {}
        self.ids = np.array([numbers.setdefault(key, len(numbers)) for key in found], dtype=int)
        self.keys = tuple(numbers)

    @cached_property
    def counts(self) -> Array:
        """Tokens of each key (K,)."""
        return np.bincount(self.ids, minlength=len(self.keys)).astype(np.float64)

    @cached_property
    def members(self) -> sparse.csr_matrix:
        """1 where a token (column) has a key (row)."""
        ones = np.ones(len(self.ids))
        shape = (len(self.keys), len(self.ids))
        return sparse.csr_matrix((ones, (self.ids, np.arange(len(self.ids)))), shape=shape)

    def places(self) -> dict[Key, npt.NDArray[np.intp]]:
        """The tokens that have each key."""
        order = np.argsort(self.ids, kind="stable")
        ends = np.cumsum(self.counts.astype(int))[:-1]
        return dict(zip(self.keys, np.split(order, ends), strict=True))

    def means(self, x_TN: Array) -> Array:
        """Mean of each column by key (K, N), shrunk towards 0."""
        found: Array = (self.members @ x_TN) / (self.counts[:, None] + SHRINK)
        return found

    def left_out(self, x_TN: Array) -> Array:
        """For each token the mean over the other tokens with its key (T, N), shrunk towards 0."""
        sums = self.members @ x_TN
        found: Array = (sums[self.ids] - x_TN) / (self.counts[self.ids, None] - 1 + SHRINK)
        return found


class CountingExplainer:
    """Explains units from their activations on ``texts``, whose features are read once."""

    def __init__(self, texts: Texts) -> None:
        self.features = {kind: Feature(texts, kind) for kind in READS}

    def explain(self, activation_TN: Array, kept: int = KEPT) -> list[Explanation]:
        """The explanations of N units from their activations (>= 0) at every token."""
        rest = activation_TN.mean(0)
        fitted = np.tile(rest, (len(activation_TN), 1))
        reached = np.full(len(rest), -1.0)
        levels: list[list[tuple[str, Feature, Array]]] = [[] for _ in rest]
        for _ in range(STAGES):
            left = activation_TN - fitted
            guesses = {kind: f.left_out(left) for kind, f in self.features.items()}
            by_kind = np.stack(
                [np.nan_to_num(correlations(fitted + g, activation_TN)) for g in guesses.values()]
            )
            best, helped = by_kind.argmax(0), by_kind.max(0) > reached + GAIN
            reached = np.where(helped, by_kind.max(0), reached)
            for number, (kind, feature) in enumerate(self.features.items()):
                columns = np.flatnonzero(helped & (best == number))
                means = feature.means(left[:, columns])
                for place, n in enumerate(columns):
                    levels[n].append((kind, feature, means[:, place]))
                fitted[:, columns] += guesses[kind][:, columns]
        return [_shortest(of, float(r), kept) for of, r in zip(levels, rest, strict=True)]

    def token_lookup(self, activation_TN: Array) -> list[Explanation]:
        """The baseline: the mean activation at every token, all of them kept."""
        feature, rest = self.features["token"], activation_TN.mean(0)
        means = feature.means(activation_TN - rest)
        return [
            _shortest([("token", feature, m)], float(r), len(m))
            for m, r in zip(means.T, rest, strict=True)
        ]


def _shortest(of: Sequence[tuple[str, Feature, Array]], rest: float, kept: int) -> Explanation:
    """The ``kept`` levels that explain most: their square times the number of tokens."""
    if not of:
        return Explanation({}, rest)
    gains = np.concatenate([feature.counts * level**2 for _, feature, level in of])
    chosen = np.argpartition(-gains, min(kept, len(gains) - 1))[:kept]
    chosen = chosen[np.argsort(-gains[chosen], kind="stable")]
    starts = np.cumsum([0, *(len(level) for _, _, level in of)])
    parts = np.searchsorted(starts, chosen, side="right") - 1
    rows = chosen - starts[parts]
    levels = {}
    for part, row in zip(parts.tolist(), rows.tolist(), strict=True):
        kind, feature, level = of[part]
        levels[kind, feature.keys[row]] = float(level[row])
    return Explanation(levels, rest)


class Simulator:
    """Simulates units on ``texts`` from their explanations."""

    def __init__(self, texts: Texts) -> None:
        self.tokens = texts.tokens
        self.places = {kind: Feature(texts, kind).places() for kind in READS}

    def simulate(self, explanations: Sequence[Explanation]) -> Array:
        """Predicted activations (T, N) of N units."""
        found = np.tile(np.array([e.rest for e in explanations]), (self.tokens, 1))
        for n, explanation in enumerate(explanations):
            column = found[:, n]
            for (kind, key), level in explanation.levels.items():
                where = self.places[kind].get(key)
                if where is not None:
                    column[where] += level
        return found
