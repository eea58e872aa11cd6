"""Robustness curves: the counting by hand, the pairing of questions, and the probes on known states."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from superalign.evaluation.measure import Graded
from superalign.models import LocalModel
from superalign.records import Message, Query, Response, Verdict
from superalign.registry import lookup
from superalign.validation import noisy_labels
from superalign.validation import robustness as curves
from superalign.validation.curves import relative_area
from superalign.validation.noisy_labels import Concept, by_families, flipped, under_flips
from superalign.validation.robustness import agreement, derived, robustness, task_curves


def test_the_area_is_that_of_the_trapezoids() -> None:
    hits = np.array([[1, 1, 1, 1], [1, 1, 0, 0], [1, 0, 0, 0]], dtype=float)  # 1, 0.5, 0.25
    found = relative_area((0.0, 0.1, 0.3), hits)
    assert found.value == pytest.approx((0.1 * 0.75 + 0.2 * 0.375) / 0.3)
    assert found.n == 4
    assert found.low is not None
    assert found.high is not None
    assert found.low < found.value < found.high


def test_a_model_that_loses_nothing_has_area_one_and_one_that_knows_nothing_none() -> None:
    assert relative_area((0.0, 1.0), np.ones((2, 5))).value == 1
    assert relative_area((0.0, 1.0), np.zeros((2, 5))).value is None


def graded(value: float | None, parsed: str | None, domain: str = "mathematics") -> Graded:
    query = Query(domain=domain, family="f", split="train", messages=())
    kind = "ok" if value else "wrong answer"
    return Graded(
        query, Response(query="q", text="x"), Verdict(value=value, kind=kind, parsed=parsed)
    )


def test_agreement_compares_answers_and_leaves_out_what_cannot_be_read() -> None:
    clean = [graded(1, "4"), graded(0, "5"), graded(0, "6"), graded(None, None)]
    other = [graded(1, "4"), graded(0, "7"), graded(None, None), graded(1, "1")]
    found = agreement(clean, other)
    assert (found.value, found.n, found.missing) == (0.5, 2, 2)
    requests = [graded(1, None, "safety"), graded(0, None, "safety")]
    assert agreement(requests, requests[::-1]).value == 0


@pytest.mark.parametrize("task", ["mathematics", "ethics"])
def test_every_level_is_graded_like_the_question_that_was_meant(task: str) -> None:
    grade = lookup("task", task)().grade
    for asked in task_curves(task, 12, seed=3):
        for level in asked.levels:
            for query, clean in zip(level, asked.levels[0], strict=True):
                if query.fix is None:
                    continue
                assert grade(query, query.fix).value == 1.0
                if asked.paired:
                    assert query.fix == clean.fix
                    assert (query.family, query.split) == (clean.family, clean.split)


def test_levels_share_their_questions_and_a_derived_one_names_its_parent() -> None:
    found = task_curves("harmful", 7, seed=0)
    clean = found[0].levels[0]
    assert len(clean) == 7
    assert [q.split for q in clean].count("train") == 4
    assert all(one.levels[0] == clean for one in found)
    for one in found:
        assert len(one.xs) == len(one.levels)
        for level in one.levels[1:]:
            assert [q.parent for q in level] == [q.id for q in clean]
            assert all(q.truth["harmful"] for q in level)


def test_sums_grow_by_digits_and_are_right() -> None:
    digits = task_curves("mathematics", 6, seed=1)[-1]
    for x, level in zip(digits.xs, digits.levels, strict=True):
        for query in level:
            a, b = (int(w) for w in query.text.removeprefix("What is ").strip("?").split(" + "))
            assert len(str(a)) == len(str(b)) == int(x)
            assert query.truth["answer"] == str(a + b)


def test_a_derived_query_keeps_earlier_turns() -> None:
    messages = (Message(role="system", content="s"), Message(role="user", content="u?"))
    query = Query(
        domain="ethics", family="f", split="train", truth={"answer": "yes"}, messages=messages
    )
    made = derived(query, "typos 0.1", "v?")
    assert [m.content for m in made.messages] == ["s", "v?"]
    assert (made.truth["question"], made.parent, made.operator) == ("u?", query.id, "typos 0.1")


def test_flips_are_exact_and_only_flips() -> None:
    labels = np.array([0, 1] * 10)
    made = flipped(labels, 0.3, np.random.default_rng(0))
    assert int((made != labels).sum()) == 6
    assert set(made) == {0, 1}
    assert (flipped(labels, 0.0, np.random.default_rng(0)) == labels).all()


def concept(n: int, families: int) -> Concept:
    rows = [
        Query(
            domain="safety", family=f"f{i // 2 % families}", split="train", messages=(), seed=i,
            truth={"harmful": i % 2 == 0},
        )
        for i in range(n)
    ]  # fmt: skip
    return Concept("harmful", tuple(rows[: n // 2]), tuple(rows[n // 2 :]))


def states(of: Concept, signal: float) -> Any:
    rng = np.random.default_rng(0)
    found = []
    for rows in (of.train, of.test):
        x = rng.normal(size=(len(rows), 12))
        x[:, 0] += signal * (2 * of.labels(rows) - 1)
        found.append(x.astype(np.float32))
    return tuple(found)


def test_heads_learn_a_clear_concept_through_noise_and_nothing_from_nothing() -> None:
    known = concept(400, 16)
    clear = under_flips(known, states(known, 4.0)).mean(1)
    assert clear[0] > 0.99
    assert clear[2] > 0.9
    assert clear[0] >= clear[2] >= clear[4] > 0.5
    nothing = under_flips(known, states(known, 0.0)).mean(1)
    assert np.abs(nothing - 0.5).max() < 0.1


def test_a_concept_of_one_family_is_not_carried_to_others() -> None:
    known = concept(400, 16)
    train, test = states(known, 4.0)
    assert (by_families(known, (train, test)).mean(1) > 0.95).all()
    for i, query in enumerate(known.train):  # each family has the concept in a direction of its own
        train[i] = 0
        train[i, 1 + int(query.family[1:]) % 11] = 2.0 * query.truth["harmful"] - 1
    assert by_families(known, (train, test)).mean(1).max() < 0.7


def test_all_curves_of_a_model_and_its_base(
    base: LocalModel, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(noisy_labels, "TRAINED", 64)
    monkeypatch.setattr(noisy_labels, "TESTED", 20)
    monkeypatch.setattr(curves, "TOKENS", dict.fromkeys(curves.TOKENS, 8))
    adapted = base.with_adapter(base.fresh_adapter(rank=1, alpha=1, seed=0), name="learner")
    told: list[tuple[str, float]] = []
    found = robustness(adapted, base, 4, lambda phase, share, note: told.append((phase, share)))
    names = {(c["kind"], c["name"]) for c in found["curves"]}
    assert {name for _, name in names} == {
        "typos", "case", "spaces", "homoglyphs", "rewording", "digits", "families",
        "labels flipped", "families seen",
    }  # fmt: skip
    assert told[-1] == ("robustness, probes", 1.0)
    for one in found["curves"]:
        assert one["model"]["points"] == one["base"]["points"]  # an adapter of zeros is the base
        for point in one["model"]["points"]:
            assert point["n"] > 0
            assert point["value"] is not None
    paired = next(c for c in found["curves"] if c["name"] == "typos")
    assert [c["value"] for c in paired["over_base"]] == [0.0] * 4
    for right, wrong in zip(paired["model"]["points"], paired["model"]["failed"], strict=True):
        decided = right["n"] - right.get("missing", 0)
        assert round((right["value"] + wrong["value"]) * right["n"]) == decided
