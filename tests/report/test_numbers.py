"""Reading summaries and writing numbers, and the plots' arithmetic."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from superalign.report import numbers, plots
from superalign.statistics import Estimate, proportion


@pytest.mark.parametrize(
    ("before", "after", "better", "word"),
    [
        (proportion(90, 100), proportion(20, 100), "lower", "improved"),
        (proportion(90, 100), proportion(20, 100), "higher", "worse"),
        (proportion(20, 100), proportion(90, 100), "higher", "improved"),
        (proportion(20, 100), proportion(90, 100), None, "changed"),
        (proportion(50, 100), proportion(55, 100), "higher", "unchanged"),
        (proportion(0, 0), proportion(55, 100), "higher", "not measured"),
        (Estimate(0.5), proportion(55, 100), "higher", "no interval"),
    ],
)
def test_verdict_by_whether_intervals_separate(
    before: Estimate, after: Estimate, better: numbers.Better | None, word: str
) -> None:
    assert numbers.verdict(before, after, better) == word


def test_verdict_by_the_paired_difference_where_there_is_one() -> None:
    before, after = proportion(50, 100), proportion(58, 100)
    shown, unshown = Estimate(0.08, 0.02, 0.14, 100), Estimate(0.08, -0.02, 0.18, 100)
    assert numbers.verdict(before, after, "higher") == "unchanged"
    assert numbers.verdict(before, after, "higher", shown) == "improved"
    assert numbers.verdict(before, after, "lower", shown) == "worse"
    assert numbers.verdict(before, after, "higher", unshown) == "unchanged"


def test_reading_never_invents() -> None:
    assert numbers.read(None).value is None
    assert numbers.read("0.5").value is None
    assert numbers.read({"value": None, "reason": "no case", "n": 3}).reason == "no case"
    assert numbers.read({"value": 0.5, "low": 0.1}).low is None
    assert numbers.read({"value": True}).value is None
    assert numbers.read(0.5).low is None
    assert numbers.read(proportion(3, 4).as_dict()) == proportion(3, 4)


def test_numbers_in_words() -> None:
    assert numbers.write(0.1234) == "12.3%"
    assert numbers.write(None) == "–"
    assert numbers.write(14.218, "number") == "14.2"
    assert numbers.write(1e6, "number") == "1e+06"
    assert numbers.interval(Estimate(0.5, 0.4, 0.6)) == "40.0 – 60.0%"
    assert numbers.sentence(Estimate(0.5, n=1)) == "50.0% (no interval, n 1)"
    assert numbers.duration(3723) == "1 h 02 min"
    assert numbers.duration(None) == "not recorded"
    assert numbers.size(5e6) == "5 MB"


@given(st.floats(-1e9, 1e9), st.floats(0, 1e9))
def test_ticks_enclose_the_data(low: float, width: float) -> None:
    ticks = plots.nice_ticks((low, low + width))
    slack = 1e-6 * max(1.0, abs(low) + width)
    assert ticks[0] <= low + slack
    assert ticks[-1] >= low + width - slack
    assert 2 <= len(ticks) <= 8


@given(st.lists(st.none() | st.floats(allow_nan=False, allow_infinity=False), max_size=6))
def test_a_curve_takes_any_estimates(values: list[float | None]) -> None:
    points = [(float(i), Estimate(v, v, v)) for i, v in enumerate(values)]
    svg = plots.curve([plots.Series("<name>", points)], "<title>", "number")
    assert svg.startswith("<svg")
    assert "nan" not in svg
    assert svg.count('class="dot') == sum(v is not None for v in values)
    assert "<title>" not in svg.replace("<title>&lt;name&gt;", "")


def test_reliability_skips_empty_bins() -> None:
    bins: list[dict[str, Any]] = [
        {"predicted": 0.2, "observed": 0.3, "n": 5},
        {"predicted": None, "n": 0},
        {},
    ]
    assert plots.reliability(bins, "title").count('class="dot') == 1
