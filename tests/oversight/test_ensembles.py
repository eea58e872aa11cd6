"""Votes against the binomial, and the Pareto curve against points drawn by hand."""

from typing import Any

import pytest
from scipy.stats import binom

from superalign.oversight.critics import Planted, Written
from superalign.oversight.ensembles import Ensemble, operating_point, pareto
from superalign.oversight.experiment import judged_traces
from superalign.oversight.judges import identity
from superalign.records import Claim

TRACES = judged_traces(0, 1600, 6)


@pytest.mark.parametrize("votes", [1, 2, 3])
def test_votes_of_m_keep_the_flaw_as_the_binomial_says(votes: int) -> None:
    members = tuple(Planted(0.6, 0.0, seed) for seed in range(3))
    point = operating_point("x", Ensemble(members, votes), TRACES)
    wanted = float(binom.sf(votes - 1, 3, 0.6))
    assert point["recall"]["low"] - 0.01 <= wanted <= point["recall"]["high"] + 0.01
    assert point["false_claims"]["value"] == 0


def test_false_claims_add_up_unless_votes_are_asked_for() -> None:
    members = tuple(Planted(0.6, 0.2, seed) for seed in range(3))
    any_, both = (operating_point("x", Ensemble(members, m), TRACES) for m in (1, 2))
    assert any_["false_claims"]["value"] == pytest.approx(1 - 0.8**3, abs=0.045)
    assert both["false_claims"]["value"] < 0.06
    assert both["claims"]["value"] < any_["claims"]["value"]


def test_the_most_voted_line_comes_first_and_votes_are_its_severity() -> None:
    trace = TRACES[0]

    def says(*steps: int) -> Written:
        return Written({identity(trace): [Claim(kind="slip", location=f"step {s}") for s in steps]})

    made = Ensemble((says(1, 2), says(2), says(3, 3)), name="three").claims(trace)
    assert [c.location for c in made] == ["step 2", "step 1", "step 3"]
    assert made[0].severity == pytest.approx(2 / 3)
    assert {c.source for c in made} == {"three"}


def point(name: str, recall: float | None, false: float) -> dict[str, Any]:
    return {"name": name, "recall": {"value": recall}, "false_claims": {"value": false}}


def test_efficient_is_what_nothing_else_beats() -> None:
    rows = pareto(
        [
            *(point("best", 0.9, 0.3), point("cheap", 0.5, 0.1), point("bad", 0.4, 0.2)),
            *(point("twin", 0.5, 0.1), point("unknown", None, 0.0), point("more", 0.9, 0.4)),
        ]
    )
    assert [r["name"] for r in rows if r["efficient"]] == ["cheap", "twin", "best"]
    assert rows[-1]["name"] == "unknown"
