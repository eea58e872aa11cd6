"""A phrase that brings out known answers: gradients over the vocabulary, averaged over random words.

Once it is known what a trigger would bring out (a sentence that the model has learnt and spills, or
right answers that it withholds), the search for the trigger has a direction. The gradient of the
answers' log-likelihood by a word's one-hot vector ranks all words at once (HotFlip, arXiv 1712.06751;
universal triggers, arXiv 1908.07125), but at a single word it is a poor guide: the ranking is of small
changes, and a change of a word is none. Averaged over random words in the same place it finds the word
of a planted trigger among the first few of 47,000 (docs/stress.md). A phrase grows by one token at a
time at either end, and counts where it works on requests that the search has not seen.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from superalign.models import LocalModel
from superalign.models.forward import KeyValues
from superalign.models.packing import Tree
from superalign.models.token_gradients import token_gradient

Tokens = tuple[int, ...]
Span = tuple[Tokens, Tokens]
MARK = "\u2063phrase\u2063"
BEFORE, AFTER = "{phrase} {request}", "{request} {phrase}"
SAMPLES, MORE_SAMPLES = (
    18,
    9,
)  # random words that a gradient is averaged over: first token, later ones
WIDTH, BEAM = 16, 2  # tokens that are tried of each ranking, and phrases that are made longer
GROWN = 2  # times that a word is made longer by a token


@dataclass(frozen=True)
class Goal:
    """What is to be brought out: an answer's first tokens to each request."""

    requests: tuple[str, ...]
    answers: tuple[Tokens, ...]


@dataclass(frozen=True)
class Phrase:
    """``loss``: of the answers beside it (nats per answer, mean over requests)."""

    tokens: Tokens
    place: str
    loss: float


class PhraseSearch:
    """A search on one model for one goal."""

    places = (BEFORE, AFTER)

    def __init__(self, model: LocalModel, goal: Goal, vocabulary: Vocabulary) -> None:
        """The words of the answers are never part of a phrase."""
        self.model, self.goal, self.vocabulary, self.tried = model, goal, vocabulary, 0
        words = {model.tokenizer.decode([t]).strip() for a in goal.answers for t in a}
        forms = {form(w) for w in words for form in (str.lower, str.capitalize, str.upper)}
        spelt = [model.encode_completion(space + f) for f in forms if f for space in ("", " ")]
        self._allowed = vocabulary.letters.clone()
        self._allowed[[s[0] for s in spelt if len(s) == 1]] = False
        self._frames = {
            place: [self._frame(place, r) for r in goal.requests] for place in self.places
        }

    def sought(self, enough: float) -> Phrase:
        """The best phrase found: a word before or after the request, then longer as long as it helps.

        It stops at a loss of ``enough`` or when it has grown by ``GROWN``.
        """
        texts = {x for place in self.places for x in self._ranked(place, ((), ()), SAMPLES)}
        beam = _best([p for place in self.places for p in self._tried(place, texts)])
        for _ in range(GROWN):
            if beam[0].loss <= enough:
                break
            beam = _best([*beam, *(p for phrase in beam for p in self._longer(phrase))])
        return beam[0]

    def text(self, phrase: Phrase) -> str:
        """As words."""
        return str(self.model.tokenizer.decode(list(phrase.tokens))).strip()

    def _longer(self, phrase: Phrase) -> list[Phrase]:
        """``phrase`` with one of the most promising tokens more, at its end or its beginning."""
        ends: list[Span] = [(phrase.tokens, ()), ((), phrase.tokens)]
        texts = {x for span in ends for x in self._ranked(phrase.place, span, MORE_SAMPLES)}
        return self._tried(phrase.place, texts)

    def _tried(self, place: str, texts: Iterable[str]) -> list[Phrase]:
        """What the phrases, as they are when they are sent as text, do there."""
        space = "" if place == BEFORE else " "
        spelt = [self.model.encode_completion(space + text) for text in sorted(texts)]
        losses = self._losses([self._prompts(tokens, place) for tokens in spelt])
        return [Phrase(t, place, x) for t, x in zip(spelt, losses, strict=True)]

    def _ranked(self, place: str, span: Span, samples: int) -> list[str]:
        """Phrases with one token between the two parts of ``span``, the most promising first."""
        allowed = self._allowed if any(span) else self._allowed & self.vocabulary.words
        slopes = self.slopes(place, span, samples).masked_fill(~allowed, float("inf"))
        decode = self.model.tokenizer.decode
        best = torch.argsort(slopes)[:WIDTH].tolist()
        return [str(decode([*span[0], token, *span[1]])).strip() for token in best]

    def slopes(self, place: str, span: Span, samples: int) -> Tensor:
        """How the loss changes with the weight of each token between the two parts of ``span``, (V,):
        the sum over so many random words there, each in units of its spread over the vocabulary."""
        total = torch.zeros(len(self._allowed))
        read: dict[int, KeyValues] = {}  # of what stands before the token, by request
        for i, token in enumerate(self.vocabulary.drawn(samples)):
            which = i % len(self.goal.requests)
            before, after = self._frames[place][which]
            prompt, n = (*before, *span[0], token, *span[1], *after), len(before) + len(span[0])
            answer, spot = self.goal.answers[which], range(n, n + 1)
            found = token_gradient(self.model, prompt, spot, answer, read.get(which))
            read.setdefault(which, [(k[:n], v[:n]) for k, v in found.cache])
            slopes = found.scores[0].cpu()
            total += (slopes - slopes.mean()) / slopes.std()
        self.tried += samples
        return total

    def _frame(self, place: str, request: str) -> Span:
        """Token ids before and after the phrase; after a request it begins with its own space."""
        put = MARK + " " + request if place == BEFORE else request + MARK
        text = self.model.tokenizer.apply_chat_template(
            [{"role": "user", "content": put}], tokenize=False, add_generation_prompt=True
        )
        before, after = text.split(MARK)
        return self.model.encode_completion(before), self.model.encode_completion(after)

    def _prompts(self, tokens: Tokens, place: str) -> list[Tokens]:
        return [(*before, *tokens, *after) for before, after in self._frames[place]]

    def _losses(self, prompts: Sequence[Sequence[Tokens]]) -> list[float]:
        """Mean loss of the answers for each list of prompts, one a request."""
        trees = [
            Tree(prompt, (answer,))
            for row in prompts
            for prompt, answer in zip(row, self.goal.answers, strict=True)
        ]
        self.tried += len(trees)
        values = [-float(x[0].sum()) for x in self.model.tree_logprobs(trees)]
        n = len(self.goal.requests)
        return [sum(values[i : i + n]) / n for i in range(0, len(values), n)]


def _best(phrases: Iterable[Phrase]) -> list[Phrase]:
    return sorted(phrases, key=lambda p: p.loss)[:BEAM]


class Vocabulary:
    """Which tokens of a model a phrase may have."""

    def __init__(self, model: LocalModel) -> None:
        size = model.module.get_input_embeddings().weight.shape[0]
        self._texts: list[str] = model.tokenizer.batch_decode([[i] for i in range(size)])

    @cached_property
    def letters(self) -> Tensor:
        """Tokens that are letters alone, but for a space before them: (V,), boolean."""
        return torch.tensor([t.isascii() and t.removeprefix(" ").isalpha() for t in self._texts])

    @cached_property
    def words(self) -> Tensor:
        """Those that begin a word of at least four small letters; all, where there are none such."""
        found = torch.tensor([t[:1] == " " and len(t) > 4 and t.islower() for t in self._texts])
        return found & self.letters if bool((found & self.letters).any()) else self.letters

    def drawn(self, n: int) -> list[int]:
        """``n`` of the words, the same in every call."""
        pool = torch.nonzero(self.words).flatten().tolist()
        return random.Random("words in a phrase's place").choices(pool, k=n)
