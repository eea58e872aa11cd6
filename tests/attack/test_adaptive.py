"""Learning allocation on a target whose success rates are known."""

from __future__ import annotations

import random

import pytest

from superalign.attack.adaptive import HierarchicalThompson, goal_allocator

OPERATORS = [f"op {i}" for i in range(20)]


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
    assert areas["thompson"] > 1.3 * areas["uniform"]
    assert areas["thompson"] > 1.15 * areas["epsilon_greedy"]


def test_a_goal_that_resists_is_tried_otherwise() -> None:
    allocator = HierarchicalThompson(OPERATORS)
    rng = random.Random(0)
    for i in range(30):
        allocator.observe(f"other {i}", "c", "op 3", 1.0)
    fresh = allocator.choose("new", "c", 200, rng)
    assert fresh.count("op 3") > 150
    for _ in range(20):
        allocator.observe("hard", "c", "op 3", 0.0)
    assert allocator.choose("hard", "c", 200, rng).count("op 3") < 100


def test_a_near_miss_counts_in_part() -> None:
    allocator = HierarchicalThompson(["near", "far"])
    for _ in range(20):
        allocator.observe("g", "c", "near", 0.4)
        allocator.observe("g", "c", "far", 0.0)
    assert allocator.choose("g", "c", 100, random.Random(0)).count("near") > 90


def test_bad_arguments_are_refused() -> None:
    with pytest.raises(ValueError, match="at least one operator"):
        HierarchicalThompson([])
    with pytest.raises(ValueError, match="must be positive"):
        HierarchicalThompson(["a"], goal_size=0)
    with pytest.raises(ValueError, match="allowed: thompson, uniform, epsilon_greedy"):
        goal_allocator("greedy", ["a"])
