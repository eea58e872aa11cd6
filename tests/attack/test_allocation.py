"""Allocators on simulated bandits."""

from __future__ import annotations

import json
import random
from collections import Counter

import pytest

from superalign.attack.allocation import (
    Allocator,
    Arm,
    EpsilonGreedyAllocator,
    ThompsonAllocator,
    UniformAllocator,
    tally,
)
from superalign.records import Verdict

RATES: dict[Arm, float] = {("safety", f"op{i}"): 0.05 + 0.03 * i for i in range(8)} | {
    ("ethics", "best"): 0.6
}
KINDS = (ThompsonAllocator, UniformAllocator, EpsilonGreedyAllocator)


def play(allocator: Allocator, seed: int, rounds: int = 15, batch: int = 16) -> tuple[int, Arm]:
    """Hits in all, and the arm chosen most in the last round."""
    rng, world, total = random.Random(seed), random.Random(seed + 1000), 0
    chosen: list[Arm] = []
    for _ in range(rounds):
        chosen = allocator.choose(batch, rng)
        for arm, trials in Counter(chosen).items():
            hits = sum(world.random() < RATES[arm] for _ in range(trials))
            allocator.update(arm, hits, trials)
            total += hits
    return total, Counter(chosen).most_common(1)[0][0]


def test_thompson_concentrates_on_the_best_arm() -> None:
    ends = [play(ThompsonAllocator(RATES), seed)[1] for seed in range(20)]
    assert ends.count(("ethics", "best")) >= 18


@pytest.mark.parametrize("kind", [ThompsonAllocator, EpsilonGreedyAllocator])
def test_learning_beats_uniform_seed_by_seed(
    kind: type[ThompsonAllocator] | type[EpsilonGreedyAllocator],
) -> None:
    gains = [
        play(kind(RATES), seed)[0] - play(UniformAllocator(RATES), seed)[0] for seed in range(20)
    ]
    assert sum(gain > 0 for gain in gains) >= 18
    assert sum(gains) / len(gains) > 20


def test_batches_draw_anew_and_are_seeded() -> None:
    allocator = ThompsonAllocator(RATES)
    first = allocator.choose(200, random.Random(1))
    assert set(first) == set(RATES)
    assert first == allocator.choose(200, random.Random(1))
    assert allocator.choose(0, random.Random(1)) == []


def test_the_discount_forgets() -> None:
    old, new = ("safety", "old"), ("safety", "new")
    shares = {}
    for discount in (1.0, 0.5):
        allocator = ThompsonAllocator([old, new], discount=discount)
        rng = random.Random(0)
        for _ in range(10):
            allocator.choose(8, rng)
            allocator.update(old, 8, 8)
        for _ in range(4):
            allocator.choose(8, rng)
            allocator.update(old, 0, 4)
            allocator.update(new, 2, 4)
        shares[discount] = allocator.choose(400, rng).count(new) / 400
    assert shares[0.5] > 0.9
    assert shares[1.0] < 0.1


def test_a_round_discounts_once_and_the_prior_stays() -> None:
    a, b = ("d", "a"), ("d", "b")
    allocator = ThompsonAllocator([a, b], prior=(1, 3), discount=0.5)
    assert allocator.posterior(a) == (1, 3)
    allocator.choose(2, random.Random(0))
    allocator.update(a, 4, 8)
    allocator.update(b, 1, 2)
    assert allocator.posterior(a) == (5, 7)
    allocator.choose(2, random.Random(0))
    allocator.choose(2, random.Random(0))
    allocator.update(b, 0, 0)
    assert (allocator.posterior(a), allocator.posterior(b)) == ((3, 5), (1.5, 3.5))


def test_epsilon_greedy_tries_every_arm_before_it_settles() -> None:
    arms = [("d", "a"), ("d", "b"), ("d", "c")]
    allocator = EpsilonGreedyAllocator(arms, epsilon=0.0)
    allocator.update(arms[0], 1, 1)
    assert set(allocator.choose(50, random.Random(0))) == set(arms[1:])
    allocator.update(arms[1], 0, 1)
    allocator.update(arms[2], 0, 1)
    assert set(allocator.choose(50, random.Random(0))) == {arms[0]}
    assert allocator.rate(arms[0]) == 1.0


@pytest.mark.parametrize("kind", KINDS)
def test_state_survives_json(kind: type[ThompsonAllocator]) -> None:
    allocator, copy = kind(RATES), kind(RATES)
    play(allocator, 3, rounds=2)
    copy.load_state(json.loads(json.dumps(allocator.state_dict())))
    assert play(copy, 4) == play(allocator, 4)
    assert copy.state_dict() == allocator.state_dict()
    with pytest.raises(ValueError, match="other arms"):
        kind([("d", "x")]).load_state(allocator.state_dict())


def test_missing_verdicts_are_not_trials() -> None:
    verdicts = [
        Verdict(value=None, kind="unparsed"),
        Verdict(value=0.0, kind="wrong answer"),
        Verdict(value=1.0, kind="correct"),
    ]
    assert tally(verdicts) == (1, 2)
    assert tally([]) == (0, 0)
    assert ThompsonAllocator([("d", "a")]).rate(("d", "a")) is None


def test_bad_input_is_refused() -> None:
    arm = ("d", "a")
    with pytest.raises(ValueError, match="at least one arm"):
        UniformAllocator([])
    with pytest.raises(ValueError, match="discount"):
        ThompsonAllocator([arm], discount=1.5)
    with pytest.raises(ValueError, match="prior"):
        ThompsonAllocator([arm], prior=(0, 1))
    with pytest.raises(ValueError, match="epsilon"):
        EpsilonGreedyAllocator([arm], epsilon=2)
    with pytest.raises(ValueError, match="unknown arm"):
        UniformAllocator([arm]).update(("d", "b"), 0, 1)
    with pytest.raises(ValueError, match="impossible"):
        UniformAllocator([arm]).update(arm, 2, 1)
