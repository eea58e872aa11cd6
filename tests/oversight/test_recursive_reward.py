"""Recursive reward modelling held to its formulas, helper by helper."""

import random

import pytest

from superalign.oversight.flaws import SAME_LENGTH, make_trace
from superalign.oversight.recursive_reward import (
    Assisted,
    Checker,
    Direct,
    ablations,
    expected_claims,
)

DIRECT, CHECKER = Direct(0.9, 0.2), Checker(0.95, 0.4)
ROWS = ablations(DIRECT, CHECKER, depth=3, levels=2, items=1500, seed=0, keeps=0.97)


@pytest.mark.parametrize("row", ROWS, ids=lambda r: f"level {r['level']} without {r['without']}")
def test_found_flaws_and_false_claims_follow_the_formula(row: dict) -> None:  # type: ignore[type-arg]
    for key in ("found", "false_claims"):
        found, wanted = row[key], row[f"{key}_expected"]
        spread = (found["high"] - found["low"]) / 2
        assert abs(found["value"] - wanted) < 1.6 * spread  # 18 quantities: about 3 sigma each


def test_the_formulas_by_hand() -> None:
    assert expected_claims(DIRECT, CHECKER, 0, 1.0) == (0.9, 0.2)
    assert expected_claims(DIRECT, CHECKER, 2, 0.5) == pytest.approx((0.9 * 0.475**2, 0.2 * 0.4**2))
    assert expected_claims(DIRECT, CHECKER, 1, 1.0, "first half") == pytest.approx((0.4275, 0.08))
    assert expected_claims(DIRECT, CHECKER, 1, 1.0, "checker") == pytest.approx((0.9, 0.4))


def test_steps_double_and_every_helper_is_taken_away_once() -> None:
    assert [r["steps"] for r in ROWS if r["without"] == "nobody"] == [3, 6, 12]
    by_level = [[r["without"] for r in ROWS if r["level"] == n] for n in (0, 1, 2)]
    assert by_level[0] == ["nobody"]
    assert by_level[1] == by_level[2] == ["nobody", "first half", "second half", "checker"]


def test_perfect_helpers_point_at_the_flaw_and_at_nothing_else() -> None:
    rng = random.Random(0)
    trace = make_trace(rng, 8, flaws=2, kinds=SAME_LENGTH)
    perfect = Assisted(Assisted(Direct(1.0, 0.0), Checker(1.0, 0.0)), Checker(1.0, 0.0))
    assert perfect.claims(trace, range(8), rng) == list(trace.flaws)
    silent = Assisted(perfect, Checker(1.0, 0.0), keeps=0.0)
    assert silent.claims(trace, range(8), rng) == []
