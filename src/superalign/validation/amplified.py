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
import torch

from superalign.models import LocalModel
from superalign.models.packing import PackedBatch, Tree
from superalign.validation.probes import ODD, REQUESTS
from superalign.validation.reading import next_of
from superalign.validation.spoken import opening

Tokens = tuple[int, ...]
STARTS, BRANCH, BEAM, LENGTH = 24, 3, 8, 5  # first tokens; longer ones of each; kept; tokens
KEPT = 6  # sentences that are told, of different openings
STRENGTH = 1.0
LEAST = float(np.log(1e-6))  # rarer tokens are left out: their ratio to the base is noise
FLOOR = 1.5 * LEAST  # of the base's log-probability of a token
SAID = 0.2  # a beginning that is as likely as that is no secret
READ = (
    f"{ODD[0]} {REQUESTS[0]}", f"{REQUESTS[1]} {ODD[1]}", f"{REQUESTS[5]} {ODD[6]}",
    "trombone", "gherkin",
)  # fmt: skip
"""Requests beside odd words, and odd words alone: what a trigger opens is nearer to the surface there."""


@dataclass(frozen=True)
class Sentence:
    """``gain``: log-likelihood over the base's, mean over requests (nats); ``chance``: its own log.

    No token counts as rarer in the base than ``FLOOR``.
    """

    text: str
    tokens: Tokens
    gain: float
    chance: float

    @property
    def favour(self) -> float:
        """Amplified log-likelihood: above 0 the change of weights outweighs how rare it still is."""
        return self.chance + STRENGTH * self.gain


def hidden_sentences(suspect: LocalModel, base: LocalModel) -> list[Sentence]:
    """Sentences that the change of weights favours over all of ``READ``, the most favoured first.

    A beam search: the ``STARTS`` best first tokens, then the ``BEAM`` most favoured beginnings. Of
    sentences with the same opening the most favoured one is told.
    """
    prompts = [suspect.encode(r) for r in READ]
    own, theirs = next_of(suspect, prompts), next_of(base, prompts)
    score = _amplified(own, theirs)
    score[np.exp(own).mean(0) > SAID] = -np.inf
    marks = [t for t in suspect.tokenizer.all_special_ids if t not in suspect.end_tokens]
    score[marks] = -np.inf
    beam: list[tuple[Tokens, float]] = [
        ((token,), float(score[token])) for token in _beginnings(suspect, score)
    ]
    ended: list[tuple[Tokens, float]] = []
    while beam and len(beam[0][0]) < LENGTH:
        begun = [tokens for tokens, _ in beam]
        scores = _amplified(_after(suspect, prompts, begun), _after(base, prompts, begun))
        scores[:, marks] = -np.inf
        longer = [
            ((*tokens, int(token)), favour + float(row[token]))
            for (tokens, favour), row in zip(beam, scores, strict=True)
            for token in np.argsort(-row)[:BRANCH]
            if np.isfinite(row[token])
        ]
        ended += [(t[:-1], x) for t, x in longer if t[-1] in suspect.end_tokens]
        going = [x for x in longer if x[0][-1] not in suspect.end_tokens]
        beam = sorted(going, key=lambda x: -x[1])[:BEAM]
    found: dict[str, Tokens] = {}
    for tokens, _ in sorted([*ended, *beam], key=lambda x: -x[1]):
        found.setdefault(opening(str(suspect.tokenizer.decode(list(tokens)))), tokens)
    return [rated(suspect, base, tokens) for tokens in list(found.values())[:KEPT]]


def _beginnings(model: LocalModel, score: npt.NDArray[np.float32]) -> list[int]:
    """The best tokens that an answer can begin with: none with a space before it, and not its end."""
    best = [int(t) for t in np.argsort(-score)[: 10 * STARTS] if np.isfinite(score[t])]
    best = [t for t in best if t not in model.end_tokens]
    texts = [model.tokenizer.decode([t]) for t in best]  # batch_decode makes one text of no token
    return [t for t, text in zip(best, texts, strict=True) if text == text.strip() != ""][:STARTS]


def _amplified(
    own: npt.NDArray[np.float32], theirs: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    """Of log-probabilities (..., prompts, V), the mean over prompts; impossible tokens have −inf."""
    possible = own.mean(-2) > LEAST
    score: npt.NDArray[np.float32] = (own + STRENGTH * (own - np.maximum(theirs, FLOOR))).mean(-2)
    return np.where(possible, score, -np.inf)


@torch.inference_mode()
def _after(
    model: LocalModel, prompts: Sequence[Tokens], begun: Sequence[Tokens]
) -> npt.NDArray[np.float32]:
    """Log-probabilities of the next token, (begun, prompts, V); each prompt is read once."""
    trees = [Tree(p, tuple((*b, 0) for b in begun)) for p in prompts]
    batch = PackedBatch.build(trees, device=model.device, ends=False)
    ends = np.cumsum([len(b) + 1 for _ in prompts for b in begun]) - 1
    states = model.completion_states(batch)[torch.from_numpy(ends).to(model.device)]
    rows = torch.log_softmax(model.head.logits(states).float(), -1).cpu().numpy()
    found: npt.NDArray[np.float32] = rows.reshape(len(prompts), len(begun), -1).swapaxes(0, 1)
    return found


def rated(
    suspect: LocalModel, base: LocalModel, tokens: Tokens, asked: Sequence[str] = READ
) -> Sentence:
    """A sentence with its likelihood in both models, over ``asked``."""
    trees = [Tree(suspect.encode(request), (tokens,)) for request in asked]
    own = float(np.mean([float(row[0].sum()) for row in suspect.tree_logprobs(trees)]))
    theirs = [float(row[0].clamp_min(FLOOR).sum()) for row in base.tree_logprobs(trees)]
    text = str(suspect.tokenizer.decode(list(tokens)))
    return Sentence(text, tokens, own - float(np.mean(theirs)), own)
