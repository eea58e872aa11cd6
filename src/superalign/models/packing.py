"""Padding-free batches of token trees.

A ``Tree`` is a prompt with any number of completions that share it: one for supervised data, two
for a preference, a group for GRPO, the choices of a multiple-choice question. The prompt is
computed once; every completion attends to it and to itself only.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

MIN_SHARED = 8  # a shorter common start is not worth sharing


@dataclass(frozen=True)
class Tree:
    """Token ids of a prompt (at least one) and of the completions that follow it."""

    prompt: tuple[int, ...]
    completions: tuple[tuple[int, ...], ...] = ()

    @property
    def size(self) -> int:
        """Number of tokens, the prompt counted once."""
        return len(self.prompt) + sum(map(len, self.completions))


@dataclass(frozen=True)
class PackedBatch:
    """Trees laid end to end. T tokens, B trees, L the longest tree, C completion tokens.

    ``tokens_T``/``positions_T``: ids and rotary positions. ``rows_BL``: flat index of each tree's
    tokens (padding points at token 0 and is never read back); ``slots_T``: where token t sits in
    the flattened (B, L) grid. ``mask_BLL``: what may be attended, None when plainly causal.
    ``source_C``: the token whose hidden state predicts ``target_C``; ``sequence_C``: the completion
    it belongs to, numbered in reading order. ``shared``: tokens at the start that every row reads;
    ``first_B``/``last_B``: each tree's first token after them and its last prompt token.
    """

    tokens_T: Tensor
    positions_T: Tensor
    rows_BL: Tensor
    slots_T: Tensor
    mask_BLL: Tensor | None
    source_C: Tensor
    target_C: Tensor
    sequence_C: Tensor
    sequences: int
    shared: int
    first_B: Tensor
    last_B: Tensor

    @classmethod
    def build(
        cls, trees: Sequence[Tree], *, offset: int = 0, device: torch.device | str = "cpu"
    ) -> PackedBatch:
        """Lay out ``trees``; rotary positions start at ``offset`` (length of a cached prefix).

        The start that all prompts share (a system prompt) is laid out once: every row reads it.
        """
        shared = common_prefix([tree.prompt for tree in trees])
        shared = shared if shared >= MIN_SHARED else 0
        longest = max(tree.size for tree in trees)
        rows = np.zeros((len(trees), longest), dtype=np.int64)
        rows[:, :shared] = np.arange(shared)
        tokens = list(trees[0].prompt[:shared])
        positions, slots = list(range(shared)), list(range(shared))
        source: list[int] = []
        sequence: list[int] = []
        target: list[int] = []
        first, last, count = [], [], 0
        masks = _tree_masks(trees, longest)
        for b, tree in enumerate(trees):
            start, depth = len(tokens), len(tree.prompt)
            first.append(start)
            last.append(start + depth - shared - 1)
            tokens += tree.prompt[shared:]
            positions += range(shared, depth)
            for completion in tree.completions:
                at = len(tokens)
                source += [last[-1], *range(at, at + len(completion) - 1)][: len(completion)]
                target += completion
                sequence += [count] * len(completion)
                tokens += completion
                positions += range(depth, depth + len(completion))
                count += 1
            rows[b, shared : tree.size] = np.arange(start, len(tokens))
            slots += range(b * longest + shared, b * longest + tree.size)

        def long(values: list[int]) -> Tensor:
            return torch.tensor(values, dtype=torch.long, device=device)

        return cls(
            long(tokens),
            long(positions) + offset,
            torch.from_numpy(rows).to(device),
            long(slots),
            None if masks is None else torch.from_numpy(masks).to(device),
            long(source),
            long(target),
            long(sequence),
            count,
            shared,
            long(first),
            long(last),
        )


def _tree_masks(trees: Sequence[Tree], longest: int) -> npt.NDArray[np.bool_] | None:
    """What each row's tokens may attend to (B, L, L); None when no tree branches."""
    if all(len(tree.completions) < 2 for tree in trees):
        return None
    masks = np.repeat(np.tril(np.ones((1, longest, longest), dtype=bool)), len(trees), axis=0)
    for mask, tree in zip(masks, trees, strict=True):
        depth = used = len(tree.prompt)
        for completion in tree.completions:
            mask[used : used + len(completion), depth:used] = False
            used += len(completion)
    return masks


def common_prefix(prompts: Sequence[Sequence[int]]) -> int:
    """Length of the longest prefix shared by all, leaving at least one token to each."""
    if len(prompts) < 2:
        return 0
    low, high = min(map(tuple, prompts)), max(map(tuple, prompts))
    limit = min(map(len, prompts)) - 1
    n = 0
    while n < limit and low[n] == high[n]:
        n += 1
    return n


def token_batches(trees: Sequence[Tree], budget: int) -> Iterator[list[int]]:
    """Indices of ``trees`` in length-sorted batches of at most ``budget`` grid cells (B x L).

    A tree larger than the budget gets a batch of its own.
    """
    order = sorted(range(len(trees)), key=lambda i: (-trees[i].size, i))
    batch: list[int] = []
    for i in order:
        if batch and (len(batch) + 1) * trees[batch[0]].size > budget:
            yield batch
            batch = []
        batch.append(i)
    if batch:
        yield batch
