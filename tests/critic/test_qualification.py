"""The gate lets a good judge through and stops each kind of bad one."""

import random
from collections.abc import Sequence

import pytest

from superalign.critic.qualification import Limits, View, examine, length_bias, qualify

N = 400
RNG = random.Random(0)
TRUTH = [i % 2 == 0 for i in range(N)]
LENGTHS = [float(RNG.randint(5, 100)) for _ in range(N)]
GOOD = [t if RNG.random() < 0.9 else not t for t in TRUTH]


def test_a_good_judge_labels() -> None:
    found = qualify(GOOD, TRUTH, lengths=LENGTHS, swapped=GOOD, challenged=GOOD)
    assert found.qualified
    assert found.decision(0) == "label"
    assert found.sensitivity.value == pytest.approx(0.9, abs=0.06)
    assert found.swap_flips.value == 0


def test_yes_to_everything_fails_on_sensitivity() -> None:
    found = qualify([True] * N, TRUTH, lengths=LENGTHS)
    assert [f.split()[0] for f in found.failures] == ["sensitivity"]
    assert found.decision(3) == "ask a person"
    assert found.decision(0) == "abstain"


def test_flips_fail() -> None:
    turned = [not v if i % 4 == 0 else v for i, v in enumerate(GOOD)]
    swapped = qualify(GOOD, TRUTH, lengths=LENGTHS, swapped=turned)
    assert swapped.swap_flips.value == pytest.approx(0.25)
    assert "position-swap" in swapped.failures[0]
    challenged = qualify(GOOD, TRUTH, lengths=LENGTHS, challenged=turned)
    assert "challenge" in challenged.failures[0]


def test_liking_what_is_long_fails() -> None:
    long = [x > 50 if i % 2 else t for i, (t, x) in enumerate(zip(TRUTH, LENGTHS, strict=True))]
    assert "length bias" in qualify(long, TRUTH, lengths=LENGTHS).failures[-1]
    bias = length_bias([True, False, True, False], [True] * 4, [9.0, 1.0, 8.0, 2.0])
    assert bias.value == 1.0
    assert length_bias([True] * 4, [True] * 4, [3.0] * 4).value is None


def test_words_without_content_are_compared_with_the_same_answers() -> None:
    longer = [True if i % 5 == 0 else v for i, v in enumerate(GOOD)]
    found = qualify(GOOD, TRUTH, lengths=LENGTHS, lengthened=longer).length_bias
    rose = sum(b and not a for a, b in zip(GOOD, longer, strict=True))
    assert found.value == pytest.approx(rose / N)
    assert qualify(GOOD, TRUTH, lengths=LENGTHS, lengthened=GOOD).length_bias.value == 0.0


def test_abstentions_are_missing_and_thin_evidence_is_no_evidence() -> None:
    few = qualify(GOOD[:6], TRUTH[:6], lengths=LENGTHS[:6])
    assert not few.qualified
    half = qualify([None if i % 4 > 1 else v for i, v in enumerate(GOOD)], TRUTH, lengths=LENGTHS)
    assert half.sensitivity.missing == N // 4
    assert half.sensitivity.n == N // 4


def test_examine_asks_in_every_view() -> None:
    asked: list[View] = []

    def judge(cases: Sequence[int], view: View) -> list[bool | None]:
        asked.append(view)
        return [GOOD[c] if view == "plain" or c % 5 else not GOOD[c] for c in cases]

    found = examine(judge, range(N), TRUTH, LENGTHS, Limits(swap_flips=0.3))
    assert asked == ["plain", "swapped", "challenged"]
    assert found.swap_flips.value == pytest.approx(0.2)
    assert len(found.failures) == 1
    assert found.as_dict()["qualified"] is False
