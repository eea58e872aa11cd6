"""PGR, its interval, and what stays undefined."""

import numpy as np
import pytest
from scipy import stats

from superalign.weak_to_strong.recovered import (
    Cell,
    Draws,
    accuracy,
    interval,
    paired,
    pooled,
    recovered,
    sign_flip,
)


def rights(rate: float, seeds: int = 5, m: int = 400, seed: int = 0) -> np.ndarray:
    return (np.random.default_rng(seed).random((seeds, m)) < rate).astype(float)


def cell(weak: float, student: float, ceiling: float, seed: int = 0, m: int = 400) -> Cell:
    draws = Draws.of(5, [str(i) for i in range(m)], np.random.default_rng(seed))
    base = np.random.default_rng(seed + 1).random((5, m))
    return Cell(
        *(accuracy((base < rate).astype(float), draws) for rate in (weak, student, ceiling))
    )


def test_pgr_by_hand() -> None:
    """Weak right on 2 of 4 rows, student on 3, ceiling on 4: half of the gap."""
    draws = Draws.of(2, list("abcd"), np.random.default_rng(0))
    weak, student, ceiling = (
        accuracy(np.array([row, row], float), draws)
        for row in ([1, 1, 0, 0], [1, 1, 1, 0], [1, 1, 1, 1])
    )
    assert student.value == 0.75
    assert (student.value - weak.value) / (ceiling.value - weak.value) == 0.5  # type: ignore[operator]
    found = recovered(weak, student, ceiling)
    assert found.value in (None, 0.5)  # four rows may not prove the gap; never another number


def test_pgr_is_undefined_within_noise_and_says_why() -> None:
    found = cell(0.7, 0.7, 0.705).pgr
    assert found.value is None
    assert found.reason.startswith("ceiling - weak is within noise")
    assert cell(0.6, 0.7, 0.8).pgr.value == pytest.approx(0.5, abs=0.1)


def test_the_interval_of_an_accuracy_is_that_of_a_mean() -> None:
    one = rights(0.7, seeds=1, m=900)
    draws = Draws.of(1, [str(i) for i in range(900)], np.random.default_rng(1))
    low, high = interval(accuracy(one, draws).draws)
    half = 1.96 * one.std() / 30
    assert (low, high) == pytest.approx((one.mean() - half, one.mean() + half), abs=0.006)


def test_rows_of_one_group_are_drawn_together() -> None:
    one = np.repeat(rights(0.5, seeds=1, m=30), 10, axis=1)
    together = Draws.of(1, [str(i // 10) for i in range(300)], np.random.default_rng(2))
    apart = Draws.of(1, [str(i) for i in range(300)], np.random.default_rng(2))
    wide, narrow = (np.ptp(interval(accuracy(one, d).draws)) for d in (together, apart))
    assert wide > 2 * narrow


def test_pooled_counts_tasks_by_their_gap_and_compares_with_naive() -> None:
    keys = [(f"t{i}", "w") for i in range(6)]
    ours = {k: cell(0.6, 0.75, 0.8, seed=i) for i, k in enumerate(keys)}
    naive = {k: cell(0.6, 0.65, 0.8, seed=i) for i, k in enumerate(keys)}
    found = pooled(ours, naive, np.random.default_rng(0))
    assert found["pgr"]["value"] == pytest.approx(0.75, abs=0.06)
    assert found["pgr"]["low"] < found["pgr"]["value"] < found["pgr"]["high"]
    versus = found["versus_naive"]
    assert versus["difference"] == pytest.approx(0.5, abs=0.06)
    assert versus["low"] > 0.3
    assert versus["p"] == pytest.approx(2 / 64)
    assert (versus["better"], versus["worse"], versus["n"]) == (6, 0, 6)


def test_pooled_leaves_undefined_tasks_out_and_says_so_when_none_is_left() -> None:
    defined, undefined = ("a", "w"), ("b", "w")
    cells = {defined: cell(0.6, 0.7, 0.8), undefined: cell(0.7, 0.9, 0.7)}
    assert pooled(cells, cells, np.random.default_rng(0))["pgr"]["n"] == 1
    alone = pooled({undefined: cells[undefined]}, cells, np.random.default_rng(0))
    assert alone["pgr"]["value"] is None
    assert alone["pgr"]["reason"]


def test_two_supervisors_of_one_task_are_one_cluster() -> None:
    cells = {("a", s): cell(0.6, 0.7, 0.8, seed=i) for i, s in enumerate("uvw")}
    assert pooled(cells, cells, np.random.default_rng(0))["pgr"]["n"] == 1


@pytest.mark.parametrize("n", [5, 14])
def test_sign_flips_agree_with_scipy(n: int) -> None:
    d = np.random.default_rng(n).normal(0.4, 1, n)
    peer = stats.permutation_test(
        (d,), np.mean, permutation_type="samples", n_resamples=20000, rng=0
    )
    assert sign_flip(d, np.random.default_rng(1)) == pytest.approx(peer.pvalue, abs=0.015)


def test_paired_uses_the_same_rows_and_seeds() -> None:
    base = rights(0.6)
    better = np.maximum(base, rights(0.2, seed=9))
    draws = Draws.of(5, [str(i) for i in range(400)], np.random.default_rng(0))
    found = paired(better, base, draws)
    assert found["difference"] == pytest.approx((better - base).mean())
    peer = stats.ttest_rel(better.mean(1), base.mean(1)).pvalue
    assert found["p_over_seeds"] == pytest.approx(peer)
    assert found["low"] > 0
    assert paired(base, base, draws)["p_over_seeds"] is None
