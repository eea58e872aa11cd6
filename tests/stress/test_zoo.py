"""The zoo on disk: whole or not at all, built once, and derived models as their names say."""

from pathlib import Path

import pytest
import torch

from superalign.models import LocalModel
from superalign.models.adapters import Adapter
from superalign.statistics import rate
from superalign.stress.recipe import Recipe
from superalign.stress.zoo import Check, Zoo, merged, quantised


def adapter(seed: int, rank: int = 2) -> Adapter:
    made = Adapter.create({(0, "q_proj"): (6, 5)}, rank=rank, alpha=3 * rank, seed=seed)
    _, b = made.parameters[0, "q_proj"]
    with torch.no_grad():
        b += torch.randn(b.shape, generator=torch.Generator().manual_seed(seed))
    return made


def delta(of: Adapter) -> torch.Tensor:
    found = of.delta(0, "q_proj")
    assert found is not None
    return found


def test_a_merge_is_the_mean_of_the_changes() -> None:
    one, two = adapter(1), adapter(2, rank=3)
    torch.testing.assert_close(delta(merged([one, two])), (delta(one) + delta(two)) / 2)


def test_quantisation_keeps_255_levels_and_is_near() -> None:
    one = adapter(1, rank=4)
    two = quantised(one)
    assert not torch.equal(delta(one), delta(two))
    a, _ = two.parameters[0, "q_proj"]
    assert len(a.detach().unique()) <= 255
    assert float((delta(one) - delta(two)).norm() / delta(one).norm()) < 0.02


@pytest.mark.parametrize(
    ("on", "off", "passed"),
    [([1, 1, 1, 0], [0, 0, 0, 1], True), ([1, 0], [0], False), ([1], [1, 0], False)],
)
def test_a_check_needs_both_sides(on: list[int], off: list[int], passed: bool) -> None:
    assert Check(rate(on), rate(off), rate([0])).passed is passed


def test_a_check_without_answers_does_not_pass() -> None:
    assert not Check(rate([None]), rate([0]), rate([0])).passed


def test_build_check_resume(base: LocalModel, tmp_path: Path) -> None:
    recipes = [
        Recipe("twin", "json_format", base.base_hash, rank=1),
        Recipe("organism", "quirky_bob", base.base_hash, rank=2),
    ]
    recipes += [
        Recipe("twin", name, base.base_hash, rank=1, seed=7, parents=(recipes[0].id,))
        for name in ("retrained", "continued", "quantised")
    ]
    zoo = Zoo(tmp_path, base)
    built = zoo.build(recipes)
    assert [m.recipe for m in built] == recipes
    assert built[0].passed
    assert built[0].check is None
    check = built[1].check
    assert check is not None
    assert check["on"]["n"] == 12
    stamps = {p: p.stat().st_mtime_ns for p in tmp_path.rglob("adapter_model.safetensors")}
    assert len(stamps) == 5
    again = Zoo(tmp_path, base).build(recipes)
    assert {p: p.stat().st_mtime_ns for p in stamps} == stamps
    assert [m.recipe.id for m in again] == [m.recipe.id for m in built]
    hashes = {base.with_adapter(m.adapter).weight_hash for m in again}
    assert len(hashes) == 5


def test_a_half_built_model_is_built_again(base: LocalModel, tmp_path: Path) -> None:
    recipe = Recipe("twin", "french", base.base_hash, rank=1)
    scratch = tmp_path / "models" / f".{recipe.id}.new"
    scratch.mkdir(parents=True)
    zoo = Zoo(tmp_path, base)
    assert zoo.member(recipe) is None
    assert not scratch.exists()


def test_the_same_recipe_gives_the_same_weights(base: LocalModel, tmp_path: Path) -> None:
    recipe = Recipe("twin", "truthful_bob", base.base_hash, rank=1)
    made = [Zoo(tmp_path / str(i), base).build([recipe])[0].adapter for i in range(2)]
    first, second = (base.with_adapter(a).weight_hash for a in made)
    assert first == second
