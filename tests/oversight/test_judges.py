"""Looks become beliefs by Bayes' rule."""

import math
import random

import pytest

from superalign.oversight.flaws import SAME_LENGTH, make_trace
from superalign.oversight.judges import CERTAIN, Exact, Learned, Noisy, Person, belief, identity


def test_belief_by_hand() -> None:
    assert belief({}, 8) == pytest.approx(0.5)
    # nothing found at 2 of 8 lines: 0.5 * 6/8 against 0.5
    assert belief({0: -CERTAIN, 1: -CERTAIN}, 8) == pytest.approx(0.375 / 0.875)
    assert belief({0: CERTAIN}, 8) == pytest.approx(1.0, abs=1e-6)
    # one look with a ratio of 3: odds (3 + 7) / 8
    assert belief({0: math.log(3)}, 8) == pytest.approx(10 / 18)


def test_the_noisy_judge_has_the_rates_that_were_set() -> None:
    rng = random.Random(0)
    judge = Noisy(0.8, 0.9, seed=1)
    traces = [make_trace(rng, 6, flaws=1, kinds=SAME_LENGTH) for _ in range(800)]
    seen = [judge.look(t, t.flaws[0]) > 0 for t in traces]
    fine = [judge.look(t, p) < 0 for t in traces for p in range(6) if p != t.flaws[0]]
    assert sum(seen) / len(seen) == pytest.approx(0.8, abs=0.04)
    assert sum(fine) / len(fine) == pytest.approx(0.9, abs=0.02)
    assert judge.look(traces[0], 0) == judge.look(traces[0], 0)


def test_the_exact_judge_is_right_and_a_person_is_asked_once() -> None:
    trace = make_trace(random.Random(4), 5, flaws=1, kinds=SAME_LENGTH)
    flaw = trace.flaws[0]
    assert Exact().look(trace, flaw) == CERTAIN
    asked = []

    def ask(question: str, lines: tuple[str, ...], position: int) -> bool:
        asked.append(position)
        return position == flaw

    person = Person(ask, 0.9, 0.8)
    assert person.look(trace, flaw) == pytest.approx(math.log(0.9 / 0.2))
    assert person.look(trace, flaw) > 0 > person.look(trace, (flaw + 1) % 5)
    assert len(asked) == 2


def test_the_learned_judge_only_knows_what_it_read() -> None:
    rng = random.Random(5)
    known, other = make_trace(rng, 3), make_trace(rng, 3)
    judge = Learned({identity(known): (99.0, -99.0, 0.5)})
    assert [judge.look(known, i) for i in range(3)] == [CERTAIN, -CERTAIN, 0.5]
    with pytest.raises(KeyError):
        judge.look(other, 0)
