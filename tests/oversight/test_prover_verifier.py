"""The game against its closed forms, and a reader that learns to resist."""

import math

import pytest

from superalign.oversight.prover_verifier import (
    Inspector,
    Reader,
    hedge_rate,
    play,
    submissions,
)
from superalign.oversight.rollouts import problems

K = 5
ASKED = problems(0, 120, (K,))


def caught(verifier: Inspector, drafts: int, rounds: int = 1, n: int = 120) -> list[float]:
    rows = play(verifier, ASKED[:6], ASKED[:n], rounds=rounds, drafts=drafts, seed=0)
    return [1 - r["fooled"]["value"] for r in rows]


@pytest.mark.parametrize("drafts", [1, 8])
def test_even_attention_catches_b_of_k_whatever_the_prover_does(drafts: int) -> None:
    assert caught(Inspector(K, looks=2), drafts) == pytest.approx([2 / K])


@pytest.mark.parametrize("drafts", [1, 2, 3])
def test_always_the_same_lines_are_caught_b_of_k_to_the_drafts(drafts: int) -> None:
    fixed = Inspector(K, looks=3, attention=(1 / 3, 1 / 3, 1 / 3, 0.0, 0.0))
    handed_in = submissions(fixed, ASKED, drafts, 0).sneaky
    wanted, n = (3 / K) ** drafts, len(handed_in)
    spread = 3 * math.sqrt(wanted * (1 - wanted) / n)
    share = sum(t.first_error in (0, 1, 2) for t in handed_in) / n
    assert abs(share - wanted) < spread
    assert caught(fixed, 40) == [0.0]


def test_multiplicative_weights_stay_within_their_bound() -> None:
    rounds = 40
    inspector = Inspector(K, rate=hedge_rate(K, rounds))
    found = caught(inspector, drafts=20, rounds=rounds, n=3)
    average = sum(found) / rounds
    assert 1 / K - math.sqrt(math.log(K) / (2 * rounds)) <= average <= 1 / K + 1e-9
    assert min(found) < 1 / K - 0.01  # it is exploited now and then, and comes back


def test_right_work_is_always_accepted_by_an_inspector() -> None:
    rows = play(Inspector(K), ASKED[:4], ASKED[:10], rounds=2, drafts=2, seed=1)
    assert [r["believed"]["value"] for r in rows] == [1.0, 1.0]
    assert [len(r["fooled_by"]) for r in rows] == [2, 2]


def test_a_reader_learns_to_resist_what_fooled_it() -> None:
    rows = play(Reader(), ASKED[:40], ASKED[60:90], rounds=3, drafts=3, seed=0)
    assert rows[0]["fooled"]["value"] == 0.5  # it has learnt nothing yet
    last = rows[-1]
    assert last["fooled_by"][0]["value"] < 0.4
    assert last["believed"]["value"] > last["fooled"]["value"] + 0.2
    again = play(Reader(), ASKED[:40], ASKED[60:90], rounds=3, drafts=3, seed=0)
    assert again == rows
