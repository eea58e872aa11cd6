"""8-bit integers: the products against their formula, and a model that says what it is."""

from __future__ import annotations

from pathlib import Path

import pytest
import tiny
import torch
from torch import Tensor

from superalign.errors import InputError
from superalign.models import LocalModel, load_model, native
from superalign.models.export import export_merged
from superalign.models.int8 import Int8Matrix, quantised
from superalign.models.packing import Tree
from superalign.models.products import form_of

SHAPES = [(1, 32, 4), (3, 7, 18), (5, 64, 576), (13, 33, 31), (97, 100, 65), (200, 40, 6)]
TREES = [
    Tree((5, 6, 7), ((8, 9), (10,))),
    Tree(tuple(range(40, 80)), ((3, 200, 4), tuple(range(30)), (257,))),
]


def random(*shape: int, seed: int = 0) -> Tensor:
    """Rows of very different sizes."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator) * torch.logspace(-3, 1, shape[0])[:, None]


@pytest.fixture(params=["compiled", "torch"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    found: str = request.param
    library = native.library()
    if found == "torch":
        monkeypatch.setattr(native, "library", lambda: None)
    elif library is None or not library.int8_products_available():
        pytest.skip(f"no int8 products: {native.missing() or 'not on this processor'}")
    return found


def load(zoo: tiny.Zoo, dtype: str = "float32", options: str = "@weights=int8") -> LocalModel:
    return load_model(f"{zoo.folder()}{options}", device="cpu", dtype=dtype)


# -- products ---------------------------------------------------------------------------------------


def restored(x: Tensor, kind: torch.dtype = torch.float32) -> Tensor:
    """What the 8-bit integers of x stand for, in float64."""
    whole, steps = quantised(x, kind)
    return (whole.double() * steps.double()[..., None]).flatten(1)[:, : x.shape[1]]


@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16])
def test_a_value_is_off_by_half_a_step_of_its_group(kind: torch.dtype) -> None:
    x = random(6, 80)
    x[2, 32:64] = 0
    whole, steps = quantised(x, kind)
    assert whole.shape == (6, 3, 32)
    assert whole.dtype == torch.int8
    assert steps.dtype == kind
    assert steps.shape == (6, 3)
    assert steps[2, 1] == 0
    assert (whole[:, 2, 16:] == 0).all()  # what is missing of the last group
    step = steps.float().repeat_interleave(32, 1)[:, :80]
    assert ((restored(x, kind) - x).abs() <= 0.5001 * step).all()
    assert (whole.int().abs().amax(2)[steps > 0] >= 126).all()


def test_by_hand(way: str) -> None:
    """Two groups with steps of 2 and 1, and 1/64 and 1: 127 * 2 - 64 + 3 * 5, with 3.5 beside it."""
    weight, x = torch.zeros(1, 40), torch.zeros(1, 40)
    weight[0, :2] = torch.tensor([254.0, -128.0])
    weight[0, 32:34] = torch.tensor([127.0, 3.0])
    x[0, :2] = torch.tensor([127 / 64, 1.0])
    x[0, 33:35] = torch.tensor([5.0, 127.0])
    product = Int8Matrix(weight.bfloat16(), torch.tensor([1.5]).bfloat16())
    wanted = 254 * 127 / 64 - 128 + 15 + 3.5
    found = product(x.bfloat16(), torch.tensor([[2.0]]).bfloat16())
    assert found.item() == torch.tensor(wanted).bfloat16().item()


@pytest.mark.parametrize(("n", "rows", "width"), SHAPES)
@pytest.mark.parametrize("extras", [False, True])
def test_product_is_that_of_the_rounded_rows(
    way: str, n: int, rows: int, width: int, extras: bool
) -> None:
    weight, x = random(rows, width).bfloat16(), random(n, width, seed=1).bfloat16()
    x[n // 2] = 0
    bias = random(1, rows, seed=2)[0].bfloat16() if extras else None
    residual = random(n, rows, seed=3).bfloat16() if extras else None
    wanted = restored(x) @ restored(weight, torch.bfloat16).T
    if bias is not None and residual is not None:
        wanted = wanted + bias.double() + residual.double()
    product = Int8Matrix(weight, bias)
    found = product(x, residual)
    assert found.dtype == torch.bfloat16
    torch.testing.assert_close(found.double(), wanted, atol=1e-5, rtol=2**-7)


@pytest.mark.parametrize(("n", "rows", "width"), SHAPES)
def test_a_row_does_not_depend_on_its_neighbours(n: int, rows: int, width: int) -> None:
    weight, x = random(rows, width).bfloat16(), random(n, width, seed=1).bfloat16()
    library = native.library()
    if library is None or not library.int8_products_available():
        pytest.skip("PyTorch's own products may add in another order")
    product = Int8Matrix(weight, None)
    together = product(x)
    for i in (0, n // 2, n - 1):
        assert torch.equal(product(x[i : i + 1])[0], together[i])


@pytest.mark.parametrize(("n", "rows", "width"), SHAPES[1:])
def test_product_is_near_the_whole_one(way: str, n: int, rows: int, width: int) -> None:
    weight, x = random(rows, width).bfloat16(), random(n, width, seed=1).bfloat16()
    wanted = x.double() @ weight.double().T
    found = Int8Matrix(weight, None)(x).double()
    by_row = (found - wanted).norm(dim=1) / wanted.norm(dim=1)
    assert 0 < by_row.median() < 0.015


def test_largest_sums(way: str) -> None:
    width = 8192
    product = Int8Matrix(torch.ones(2, width).bfloat16(), None)
    found = product(torch.stack((torch.ones(width), -torch.ones(width))).bfloat16())
    assert found.tolist() == [[width, width], [-width, -width]]


# -- the model --------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_logprobs_are_of_the_model_that_samples(zoo: tiny.Zoo, dtype: str) -> None:
    model, whole = load(zoo, dtype), load(zoo, dtype, "")
    prompts = tiny.texts(6)
    rows = model.generate(prompts, n=2, max_new_tokens=8)
    given = torch.tensor([x for row in rows for c in row for x in c.logprobs])
    trees = [
        Tree(model.encode(prompt), tuple(c.tokens for c in row))
        for prompt, row in zip(prompts, rows, strict=True)
    ]
    apart, other = (
        (torch.cat([x for row in m.tree_logprobs(trees) for x in row]) - given).abs().mean()
        for m in (model, whole)
    )
    # Rounding of the type moves a step here and there, in bfloat16 often.
    assert apart < (1e-3 if dtype == "float32" else 0.1)
    assert apart < other / (20 if dtype == "float32" else 1.5)


def test_it_is_near_the_whole_model(zoo: tiny.Zoo) -> None:
    found, wanted = (
        torch.cat([x for row in load(zoo, options=o).tree_logprobs(TREES) for x in row])
        for o in ("@weights=int8", "")
    )
    assert 0 < (found - wanted).abs().mean() < 0.3  # a random net is rough


@pytest.mark.parametrize("family", tiny.FAST)
def test_every_family(zoo: tiny.Zoo, family: str) -> None:
    """Near the whole model, as log-probabilities of tiny ones spread, and sampled as it is scored."""
    model = load_model(f"{zoo.folder(family)}@weights=int8", device="cpu", dtype="float32")
    found, wanted = (
        torch.cat([x for row in m.tree_logprobs(TREES) for x in row])
        for m in (model, zoo.ours(family))
    )
    assert 0 < (found - wanted).abs().mean() < wanted.std() / 4
    (row,) = model.generate(["abc"], temperature=0, max_new_tokens=6)
    again = model.tree_logprobs([Tree(model.encode("abc"), (row[0].tokens,))])[0][0]
    assert (again - torch.tensor(row[0].logprobs)).abs().mean() < 1e-2


def test_adapters_are_merged_before_rounding(zoo: tiny.Zoo) -> None:
    model = load(zoo)
    adapter = tiny.adapter(zoo.ours())
    view, whole = model.with_adapter(adapter), zoo.ours().with_adapter(adapter)
    found, wanted, base = (torch.cat(m.tree_logprobs([TREES[1]])[0]) for m in (view, whole, model))
    assert (found - wanted).abs().mean() < (found - base).abs().mean() / 3
    assert view.weights().form == "int8"
    assert len({m.weight_hash for m in (view, whole, model, zoo.ours())}) == 4


def test_identity_and_name(zoo: tiny.Zoo) -> None:
    model = load(zoo, options="@layers=2@weights=int8")
    assert model.name == f"{zoo.folder()}@layers=2@weights=int8"
    assert model.depth == 2
    assert model.int8
    assert form_of(model.decoder) == "int8"
    whole = load(zoo, options="@layers=2")
    assert model.weight_hash[:8] != whole.weight_hash[:8]
    assert model.weight_hash == load(zoo, options="@weights=int8@layers=2").weight_hash


def test_of_a_run(zoo: tiny.Zoo, tmp_path: Path) -> None:
    tiny.adapter(zoo.ours()).save(tmp_path / "last", base=str(zoo.folder()))
    (tmp_path / "summary.json").write_text('{"learner": "last"}')
    model = load_model(f"run:{tmp_path}@weights=int8", device="cpu", dtype="float32")
    assert model.int8
    assert model.adapter is not None


# -- refusals ---------------------------------------------------------------------------------------


def test_it_does_not_train(zoo: tiny.Zoo) -> None:
    model = load(zoo)
    for ask in (
        lambda: model.fresh_adapter(rank=2, alpha=2, seed=0),
        lambda: model.with_adapter(tiny.adapter(zoo.ours())).training_blocks(),
    ):
        with pytest.raises(InputError, match="@weights=int8 generates and scores only"):
            ask()


def test_it_is_not_exported(zoo: tiny.Zoo, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="@weights=int8 generates and scores only"):
        export_merged(f"{zoo.folder()}@weights=int8", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_it_needs_the_fast_path(zoo: tiny.Zoo) -> None:
    with pytest.raises(InputError, match=r"@weights=int8 needs the fast path; .*'gpt2'"):
        load_model(f"{zoo.folder('gpt2')}@weights=int8", device="cpu")
