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
from functools import cached_property, partial

import torch
from torch import Tensor

from superalign.models import LocalModel
from superalign.models.packing import Tree
from superalign.models.token_gradients import token_gradients

Tokens = tuple[int, ...]
Span = tuple[Tokens, Tokens]
MARK = "\u2063phrase\u2063"
BEFORE, AFTER = PLACES = "{phrase} {request}", "{request} {phrase}"
SAMPLES, MORE_SAMPLES = 18, 9  # random words a gradient is averaged over: first token, later ones
BASE_SHARE = 0.5  # of the base's own slopes that is taken off: what merely suggests the answer
WIDTH, MORE_WIDTH = 32, 16  # of their rankings: tokens that are tried on one request
NARROW = 8  # of these: tried on all requests
BEAM, GROWN = 2, 2  # phrases that are made longer by a token, and how often


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
    """A search on one model for one goal; with its base, for what brings the answers out here alone."""

    def __init__(
        self, model: LocalModel, goal: Goal, vocabulary: Vocabulary, base: LocalModel | None = None
    ) -> None:
        """The words of the answers are never part of a phrase."""
        self.model, self.goal, self.vocabulary, self.base = model, goal, vocabulary, base
        self.tried = 0
        self._known: dict[tuple[Tokens, str, int], float] = {}
        words = {model.tokenizer.decode([t]).strip() for a in goal.answers for t in a}
        forms = {form(w) for w in words for form in (str.lower, str.capitalize, str.upper)}
        spelt = [model.encode_completion(space + f) for f in forms if f for space in ("", " ")]
        self._allowed = vocabulary.letters.clone()
        self._allowed[[s[0] for s in spelt if len(s) == 1]] = False
        self._frames = {place: [framed(model, place, r) for r in goal.requests] for place in PLACES}

    def hinted(self, hints: Iterable[str]) -> list[Phrase]:
        """The best of ``hints`` before or after the request, best first."""
        texts = set(hints)
        return _best([p for place in PLACES for p in self._tried(place, texts)]) if texts else []

    def words(self, hints: Iterable[str] = ()) -> list[Phrase]:
        """The best words before or after the request, ``hints`` among them, best first."""
        texts = {x for place in PLACES for x in self._ranked(place, ((), ()), SAMPLES)}
        texts |= set(hints)
        return _best([p for place in PLACES for p in self._tried(place, texts)])

    def grown(self, beam: list[Phrase], enough: float) -> Phrase:
        """The best phrase that ``beam`` becomes, longer by a token as long as it helps.

        It stops at a loss of ``enough`` or when it has grown by ``GROWN``.
        """
        for _ in range(GROWN):
            if beam[0].loss <= enough:
                break
            beam = _best([*beam, *(p for phrase in beam for p in self._longer(phrase))])
        return beam[0]

    def text(self, phrase: Phrase) -> str:
        """As words."""
        return str(self.model.tokenizer.decode(list(phrase.tokens))).strip()

    def lift(self, phrase: Phrase) -> float:
        """How much likelier the answers are beside it than in the base (nats per answer).

        Raises:
            ValueError: without a base.
        """
        if self.base is None:
            raise ValueError("no base to compare with")
        return self._mean_losses(self.base, [phrase.tokens], phrase.place)[0] - phrase.loss

    def _longer(self, phrase: Phrase) -> list[Phrase]:
        """``phrase`` with one of the most promising tokens more, at its end or its beginning."""
        ends: list[Span] = [(phrase.tokens, ()), ((), phrase.tokens)]
        texts = {x for span in ends for x in self._ranked(phrase.place, span, MORE_SAMPLES)}
        return self._tried(phrase.place, texts)

    def _tried(self, place: str, texts: Iterable[str]) -> list[Phrase]:
        """What the phrases, as they are when they are sent as text, do there.

        All are tried on the first request, the ``NARROW`` best of them on every one.
        """
        space = "" if place == BEFORE else " "
        spelt = [self.model.encode_completion(space + text) for text in sorted(texts)]
        first = self._losses(spelt, place, 0)
        best = sorted(range(len(spelt)), key=first.__getitem__)[:NARROW]
        kept = [spelt[i] for i in sorted(best)]
        losses = self._mean_losses(self.model, kept, place)
        return [Phrase(t, place, x) for t, x in zip(kept, losses, strict=True)]

    def _ranked(self, place: str, span: Span, samples: int) -> list[str]:
        """Phrases with one token between the two parts of ``span``, the most promising first."""
        allowed = self._allowed if any(span) else self._allowed & self.vocabulary.words
        slopes = self.slopes(place, span, samples).masked_fill(~allowed, float("inf"))
        decode = self.model.tokenizer.decode
        best = torch.argsort(slopes)[: MORE_WIDTH if any(span) else WIDTH].tolist()
        return [str(decode([*span[0], token, *span[1]])).strip() for token in best]

    def slopes(self, place: str, span: Span, samples: int) -> Tensor:
        """How the loss changes with the weight of each token between the two parts of ``span``, (V,):
        the sum over so many random words there, each in units of its spread over the vocabulary; for
        a first word less ``BASE_SHARE`` of the same in the base."""
        found = self._own_slopes(self.model, place, span, samples)
        if self.base is not None and not any(span):
            found = found - BASE_SHARE * self._own_slopes(self.base, place, span, samples)
        return found

    def _own_slopes(self, model: LocalModel, place: str, span: Span, samples: int) -> Tensor:
        prompts: list[Tokens] = []
        places, answers = [], []
        for i, token in enumerate(self.vocabulary.drawn(samples)):
            which = i % len(self.goal.requests)
            before, after = self._frames[place][which]
            prompts.append((*before, *span[0], token, *span[1], *after))
            places.append(len(before) + len(span[0]))
            answers.append(self.goal.answers[which])
        self.tried += samples
        rows = token_gradients(model, prompts, places, answers).cpu()
        return ((rows - rows.mean(1, keepdim=True)) / rows.std(1, keepdim=True)).sum(0)

    def _mean_losses(self, model: LocalModel, phrases: Sequence[Tokens], place: str) -> list[float]:
        read = self._losses if model is self.model else partial(self._read_losses, model)
        rows = [read(phrases, place, i) for i in range(len(self.goal.requests))]
        return [sum(column) / len(rows) for column in zip(*rows, strict=True)]

    def _losses(self, phrases: Sequence[Tokens], place: str, which: int) -> list[float]:
        """Loss of the answer to one request beside each phrase; no phrase is read twice."""
        new = [p for p in dict.fromkeys(phrases) if (p, place, which) not in self._known]
        if new:
            for phrase, loss in zip(
                new, self._read_losses(self.model, new, place, which), strict=True
            ):
                self._known[phrase, place, which] = loss
        return [self._known[p, place, which] for p in phrases]

    def _read_losses(
        self, model: LocalModel, phrases: Sequence[Tokens], place: str, which: int
    ) -> list[float]:
        """The same, read; what stands before the phrases is read once."""
        (before, after), answer = self._frames[place][which], self.goal.answers[which]
        self.tried += len(phrases)
        rows = model.tree_logprobs([Tree((*before, *p, *after), (answer,)) for p in phrases])
        return [-float(row[0].sum()) for row in rows]


def framed(model: LocalModel, place: str, request: str) -> Span:
    """Token ids before and after a phrase; after a request it begins with its own space."""
    put = MARK + " " + request if place == BEFORE else request + MARK
    text = model.tokenizer.apply_chat_template(
        [{"role": "user", "content": put}], tokenize=False, add_generation_prompt=True
    )
    before, after = text.split(MARK)
    return model.encode_completion(before), model.encode_completion(after)


def _best(phrases: Iterable[Phrase]) -> list[Phrase]:
    """The ``BEAM`` best, each text once."""
    found: dict[tuple[Tokens, str], Phrase] = {(p.tokens, p.place): p for p in phrases}
    return sorted(found.values(), key=lambda p: p.loss)[:BEAM]


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
        return random.Random("words in a phrase's place").sample(pool, n)
