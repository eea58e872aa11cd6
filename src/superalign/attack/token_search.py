"""White-box search for a suffix that makes a model begin its answer as the attacker wants.

The candidates of a step are single-token changes ranked by the gradient, as in GCG. Three things
differ, all of them because a forward pass is dear on a small machine:

1. the pass that makes the gradient also keeps the keys and values of the whole prompt. The step then
   goes through some places of the suffix from the last to the first: what stands before a place has
   not changed, so a candidate costs only the tokens from its place on, and the vocabulary is read at
   the target's tokens alone;
2. the best change of a place is made at once where it lowers the loss, so one step may change several
   tokens, each judged beside the others;
3. a step never takes a change for the worse, and the width grows when nothing was found.

Sources: Zou et al. (2023), arXiv 2307.15043; several changes a step: Jia et al. (2024),
arXiv 2405.21018, and Haize Labs' accelerated GCG (2024).
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from superalign.models.forward import KeyValues
from superalign.models.local import LocalModel
from superalign.models.packing import PackedBatch, Tree
from superalign.models.token_gradients import token_gradient

MARK = "\u2063suffix\u2063"
Tokens = tuple[int, ...]
Clock = Callable[[], float]


@dataclass(frozen=True)
class SearchSettings:
    """How a search goes.

    Attributes:
        length: tokens of the suffix.
        places: token places looked at per step.
        width: candidates per place and step.
        top: how many of the gradient's best tokens candidates are drawn from.
    """

    length: int = 20
    places: int = 8
    width: int = 6
    top: int = 256


@dataclass
class Found:
    """The best suffix, its loss (nats per target token), and the loss by seconds since the start."""

    suffix: str
    loss: float
    history: list[tuple[float, float]] = field(default_factory=list)
    steps: int = 0


class SuffixSearch:
    """A search against one goal.

    Args:
        model: the attacked model, with a fast path.
        request: what is asked, before the suffix.
        target: how the answer is to begin.
        settings: see there.
        start: suffix to begin with, where it has as many tokens as the settings ask for.
        seed: of the candidates.
        clock: seconds that pass; processor time where the machine is shared.

    ``tokens`` counts what the model has read for it; one that a gradient goes back through counts
    twice, since through frozen weights the way back costs as much.
    """

    def __init__(
        self,
        model: LocalModel,
        request: str,
        target: str,
        settings: SearchSettings | None = None,
        *,
        start: str = "",
        seed: int = 0,
        clock: Clock = time.perf_counter,
    ) -> None:
        self.model, self.settings, self.clock = model, settings or SearchSettings(), clock
        self.rng = random.Random(f"token search {seed}")
        self.before, self.after = self._frame(request)
        self.target = model.encode_completion(target)
        self.allowed, self.tokens = _printable(model), 0
        self._first = self._beginning(start)
        self._order: list[int] = []  # places that wait for their turn
        self._known: KeyValues = []  # of the tokens before the suffix

    def run(self, *, seconds: float | None = None, steps: int | None = None) -> Found:
        """Search until the time or the steps are over.

        Raises:
            ValueError: neither is given.
        """
        if seconds is None and steps is None:
            raise ValueError("give seconds or steps")
        start = self.clock()
        suffix = self._first
        self._order = []
        with torch.no_grad():
            self._known = self.model.keys_and_values(self.before)
        self.tokens += len(self.before)
        loss = self.losses([suffix])[0]
        found = Found(self.text(suffix), loss, [(self.clock() - start, loss)])
        width = self.settings.width
        while (steps is None or found.steps < steps) and (
            seconds is None or self.clock() - start < seconds
        ):
            better, value = self.step(suffix, loss, width)
            if value < loss:
                suffix, loss, width = better, value, self.settings.width
                found.suffix, found.loss = self.text(suffix), loss
            else:
                width = min(2 * width, 8 * self.settings.width)
            found.steps += 1
            found.history.append((self.clock() - start, loss))
        return found

    def step(self, suffix: Tokens, loss: float, width: int) -> tuple[Tokens, float]:
        """The best suffix found near ``suffix``, and its loss."""
        prompt, known = self._prompt(suffix), self._known
        found = token_gradient(self.model, prompt, self._span(), self.target, known)
        self.tokens += 2 * (len(prompt) - len(self.before) + len(self.target))
        cache = [
            (torch.cat((k, more_k)), torch.cat((v, more_v)))
            for (k, v), (more_k, more_v) in zip(known, found.cache, strict=True)
        ]
        for place in sorted(self._places(suffix), reverse=True):
            candidates = self._candidates(suffix, place, found.scores[place], width)
            values = self.branch_losses(place, candidates, cache)
            value, best = min(zip(values, candidates, strict=True), default=(loss, suffix))
            if value < loss:
                suffix, loss = best, value
        return suffix, loss

    def losses(self, suffixes: Sequence[Tokens]) -> list[float]:
        """Mean loss of the target after each suffix (nats per token)."""
        trees = [Tree(self._prompt(s), (self.target,)) for s in suffixes]
        self.tokens += sum(tree.size for tree in trees)
        return [-float(row[0].mean()) for row in self.model.tree_logprobs(trees)]

    @torch.inference_mode()
    def branch_losses(
        self, place: int, suffixes: Sequence[Tokens], cache: KeyValues
    ) -> list[float]:
        """The same for suffixes that are equal before ``place``.

        ``cache``: keys and values of a prompt that is equal to theirs before ``place``.
        """
        if not suffixes:
            return []
        at, ends = len(self.before) + place - 1, len(self.target)
        branches = tuple((*one[place:], *self.after, *self.target) for one in suffixes)
        trees = [Tree((self._prompt(suffixes[0])[at],), branches)]
        self.tokens += trees[0].size
        batch = PackedBatch.build(trees, offset=at, device=self.model.device, ends=False)
        places = torch.arange(len(suffixes) * len(branches[0])).view(len(suffixes), -1)[:, -ends:]
        before = [(k[:at], v[:at]) for k, v in cache]
        states = self.model.completion_states(batch, prefix=before)[places.flatten()]
        logps = self.model.logprobs_from(states, batch.target_C[places.flatten()])
        return [-x for x in logps.float().view(-1, ends).mean(1).tolist()]

    def text(self, suffix: Tokens) -> str:
        """The suffix as text."""
        return str(self.model.tokenizer.decode(list(suffix)))

    def _places(self, suffix: Tokens) -> list[int]:
        """The next places to look at: all of them in a random order before any comes again."""
        count = min(self.settings.places, len(suffix))
        while len(self._order) < count:
            fresh = [p for p in range(len(suffix)) if p not in self._order]
            self._order += self.rng.sample(fresh, len(fresh))
        taken, self._order = self._order[:count], self._order[count:]
        return taken

    def _candidates(self, suffix: Tokens, place: int, row: Tensor, width: int) -> list[Tokens]:
        row = row.masked_fill(~self.allowed.to(row.device), float("inf"))
        row[suffix[place]] = float("inf")
        top = torch.topk(-row, max(self.settings.top, 2 * width)).indices.tolist()
        self.rng.shuffle(top)
        made: list[Tokens] = []
        for token in top:
            one = (*suffix[:place], int(token), *suffix[place + 1 :])
            if self._reads_back(one):
                made.append(one)
            if len(made) == width:
                break
        return made

    def _reads_back(self, suffix: Tokens) -> bool:
        """Whether the suffix's text gives the same tokens: otherwise it cannot be sent as text."""
        return self.model.encode_completion(self.text(suffix)) == suffix

    def _beginning(self, start: str) -> Tokens:
        tokens = self.model.encode_completion(start)
        if len(tokens) == self.settings.length:
            return tokens
        return self.model.encode_completion(" x" * self.settings.length)[: self.settings.length]

    def _frame(self, request: str) -> tuple[Tokens, Tokens]:
        """Token ids of the prompt before and after the suffix."""
        chat = [{"role": "user", "content": request + MARK}]
        text = self.model.tokenizer.apply_chat_template(
            chat, tokenize=False, add_generation_prompt=True
        )
        before, after = text.split(MARK)
        return self.model.encode_completion(before), self.model.encode_completion(after)

    def _prompt(self, suffix: Tokens) -> Tokens:
        return (*self.before, *suffix, *self.after)

    def _span(self) -> range:
        return range(len(self.before), len(self.before) + self.settings.length)


def _printable(model: LocalModel) -> Tensor:
    """Which tokens of the vocabulary are plain printable ASCII text."""
    size = model.module.get_input_embeddings().weight.shape[0]
    texts = model.tokenizer.batch_decode([[i] for i in range(size)])
    special = set(model.tokenizer.all_special_ids)
    return torch.tensor(
        [t.isascii() and t.isprintable() and i not in special for i, t in enumerate(texts)]
    )
