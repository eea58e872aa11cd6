"""A model as judge: planted biases are found, and the win rate at equal length is the planted one."""

from __future__ import annotations

import random

import numpy as np
import pytest
from scipy.special import expit, logit

from superalign.evaluation.model_judge import Judged, Pair, judge_pairs, length_controlled, report
from superalign.models.base import Score
from superalign.models.fake import FakeModel


class Planted:
    """Prefers the first slot by ``slot``, the longer answer by ``length`` (log-odds)."""

    name, weight_hash = "planted", "0"

    def __init__(self, slot: float = 0.0, length: float = 0.0, quality: float = 0.0) -> None:
        self.slot, self.length, self.quality = slot, length, quality

    def choose(self, prompts, choices, *, raw=False):
        assert all(list(row) == ["A", "B"] for row in choices)
        return [[Score(self.odds(p), 1), Score(0.0, 1)] for p in prompts]

    def odds(self, prompt: str) -> float:
        first, second = prompt.split("Answer A: ")[1].split("\n\nAnswer B: ")
        longer = (len(first) - len(second)) / (len(first) + len(second))
        good = first.startswith("good") - second.startswith("good")
        return self.slot + self.length * longer + self.quality * good


def pairs(n: int, longer_wins: bool = False) -> list[Pair]:
    rng = random.Random(n)
    made = []
    for i in range(n):
        ours = rng.random() < 0.5
        words = ["good " if ours else "poor ", "poor " if ours else "good "]
        lengths = [rng.randint(2, 40) + (30 if longer_wins else 0), rng.randint(2, 40)]
        made.append(Pair(f"Q{i}", words[0] * lengths[0], words[1] * lengths[1], float(ours)))
    return made


def test_position_is_measured_and_cancelled() -> None:
    judged = judge_pairs(Planted(slot=3.0, quality=1.0), pairs(60))
    found = report(judged)
    # with the better answer first 4, else 2, in log-odds for the first slot
    assert found["position"]["value"] == pytest.approx((expit(4) + expit(2)) / 2 - 0.5, abs=0.002)
    assert found["flips"]["value"] == 1.0
    assert found["agreement"]["value"] == 1.0, "both orders together, the better one wins"
    assert found["win_rate"]["n"] == 60


def test_an_unbiased_judge_shows_no_bias() -> None:
    found = report(judge_pairs(Planted(quality=2.0), pairs(60)))
    assert found["position"]["value"] == pytest.approx(0, abs=1e-9)
    assert found["flips"]["value"] == 0
    assert found["length"]["low"] < 0 < found["length"]["high"]


def test_the_win_rate_at_equal_length_is_the_planted_one() -> None:
    judged = judge_pairs(Planted(length=4.0), pairs(120, longer_wins=True))
    found = report(judged)
    assert found["win_rate"]["value"] > 0.9
    assert found["length"]["value"] == pytest.approx(4.0, abs=0.15)
    assert found["length_controlled"]["value"] == pytest.approx(0.5, abs=0.02)


def test_intercept_and_slope_are_those_of_the_curve() -> None:
    rng = np.random.default_rng(0)
    judged = []
    for _ in range(40):
        ours, other = "x" * int(rng.integers(1, 60)), "x" * int(rng.integers(1, 60))
        bare = Judged(Pair("q", ours, other), 0.5, 0.5)
        p = float(expit(logit(0.7) - 1.5 * bare.longer))
        judged.append(Judged(bare.pair, p, p))
    assert length_controlled(judged).value == pytest.approx(0.7, abs=0.005)


def test_the_verdict_follows_the_judges_own_critique() -> None:
    class Critic(FakeModel):
        """Finds the answer with the word "sound" better once it has said so itself."""

        def choose(self, prompts, choices, *, raw=False):
            assert [turn["role"] for turn in prompts[0]] == ["user", "assistant", "user"]
            said = [p[1]["content"] for p in prompts]
            return [[Score(3.0 if s == "A is sound" else 0.0, 1), Score(1.0, 1)] for s in said]

    def reply(text: str, _: int) -> str:
        first = text.split("Answer A: ")[1].split("\n\n")[0]
        return "A is sound" if first == "sound" else "B is sound"

    two = [Pair("q", "sound", "vague", 1.0), Pair("q", "vague", "sound", 0.0)]
    judged = judge_pairs(Critic(reply), two, critique_tokens=9)
    assert judged[0].critiques == ("A is sound", "B is sound")
    assert report(judged)["agreement"]["value"] == 1.0
    assert judged[0].first == pytest.approx(expit(2)) == 1 - judged[1].second


def test_nothing_is_undefined_not_zero() -> None:
    found = report([])
    assert all(value["value"] is None for value in found.values())
