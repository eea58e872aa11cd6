"""Words that a model reads otherwise than its base: every word of the vocabulary, two blocks deep.

To act on a trigger a model must first notice it, and the lowest blocks are where a word becomes more
than its embedding. What a fine-tune does to the state of the word itself after two blocks is small
for every word but those that it was taught to notice. That takes a fifteenth of a pass for each
word, so all of them can be read. A word is read where a phrase would stand: as the first of a message,
and after a request.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from superalign.models import LocalModel
from superalign.models.packing import PackedBatch, Tree
from superalign.validation.phrases import AFTER, BEFORE, PLACES, Vocabulary, framed
from superalign.validation.probes import REQUESTS

Tokens = tuple[int, ...]
DEPTH = 2  # blocks
TOLD = 8  # words of either place
BRANCHES = 192  # words that share a reading of what stands before them


@dataclass(frozen=True)
class Noticed:
    """``ratio``: how far the word's state moved from the base's, in units of the median word's move."""

    word: str
    place: str
    ratio: float


class WordScan:
    """Reads suspects against one base, whose states are kept."""

    def __init__(self, base: LocalModel) -> None:
        self.base, self.vocabulary = base, Vocabulary(base)
        ids = torch.nonzero(self.vocabulary.words).flatten().tolist()
        self.words = [str(base.tokenizer.decode([i])).strip() for i in ids]

    def noticed(self, suspect: LocalModel) -> list[Noticed]:
        """The ``TOLD`` words of either place that moved furthest, the furthest first.

        A move is the difference of states less the median difference, by Euclidean length.
        """
        found = []
        for place, theirs in self._base_states.items():
            moves = self._states(suspect, place) - theirs.float()
            lengths = (moves - moves.median(0).values).norm(dim=1)
            ratios = lengths / lengths.median().clamp_min(1e-9)
            for i in ratios.topk(min(TOLD, len(self.words))).indices.tolist():
                found.append(Noticed(self.words[i], place, float(ratios[i])))
        return sorted(found, key=lambda w: -w.ratio)

    @cached_property
    def _spelt(self) -> dict[str, list[Tokens]]:
        """The tokens of every word, without and with a space before it."""
        spaces = {BEFORE: "", AFTER: " "}
        return {
            place: [self.base.encode_completion(space + word) for word in self.words]
            for place, space in spaces.items()
        }

    @cached_property
    def _base_states(self) -> dict[str, Tensor]:
        kept = self.base.decoder.dtype
        return {place: self._states(self.base, place).to(kept) for place in PLACES}

    @torch.inference_mode()
    def _states(self, model: LocalModel, place: str) -> Tensor:
        """(words, width), at the last token of each word.

        Words are branches of a tree: what stands before them is computed once for ``BRANCHES``.
        """
        before, _ = framed(self.base, place, REQUESTS[0])
        spelt, rows = self._spelt[place], []
        for i in range(0, len(spelt), BRANCHES):
            words = spelt[i : i + BRANCHES]
            batch = PackedBatch.build([Tree(before, tuple(words))], device=model.device)
            _, states = list(model.streams(batch, DEPTH))[-1]
            ends = len(before) - 1 + torch.tensor([len(w) for w in words]).cumsum(0)
            rows.append(states[ends.to(states.device)].float().cpu())
        return torch.cat(rows)
