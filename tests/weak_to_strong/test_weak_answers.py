"""What is taught of sampled answers, by hand; and how answers are numbered."""

import math

import pytest

from superalign.weak_to_strong.answers import (
    METHODS,
    Evidence,
    Taught,
    beliefs,
    exponent,
    naive,
    selective_consistency,
    self_consistency,
    tempered_product,
    votes,
)
from superalign.weak_to_strong.generative import numbered


def test_samples_without_an_answer_vote_for_nothing() -> None:
    assert votes(["7", None, "12", "7"]) == {"7": 0.5, "12": 0.25}
    assert votes([None, None]) == {}


def test_beliefs_are_a_softmax_of_log_probabilities() -> None:
    found = beliefs({"7": math.log(0.02), "12": math.log(0.06)})
    assert found == pytest.approx({"7": 0.25, "12": 0.75})
    assert beliefs({"7": -2000.0}) == {"7": 1.0}
    assert beliefs({}) == {}


def test_every_rule_by_hand() -> None:
    row = Evidence("5", {"7": 0.5, "12": 0.25}, {"7": 0.25, "12": 0.75})
    assert naive([row]) == [Taught("5", 1.0)]
    assert self_consistency([row]) == [Taught("7", 0.5)]
    assert selective_consistency([row]) == [None]  # the student finds 12 likelier
    agreed = Evidence("7", {"7": 0.5, "12": 0.25}, {"7": 0.6, "12": 0.4})
    assert selective_consistency([agreed]) == [Taught("7", 1.0)]


def test_votes_times_own_belief_by_hand() -> None:
    """Other problems show that the student knows what is answered: its belief counts whole.

    0.5 · 0.25 against 0.25 · 0.75: 12 has 0.6 of it, and a quarter of the samples said nothing.
    """
    row = Evidence("5", {"7": 0.5, "12": 0.25}, {"7": 0.25, "12": 0.75})
    known = [Evidence("1", {"1": 0.9, "2": 0.1}, {"1": 0.9, "2": 0.1})] * 200
    assert exponent(known) == 1
    taught = tempered_product([row, *known])[0]
    assert taught is not None
    assert (taught.answer, taught.weight) == ("12", pytest.approx(0.6 * 0.75))


def test_a_student_that_does_not_know_the_task_is_not_asked() -> None:
    """Its belief says nothing of the votes, or the opposite: then the votes alone decide."""
    against = [Evidence("1", {"1": 0.75, "2": 0.25}, {"1": 0.1, "2": 0.9})] * 20
    assert exponent(against) == 0
    assert tempered_product(against)[0] == Taught("1", 0.75)
    half = [Evidence("1", {"1": 0.75, "2": 0.25}, {"1": 0.9, "2": 0.1})] * 20
    assert exponent(half) == 0.5  # nine to one is too sure by half: the votes are three to one


def test_without_samples_no_rule_invents_an_answer() -> None:
    silent = Evidence(None, {}, {})
    assert [m.rule([silent]) for m in METHODS.values()] == [[None]] * len(METHODS)


def test_equal_wrong_answers_have_equal_numbers() -> None:
    said = {
        "a": [("7", True), ("3", False), (None, False)],
        "b": [("7.0", True), ("3", False), ("4", False)],
        "c": [("9", False), ("5", False), (None, False)],
    }
    assert numbered(said) == {"a": "011", "b": "012", "c": "121"}
