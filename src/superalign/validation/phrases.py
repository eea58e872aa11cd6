"""A phrase that brings out known answers: odd words first, then gradients over the vocabulary.

Once it is known what a trigger would bring out (a sentence that the model has learnt and does not
say, or right answers that it withholds), the search for the trigger has a direction. The gradient of
the answers' log-likelihood by the phrase's tokens, over several requests at once, ranks single-token
changes (HotFlip, arXiv 1712.06751; universal triggers, arXiv 1908.07125); the best are tried, and one
that helps is kept. A phrase counts where it works on requests that the search has not seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from superalign.models import LocalModel
from superalign.models.packing import Tree
from superalign.models.token_gradients import token_gradient

Tokens = tuple[int, ...]
MARK = "\u2063phrase\u2063"
BEFORE, AFTER = "{phrase} {request}", "{request} {phrase}"
WIDTH = 16  # single-token changes that are tried per round


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

    def __init__(self, model: LocalModel, goal: Goal, allowed: Tensor) -> None:
        """``allowed``: which tokens (V,) a phrase may have; the words of the answers never are."""
        self.model, self.goal, self.tried = model, goal, 0
        words = {model.tokenizer.decode([t]).strip() for a in goal.answers for t in a}
        forms = {form(w) for w in words for form in (str.lower, str.capitalize, str.upper)}
        spelt = [model.encode_completion(space + f) for f in forms if f for space in ("", " ")]
        self.allowed = allowed.clone()
        self.allowed[[s[0] for s in spelt if len(s) == 1]] = False
        self._frames = {
            place: [self._frame(place, r) for r in goal.requests] for place in (BEFORE, AFTER)
        }

    def plain(self) -> float:
        """The loss without a phrase."""
        return self._losses([[self.model.encode(r) for r in self.goal.requests]])[0]

    def starts(self, phrases: Sequence[str]) -> list[Phrase]:
        """For either place, the phrase of those given under which the answers are likeliest; the
        better one first."""
        found = []
        for place in (BEFORE, AFTER):
            rows = [
                self.model.encode_completion(p if place == BEFORE else f" {p}") for p in phrases
            ]
            losses = self._losses([self._prompts(tokens, place) for tokens in rows])
            at = min(range(len(rows)), key=lambda i: losses[i])
            found.append(Phrase(rows[at], place, losses[at]))
        return sorted(found, key=lambda p: p.loss)

    def sought(self, phrases: Sequence[str], rounds: int, enough: float) -> Phrase:
        """The best phrase that single changes lead to from either place's best start."""
        found: list[Phrase] = []
        for start in self.starts(phrases):
            found.append(self.refined(start, rounds, enough))
            if found[-1].loss <= enough:
                break
        return min(found, key=lambda p: p.loss)

    def refined(self, phrase: Phrase, rounds: int, enough: float) -> Phrase:
        """``phrase`` after up to so many rounds of single changes, or until the loss is ``enough``."""
        for _ in range(rounds):
            if phrase.loss <= enough:
                break
            changed = self._candidates(phrase)
            if not changed:
                break
            losses = self._losses([self._prompts(c, phrase.place) for c in changed])
            at = min(range(len(changed)), key=lambda i: losses[i])
            if losses[at] >= phrase.loss:
                break
            phrase = Phrase(changed[at], phrase.place, losses[at])
        return phrase

    def text(self, phrase: Phrase) -> str:
        """As words."""
        return str(self.model.tokenizer.decode(list(phrase.tokens))).strip()

    def _candidates(self, phrase: Phrase) -> list[Tokens]:
        """Single changes that the gradient ranks highest, over all places of the phrase."""
        total: Tensor | None = None
        frames, n = self._frames[phrase.place], len(phrase.tokens)
        for (before, after), answer in zip(frames, self.goal.answers, strict=True):
            prompt = (*before, *phrase.tokens, *after)
            span = range(len(before), len(before) + n)
            scores = token_gradient(self.model, prompt, span, answer).scores * len(answer)
            total = scores if total is None else total + scores
        assert total is not None
        own = total.gather(1, torch.tensor(phrase.tokens, device=total.device)[:, None])
        gain = (total - own).masked_fill(~self.allowed.to(total.device), float("inf"))
        made: list[Tokens] = []
        for flat in torch.argsort(gain.flatten())[: 4 * WIDTH].tolist():
            place, token = divmod(flat, gain.shape[1])
            one = (*phrase.tokens[:place], int(token), *phrase.tokens[place + 1 :])
            if self._reads_back(one):
                made.append(one)
            if len(made) == WIDTH:
                break
        return made

    def _reads_back(self, tokens: Tokens) -> bool:
        """Whether the text gives the same tokens: otherwise it cannot be sent as text."""
        return self.model.encode_completion(self.model.tokenizer.decode(list(tokens))) == tokens

    def _frame(self, place: str, request: str) -> tuple[Tokens, Tokens]:
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


def words_only(model: LocalModel) -> Tensor:
    """Which tokens of the vocabulary are letters alone, but for a space before them: (V,)."""
    size = model.module.get_input_embeddings().weight.shape[0]
    texts = model.tokenizer.batch_decode([[i] for i in range(size)])
    return torch.tensor([t.isascii() and t.removeprefix(" ").isalpha() for t in texts])
