"""All of reasoning-gym's data sets as families of one task."""

import pytest

from superalign.errors import InputError
from superalign.evaluation.renewal import next_round
from superalign.registry import lookup
from superalign.tasks.gym import FORMAT, ReasoningGym

FEW = ["chain_sum", "gcd", "course_schedule", "countdown", "syllogism"]


@pytest.fixture(scope="module")
def task() -> ReasoningGym:
    pytest.importorskip("reasoning_gym")
    return ReasoningGym()


def test_about_a_hundred_families_are_held_out(task: ReasoningGym) -> None:
    assert len(task.families) >= 100
    assert set(task.families.values()) == {"held_out"}
    assert lookup("task", "gym") is ReasoningGym


def test_an_items_own_answer_passes_and_others_do_not(task: ReasoningGym) -> None:
    for query in task.generate(10, seed=3, split="held_out", families=FEW):
        assert query.messages[0].content.endswith(FORMAT)
        right = f"So it is.\n<answer>{query.truth['answer']}</answer>"
        assert task.grade(query, right).value == 1.0
        assert task.grade(query, "<answer>nothing of the sort 17.5</answer>").value == 0.0
        missing = task.grade(query, str(query.truth["answer"]))
        assert (missing.value, missing.kind) == (None, "unparsed")


def test_another_right_answer_passes_where_several_are(task: ReasoningGym) -> None:
    [query] = task.generate(1, seed=1, split="held_out", families=["countdown"])
    assert task.grade(query, f"<answer>({query.truth['answer']})</answer>").value == 1.0


def test_the_last_marks_count_and_may_stay_open(task: ReasoningGym) -> None:
    [query] = task.generate(1, seed=0, split="held_out", families=["gcd"])
    answer = query.truth["answer"]
    assert task.grade(query, f"<answer>0</answer> no: <answer>{answer}").value == 1.0


def test_the_same_seed_gives_the_same_items_and_another_gives_others(task: ReasoningGym) -> None:
    draw = [task.generate(10, seed=s, split="held_out", families=FEW) for s in (0, 0, 1)]
    assert draw[0] == draw[1]
    assert not {q.goal for q in draw[0]} & {q.goal for q in draw[2]}


def test_a_round_of_a_renewing_benchmark_asks_every_family(task: ReasoningGym) -> None:
    small = ReasoningGym()
    small.families = dict.fromkeys(FEW, "held_out")  # the whole package takes longer
    items = next_round(small, [], 10, seed=0, split="held_out")
    assert {q.family for q in items} == set(FEW)


def test_unknown_families_and_splits_are_said(task: ReasoningGym) -> None:
    with pytest.raises(ValueError, match="nosuch"):
        task.generate(1, seed=0, split="held_out", families=["nosuch"])
    with pytest.raises(InputError, match="allowed: held_out"):
        task.generate(1, seed=0, split="train")
