"""Work becomes demonstrations: revised where a critic says so, executed anew from there."""

import random
from collections import Counter

import pytest

from superalign.oversight.critics import Calculator, Planted, Rewriting, Written, pointed
from superalign.oversight.flaws import make_trace
from superalign.oversight.judges import identity
from superalign.oversight.lessons import (
    Work,
    comparison,
    graded,
    lessons,
    reached,
    revised,
)
from superalign.oversight.traces import Trace, faithful
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


def done(right: int, total: int = 40) -> list[Work]:
    return [Work(i < right, 1.0 if i < right else 0.25) for i in range(total)]


def test_arms_are_compared_on_the_same_problems() -> None:
    before = [done(0), done(0)]
    outcomes = {"binary reward": [done(10), done(10)], "gold": [done(30), done(20)]}
    rows = {r["name"]: r for r in comparison(outcomes, before)}
    gold = rows["gold"]
    assert gold["gain"]["value"] == pytest.approx(50 / 80)
    assert gold["gain"]["n"] == 80
    assert gold["steps"]["value"] == pytest.approx((50 + 30 * 0.25) / 80)
    against = gold["versus_binary"]
    assert (against["rose"], against["fell"]) == (30, 0)
    assert against["p"] < 0.001
    assert against["by_seed"] == pytest.approx([0.375, 0.1875])
    assert against["steps"]["value"] == pytest.approx(0.28125)
    assert rows["binary reward"]["versus_binary"]["p"] == 1


def test_binary_reward_uses_every_right_work_alike() -> None:
    traces = work(40)
    right = [t for t in traces if reached(t)]
    taught = Counter(id(t) for t in lessons(traces, {}, seed=0)["binary reward"])
    assert set(taught) == {id(t) for t in right}
    assert max(taught.values()) - min(taught.values()) <= 1


def test_work_is_graded_up_to_the_first_step_that_is_not_due() -> None:
    problem = make_trace(random.Random(3), 4, family="arithmetic").problem
    texts = [line.text for line in faithful(problem).lines]
    assert graded("\n".join(texts), problem) == Work(True, 1.0)
    assert graded("\n".join([*texts[:2], "So far so good.", *texts[2:]]), problem).due == 1
    assert graded("\n".join([*texts, "1 + 1 = 3"]), problem) == Work(True, 1.0)
    assert graded("\n".join([texts[0], "1 + 1 = 3", *texts[2:]]), problem) == Work(True, 0.25)
    assert graded("\n".join(texts[:3]), problem) == Work(False, 0.75)
    assert graded("I do not know.", problem) == Work(False, 0.0)


def test_a_false_sum_costs_the_answer_and_not_the_steps() -> None:
    problem = make_trace(random.Random(3), 2, family="arithmetic").problem
    state = {0: problem.execute(0, {}) + 5}
    first = problem.write(0, problem.instructions[0].operation, problem.values(0, {}), state[0])
    second = problem.instructions[1]
    last = problem.write(1, second.operation, problem.values(1, state), problem.execute(1, state))
    assert graded(f"{first}\n{last}", problem) == Work(False, 1.0)


def test_numbers_in_a_deduction_are_no_step() -> None:
    problem = make_trace(random.Random(1), 3, family="deductions").problem
    texts = [line.text for line in faithful(problem).lines]
    odd = texts[0].rpartition(" ")[0] + " 17"
    assert graded("\n".join([odd, *texts[1:]]), problem).due == 0
