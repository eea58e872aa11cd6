"""Attention in blocks against PyTorch's own, and what it keeps."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from superalign.models import attention
from superalign.models.checkpointing import kept

HEADS, GROUPS, SIZE = 2, 3, 8


def tensors(n: int, length: int, prefix: int) -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(length)

    def some(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator, requires_grad=True)

    keys = (n * HEADS, prefix + length, SIZE)
    return some(n * HEADS, GROUPS, length, SIZE), some(*keys), some(*keys)


def random_mask(n: int, length: int) -> Tensor:
    """Lower triangular, every token sees itself."""
    generator = torch.Generator().manual_seed(n)
    mask = torch.rand(n, length, length, generator=generator) < 0.5
    return mask.tril() | torch.eye(length, dtype=torch.bool)


@pytest.mark.parametrize("branching", [False, True])
@pytest.mark.parametrize("prefix", [0, 3])
@pytest.mark.parametrize(("length", "size"), [(1, 4), (4, 4), (9, 4), (12, 4), (9, 100)])
def test_equal_to_pytorch(length: int, size: int, prefix: int, branching: bool) -> None:
    """Values and gradients: one block, several, and a shorter last one."""
    n = 2
    q, k, v = tensors(n, length, prefix)
    allowed = random_mask(n, length) if branching else torch.ones(1, length, length).tril().bool()
    parts = attention.blocks(allowed, prefix, GROUPS, size, torch.float32)
    assert len(parts) == -(-length // size)
    found = attention.attend(q, k, v, parts, 0.3)
    if len(parts) == 1:
        torch.testing.assert_close(attention.fused(q, k, v, parts[0], 0.3), found)
    mask = F.pad(allowed, (prefix, 0), value=True)
    mask = mask.expand(n, -1, -1).repeat_interleave(HEADS, 0)[:, None]
    expanded = (x[:, None].expand(-1, GROUPS, -1, -1) for x in (k, v))
    wanted = F.scaled_dot_product_attention(q, *expanded, attn_mask=mask, scale=0.3)
    torch.testing.assert_close(found, wanted, atol=1e-5, rtol=1e-5)
    pull = torch.randn(wanted.shape, generator=torch.Generator().manual_seed(1))
    ours, theirs = (torch.autograd.grad((pull * x).sum(), (q, k, v)) for x in (found, wanted))
    for mine, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine, other, atol=1e-5, rtol=1e-5)


def test_nothing_is_kept_that_grows_with_the_square() -> None:
    sizes = []
    for length in (64, 128):
        q, k, v = tensors(1, length, 0)
        allowed = torch.ones(1, length, length).tril().bool()
        parts = attention.blocks(allowed, 0, GROUPS, 16, torch.float32)
        with kept() as found:
            attention.attend(q, k, v, parts, 1.0)
        sizes.append(found.bytes)
    assert sizes[1] == 2 * sizes[0]


def test_later_keys_are_not_read() -> None:
    """What a block's queries may not see is not multiplied either: there NaN does no harm."""
    q, k, v = (x.detach() for x in tensors(1, 8, 0))
    k[:, 4:] = v[:, 4:] = float("nan")
    parts = attention.blocks(torch.ones(1, 8, 8).tril().bool(), 0, GROUPS, 4, torch.float32)
    found = attention.attend(q, k, v, parts, 1.0)
    assert bool(found[:, :, :4].isfinite().all())
    assert bool(found[:, :, 4:].isnan().all())
