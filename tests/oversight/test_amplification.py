"""Errors grow with every level as the formula says, and votes hold them back."""

import pytest

from superalign.oversight.amplification import Stepwise, error_growth


def test_faithful_answers_stay_faithful() -> None:
    rows = error_growth(Stepwise(0.0), depth=2, levels=3, items=50, seed=0)
    assert [r["accuracy"]["value"] for r in rows] == [1.0] * 4
    assert [r["steps"] for r in rows] == [2, 4, 8, 16]


@pytest.mark.parametrize("keeps", [1.0, 0.9])
def test_accuracy_squares_at_every_level(keeps: float) -> None:
    rows = error_growth(Stepwise(0.05), depth=2, levels=2, items=2000, seed=1, keeps=keeps)
    assert rows[0]["accuracy"]["value"] == pytest.approx(0.95**2, abs=0.02)
    for row in rows[1:]:
        assert row["accuracy"]["value"] == pytest.approx(row["expected"], abs=0.04)
    assert rows[1]["accuracy"]["n"] == 2000


def test_votes_hold_the_growth_back() -> None:
    alone, voted = (
        error_growth(Stepwise(0.05), depth=2, levels=2, items=800, seed=2, votes=v) for v in (1, 3)
    )
    assert voted[2]["accuracy"]["low"] > alone[2]["accuracy"]["high"]
    assert voted[2]["expected"] is None
