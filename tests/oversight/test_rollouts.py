"""Rollouts of a writer whose errors are known, against the closed form of a step's value."""

import random

import pytest

from superalign.models.fake import FakeModel
from superalign.oversight.flaws import make_trace
from superalign.oversight.lessons import reached
from superalign.oversight.rollouts import (
    FaultyWriter,
    ModelWriter,
    pools,
    problems,
    read_work,
    step_values,
)
from superalign.oversight.traces import Trace, faithful
from superalign.statistics import rate


def test_the_share_of_right_work_is_that_of_no_error_in_k_lines() -> None:
    asked = problems(0, 250, (5,), ["arithmetic"])
    done = [t for pool in pools(FaultyWriter(0.1), asked, 8, 0) for t in pool]
    right = rate(reached(t) for t in done)
    assert right.low is not None
    assert right.high is not None
    assert right.low - 0.01 <= 0.9**5 <= right.high + 0.01
    assert all(reached(t) for t in done if not t.flaws)
    assert sum(reached(t) for t in done if t.flaws) / sum(bool(t.flaws) for t in done) < 0.03


def test_a_steps_value_is_the_chance_of_no_error_in_what_is_left() -> None:
    right = [faithful(p) for p in problems(1, 40, (4,), ["arithmetic"])]
    values = step_values(FaultyWriter(0.2), right, 50, 0)
    for i in range(4):
        share = sum(v[i] for v in values) / len(values)
        assert share == pytest.approx(0.8 ** (3 - i), abs=0.03)
    rng = random.Random(0)
    flawed = [make_trace(rng, 4, flaws=1, family="arithmetic", kinds=["slip"]) for _ in range(30)]
    for trace, value in zip(flawed, step_values(FaultyWriter(0.2), flawed, 20, 0), strict=True):
        assert max(value[trace.flaws[0] :]) < 0.3
        assert value[-1] == float(reached(trace))


def test_work_goes_on_from_its_start_and_repeats_with_the_seed() -> None:
    start = Trace(problems(2, 1, (5,))[0], ())
    start = Trace(start.problem, faithful(start.problem).lines[:2])
    writer = FaultyWriter(0.5)
    [works] = writer.write([start], 6, 3)
    assert all(w.lines[:2] == start.lines and len(w) == 5 for w in works)
    assert writer.write([start], 6, 3) == [works]
    assert writer.write([start], 6, 4) != [works]


def test_a_models_lines_are_read_executed_and_marked() -> None:
    trace = faithful(problems(3, 1, (3,), ["arithmetic"])[0])
    texts = [line.text for line in trace.lines]
    assert read_work(Trace(trace.problem, ()), "\n".join(texts)) == trace
    wrong = f"{texts[0]}\n1 + 1 = 2\nand so on\n{texts[2]}"
    read = read_work(Trace(trace.problem, ()), wrong)
    assert [x.flaw for x in read.lines] == ["", "wrong step"]
    assert not reached(read)
    model = ModelWriter(FakeModel(lambda prompt, i: texts[0] if i else "nothing to read"))
    assert [len(t) for t in pools(model, [trace.problem], 2, 0)[0]] == [1]
