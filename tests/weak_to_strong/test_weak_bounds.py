"""The arithmetic of benchmarks/weak_bounds.py: a choice without its luck, errors without their texts."""

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

BENCHMARK = Path(__file__).resolve().parents[2] / "benchmarks/weak_bounds.py"


@pytest.fixture(scope="module")
def bounds() -> ModuleType:
    found = importlib.util.spec_from_file_location("weak_bounds", BENCHMARK)
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def test_choosing_among_equals_gains_nothing(bounds: ModuleType) -> None:
    """Twenty coins: the best of them on all rows looks better than ½, on the other half it is not."""
    rng = np.random.default_rng(0)
    right = (rng.random((20, 5, 300)) < 0.5).astype(float)
    groups = [str(i) for i in range(300)]
    assert right.mean((1, 2)).max() > 0.515
    assert bounds.chosen(right, groups, rng).mean() == pytest.approx(0.5, abs=0.015)


def test_a_method_that_is_best_everywhere_is_chosen_everywhere(bounds: ModuleType) -> None:
    rng = np.random.default_rng(1)
    right = np.stack([rng.random((5, 200)) < rate for rate in (0.5, 0.9, 0.6)]).astype(float)
    found = bounds.chosen(right, [str(i) for i in range(200)], rng)
    assert np.allclose(found, right[1])


def test_a_group_is_never_in_both_halves(bounds: ModuleType) -> None:
    """Two methods, each right in one group only: who is chosen on one group fails on the other."""
    right = np.zeros((2, 1, 20))
    right[0, :, :10] = right[1, :, 10:] = 1
    groups = ["a"] * 10 + ["b"] * 10
    assert bounds.chosen(right, groups, np.random.default_rng(2)).sum() == 0


def test_labels_dealt_anew_are_as_often_right_and_as_sure(bounds: ModuleType) -> None:
    rng = np.random.default_rng(3)
    truth = rng.integers(0, 2, 400)
    p = rng.dirichlet([1, 1], 400)
    new = bounds.redealt(p, truth, rng)
    assert not np.allclose(new, p)
    for c in (0, 1):
        assert np.allclose(np.sort(new[truth == c, 1]), np.sort(p[truth == c, 1]))
