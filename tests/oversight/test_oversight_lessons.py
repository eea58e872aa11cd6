"""Work becomes demonstrations: revised where a critic says so, executed anew from there."""

import random

import pytest

from superalign.oversight.critics import Calculator, Planted, Rewriting, Written, pointed
from superalign.oversight.flaws import make_trace
from superalign.oversight.judges import identity
from superalign.oversight.lessons import comparison, lessons, reached, revised
from superalign.oversight.traces import Trace
from superalign.records import Claim


def work(n: int = 120, kinds: tuple[str, ...] | None = None) -> list[Trace]:
    rng = random.Random(0)
    more = {"kinds": kinds} if kinds else {}
    return [make_trace(rng, 5, flaws=n % 2, **more) for n in range(n)]  # type: ignore[arg-type]


def test_gold_critique_mends_everything_and_noise_does_not() -> None:
    traces = work()
    arms = lessons(traces, {"gold": Planted(), "noise": Rewriting()}, seed=0)
    assert {len(arm) for arm in arms.values()} == {len(traces)}
    assert all(reached(t) for t in arms["gold"])
    assert all(reached(t) for t in arms["binary reward"])
    assert sum(map(reached, arms["noise"])) < 0.4 * len(traces)
    assert arms["none"] == traces


def test_the_calculator_mends_slips_only() -> None:
    slips, copies = work(60, ("slip",)), work(60, ("wrong copy",))
    assert all(reached(revised(t, Calculator().claims(t))) for t in slips)
    flawed = [t for t in copies if t.flaws]
    assert not any(Calculator().claims(t) for t in flawed)


def test_a_fix_that_cannot_be_read_revises_nothing() -> None:
    trace = next(t for t in work() if t.flaws)
    claim = Claim(kind="wrong step", location="step 1", fix="rm -rf /")
    assert revised(trace, [claim]) is trace
    assert revised(trace, [claim.model_copy(update={"location": "step 99"})]) is trace
    assert revised(trace, []) is trace


def test_pointers_stay_inside_the_trace() -> None:
    claims = [Claim(kind="slip", location=x) for x in ("step 3", "step 3", "step 0", "step 9", "")]
    assert pointed(claims, 5) == [2]
    critic = Written({identity(work(2)[0]): claims})
    with pytest.raises(KeyError):
        critic.claims(work(2)[1])


def test_arms_are_compared_on_the_same_problems() -> None:
    before = [False] * 40
    outcomes = {"binary reward": [True] * 10 + [False] * 30, "gold": [True] * 30 + [False] * 10}
    rows = {r["name"]: r for r in comparison(outcomes, before)}
    assert rows["gold"]["gain"]["value"] == pytest.approx(0.75)
    assert rows["gold"]["versus_binary"]["rose"] == 20
    assert rows["gold"]["versus_binary"]["p"] < 0.001
