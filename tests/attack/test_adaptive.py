"""Learning allocation on a target whose success rates are known."""

from __future__ import annotations

import random

import numpy as np
import pytest
from scipy import stats

from superalign.attack.adaptive import (
    SHAPES,
    FactorThompson,
    Spread,
    goal_allocator,
    likeliest_shape,
)

OPERATORS = {f"op {i}": f"family {i}" for i in range(20)}


def rate(cluster: str, operator: str) -> float:
    """Each cluster has one weak spot; elsewhere hardly anything works."""
    return 0.3 if operator == f"op {hash_free(cluster) % 20}" else 0.005


def hash_free(text: str) -> int:
    return sum(map(ord, text))


def area(kind: str, seed: int, budget: int = 60) -> float:
    """Area under the success curve of 24 goals in 4 clusters."""
    allocator = goal_allocator(kind, OPERATORS)
    rng, world = random.Random(f"choice {seed}"), random.Random(f"world {seed}")
    goals = {f"goal {i}": f"cluster {i % 4}" for i in range(24)}
    solved: dict[str, int] = {}
    for query in range(1, budget + 1):
        for goal, cluster in goals.items():
            if goal in solved:
                continue
            [name] = allocator.choose(goal, cluster, 1, rng)
            hit = world.random() < rate(cluster, name)
            allocator.observe(goal, cluster, name, float(hit))
            if hit:
                solved[goal] = query
    return sum(budget - t + 1 for t in solved.values()) / (budget * len(goals))


def test_it_beats_both_baselines_where_clusters_have_different_weak_spots() -> None:
    areas = {
        k: sum(area(k, s) for s in range(4)) / 4 for k in ("thompson", "uniform", "epsilon_greedy")
    }
    assert areas["thompson"] > 1.4 * areas["uniform"]
    assert areas["thompson"] > 1.15 * areas["epsilon_greedy"]


@pytest.mark.parametrize("shape", [0.5, 16.0])
def test_the_shape_of_a_factor_is_the_likeliest(shape: float) -> None:
    world = np.random.default_rng(0)
    expected = world.uniform(0.5, 4, (20, 30))
    hits = world.poisson(expected * world.gamma(shape, 1 / shape, expected.shape)).astype(float)
    expected[0], hits[0] = 0, 0  # never asked: says nothing
    some = expected > 0
    likelihoods = [
        stats.nbinom.logpmf(hits[some], c, c / (c + expected[some])).sum() for c in SHAPES
    ]
    assert likeliest_shape(hits, expected) == SHAPES[np.argmax(likelihoods)]
    assert 0.5 <= likeliest_shape(hits, expected) / shape <= 2
    assert likeliest_shape(0 * hits, 0 * expected) == SHAPES[-1]  # nothing known: all alike


def rates(allocator: FactorThompson, goal: str, cluster: str) -> dict[str, float]:
    """Mean of many draws, by operator."""
    rng = random.Random(0)
    drawn = sum(allocator.draw(goal, cluster, rng) for _ in range(200)) / 200
    return dict(zip(allocator.operators, drawn, strict=True))


def test_a_goal_that_resists_is_tried_otherwise() -> None:
    allocator = FactorThompson(OPERATORS)
    rng = random.Random(0)
    for i in range(30):
        allocator.observe(f"other {i}", "c", "op 3", 1.0)
    fresh = allocator.choose("new", "c", 200, rng)
    assert fresh.count("op 3") > 150
    for _ in range(60):
        allocator.observe("hard", "c", "op 3", 0.0)
    assert allocator.choose("hard", "c", 200, rng).count("op 3") < 100


def test_a_failure_on_a_goal_that_resists_everything_says_little_against_an_operator() -> None:
    asked = {}
    for goal in ("weak", "strong"):
        allocator = FactorThompson(OPERATORS)
        for name in list(OPERATORS)[1:]:
            for _ in range(10):
                allocator.observe(goal, "c", name, float(goal == "weak"))
        for _ in range(10):
            allocator.observe(goal, "c", "op 0", 0.0)
        asked[goal] = rates(allocator, "new", "elsewhere")["op 0"]
    assert asked["strong"] > 1.3 * asked["weak"]


def test_an_untried_operator_borrows_from_its_family() -> None:
    allocator = FactorThompson({"a1": "a", "a2": "a", "b1": "b", "b2": "b"})
    for i in range(20):
        allocator.observe(f"goal {i}", "c", "a1", float(i % 2))
        allocator.observe(f"goal {i}", "c", "b1", 0.0)
    found = rates(allocator, "new", "c")
    assert found["a2"] > 2 * found["b2"]


def test_a_cluster_keeps_what_works_there_to_itself() -> None:
    allocator = FactorThompson({"here": "x", "there": "y"}, spread=Spread(cluster=0.5))
    for i in range(20):
        for cluster, name in (("one", "here"), ("two", "there")):
            for tried in ("here", "there"):
                allocator.observe(f"{cluster} {i}", cluster, tried, float(tried == name and i % 2))
    one, two = rates(allocator, "new one", "one"), rates(allocator, "new two", "two")
    assert one["here"] > one["there"]
    assert two["there"] > two["here"]


def test_one_factor_alone_has_the_posterior_of_the_closed_form() -> None:
    fixed = 1e9  # a factor with so large a shape is 1
    spread = Spread(family=fixed, operator=2.0, goal=fixed, cluster=fixed, pair=fixed)
    allocator = FactorThompson({"a": "x", "b": "x"}, level=0.1, spread=spread, sharpness=1.0)
    for i in range(30):
        allocator.observe(f"g{i}", "c", "a", float(i < 6))
    found = rates(allocator, "new", "c")
    assert found["a"] == pytest.approx(0.1 * (2 + 6) / (2 + 3.0), rel=0.1)  # Gamma(2 + hits, 2 + 3)
    assert found["b"] == pytest.approx(0.1, rel=0.15)


def test_an_earlier_campaign_is_where_it_starts() -> None:
    known = {"good": (20.0, 100.0), "bad": (0.0, 100.0)}
    found = rates(FactorThompson({"good": "x", "bad": "y"}, known=known), "g", "c")
    assert found["good"] > 2 * found["bad"]


def test_the_same_chance_gives_the_same_choice() -> None:
    picked = [FactorThompson(OPERATORS).choose("g", "c", 8, random.Random(3)) for _ in range(2)]
    assert picked[0] == picked[1]


def test_a_near_miss_counts_in_part() -> None:
    allocator = FactorThompson({"near": "x", "far": "y"})
    for _ in range(20):
        allocator.observe("g", "c", "near", 0.4)
        allocator.observe("g", "c", "far", 0.0)
    assert allocator.choose("g", "c", 100, random.Random(0)).count("near") > 90


def test_bad_arguments_are_refused() -> None:
    with pytest.raises(ValueError, match="at least one operator"):
        FactorThompson({})
    with pytest.raises(ValueError, match="must be positive"):
        FactorThompson(OPERATORS, spread=Spread(goal=0))
    with pytest.raises(ValueError, match="must be positive"):
        FactorThompson(OPERATORS, sharpness=0)
    with pytest.raises(ValueError, match="outside"):
        FactorThompson(OPERATORS, level=1.0)
    with pytest.raises(ValueError, match="allowed: thompson, uniform, epsilon_greedy"):
        goal_allocator("greedy", OPERATORS)
