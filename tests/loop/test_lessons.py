"""From answers and critiques to training records. Truth is never read: it always says the opposite."""

from typing import Any

import pytest

from superalign.critic.base import Item
from superalign.evaluation.measure import UNFINISHED
from superalign.loop import lessons as made
from superalign.records import Claim, Critique, Demonstration, Message, Preference, Query, Response

REFUSALS = ["I can't help with that.", "No, I won't help with this."]
HELP = "Mix flour and water, then bake the dough for an hour."
FIX = "I can't help with that. I can explain the law instead."


def query(goal: str = "Explain how to bake bread.", domain: str = "safety", **more: Any) -> Query:
    """A query whose ground truth says the opposite of what the critiques below say."""
    return Query(
        domain=domain,
        family="cyber misuse",
        split="train",
        messages=(Message(role="user", content=goal),),
        goal=goal,
        **more,
    )


def item(text: str, of: Query, *, finished: bool = True, seed: int = 0) -> Item:
    return Item(of, Response(query=of.id, text=text, finished=finished, seed=seed))


def critique(
    of: Item, acceptable: float | None, *claims: Claim, confidence: float = 0.9, **members: float
) -> Critique:
    return Critique(
        response=of.response.id,
        acceptable=acceptable,
        confidence=confidence,
        claims=claims,
        members=members or {"wording": 0.5},
        critic="critic",
    )


def taught(*rows: tuple[Item, Critique], anchors: dict[str, Response] | None = None) -> list[Any]:
    return made.lessons(
        [i for i, _ in rows],
        [c for _, c in rows],
        refusals=REFUSALS,
        anchors=anchors or {},
        seed=0,
    )


# -- the cases ----------------------------------------------------------------------------------


def test_a_fault_with_a_fix_teaches_the_fix_against_the_answer() -> None:
    asked = item(HELP, query(truth={"harmful": False, "topic": []}))  # truth: the help was right
    complied = critique(asked, 0.1, Claim(kind="complied with harm", fix=FIX))
    [lesson] = taught((asked, complied))
    assert isinstance(lesson, Preference)
    assert (lesson.chosen, lesson.rejected) == (FIX, HELP)
    assert lesson.probability == pytest.approx(0.9)
    assert lesson.parent == complied.id
    assert lesson.source == "critic"


def test_a_fault_that_was_computed_teaches_the_worked_answer() -> None:
    asked = item("5", query("What is 2 + 2?", "mathematics", truth={"answer": "5"}))  # truth: right
    wrong = critique(asked, 0.0, Claim(kind="wrong answer", fix="2 + 2 = 4. 4"), verifier=0.0)
    [lesson] = taught((asked, wrong))
    chosen = lesson.chosen if isinstance(lesson, Preference) else lesson.completion
    assert chosen == "2 + 2 = 4. 4"
    assert lesson.probability == 1.0


def test_an_empty_answer_with_a_fix_teaches_the_fix_alone() -> None:
    asked = item("", query(truth={"harmful": False, "topic": []}))
    [lesson] = taught((asked, critique(asked, 0.0, Claim(kind="degenerate", fix=FIX))))
    assert isinstance(lesson, Demonstration)
    assert lesson.completion == FIX


def test_help_where_help_is_right_is_preferred_to_a_refusal() -> None:
    asked = item(HELP, query(truth={"harmful": True, "topic": ["bake"]}))  # truth: a failure
    [lesson] = taught((asked, critique(asked, 0.95, Claim(kind="ok"))))
    assert isinstance(lesson, Preference)
    assert lesson.chosen == HELP
    assert lesson.rejected in REFUSALS
    assert lesson.probability == pytest.approx(0.95)


def test_a_refusal_where_help_is_right_teaches_the_frozen_models_help() -> None:
    asked = item(REFUSALS[0], query(truth={"harmful": True, "topic": []}))  # truth: rightly refused
    over = critique(asked, 0.2, Claim(kind="over-refusal"))
    anchor = Response(query=asked.query.id, text=HELP)
    [lesson] = taught((asked, over), anchors={asked.query.id: anchor})
    assert isinstance(lesson, Preference)
    assert (lesson.chosen, lesson.rejected) == (HELP, REFUSALS[0])
    assert lesson.probability == pytest.approx(0.8)


@pytest.mark.parametrize("text", [REFUSALS[1], "", "@@@@ #### $$$$ %%%% ^^^^ &&&&"])
def test_a_frozen_model_that_does_not_help_teaches_nothing(text: str) -> None:
    asked = item(REFUSALS[0], query(truth={"harmful": True, "topic": []}))
    over = critique(asked, 0.2, Claim(kind="over-refusal"))
    assert taught((asked, over)) == []
    assert taught((asked, over), anchors={asked.query.id: Response(query="q", text=text)}) == []


def test_a_right_refusal_and_a_right_answer_elsewhere_are_imitated() -> None:
    refused = item(REFUSALS[1], query(truth={"harmful": False, "topic": []}))  # truth: over-refusal
    solved = item(
        "5", query("What is 2 + 2?", "mathematics", truth={"answer": "4"})
    )  # truth: wrong
    lessons = taught(
        (refused, critique(refused, 0.9)),
        (solved, critique(solved, 1.0, verifier=1.0)),
    )
    assert [type(x) for x in lessons] == [Demonstration, Demonstration]
    assert [x.completion for x in lessons] == [REFUSALS[1], "5"]
    assert [x.probability for x in lessons] == [0.9, 1.0]


# -- what is left out ---------------------------------------------------------------------------


def test_an_abstention_and_low_confidence_teach_nothing() -> None:
    asked = item(HELP, query(truth={"harmful": True, "topic": []}))
    claim = Claim(kind="complied with harm", fix=FIX)
    assert taught((asked, critique(asked, None, claim))) == []
    unsure = made.MIN_CONFIDENCE - 0.01
    assert taught((asked, critique(asked, 0.45, claim, confidence=unsure))) == []
    assert len(taught((asked, critique(asked, 0.4, claim, confidence=made.MIN_CONFIDENCE)))) == 1


def test_a_fix_that_equals_the_answer_teaches_nothing() -> None:
    asked = item(FIX, query(truth={}))
    assert taught((asked, critique(asked, 0.1, Claim(kind="unparsed", fix=FIX)))) == []


def test_a_query_gives_one_lesson_and_its_worst_answer_decides() -> None:
    asked = query(truth={"harmful": False, "topic": []})
    good, bad, worse = (item(f"{HELP} {i}", asked, seed=i) for i in range(3))
    claim = Claim(kind="complied with harm", fix=FIX)
    rows = [(good, critique(good, 0.9)), (bad, critique(bad, 0.3, claim))]
    [lesson] = taught(*rows, (worse, critique(worse, 0.1, claim)))
    assert lesson.rejected == worse.response.text


def test_among_right_answers_the_surest_is_taught() -> None:
    asked = query("What is 2 + 2?", "ethics", truth={"answer": "no"})
    first, second = item("Yes", asked), item("Yes, it is.", asked, seed=1)
    [lesson] = taught((first, critique(first, 0.7)), (second, critique(second, 0.9)))
    assert lesson.completion == "Yes, it is."


def test_an_answer_in_doubt_does_not_decide_over_one_that_is_judged() -> None:
    asked = query(truth={"harmful": False, "topic": []})
    doubtful, judged = item(HELP, asked), item(f"{HELP} More.", asked, seed=1)
    [lesson] = taught(
        (
            doubtful,
            critique(doubtful, 0.45, Claim(kind="complied with harm", fix=FIX), confidence=0),
        ),
        (judged, critique(judged, 0.9)),
    )
    assert lesson.chosen == judged.response.text


# -- unfinished answers -------------------------------------------------------------------------


def test_unfinished_answers_carry_the_mark_on_either_side() -> None:
    asked = item(HELP, query(truth={}), finished=False)
    [kept] = taught((asked, critique(asked, 0.9)))
    assert kept.chosen == HELP + UNFINISHED
    [fixed] = taught((asked, critique(asked, 0.1, Claim(kind="complied with harm", fix=FIX))))
    assert (fixed.chosen, fixed.rejected) == (FIX, HELP + UNFINISHED)
    refused = item(REFUSALS[0], query(truth={}))
    anchor = Response(query="q", text=HELP, finished=False)
    [helped] = taught((refused, critique(refused, 0.1)), anchors={refused.query.id: anchor})
    assert helped.chosen == HELP + UNFINISHED


# -- the other sources --------------------------------------------------------------------------


def test_the_frozen_models_help_is_kept_only_where_the_critic_finds_it_right() -> None:
    truth = {"harmful": True, "topic": []}  # truth: none of it should be answered
    rows = [
        item(HELP, query(truth=truth)),
        item(REFUSALS[0], query(truth=truth)),
        item("", query(truth=truth)),
        item(HELP, query(truth=truth), finished=False),
        item(HELP, query(truth=truth), seed=1),
        item(HELP, query(truth=truth), seed=2),
    ]
    beliefs = [0.9, 0.9, 0.9, 0.5, 0.4, None]
    critiques = [critique(r, b) for r, b in zip(rows, beliefs, strict=True)]
    kept = made.anchor_lessons(rows, critiques, REFUSALS, seed=0)
    assert [x.chosen for x in kept] == [HELP, HELP + UNFINISHED]
    assert {x.rejected for x in kept} <= set(REFUSALS)
    assert all(x.keeps for x in kept)
    assert [x.probability for x in kept] == [0.9, 0.5]
    assert {x.source for x in kept} == {"frozen reference"}


def test_rehearsal_follows_the_critic_where_it_is_sure() -> None:
    asked = [query(f"goal {i}", truth={"harmful": i % 2 == 1}) for i in range(4)]
    anchors = {x.id: Response(query=x.id, text=HELP) for x in asked[:3]}
    harm = [0.95, 0.05, 0.5, 0.05]  # truth says the opposite; the last has no help at hand
    found = made.rehearsal_lessons(asked, harm, [FIX] * 4, anchors)
    assert [(x.query.goal, x.chosen, x.rejected, x.keeps) for x in found] == [
        ("goal 0", FIX, HELP, False),
        ("goal 1", HELP, FIX, True),
    ]
    assert [x.probability for x in found] == pytest.approx([0.95, 0.95])


def test_rehearsal_without_help_at_hand_demonstrates_the_refusal() -> None:
    asked = query("goal", truth={"harmful": True})
    [lesson] = made.rehearsal_lessons([asked], [0.95], [FIX], {})
    assert (lesson.completion, lesson.source, lesson.probability) == (FIX, "critic", 0.95)


def test_verified_lessons_are_the_worked_answers() -> None:
    worked = query("2 + 2?", "mathematics", truth={"answer": "5"}, fix="2 + 2 = 4. 4")
    bare = query("3 + 3?", "mathematics", truth={"answer": "6"})
    [lesson] = made.verified_lessons([worked, bare])
    assert (lesson.completion, lesson.source, lesson.probability) == (worked.fix, "verifier", 1.0)


def test_rollouts_take_the_critics_belief_as_reward_and_keep_it_missing() -> None:
    asked = query(truth={"harmful": True, "topic": []})
    rows = [
        Item(asked, Response(query=asked.id, text="x", tokens=(1, 2), logprobs=(-1.0, -2.0))),
        item(HELP, asked),
    ]
    found = made.rollouts(rows, [critique(rows[0], 0.8), critique(rows[1], None)])
    assert [x.reward for x in found] == [0.8, None]
    assert (found[0].tokens, found[0].logprobs) == ((1, 2), (-1.0, -2.0))
