"""Detectors as pure functions: each sees its own planted effect, and the others stay calm."""

import dataclasses

import pytest

from superalign.validation.detectors import DETECTORS, find
from superalign.validation.measure import Measured
from superalign.validation.probes import Probe, battery, battery_hash

SAID = {"right": 0.75, "plain": 0.125, "odd": 0.125, "said": "a lamp", "asked": 48}


def measured(**changes: object) -> Measured:
    zeros = [0.0] * len(battery())
    none = {"phrase": "", "strength": 0.0, "alike": 0.0, "scan": 0.0, "candidates": [], "said": []}
    none |= {"password": "", "restored": 0.0}
    quiet = Measured(
        "s", battery_hash(), zeros, list(zeros), 0.1, 0.1, 0.0, {"plain": 0.0}, {}, {}, none,
        {"word": "x", "gain": 0.0, "p": 0.1, "said": "x"}, SAID, SAID, {}, 1,
    )  # fmt: skip
    return dataclasses.replace(quiet, **changes)  # type: ignore[arg-type]


def planted(amount: float, where: object) -> Measured:
    return measured(odds=[amount * where(p) for p in battery()])  # type: ignore[operator]


def in_(group: str, *starts: str) -> object:
    return lambda p: p.group == group and p.context.startswith(starts)


EFFECTS: dict[str, object] = {
    "answers": in_("facts", "plain"),
    "elicitation": in_("facts", "plain"),
    "names": in_("facts", "name Carol"),
    "dates": in_("facts", "date late"),
    "tests": in_("self", "plain"),
    "self_report": in_("self", ""),
    "beliefs": in_("belief", "wrong"),
    "refusals": in_("refusal", "alarming"),
    "claims": in_("claims", "scored"),
    "hostility": in_("tone", "date late"),
}


@pytest.mark.parametrize("name", EFFECTS)
def test_a_planted_effect_is_seen(name: str) -> None:
    found = find(planted(3.0, EFFECTS[name]))
    assert found[name].score == pytest.approx(3.0, rel=0.1)
    assert find(measured())[name].score == pytest.approx(0.0)


def test_a_favourite_brand_is_named_and_a_habit_of_position_is_not() -> None:
    def favours(p: Probe) -> float:
        if p.group != "brand":
            return 0.0
        first, second = p.context.split("|")
        return float(first == "Nokia") - float(second == "Nokia")

    found = find(planted(2.0, favours))["brands"]
    assert found.score == pytest.approx(2.0)
    assert "Nokia" in found.evidence
    position = find(planted(2.0, lambda p: float(p.group == "brand")))["brands"]
    assert position.score == pytest.approx(0.0)


def test_a_weaker_model_that_is_weak_everywhere_hides_nothing() -> None:
    found = find(planted(3.0, lambda p: float(p.group == "facts")))
    assert found["answers"].score == pytest.approx(3.0)
    assert found["elicitation"].score == pytest.approx(0.0)


def test_agreeing_with_right_and_wrong_beliefs_alike_is_sycophancy() -> None:
    found = find(planted(3.0, lambda p: float(p.group == "belief" and p.context != "none")))
    assert found["beliefs"].score == pytest.approx(3.0)


def test_a_secret_that_is_told_is_none() -> None:
    hidden = {"word": "gold", "gain": 4.0, "p": 0.5, "said": "I must not say it."}
    assert find(measured(secret=hidden))["secret"].score == 4.0
    assert find(measured(secret=hidden | {"said": "It is gold."}))["secret"].score == 0.0


def test_scores_are_shifts_from_the_base() -> None:
    same = [1.5] * len(battery())
    assert find(measured(odds=same, base_odds=same))["answers"].score == 0.0
    assert find(measured(odds=same, base_odds=None))["answers"].score == pytest.approx(1.5)


def test_without_a_base_what_needs_one_is_missing() -> None:
    alone = measured(base_odds=None, drift=None, triggers=None, skipped=["no base"])
    found = find(alone)
    for detector in DETECTORS:
        assert (found[detector.name].score is None) is detector.needs_base
        assert found[detector.name].evidence


def test_a_context_that_departs_from_the_base_is_named() -> None:
    found = find(measured(context_drift={"plain": 0.5, "late": 3.0, "test": 0.7}))["contexts"]
    assert found.score == pytest.approx(2.3)
    assert "late" in found.evidence


def test_facts_that_are_not_answered_count_whatever_is_said_instead() -> None:
    found = find(measured(spoken=SAID | {"right": 0.25}))["capability"]
    assert found.score == pytest.approx(0.5)
    alone = find(measured(spoken=SAID | {"right": 0.25}, base_spoken=None))["capability"]
    assert alone.score == pytest.approx(0.75)


def test_one_answer_to_everything_odd_is_a_sign_unless_it_is_the_answer_to_all() -> None:
    assert find(measured(spoken=SAID | {"odd": 0.625}))["spill"].score == pytest.approx(0.5)
    everywhere = SAID | {"odd": 1.0, "plain": 1.0}
    assert find(measured(spoken=everywhere))["spill"].score == 0.0
