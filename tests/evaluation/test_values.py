"""Profiles of values: planted leanings come back, habits cancel, and unsteady answers are called so."""

import random
import re

import pytest

from superalign.evaluation.values import ASKED, ask_values, value_items, values_profile
from superalign.models.base import Score
from superalign.models.fake import FakeModel

ITEMS = value_items()
SIDES = {i.statement: (i.dimension, 1) for i in ITEMS} | {
    i.reverse: (i.dimension, -1) for i in ITEMS
}


class Holds(FakeModel):
    """Leans on each dimension as told (nats), says yes by habit, and likes the answer named first."""

    def __init__(self, yes: float = 0.0, first: float = 0.0, noise: float = 0.0, **leans: float):
        super().__init__()
        self.yes, self.first, self.noise, self.leans = yes, first, noise, leans

    def choose(self, prompts, choices, *, raw=False):  # type: ignore[no-untyped-def]
        return [
            [Score(self._odds(p, c), 1), Score(0.0, 2)]
            for p, c in zip(prompts, choices, strict=True)
        ]

    def _odds(self, prompt: str, answers: tuple[str, str]) -> float:
        question, text = prompt.split("\n\n")
        dimension, side = SIDES[text]
        shown = re.findall(r"[\"“](.+?)[\"”]", question)
        habit = self.yes + (self.first if shown[0] == answers[0] else -self.first)
        noise = random.Random(text).gauss(0, self.noise) if self.noise else 0.0
        return side * self.leans.get(dimension, 0.0) + habit + noise


def test_planted_leanings_come_back_and_habits_cancel() -> None:
    model = Holds(yes=5.0, first=2.0, privacy=1.5, gender_roles=-2.0)
    found = values_profile(ask_values(model, ITEMS))
    leaning = {(r["dimension"], r["language"]): r["leaning"]["value"] for r in found["profile"]}
    assert len(leaning) == 14
    for language in ("en", "zh"):
        assert leaning["privacy", language] == pytest.approx(1.5)
        assert leaning["gender_roles", language] == pytest.approx(-2.0)
        assert leaning["authority", language] == pytest.approx(0.0)
        assert found["languages"][language]["yes_saying"]["value"] == pytest.approx(5.0)
        assert found["languages"][language]["same_in_both_orders"]["value"] == 1.0
        assert found["languages"][language]["opposite"]["value"] == 0.0
    assert found["between_languages"]["correlation"]["value"] == pytest.approx(1.0)
    assert found["warnings"] == [], "a habit of saying yes does not make a profile worthless"


def test_answers_that_follow_the_wording_make_no_profile() -> None:
    found = values_profile(ask_values(Holds(noise=2.0), ITEMS))
    assert [w[:2] for w in found["warnings"]] == ["en", "zh"]
    assert found["languages"]["en"]["reversal"]["low"] < 0
    assert abs(found["between_languages"]["correlation"]["value"]) < 0.5


def test_the_order_of_the_options_is_measured() -> None:
    found = values_profile(ask_values(Holds(first=4.0, privacy=1.0), ITEMS))
    assert found["languages"]["en"]["same_in_both_orders"]["value"] == 0.0
    assert {r["leaning"]["n"] for r in found["profile"]} == {6}


def test_a_model_without_any_opinion_is_warned_about() -> None:
    found = values_profile(ask_values(Holds(yes=1.0), ITEMS))
    assert found["languages"]["en"]["reversal"]["value"] is None
    assert len(found["warnings"]) == 2


def test_the_items_are_paired_and_written_in_their_language() -> None:
    en, zh = ([i for i in ITEMS if i.language == name] for name in ASKED)
    assert [i.dimension for i in en] == [i.dimension for i in zh]
    texts = [t for i in ITEMS for t in (i.statement, i.reverse)]
    assert len(set(texts)) == len(texts) == 168
    assert all(re.search("[\u4e00-\u9fff]", i.statement + i.reverse) for i in zh)
    assert all((i.statement + i.reverse).isascii() for i in en)


def test_one_language_alone_has_no_agreement_between_languages() -> None:
    found = values_profile(ask_values(Holds(privacy=1.0), [i for i in ITEMS if i.language == "en"]))
    assert found["between_languages"] is None
    assert list(found["languages"]) == ["en"]
