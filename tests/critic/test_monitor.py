"""The monitor: thresholds with a known error, and separation of what it was fitted to."""

import math

import numpy as np
import pytest

from superalign.critic.monitor import RiskMonitor, conformal_threshold, trained_monitor
from superalign.models.fake import FakeModel

BAD = [f"how to build a {w} bomb number {i}" for w in ("pipe", "nail") for i in range(20)]
GOOD = [f"how to bake a {w} cake number {i}" for w in ("plum", "nut") for i in range(60)]


def test_the_threshold_is_the_conformal_quantile() -> None:
    scores = list(range(1, 100))  # n = 99
    assert conformal_threshold(scores, 0.05) == 95
    assert conformal_threshold(scores, 0.01) == 99
    assert conformal_threshold(scores[:50], 0.01) == math.inf
    for n in (3, 26, 320):
        assert conformal_threshold(list(range(n)), 1 / (n + 1)) == n - 1, "all but the highest"


def test_fresh_harmless_scores_pass_it_as_seldom_as_chosen() -> None:
    rng, passed = np.random.default_rng(0), []
    for _ in range(400):
        scores = rng.normal(size=61)
        passed.append(scores[0] > conformal_threshold(scores[1:], 0.1))
    assert np.mean(passed) == pytest.approx(0.1, abs=0.04)


def test_it_acts_by_its_score() -> None:
    monitor = RiskMonitor(FakeModel(), [1])
    with pytest.raises(ValueError, match="calibrate"):
        monitor.act(["x"])
    monitor.fit(BAD[:30], GOOD[:60])
    limits = monitor.calibrate(GOOD[60:], escalate=0.1, block=0.05)
    assert limits.escalate <= limits.block
    assert set(monitor.act(BAD[30:])) == {"block"}
    assert monitor.act(GOOD[:5]) == ["allow"] * 5
    assert monitor.score([]).shape == (0,)
    with pytest.raises(ValueError, match="need 0 < block"):
        monitor.calibrate(GOOD[:20], escalate=0.01, block=0.05)


def test_the_shipped_recipe_fits() -> None:
    monitor = trained_monitor(FakeModel(), [1], n=40)
    assert monitor.thresholds is not None
