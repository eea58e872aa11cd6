"""Packed trees against one sequence at a time: what each token sees, predicts and belongs to."""

from __future__ import annotations

import itertools
import random

import pytest
import tiny
import torch

from superalign.models import LocalModel, packing
from superalign.models.packing import MIN_SHARED, PackedBatch, Tree, common_prefix, token_batches

START = tuple(range(100, 120))


def trees(n: int, seed: int, shared: int) -> list[Tree]:
    """Trees of every shape: no completion, empty ones, several, single-token prompts."""
    rng = random.Random(seed)

    def some(low: int, high: int) -> tuple[int, ...]:
        return tuple(rng.randrange(250) for _ in range(rng.randint(low, high)))

    made = [
        Tree(START[:shared] + some(1, 9), tuple(some(0, 6) for _ in range(rng.randrange(5))))
        for _ in range(n)
    ]
    return [*made, Tree((*START[:shared], 7), ((8,),)), Tree((*START[:shared], 9))]


@pytest.mark.parametrize("shared", [0, 3, 20])
@pytest.mark.parametrize("offset", [0, 11])
@pytest.mark.parametrize("ends", [True, False])
def test_layout(shared: int, offset: int, ends: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Walk every path prompt + completion and compare with what the batch says of its tokens."""
    monkeypatch.setattr(packing, "APART", 0)
    given = trees(6, seed=shared, shared=shared)
    batch = PackedBatch.build(given, offset=offset, ends=ends)
    laid = [[c if ends else c[:-1] for c in t.completions] for t in given]
    tokens, positions = batch.tokens_T.tolist(), batch.positions_T.tolist()
    longest = batch.rows_BL.shape[1]
    assert batch.shared == (shared if shared >= MIN_SHARED else 0)
    assert batch.sequences == sum(len(t.completions) for t in given)
    sizes = [len(t.prompt) + sum(map(len, row)) for t, row in zip(given, laid, strict=True)]
    assert len(tokens) == sum(n - batch.shared for n in sizes) + batch.shared
    at = sequence = 0
    for b, (tree, branches) in enumerate(zip(given, laid, strict=True)):
        row = batch.rows_BL[b].tolist()
        allowed = torch.ones(longest, longest, dtype=torch.bool).tril()
        if batch.mask_BLL is not None:
            allowed = batch.mask_BLL[b]
        used = len(tree.prompt)
        assert row[used - 1] == int(batch.last_B[b])
        assert row[batch.shared] == int(batch.first_B[b])
        for completion, branch in zip(tree.completions, branches, strict=True):
            path = [*range(len(tree.prompt)), *range(used, used + len(branch))]
            assert [tokens[row[c]] for c in path] == [*tree.prompt, *branch]
            assert [positions[row[c]] - offset for c in path] == list(range(len(path)))
            for i, c in enumerate(path):
                assert allowed[c].nonzero()[:, 0].tolist() == path[: i + 1]
            for step, token in enumerate(completion):
                source = row[path[len(tree.prompt) + step - 1]]
                assert batch.source_C[at].item() == source
                assert batch.target_C[at].item() == token
                assert batch.sequence_C[at].item() == sequence
                at += 1
            used += len(branch)
            sequence += 1
    assert at == len(batch.target_C)


@pytest.mark.parametrize("shared", [0, 3, 20])
def test_layout_with_a_row_for_each_completion(
    shared: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows are paths; the tokens are the same as in rows of whole trees."""
    given = trees(6, seed=shared, shared=shared)
    monkeypatch.setattr(packing, "APART", 0)
    whole = PackedBatch.build(given)
    monkeypatch.setattr(packing, "APART", 1000)
    batch = PackedBatch.build(given)
    assert batch.mask_BLL is None
    for name in ("tokens_T", "positions_T", "source_C", "target_C", "sequence_C", "last_B"):
        assert torch.equal(getattr(batch, name), getattr(whole, name))
    paths = [
        [*tree.prompt, *branch]
        for tree in given
        for branch in [c for c in tree.completions if c] or [()]
    ]
    rows = batch.tokens_T[batch.rows_BL].tolist()
    assert [row[: len(path)] for row, path in zip(rows, paths, strict=True)] == paths


def test_copies_are_all_cells_of_a_token(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also of a start that all share, and not those of padding."""
    monkeypatch.setattr(packing, "APART", 1000)
    batch = PackedBatch.build([Tree(START, ((1, 2), (3,), (4,), (5, 6))), Tree((*START, 7))])
    assert batch.copies is not None
    flat, longest = batch.rows_BL.reshape(-1).tolist(), batch.rows_BL.shape[1]
    used = [len(START) + n for n in (2, 1, 1, 2, 1)]
    for t, (start, end) in enumerate(itertools.pairwise(batch.copies.starts.tolist())):
        cells = batch.copies.cells[start:end].tolist()
        assert cells == [
            c for c, token in enumerate(flat) if token == t and c % longest < used[c // longest]
        ]


def test_rows_are_apart_where_that_is_less_to_attend_to() -> None:
    long = tuple(range(30))
    assert PackedBatch.build([Tree(long, (long,) * 8)]).mask_BLL is None
    assert PackedBatch.build([Tree(long, ((1,),) * 4)]).mask_BLL is not None


@pytest.mark.parametrize("apart", [0, 1000])
def test_nothing_that_is_read_depends_on_the_ends(
    llama: LocalModel, apart: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """States, and gradients of a loss on them, with and without the completions' last tokens."""
    monkeypatch.setattr(packing, "APART", apart)
    view, found = llama.with_adapter(tiny.adapter(llama)), []
    for ends in (True, False):
        batch = PackedBatch.build(trees(6, seed=4, shared=20), ends=ends)
        states = view.completion_states(batch, train=True)
        states.sin().sum().backward()
        assert view.adapter is not None
        found.append([states.detach(), *(p.grad.clone() for p in view.adapter.tensors())])
        for p in view.adapter.tensors():
            p.grad = None
    for with_ends, without in zip(*found, strict=True):
        torch.testing.assert_close(without, with_ends, atol=1e-4, rtol=1e-4)


def test_choices_of_one_token_add_none() -> None:
    batch = PackedBatch.build([Tree((1, 2, 3), ((4,), (5,), (6,)))], ends=False)
    assert batch.tokens_T.tolist() == [1, 2, 3]
    assert batch.rows_BL.tolist() == [[0, 1, 2]]
    assert batch.mask_BLL is None
    assert batch.source_C.tolist() == [2, 2, 2]


@pytest.mark.parametrize("shared", [0, 20])
@pytest.mark.parametrize("ends", [True, False])
def test_slots_undo_rows(shared: int, ends: bool) -> None:
    given = trees(5, seed=1, shared=shared)
    batch = PackedBatch.build(given, ends=ends)
    flat = batch.rows_BL.reshape(-1)
    assert flat[batch.slots_T].tolist() == list(range(len(batch.tokens_T)))


def test_plain_rows_need_no_mask() -> None:
    assert PackedBatch.build([Tree((1, 2), ((3,),)), Tree((4,))]).mask_BLL is None
    assert PackedBatch.build([Tree((1, 2), ((3,), (4,)))]).mask_BLL is not None


@pytest.mark.parametrize("shared", [0, 3, 20])
@pytest.mark.parametrize("budget", [1, 60, 10_000])
def test_logprobs_equal_single_sequences(
    llama: LocalModel, zoo: tiny.Zoo, monkeypatch: pytest.MonkeyPatch, shared: int, budget: int
) -> None:
    monkeypatch.setattr("superalign.models.local.BATCH_TOKENS", budget)
    given = trees(7, seed=2, shared=shared)
    found = llama.tree_logprobs(given)
    assert [len(row) for row in found] == [len(t.completions) for t in given]
    with torch.no_grad():
        for tree, row in zip(given, found, strict=True):
            for completion, logps in zip(tree.completions, row, strict=True):
                wanted = tiny.logprobs(zoo.theirs("llama"), tree.prompt, completion)
                torch.testing.assert_close(logps, wanted, atol=1e-4, rtol=1e-4)


def test_long_rows_are_attended_in_blocks(llama: LocalModel, zoo: tiny.Zoo) -> None:
    """More than ``attention.BLOCK`` queries a row, some of them in branches."""
    rng = random.Random(0)
    long = tuple(rng.randrange(250) for _ in range(300))
    tree = Tree(long, (long[:9], long[5:30], (3,)))
    with torch.no_grad():
        for completion, logps in zip(tree.completions, llama.tree_logprobs([tree])[0], strict=True):
            wanted = tiny.logprobs(zoo.theirs("llama"), long, completion)
            torch.testing.assert_close(logps, wanted, atol=1e-4, rtol=1e-4)


def test_common_prefix() -> None:
    assert common_prefix([]) == common_prefix([(1, 2, 3)]) == 0
    assert common_prefix([(1, 2, 3), (1, 2, 4)]) == 2
    assert common_prefix([(1, 2, 3), (1, 2, 3)]) == 2  # one token is left to each
    assert common_prefix([(1, 2), (1, 2, 3), (1, 2, 4)]) == 1
    assert common_prefix([(1,), (1, 2)]) == 0


def test_token_batches() -> None:
    given = trees(30, seed=3, shared=0)
    for budget in (1, 40, 200, 10**6):
        parts = list(token_batches(given, budget))
        assert sorted(i for part in parts for i in part) == list(range(len(given)))
        for part in parts:
            cells = len(part) * max(given[i].size for i in part)
            assert cells <= budget or len(part) == 1
    assert list(token_batches([], 10)) == []
