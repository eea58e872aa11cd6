"""Best of n, the exponential tilt and Gao's forms against what can be worked out by hand."""

import itertools
import math

import numpy as np
import pytest
from scipy.stats import norm

from superalign.critic.overoptimisation import (
    best_of_n_curve,
    best_of_n_kl,
    expected_best_of,
    fall_from_peak,
    fit_gao,
    gao_estimates,
    tilt_curve,
    tilted,
)

RNG = np.random.default_rng(0)


def test_best_of_n_is_the_mean_over_all_subsets() -> None:
    proxy, value = RNG.normal(size=7), RNG.normal(size=7)
    for n in range(1, 8):
        subsets = list(itertools.combinations(range(7), n))
        by_hand = np.mean([value[max(s, key=lambda i: proxy[i])] for s in subsets])
        assert expected_best_of(n, proxy, value) == pytest.approx(by_hand)


def test_equal_proxies_share_their_chances() -> None:
    assert expected_best_of(2, np.zeros(4), np.array([1.0, 0, 0, 0])) == pytest.approx(0.25)
    with pytest.raises(ValueError, match="need 1 <= n <= 4"):
        expected_best_of(5, np.zeros(4), np.zeros(4))


def test_a_perfect_proxy_finds_one_right_sample_if_there_is_one() -> None:
    truth = np.array([1.0] * 3 + [0.0] * 7)
    for n in (1, 2, 5, 8):
        none = math.comb(7, n) / math.comb(10, n) if n <= 7 else 0.0
        assert expected_best_of(n, truth, truth) == pytest.approx(1 - none)


def test_the_exact_kl_of_best_of_n_is_that_of_the_highest_of_n_uniform_numbers() -> None:
    for n in (1, 2, 16):
        u = (np.arange(200_000) + 0.5) / 200_000
        density = n * u ** (n - 1)  # of the rank of the best, under the sampler uniform
        assert best_of_n_kl(n) == pytest.approx(np.mean(density * np.log(density)), abs=1e-3)


def test_the_tilt_of_a_normal_proxy_moves_it_by_its_strength() -> None:
    proxy = norm.ppf((np.arange(20_000) + 0.5) / 20_000)
    for strength in (0.5, 1.0, 1.5):
        kl, moved = tilted(strength, proxy, proxy)
        assert moved == pytest.approx(strength, abs=0.01)
        assert kl == pytest.approx(strength**2 / 2, abs=0.01)
    assert tilted(0.0, proxy, proxy)[0] == pytest.approx(0.0, abs=1e-9)
    assert tilted(1e6, proxy, proxy)[0] == pytest.approx(math.log(20_000))


def test_a_proxy_that_knows_nothing_gains_nothing_and_one_that_knows_gains() -> None:
    truth = (RNG.random((400, 32)) < 0.3).astype(float)
    blind, knowing = RNG.normal(size=truth.shape), truth + 0.1 * RNG.normal(size=truth.shape)
    rows, _ = best_of_n_curve(blind, truth)
    assert [r["n"] for r in rows] == [1, 2, 4, 8, 16, 32]
    for row in rows:
        assert row["truth"]["low"] <= 0.3 <= row["truth"]["high"]
    rows, _ = best_of_n_curve(knowing, truth)
    assert rows[3]["truth"]["value"] == pytest.approx(1 - 0.7**8, abs=0.02)
    tilts, _ = tilt_curve(knowing, truth)
    assert [t["kl"] for t in tilts] == sorted(t["kl"] for t in tilts)
    assert tilts[-1]["truth"]["value"] > 0.95


def test_gaos_forms_are_recovered() -> None:
    kl = [best_of_n_kl(n) for n in (1, 2, 4, 8, 16, 32, 64)]
    d = np.sqrt(kl)
    assert fit_gao("best of n", kl, d * (0.8 - 0.3 * d)) == pytest.approx((0.8, 0.3))
    with np.errstate(divide="ignore", invalid="ignore"):
        gain = np.nan_to_num(d * (0.8 - 0.3 * np.log(d)))
    assert fit_gao("tilt", kl, gain) == pytest.approx((0.8, 0.3))
    with pytest.raises(ValueError, match="two levels"):
        fit_gao("tilt", [0.0, 1.0], np.zeros(2))


def test_gaos_estimates_and_the_fall_have_intervals_over_problems() -> None:
    kl = [best_of_n_kl(n) for n in (1, 4, 16, 64)]
    d = np.sqrt(kl)
    truth = 0.2 + d * (0.5 - 0.25 * d) + RNG.normal(0, 0.05, (200, 4))
    found = gao_estimates("best of n", kl, truth)
    assert found["beta"]["low"] < 0.25 < found["beta"]["high"]
    assert found["alpha"]["n"] == 200
    fall = fall_from_peak(truth)
    assert fall.high is not None
    assert fall.high < 0
