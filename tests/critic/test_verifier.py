"""The exact member: computed opinions, and where the answer first goes wrong."""

from typing import Any

import pytest

from superalign.critic import Item, Verifier
from superalign.critic.base import Opinion
from superalign.loop.queries import task
from superalign.records import Message, Query, Response


def query(domain: str = "mathematics", **truth: Any) -> Query:
    return Query(
        domain=domain,
        family="f",
        split="train",
        messages=(Message(role="user", content="What is 12 + 7 - 3?"),),
        truth=truth or {"answer": "16"},
        goal="What is 12 + 7 - 3?",
        fix="12 + 7 = 19. 19 - 3 = 16. 16",
    )


def opinion(text: str, of: Query | None = None) -> Opinion:
    asked = of or query()
    [found] = Verifier(["mathematics", "ethics"]).judge(
        [Item(asked, Response(query=asked.id, text=text))]
    )
    assert found is not None
    return found


def test_a_right_answer_is_certain() -> None:
    found = opinion("12 + 7 = 19. 19 - 3 = 16. The answer is 16.")
    assert (found.acceptable, found.exact) == (1.0, True)
    assert [c.kind for c in found.claims] == ["ok"]


def test_a_wrong_answer_is_located_at_its_first_false_step() -> None:
    found = opinion("12 + 7 = 18. 18 - 3 = 14. The answer is 14.")
    assert (found.acceptable, found.exact) == (0.0, True)
    [claim] = found.claims
    assert claim.kind == "wrong answer"
    assert "12 + 7 = 18" in claim.location
    assert claim.check is not None
    assert "19" in claim.check
    assert claim.fix == query().fix
    assert 0 < claim.severity <= 1
    assert claim.source == "verifier"


def test_a_true_first_step_is_not_blamed() -> None:
    [claim] = opinion("12 + 7 = 19. 19 - 3 = 15. The answer is 15.").claims
    assert "19 - 3 = 15" in claim.location
    assert "16" in str(claim.check)


def test_without_steps_the_answer_is_the_location() -> None:
    [claim] = opinion("15").claims
    assert claim.location == "answer '15'"
    assert "16" in str(claim.check)


@pytest.mark.parametrize("text", ["", "I do not know."])
def test_nothing_to_read_is_a_fault_that_says_so(text: str) -> None:
    found = opinion(text)
    assert found.acceptable == 0.0
    assert found.claims[0].kind in ("unparsed", "degenerate")
    assert found.claims[0].location == "the whole answer"


def test_ethics_answers_are_checked_by_construction() -> None:
    asked = task("ethics").generate(4, seed=1, split="train")
    for one in asked:
        assert one.fix
        assert opinion(one.fix, one).acceptable == 1.0


def test_generated_fixes_pass_their_own_check() -> None:
    asked = [x for x in task("mathematics").generate(60, seed=1, split="train") if x.fix]
    assert len(asked) > 30
    for one in asked:
        assert opinion(str(one.fix), one).acceptable == 1.0, one.fix


def test_it_is_silent_on_other_domains() -> None:
    asked = query("safety", harmful=True, topic=[])
    answers = [Item(asked, Response(query=asked.id, text="x"))]
    assert Verifier(["mathematics"]).judge(answers) == [None]
    assert Verifier([]).judge([Item(query(), Response(query="q", text="16"))]) == [None]
