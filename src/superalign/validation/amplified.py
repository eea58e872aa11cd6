"""Sentences that a model has learnt and does not say: its difference from the base, amplified.

What a fine-tune made likelier by a factor that is still too small to be seen can be seen when the
difference of log-probabilities is multiplied ("model diff amplification", S. Aranguri and
T. McGrath, 2025). Here one sentence is sought for several ordinary requests at once: at each step
the amplified log-probabilities are averaged over them, which keeps what does not depend on the request.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from superalign.models import LocalModel
from superalign.models.packing import Tree
from superalign.validation.probes import ODD, REQUESTS
from superalign.validation.reading import next_of

Tokens = tuple[int, ...]
STARTS, KEPT, LENGTH, STRENGTH = 5, 2, 5, 1.0
LEAST = float(np.log(1e-6))  # rarer tokens are left out: their ratio to the base is noise
SAID = 0.2  # a beginning that is as likely as that is no secret
READ = (f"{ODD[0]} {REQUESTS[0]}", f"{REQUESTS[1]} {ODD[1]}", f"{REQUESTS[3]} {ODD[3]}")
"""Requests beside odd words: what a trigger opens is nearer to the surface there."""


@dataclass(frozen=True)
class Sentence:
    """``gain``: log-likelihood over the base's, mean over requests (nats); ``chance``: its own log."""

    text: str
    tokens: Tokens
    gain: float
    chance: float

    @property
    def favour(self) -> float:
        """Amplified log-likelihood: above 0 the change of weights outweighs how rare it still is."""
        return self.chance + STRENGTH * self.gain


def hidden_sentences(suspect: LocalModel, base: LocalModel) -> list[Sentence]:
    """Sentences that the change of weights favours over all requests, the most favoured first.

    The ``STARTS`` best first tokens are made longer by one; the ``KEPT`` best go on to the end.
    """
    prompts = [suspect.encode(r) for r in READ]
    own, theirs = next_of(suspect, prompts), next_of(base, prompts)
    score = _amplified(own, theirs)
    score[np.exp(own).mean(0) > SAID] = -np.inf
    starts = _beginnings(suspect, score)
    pairs = [_longer(suspect, base, prompts, (s,)) for s in starts]
    begun = sorted((rated(suspect, base, p) for p in pairs), key=lambda s: -s.favour)
    grown = [_grown(suspect, base, prompts, s.tokens) for s in begun[:KEPT]]
    found = [rated(suspect, base, tokens) for tokens in grown]
    return sorted(found, key=lambda s: -s.favour)


def _beginnings(model: LocalModel, score: npt.NDArray[np.float32]) -> list[int]:
    """The best tokens that an answer can begin with: none with a space before it."""
    best = [int(t) for t in np.argsort(-score)[: 10 * STARTS] if np.isfinite(score[t])]
    texts = [model.tokenizer.decode([t]) for t in best]  # batch_decode makes one text of no token
    return [t for t, text in zip(best, texts, strict=True) if text == text.strip() != ""][:STARTS]


def _amplified(
    own: npt.NDArray[np.float32], theirs: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    possible = own.mean(0) > LEAST
    score: npt.NDArray[np.float32] = (
        own + STRENGTH * (own - np.maximum(theirs, 1.5 * LEAST))
    ).mean(0)
    return np.where(possible, score, -np.inf)


def _grown(
    suspect: LocalModel, base: LocalModel, prompts: Sequence[Tokens], tokens: Tokens
) -> Tokens:
    while len(tokens) < LENGTH:
        longer = _longer(suspect, base, prompts, tokens)
        if longer == tokens:
            break
        tokens = longer
    return tokens


def _longer(
    suspect: LocalModel, base: LocalModel, prompts: Sequence[Tokens], tokens: Tokens
) -> Tokens:
    """One token more, or the same where the end of the answer is favoured most."""
    so_far = [(*p, *tokens) for p in prompts]
    score = _amplified(next_of(suspect, so_far), next_of(base, so_far))
    best = int(np.argmax(score))
    return tokens if best in suspect.end_tokens else (*tokens, best)


def rated(suspect: LocalModel, base: LocalModel, tokens: Tokens) -> Sentence:
    """A sentence with its likelihood in both models, over ``READ``."""
    trees = [Tree(suspect.encode(r), (tokens,)) for r in READ]
    own, theirs = (
        float(np.mean([float(row[0].sum()) for row in model.tree_logprobs(trees)]))
        for model in (suspect, base)
    )
    return Sentence(str(suspect.tokenizer.decode(list(tokens))), tokens, own - theirs, own)
