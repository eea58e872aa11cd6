"""The generative critic: every output parses, beliefs and findings are two forms of one thing."""

from collections.abc import Sequence

import numpy as np
import pytest

from superalign.critic.generative import (
    GenerativeCritic,
    averaged,
    beliefs,
    from_beliefs,
    question,
    read_answer,
    shares,
)
from superalign.critic.steps import Solution
from superalign.models.base import Prompt, Score
from superalign.models.fake import FakeModel, prompt_text

WRONG = Solution("What is 2 + 2?", ("2 + 2 = 5", "so 5", "done"), 0)
RIGHT = Solution("What is 2 + 2?", ("2 + 2 = 4", "so 4"))


class Knowing(FakeModel):
    """Prefers "1" where it reads a 5, else "0", and is fond of "2" whatever it reads."""

    def choose(
        self, prompts: Sequence[Prompt], choices: Sequence[Sequence[str]], *, raw: bool = False
    ) -> list[list[Score]]:
        return [
            [Score(self._logprob(prompt_text(p), c), 1) for c in row]
            for p, row in zip(prompts, choices, strict=True)
        ]

    @staticmethod
    def _logprob(text: str, choice: str) -> float:
        told = "1" if "= 5" in text else "0" if "= 4" in text else ""
        return -1.0 + 2.0 * (choice == told) + 3.0 * (choice == "2")


def test_the_allowed_answers_are_scored_and_fondness_is_taken_out() -> None:
    wrong, right = GenerativeCritic(Knowing()).findings([WRONG, RIGHT])
    assert wrong is not None
    assert right is not None
    assert len(wrong.hazards) == 3
    assert wrong.claimed(0.5) == 0
    assert right.claimed(0.5) is None
    assert wrong.wrong == pytest.approx((np.e**2 + 2) / (np.e**2 + 3))
    fond = GenerativeCritic(Knowing(), calibrated=False).findings([WRONG])[0]
    assert fond is not None
    assert fond.step == 1


def test_text_is_read_and_what_cannot_be_read_is_missing() -> None:
    def reply(text: str, i: int) -> str:
        if "= 4" in text:
            return "I cannot say"
        return ["Step 1.", "1", "7", "0"][i]

    critic = GenerativeCritic(FakeModel(reply), how="say", samples=4)
    wrong, right = critic.findings([WRONG, RIGHT])
    assert right is None
    assert wrong is not None
    assert wrong.wrong == pytest.approx(2 / 3, abs=1e-4)
    assert wrong.step == 0


@pytest.mark.parametrize(
    ("text", "number"),
    [("2", 2), (" Step 3", 3), ("0.", 0), ("4", None), ("none", None), ("", None)],
)
def test_answers(text: str, number: int | None) -> None:
    assert read_answer(text, 3) == number


def test_beliefs_and_findings_say_the_same() -> None:
    belief = np.array([0.4, 0.1, 0.3, 0.2])
    finding = from_beliefs(belief)
    assert beliefs(finding) == pytest.approx(belief, abs=1e-4)
    assert (finding.wrong, finding.step) == (pytest.approx(0.6, abs=1e-4), 1)
    other = from_beliefs(np.array([0.8, 0.0, 0.0, 0.2]))
    both = averaged([finding, None, other])
    assert both is not None
    assert beliefs(both) == pytest.approx([0.6, 0.05, 0.15, 0.2], abs=1e-4)
    assert averaged([None]) is None
    assert shares([None, 2, 2, 0], 2) == pytest.approx([1 / 3, 0, 2 / 3])


def test_the_question_names_every_step() -> None:
    text = question(WRONG)
    assert isinstance(text, str)
    assert [f"Step {i}" in text for i in (1, 2, 3, 4)] == [True, True, True, False]
