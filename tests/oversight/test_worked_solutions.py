"""Step labels that cost nobody anything: planted flaws and agreement with right solutions."""

import random
from collections import Counter

import pytest

from superalign.critic.step_tools import false_sum
from superalign.errors import InputError
from superalign.oversight.worked_solutions import (
    Worked,
    label_by_agreement,
    plain,
    plant,
    question_key,
    read_worked,
    right,
)

CLIPS = {
    "question": "Natalia sold clips to 48 friends in April and half as many in May. How many in all?",
    "solution": "In May she sold 48/2 = <<48/2=24>>24 clips.\nIn all 48+24 = <<48+24=72>>72 clips.\n#### 72",
    "answer": "72",
}
LONG = Worked(
    "A shop has 12 boxes of 10 pens, sells 30 pens, then packs the rest in bags of 5.",
    (
        "There are 12*10=<<12*10=120>>120 pens.",
        "After the sale 120-30=<<120-30=90>>90 pens are left.",
        "That makes 90/5=<<90/5=18>>18 bags.",
    ),
    "18",
)


def test_a_worked_solution_is_read() -> None:
    worked = read_worked(CLIPS, "row 1")
    assert plain(worked) == (
        "In May she sold 48/2 = 24 clips.",
        "In all 48+24 = 72 clips. The answer is 72.",
    )
    assert right(worked).first_error is None
    with pytest.raises(InputError, match=r"row 7: 'answer' is missing"):
        read_worked(CLIPS | {"answer": ""}, "row 7")
    with pytest.raises(InputError, match="no step"):
        read_worked(CLIPS | {"solution": "#### 72"}, "row 1")


def test_planted_flaws_keep_every_sum_true_and_change_what_follows() -> None:
    rng = random.Random(0)
    flawed = [s for s in (plant(LONG, rng) for _ in range(200)) if s is not None]
    assert len(flawed) > 150
    kinds = Counter(s.kind for s in flawed)
    assert set(kinds) == {"non-sequitur", "wrong copy", "dropped step"}
    untouched = plain(LONG)
    for solution in flawed:
        assert all(false_sum(step) is None for step in solution.steps), solution
        assert solution.first_error is not None
        assert solution.steps[: solution.first_error] == untouched[: solution.first_error]
        assert solution.steps[solution.first_error] != untouched[solution.first_error]
        assert not any("<<" in step for step in solution.steps)


def test_model_solutions_are_labelled_by_the_values_of_right_ones() -> None:
    question = "Ann has 5 bags of 4 nuts and eats 3. How many nuts are left?"
    good = "5*4=<<5*4=20>>20 nuts.\nLeft: 20-3=<<20-3=17>>17.\nA: 17"
    bad = "5*4=<<5*4=20>>20 nuts.\nLeft: 20+3=<<20+3=23>>23.\nA: 23"
    same = "5*4=<<5*4=20>>20 nuts.\nA: 20"
    rows = [
        {"question": question, "solution": s, "answer": "17", "label": y}
        for s, y in ((good, 1), (bad, 0), (same, 0))
    ]
    found = label_by_agreement(rows, "file")
    assert [s.first_error for s in found] == [None, 1]  # the third computes nothing foreign
    assert found[1].steps[-1].endswith("The answer is 23.")


def test_questions_are_the_same_whatever_their_marks() -> None:
    assert question_key("How  many, in all?") == question_key("how many in all")
    assert question_key("How many?") != question_key("How few?")
