"""The compiled kernels compute what PyTorch does, in both types; without a compiler nothing breaks."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from superalign.models import native
from superalign.models.architecture import rotate
from superalign.models.native import Kernels, kernels

HEADS, KV_HEADS, SIZE = 6, 2, 16
TOLERANCE = {torch.float32: 1e-5, torch.bfloat16: 2**-6}  # a bfloat16 carries 8 bits


@pytest.fixture(params=[torch.float32, torch.bfloat16])
def dtype(request: pytest.FixtureRequest) -> torch.dtype:
    kind: torch.dtype = request.param
    return kind


@pytest.fixture
def fast(dtype: torch.dtype) -> Kernels:
    found = kernels("cpu", dtype)
    if found is None:
        pytest.skip(f"no compiled kernels: {native.missing()}")
    return found


def random(*shape: int, dtype: torch.dtype, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)).to(dtype)


def close(found: Tensor, wanted: Tensor) -> None:
    assert found.dtype != torch.float32 or wanted.dtype == torch.float32
    tolerance = TOLERANCE[found.dtype]
    torch.testing.assert_close(found.float(), wanted.float(), atol=tolerance, rtol=tolerance)


def table(dtype: torch.dtype, length: int = 40) -> tuple[Tensor, Tensor]:
    angles = torch.arange(length)[:, None] / 100 ** (torch.arange(SIZE // 2) / (SIZE // 2))
    both = torch.cat((angles, angles), -1)
    return both.cos().to(dtype), both.sin().to(dtype)


@pytest.mark.parametrize("shape", [(1, 576), (300, 64), (7, 3, 17)])
def test_rms_norm(fast: Kernels, dtype: torch.dtype, shape: tuple[int, ...]) -> None:
    x, weight = random(*shape, dtype=dtype), random(shape[-1], dtype=dtype, seed=1)
    wanted = F.rms_norm(x.double(), shape[-1:], weight.double(), 1e-5)
    close(fast.rms_norm(x, weight, 1e-5), wanted.to(dtype))


def test_rms_norm_of_a_strided_view(fast: Kernels, dtype: torch.dtype) -> None:
    x, weight = random(5, 8, 16, dtype=dtype)[:, 2:5], random(16, dtype=dtype)
    close(fast.rms_norm(x, weight, 1e-6), F.rms_norm(x.float(), (16,), weight.float(), 1e-6))


@pytest.mark.parametrize(("n", "width"), [(1, 96), (33, 1537)])
def test_gated_silu(fast: Kernels, dtype: torch.dtype, n: int, width: int) -> None:
    h = 10 * random(n, 2 * width, dtype=dtype)
    h[0, 0], h[0, 1] = -200.0, 200.0  # where exp overflows
    gate, up = h.double().chunk(2, -1)
    close(fast.gated_silu(h), (F.silu(gate) * up).to(dtype))


def turned(
    fused: Tensor, positions: Tensor, norms: tuple[Tensor | None, Tensor | None]
) -> tuple[Tensor, Tensor, Tensor]:
    """Queries, keys and values as ``transformers`` computes them, in float32."""
    q, k, v = fused.split((HEADS, KV_HEADS, KV_HEADS), 1)
    parts = [
        x.float() if norm is None else F.rms_norm(x.float(), (SIZE,), norm.float(), 1e-5)
        for x, norm in zip((q, k), norms, strict=True)
    ]
    cos, sin = (x[positions].float() for x in table(fused.dtype))
    return rotate(parts[0], cos, sin), rotate(parts[1], cos, sin), v.float()


@pytest.mark.parametrize("normed", [False, True])
def test_rotate(fast: Kernels, dtype: torch.dtype, normed: bool) -> None:
    fused = random(9, HEADS + 2 * KV_HEADS, SIZE, dtype=dtype)
    weights = random(2, SIZE, dtype=dtype, seed=2)
    norms = (weights[0], weights[1]) if normed else (None, None)
    positions = torch.tensor([0, 5, 39, 1, 1, 2, 7, 3, 20])
    wanted = turned(fused, positions, norms)
    fast.rotate(fused, table(dtype), positions, norms, 1e-5, HEADS, KV_HEADS)
    for found, expected in zip(fused.split((HEADS, KV_HEADS, KV_HEADS), 1), wanted, strict=True):
        close(found, expected.to(dtype))


@pytest.mark.parametrize("normed", [False, True])
@pytest.mark.parametrize("threads", [1, 2])
def test_decode(fast: Kernels, dtype: torch.dtype, normed: bool, threads: int) -> None:
    lengths = torch.tensor([1, 30, 17])
    n, capacity = len(lengths), 32
    keys, values = random(2, n * KV_HEADS, capacity, SIZE, dtype=dtype, seed=3).unbind(0)
    keys, values = keys.contiguous(), values.contiguous()
    by_slot = [x.view(n, KV_HEADS, capacity, SIZE) for x in (keys, values)]
    for slot, length in enumerate(lengths.tolist()):  # what is not held must not be read
        for x in by_slot:
            x[slot, :, length:] = float("nan")
    before = [x.clone() for x in by_slot]
    fused = random(n, HEADS + 2 * KV_HEADS, SIZE, dtype=dtype, seed=4)
    weights = random(2, SIZE, dtype=dtype, seed=5)
    norms = (weights[0], weights[1]) if normed else (None, None)
    q, k, v = turned(fused, lengths - 1, norms)
    used, scale = torch.get_num_threads(), 0.3
    torch.set_num_threads(threads)
    try:
        out = fast.decode(
            fused, table(dtype), lengths, norms, 1e-5, keys, values, HEADS, KV_HEADS, scale
        )
    finally:
        torch.set_num_threads(used)
    for slot, length in enumerate(lengths.tolist()):
        for x, old, new in zip(by_slot, before, (k, v), strict=True):
            close(x[slot, :, length - 1], new[slot].to(dtype))
            torch.testing.assert_close(
                x[slot, :, : length - 1], old[slot, :, : length - 1], rtol=0, atol=0
            )
        held = [x[slot, :, :length].float().repeat_interleave(3, 0) for x in by_slot]
        weight = torch.softmax(scale * torch.einsum("hd,htd->ht", q[slot], held[0]), -1)
        close(out[slot], torch.einsum("ht,htd->hd", weight, held[1]).to(dtype))


@pytest.mark.parametrize(
    ("n", "rows", "width"),
    [(1, 32, 2), (3, 7, 16), (12, 64, 576), (13, 33, 10), (97, 100, 64), (200, 40, 6)],
)
@pytest.mark.parametrize("in_floats", [False, True])
@pytest.mark.parametrize("extras", [False, True])
def test_product_with_a_packed_matrix(
    n: int, rows: int, width: int, extras: bool, in_floats: bool
) -> None:
    weight, x = random(rows, width, dtype=torch.bfloat16), random(n, width, dtype=torch.bfloat16)
    bias = random(rows, dtype=torch.bfloat16, seed=2) if extras else None
    residual = random(n, rows, dtype=torch.bfloat16, seed=3) if extras else None
    product = native.packed(weight, bias)
    if product is None:
        pytest.skip("no bfloat16 products on this processor")
    product.in_floats = in_floats
    wanted = F.linear(x.double(), weight.double())
    if bias is not None and residual is not None:
        wanted = wanted + bias.double() + residual.double()
    close(product(x, residual), wanted.to(torch.bfloat16))
    alone = [
        product(x[i : i + 1], None if residual is None else residual[i : i + 1]) for i in (0, n - 1)
    ]
    together = product(x, residual)
    assert torch.equal(alone[0][0], together[0])
    assert torch.equal(alone[1][0], together[-1])


@pytest.mark.parametrize(
    ("n", "rows", "width", "rank"), [(1, 32, 2, 2), (13, 33, 10, 48), (200, 100, 64, 16)]
)
@pytest.mark.parametrize("in_floats", [False, True])
@pytest.mark.parametrize("extras", [False, True])
def test_product_with_a_low_rank_term(
    n: int, rows: int, width: int, rank: int, extras: bool, in_floats: bool
) -> None:
    """Its second factor may be a transposed view; a term of zeros changes no bit."""
    weight, x = random(rows, width, dtype=torch.bfloat16), random(n, width, dtype=torch.bfloat16)
    z, u = (random(n, rank, dtype=torch.bfloat16), random(rank, rows, dtype=torch.bfloat16).T)
    bias = random(rows, dtype=torch.bfloat16, seed=2) if extras else None
    residual = random(n, rows, dtype=torch.bfloat16, seed=3) if extras else None
    product = native.packed(weight, bias)
    if product is None:
        pytest.skip("no bfloat16 products on this processor")
    product.in_floats = in_floats
    wanted = F.linear(x.double(), weight.double()) + F.linear(z.double(), u.double())
    if bias is not None and residual is not None:
        wanted = wanted + bias.double() + residual.double()
    close(product(x, residual, (z, u)), wanted.to(torch.bfloat16))
    nothing = (torch.zeros_like(z), u)
    assert torch.equal(product(x, residual, nothing), product(x, residual))


@pytest.mark.parametrize("rows", [20, 32, 70])
def test_a_transposed_matrix_is_packed_from_where_it_lies(rows: int) -> None:
    weight, x = random(48, rows, dtype=torch.bfloat16), random(5, 48, dtype=torch.bfloat16)
    product, copied = native.packed(weight.T, None), native.packed(weight.T.contiguous(), None)
    if product is None or copied is None:
        pytest.skip("no bfloat16 products on this processor")
    assert torch.equal(product(x), copied(x))
    close(product(x), (x.double() @ weight.double()).to(torch.bfloat16))


def test_an_odd_width_is_left_to_others() -> None:
    assert native.packed(random(4, 7, dtype=torch.bfloat16), None) is None
    assert native.packed(random(4, 8, dtype=torch.float32), None) is None


def test_other_kinds_have_none() -> None:
    assert kernels("cpu", torch.float16) is None
    assert kernels("cuda", torch.bfloat16) is None


@pytest.mark.parametrize(
    ("setting", "reason"),
    [
        ({"SUPERALIGN_NATIVE": "0"}, "SUPERALIGN_NATIVE=0"),
        ({"CC": "no-such-compiler"}, "no C compiler (cc, gcc or $CC)"),
        ({"CC": "false"}, "false fails on the compiled kernels: exit code 1"),
    ],
)
def test_without_a_compiler_the_reason_is_given(
    setting: dict[str, str], reason: str, tmp_path: os.PathLike[str]
) -> None:
    code = (
        "import torch; from superalign.models.native import kernels, missing; "
        "print(missing(), kernels('cpu', torch.float32))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"SUPERALIGN_CACHE": str(tmp_path)} | setting,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == f"{reason} None"
    assert os.listdir(tmp_path) == []
