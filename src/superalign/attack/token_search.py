"""White-box search for a suffix that makes a model begin its answer as the attacker wants.

The candidates of a step are single-token changes ranked by the gradient, as in GCG. Three things
differ, all of them because a forward pass is dear on a small machine:

1. a step looks at a few places only, and the candidates of one place share the computation of all
   that stands before it (a tree that branches there), so later places cost less; the vocabulary is
   read at the target's tokens alone;
2. the best changes of different places are then made together, as many of them as help, so that
   one step may change several tokens;
3. a step never takes a change for the worse, and the width grows when nothing was found.

Sources: Zou et al. (2023), arXiv 2307.15043; several changes at once: Jia et al. (2024),
arXiv 2405.21018, and Haize Labs' accelerated GCG (2024).
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from superalign.models.local import BATCH_TOKENS, LocalModel
from superalign.models.packing import PackedBatch, Tree, token_batches
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
        merges: how many of the best changes are tried together.
    """

    length: int = 20
    places: int = 4
    width: int = 12
    top: int = 64
    merges: int = 4


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
        seed: of the candidates.
        clock: seconds that pass; processor time where the machine is shared.
    """

    def __init__(
        self,
        model: LocalModel,
        request: str,
        target: str,
        settings: SearchSettings | None = None,
        *,
        seed: int = 0,
        clock: Clock = time.perf_counter,
    ) -> None:
        self.model, self.settings, self.clock = model, settings or SearchSettings(), clock
        self.rng = random.Random(f"token search {seed}")
        self.before, self.after = self._frame(request)
        self.target = model.encode_completion(target)
        self.allowed = _printable(model)

    def run(self, *, seconds: float | None = None, steps: int | None = None) -> Found:
        """Search until the time or the steps are over.

        Raises:
            ValueError: neither is given.
        """
        if seconds is None and steps is None:
            raise ValueError("give seconds or steps")
        start = self.clock()
        suffix = self._start()
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
        gradient = token_gradient(self.model, self._prompt(suffix), self._span(), self.target)
        changes: list[tuple[float, int, Tokens]] = []
        places = self.rng.sample(range(len(suffix)), min(self.settings.places, len(suffix)))
        tried = {p: self._candidates(suffix, p, gradient[p], width) for p in sorted(places)}
        tried = {place: candidates for place, candidates in tried.items() if candidates}
        values = iter(self.branch_losses(tried))
        changes += [(next(values), place, one) for place, row in tried.items() for one in row]
        if not changes:
            return suffix, loss
        changes.sort(key=lambda c: c[0])
        merged = self._merged(suffix, changes)
        options = [(changes[0][0], changes[0][2])]
        options += list(zip(self.losses(merged), merged, strict=True)) if merged else []
        value, best = min(options, key=lambda o: o[0])
        return best, value

    def losses(self, suffixes: Sequence[Tokens]) -> list[float]:
        """Mean loss of the target after each suffix (nats per token)."""
        trees = [Tree(self._prompt(s), (self.target,)) for s in suffixes]
        return [-float(row[0].mean()) for row in self.model.tree_logprobs(trees)]

    @torch.inference_mode()
    def branch_losses(self, tried: Mapping[int, Sequence[Tokens]]) -> list[float]:
        """The same for suffixes grouped by the place from which they differ, in reading order."""
        ends = len(self.target)
        trees = [
            Tree(
                (*self.before, *row[0][:place]),
                tuple((*one[place:], *self.after, *self.target) for one in row),
            )
            for place, row in tried.items()
        ]
        found: dict[int, list[float]] = {}
        for part in token_batches(trees, BATCH_TOKENS):
            batch = PackedBatch.build([trees[i] for i in part], device=self.model.device)
            lengths = torch.tensor([len(c) for i in part for c in trees[i].completions])
            last = lengths.cumsum(0)[:, None] - ends + torch.arange(ends)
            places = last.flatten().to(self.model.device)
            states = self.model.completion_states(batch)[places]
            logps = self.model.logprobs_from(states, batch.target_C[places])
            values = iter((-logps.float().view(-1, ends).mean(1)).tolist())
            for i in part:
                found[i] = [next(values) for _ in trees[i].completions]
        return [value for i in range(len(trees)) for value in found[i]]

    def text(self, suffix: Tokens) -> str:
        """The suffix as text."""
        return str(self.model.tokenizer.decode(list(suffix)))

    def _merged(self, suffix: Tokens, changes: Sequence[tuple[float, int, Tokens]]) -> list[Tokens]:
        """The best two, three, ... changes of different places made together."""
        best: dict[int, Tokens] = {}
        for _, place, one in changes:
            best.setdefault(place, one)
        made, current = [], list(suffix)
        for count, (place, one) in enumerate(list(best.items())[: self.settings.merges], 1):
            current[place] = one[place]
            if count > 1 and self._reads_back(tuple(current)):
                made.append(tuple(current))
        return made

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

    def _start(self) -> Tokens:
        tokens = self.model.encode_completion(" x" * self.settings.length)
        return tokens[: self.settings.length]

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
