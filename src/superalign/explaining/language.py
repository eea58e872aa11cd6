"""A language model as explainer and as simulator.

The method is that of Bills et al. (2023): the explainer is shown tokens with their activations and
says what the unit looks for; the simulator is shown the explanation and a text, and the activation
of a token is the expected number under its chances for the digits there, all tokens in one pass.
What is changed: activations run from 0 to 9, so that each is one token for every tokenizer, and no
worked examples are shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch

from superalign.errors import InputError
from superalign.explaining.recording import Array, Texts
from superalign.explaining.scoring import average_precisions, correlations, firing
from superalign.models import LocalModel
from superalign.models.packing import PackedBatch, Tree, token_batches

SHOWN = 4  # texts that the explainer is shown
BEFORE, AFTER = 10, 4  # tokens around the highest activation
WORDS = 40  # tokens of an explanation
DIGITS = "0123456789"
BATCH_CELLS = 4096
ASK = (
    "A neuron of a language model fires on some tokens. Below are pieces of text, one token a line, "
    "each with the neuron's activation from 0 (silent) to 9 (highest).\n\n{excerpts}\n"
    "It fires on: {fires}\n\n"
    "In one short sentence, say what this neuron looks for. Do not repeat the examples."
)
SIMULATE = (
    "A neuron of a language model looks for this: {explanation}\n\n"
    "Give the neuron's activation on each token of a text, from 0 (silent) to 9 (highest). Most are 0. "
    "Write one token a line, a tab, and the activation. The text:\n{text}"
)
LINE, UNKNOWN = "{token}\t", "?\n"


class Speaker(Protocol):
    """What a language model must offer to explain and to simulate."""

    def say(self, prompt: str) -> str:
        """The answer to a prompt."""
        ...

    def expected(self, prompts: Sequence[str], words: Sequence[Sequence[str]]) -> list[Array]:
        """For each prompt the expected digit after each of its words, 0 to 9."""
        ...


class LocalSpeaker:
    """A model in this process as explainer and simulator.

    Raises:
        InputError: its architecture has no fast path, or a digit is not one token.
    """

    def __init__(self, model: LocalModel) -> None:
        if model.slow_because:
            raise InputError(f"model '{model.name}' cannot simulate: {model.slow_because}")
        digits = [model.encode_completion(d) for d in DIGITS]
        if any(len(ids) != 1 for ids in digits):
            raise InputError(f"model '{model.name}' cannot simulate: its digits are several tokens")
        self.model = model
        self._digits = torch.tensor([ids[0] for ids in digits], device=model.device)

    def say(self, prompt: str) -> str:
        """The likeliest answer, one line of at most ``WORDS`` tokens."""
        [[answer]] = self.model.generate([prompt], max_new_tokens=WORDS, temperature=0)
        return " ".join(answer.text.split())

    @torch.inference_mode()
    def expected(self, prompts: Sequence[str], words: Sequence[Sequence[str]]) -> list[Array]:
        """Expected digits at each word's place in the answer; what it would write is not fed back."""
        laid = [self._answer(p, w) for p, w in zip(prompts, words, strict=True)]
        trees = [Tree(ids) for ids, _ in laid]
        found: dict[int, Array] = {}
        for part in token_batches(trees, BATCH_CELLS):
            batch = PackedBatch.build([trees[i] for i in part], device=self.model.device)
            *_, (_, stream) = self.model.streams(batch, self.model.depth)
            places = [batch.rows_BL[row, laid[i][1]] for row, i in enumerate(part)]
            decoder = self.model.decoder
            states = decoder.norm(stream[torch.cat(places)], decoder.final_norm)
            logits = self.model.head.logits(states)[:, self._digits].float()
            values = torch.arange(len(DIGITS), dtype=torch.float32, device=logits.device)
            means = (torch.softmax(logits, -1) @ values).cpu().double()
            pieces = means.split([len(p) for p in places])
            found |= {i: x.numpy() for i, x in zip(part, pieces, strict=True)}
        return [found[i] for i in range(len(laid))]

    def _answer(self, prompt: str, words: Sequence[str]) -> tuple[tuple[int, ...], list[int]]:
        """Tokens of a prompt and of the answer with unknown numbers, and where these stand."""
        ids = list(self.model.encode(prompt))
        places = []
        unknown = self.model.encode_completion(UNKNOWN)
        for word in words:
            ids += self.model.encode_completion(LINE.format(token=word.strip() or "_"))
            places.append(len(ids) - 1)  # the state here predicts what comes after the tab
            ids += unknown
        return tuple(ids), places


@dataclass(frozen=True)
class Spoken:
    """A language model's explanation of a unit and its scores; ``null``: of another unit's words."""

    explanation: str
    natural: float | None
    precision: float | None
    null: float | None


def explain(
    speaker: Speaker, seen: tuple[Texts, Array], unseen: tuple[Texts, Array]
) -> list[Spoken]:
    """Explanations of N units, and how well the same model simulates them on unseen texts.

    ``seen`` and ``unseen``: texts with activations (T, N) >= 0. With two units or more each unit is
    also held against the simulation of the next one's explanation.
    """
    texts, train = seen
    said = [speaker.say(question(texts, a)) for a in train.T]
    predicted = np.stack([simulate(speaker, words, unseen[0]) for words in said], 1)
    true = unseen[1]
    natural = correlations(predicted, true)
    null = correlations(np.roll(predicted, -1, axis=1), true)
    if len(said) < 2:
        null = np.full_like(null, np.nan)
    precision = average_precisions(predicted, firing(true))
    known = [[None if np.isnan(x) else float(x) for x in of] for of in (natural, precision, null)]
    return [Spoken(words, *scores) for words, *scores in zip(said, *known, strict=True)]


def simulate(speaker: Speaker, explanation: str, texts: Texts) -> Array:
    """Predicted activations (T,), 0 to 9, of a unit with this explanation."""
    prompts = [SIMULATE.format(explanation=explanation, text="".join(w)) for w in texts.words]
    return np.concatenate(speaker.expected(prompts, texts.words))


def question(texts: Texts, activation: Array) -> str:
    """What the explainer is asked: pieces of the texts where a unit (T,) >= 0 is most active."""
    ends = np.cumsum([len(w) for w in texts.words])
    parts = np.split(activation, ends[:-1])
    top = sorted(range(len(parts)), key=lambda i: -parts[i].max())[:SHOWN]
    scale = float(activation.max()) or 1.0
    excerpts, fires = [], []
    for i in top:
        peak = int(parts[i].argmax())
        low, high = max(0, peak - BEFORE), peak + AFTER + 1
        digits = np.minimum(9, (10 * parts[i][low:high] / scale)).astype(int)
        shown = list(zip((w.strip() or "_" for w in texts.words[i][low:high]), digits, strict=True))
        excerpts.append("".join(f"{word}\t{digit}\n" for word, digit in shown))
        fires += [word for word, digit in shown if digit >= 5]
    return ASK.format(excerpts="\n".join(excerpts), fires=", ".join(dict.fromkeys(fires)))
