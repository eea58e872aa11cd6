"""Retelling keeps what can be right or wrong, and the label stays with its step."""

import random

import pytest

from superalign.critic.step_tools import false_sum, numbers
from superalign.critic.steps import Solution
from superalign.oversight.chat_style import as_chat

CLIPS = Solution(
    "Ann sold 48 clips in April and half as many in May. How many did Ann sell altogether?",
    ("The clips of May were 48/2 = 24.", "Ann sold 48*24 = 1152.", "So she sold 1152. The answer is 1152."),
    1,
    "non-sequitur",
)  # fmt: skip


@pytest.mark.parametrize("seed", range(40))
def test_the_wrong_step_stays_the_wrong_step(seed: int) -> None:
    told = as_chat(CLIPS, random.Random(seed))
    assert told.first_error is not None
    assert "1152" in told.steps[told.first_error]
    before = [x for step in told.steps[: told.first_error] for x in numbers(step)]
    assert 1152 not in before
    assert told.question == CLIPS.question
    assert told.kind == "non-sequitur"
    assert "1152" in told.steps[-1]
    assert not any(false_sum(step) for step in told.steps)


def test_right_stays_right_and_both_manners_occur() -> None:
    right = Solution(CLIPS.question, (CLIPS.steps[0], "48+24 = 72. The answer is 72."))
    told = [as_chat(right, random.Random(seed)) for seed in range(40)]
    assert all(t.first_error is None for t in told)
    texts = [t.text for t in told]
    assert any("\\boxed{72}" in t for t in texts)
    assert any("how many did Ann sell altogether" in t for t in texts)
    assert any("\\(48+24 = 72\\)" in t for t in texts)
    assert len({len(t.steps) for t in told}) > 1
