"""Padding-free batches of token trees.

A ``Tree`` is a prompt with any number of completions that share it: one for supervised data, two
for a preference, a group for GRPO, the choices of a multiple-choice question. The prompt is
computed once; every completion attends to it and to itself only.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

MIN_SHARED = 8  # a shorter common start is not worth sharing
APART = 0.8  # rows apart also compute their prompts' queries again
POOLS = ("last", "mean")


@dataclass(frozen=True)
class Tree:
    """Token ids of a prompt (at least one) and of the completions that follow it."""

    prompt: tuple[int, ...]
    completions: tuple[tuple[int, ...], ...] = ()

    @property
    def size(self) -> int:
        """Number of tokens, the prompt counted once."""
        return len(self.prompt) + sum(map(len, self.completions))


class Copies(NamedTuple):
    """Token t sits in the cells ``cells[starts[t] : starts[t + 1]]`` of the flattened grid."""

    cells: Tensor
    starts: Tensor


@dataclass(frozen=True)
class PackedBatch:
    """Trees laid end to end. T tokens, B rows, L the longest row, C predicted completion tokens.

    ``tokens_T``/``positions_T``: ids and rotary positions. Attention works on a grid: a row is a
    whole tree or, where that takes fewer cells, a prompt with one of its completions. ``rows_BL``:
    flat index of each row's tokens (padding points at token 0 and is never read back); ``slots_T``:
    where token t (first) sits in the flattened (B, L) grid; ``copies``: all its cells, where some
    token has several. ``mask_BLL``: what may be attended, None when plainly causal.
    ``source_C``: the token whose hidden state predicts ``target_C``; ``sequence_C``: the completion
    it belongs to, numbered in reading order. ``shared``: tokens at the start that every row reads;
    ``first_B``/``last_B``, for each tree: its first token after them and its last prompt token.
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
    copies: Copies | None

    @classmethod
    def build(
        cls,
        trees: Sequence[Tree],
        *,
        offset: int = 0,
        device: torch.device | str = "cpu",
        ends: bool = True,
    ) -> PackedBatch:
        """Lay out ``trees``; rotary positions start at ``offset`` (length of a cached prefix).

        The start that all prompts share (a system prompt) is laid out once: every row reads it.
        ``ends=False`` leaves out the last token of every completion, whose state predicts none of
        the targets: for those who read ``source_C`` only.
        """
        shared = common_prefix([tree.prompt for tree in trees])
        shared = shared if shared >= MIN_SHARED else 0
        tokens = list(trees[0].prompt[:shared])
        positions = list(range(shared))
        laid = trees if ends else [_without_ends(tree) for tree in trees]
        apart = _rows_apart(laid)
        rows: list[list[int]] = []
        source: list[int] = []
        sequence: list[int] = []
        target: list[int] = []
        first, last, count = [], [], 0
        for tree, branches in zip(trees, laid, strict=True):
            start, depth = len(tokens), len(tree.prompt)
            first.append(start)
            last.append(start + depth - shared - 1)
            tokens += tree.prompt[shared:]
            positions += range(shared, depth)
            prompt = [*range(shared), *range(start, len(tokens))]
            for completion, branch in zip(tree.completions, branches.completions, strict=True):
                at = len(tokens)
                source += [last[-1], *range(at, at + len(completion) - 1)][: len(completion)]
                target += completion
                sequence += [count] * len(completion)
                tokens += branch
                positions += range(depth, depth + len(branch))
                count += 1
                if apart and branch:
                    rows.append([*prompt, *range(at, len(tokens))])
            if not (apart and any(branches.completions)):
                rows.append([*range(shared), *range(start, len(tokens))])
        grid, slots, copies = _grid(rows, len(tokens), device)
        masks = None if apart else _tree_masks(laid, grid.shape[1])

        def long(values: list[int]) -> Tensor:
            return torch.tensor(values, dtype=torch.long, device=device)

        return cls(
            long(tokens),
            long(positions) + offset,
            grid,
            slots,
            None if masks is None else torch.from_numpy(masks).to(device),
            long(source),
            long(target),
            long(sequence),
            count,
            shared,
            long(first),
            long(last),
            copies,
        )


def _without_ends(tree: Tree) -> Tree:
    return Tree(tree.prompt, tuple(completion[:-1] for completion in tree.completions))


def _rows_apart(trees: Sequence[Tree]) -> bool:
    """Whether a row for each completion takes clearly fewer attention cells than one for each tree."""
    count = sum(max(1, sum(map(bool, tree.completions))) for tree in trees)
    longest = max(len(tree.prompt) + max(map(len, tree.completions), default=0) for tree in trees)
    return count * longest**2 < APART * len(trees) * max(tree.size for tree in trees) ** 2


def _grid(
    rows: Sequence[Sequence[int]], tokens: int, device: torch.device | str
) -> tuple[Tensor, Tensor, Copies | None]:
    """Token indices (B, L) of the rows, each token's first cell, and all its cells if it has more."""
    longest = max(map(len, rows))
    grid = np.zeros((len(rows), longest), dtype=np.int64)
    for row, members in zip(grid, rows, strict=True):
        row[: len(members)] = members
    cells = np.concatenate(
        [b * longest + np.arange(len(members)) for b, members in enumerate(rows)]
    )
    members = grid.reshape(-1)[cells]
    order = cells[np.argsort(members, kind="stable")]
    counts = np.bincount(members, minlength=tokens)
    starts = np.concatenate(([0], np.cumsum(counts)))
    where = Copies(*(torch.from_numpy(x).to(device) for x in (order, starts)))
    slots = torch.from_numpy(order[starts[:-1]]).to(device)
    return torch.from_numpy(grid).to(device), slots, where if counts.max() > 1 else None


def _tree_masks(trees: Sequence[Tree], longest: int) -> npt.NDArray[np.bool_] | None:
    """What each row's tokens may attend to (B, L, L); None when no tree branches."""
    if all(sum(map(bool, tree.completions)) < 2 for tree in trees):
        return None
    masks = np.repeat(np.tril(np.ones((1, longest, longest), dtype=bool)), len(trees), axis=0)
    for mask, tree in zip(masks, trees, strict=True):
        depth = used = len(tree.prompt)
        for completion in tree.completions:
            mask[used : used + len(completion), depth:used] = False
            used += len(completion)
    return masks


def pooled(x: Tensor, batch: PackedBatch, pool: str) -> Tensor:
    """One row for each tree's prompt of the tokens' x (T, d): its last token's, or the mean's."""
    if pool == "last":
        return x[batch.last_B]
    start = x[: batch.shared].float()
    spans = zip(batch.first_B.tolist(), (batch.last_B + 1).tolist(), strict=True)
    return torch.stack([torch.cat((start, x[a:b].float())).mean(0) for a, b in spans])


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
