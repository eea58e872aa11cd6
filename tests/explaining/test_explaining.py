"""Explanations of units whose rule is known, and of none."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from superalign.explaining.counting import KEPT, SAID, CountingExplainer, Explanation, Simulator
from superalign.explaining.recording import Array, Texts
from superalign.explaining.scoring import (
    Score,
    average_precisions,
    correlations,
    firing,
    pearson,
    score,
)
from superalign.explaining.study import shuffled

WORDS = [
    f" {w}" for w in "the cat sat on a red mat and saw one blue bird near the old . house".split()
]


def texts(n: int, seed: int) -> Texts:
    rng = np.random.default_rng(seed)
    return Texts(tuple(tuple(rng.choice(WORDS, 20)) for _ in range(n)))


def activation(of: Texts, rule: str) -> Array:
    found = []
    for words in of.words:
        plain = [w.strip() for w in words]
        for t, word in enumerate(plain):
            before = plain[t - 1] if t else ""
            fires = {
                "token": word in ("red", "blue"),
                "token before": before == "the",
                "token before and token": before == "the" and word == "old",
                "position": t == 3,
            }[rule]
            found.append(float(fires))
    noise = np.random.default_rng(1).uniform(0, 0.05, len(found))
    return np.array(found) + noise


def scored(explanations: list[Explanation], unseen: Texts, true: Array) -> list[Score]:
    return score(Simulator(unseen).simulate(explanations), true, unseen)


RULES = ["token", "token before", "token before and token", "position"]


def test_planted_units_are_recovered_together_and_their_nulls_are_at_chance() -> None:
    seen, unseen = texts(120, 0), texts(120, 1)
    train = np.stack([activation(seen, r) for r in RULES], 1)
    test = np.stack([activation(unseen, r) for r in RULES], 1)
    explainer = CountingExplainer(seen)
    found = explainer.explain(train)
    for rule, explanation, got in zip(RULES, found, scored(found, unseen, test), strict=True):
        assert explanation.reads[0] == rule
        assert got.natural is not None
        assert got.natural > 0.9
        assert got.precision is not None
        assert got.precision > 0.9
    nulls = np.array(
        [
            [s.natural or 0.0 for s in scored(explainer.explain(shuffled(train, i)), unseen, test)]
            for i in range(20)
        ]
    )
    assert (abs(nulls.mean(0)) < 0.05).all()


def test_a_unit_with_two_rules_needs_two_kinds_of_features() -> None:
    seen, unseen = texts(120, 0), texts(120, 1)
    train, test = (activation(t, "token") + activation(t, "position") for t in (seen, unseen))
    [found] = CountingExplainer(seen).explain(train[:, None])
    assert {"token", "position"} <= set(found.reads)
    [got] = scored([found], unseen, test[:, None])
    assert got.natural is not None
    assert got.natural > 0.9
    assert "'red'" in str(found)
    assert "'3'" in str(found)


def test_what_is_said_is_the_few_levels_above_rest() -> None:
    levels = {("token", (str(i),)): 1.0 - 2 * (i % 2) for i in range(40)}
    said = Explanation(levels, 0.5).said
    assert len(said.levels) == SAID
    assert all(level > 0 for level in said.levels.values())
    assert said.rest == 0.5


def test_no_more_levels_are_kept_than_asked_for() -> None:
    seen = texts(30, 0)
    noise = np.random.default_rng(0).random((seen.tokens, 3))
    explainer = CountingExplainer(seen)
    assert all(len(e.levels) <= 5 for e in explainer.explain(noise, kept=5))
    assert all(len(e.levels) <= KEPT for e in explainer.explain(noise))
    [lookup] = explainer.token_lookup(noise[:, :1])
    assert len(lookup.levels) == len(set(WORDS))


def test_levels_by_hand() -> None:
    """One unit that is 4 at 'a' (twice) and 1 at 'b' (four times): mean 2, levels shrunk by two."""
    seen = Texts((("a", "b", "b"), ("b", "b", "a")))
    [lookup] = CountingExplainer(seen).token_lookup(np.array([[4.0], [1], [1], [1], [1], [4]]))
    assert lookup.rest == pytest.approx(2.0)
    assert lookup.levels["token", ("a",)] == pytest.approx(2 * 2 / (2 + 2))
    assert lookup.levels["token", ("b",)] == pytest.approx(4 * -1 / (4 + 2))
    simulated = Simulator(Texts((("a", "c"),))).simulate([lookup])
    np.testing.assert_allclose(simulated[:, 0], [3.0, 2.0])


def test_token_lookup_cannot_see_the_token_before() -> None:
    seen, unseen = texts(120, 0), texts(120, 1)
    rule = "token before"
    lookup = CountingExplainer(seen).token_lookup(activation(seen, rule)[:, None])
    [got] = scored(lookup, unseen, activation(unseen, rule)[:, None])
    assert abs(got.natural or 0.0) < 0.15


def test_a_unit_that_never_fires_has_no_score() -> None:
    seen = texts(4, 0)
    silent = np.zeros((seen.tokens, 1))
    [got] = scored(CountingExplainer(seen).explain(silent), seen, silent)
    assert got.natural is None
    assert got.precision is None
    assert got.base_rate == 0.0


def test_correlation_by_hand() -> None:
    assert pearson(np.array([1.0, 2, 3]), np.array([2.0, 4, 6])) == pytest.approx(1.0)
    assert pearson(np.array([1.0, 1, 1]), np.array([2.0, 4, 6])) is None


def test_scores_of_many_units_are_those_of_numpy_and_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    true = rng.random((200, 6)) ** 4
    predicted = np.round(true + rng.normal(0, 0.3, true.shape), 1)  # with ties
    predicted[:, 5] = 0.5
    fires = firing(true)
    by_column = average_precisions(predicted, fires)
    for n in range(6):
        expected = average_precision_score(fires[:, n], predicted[:, n])
        assert by_column[n] == pytest.approx(expected)
        if n < 5:
            expected = np.corrcoef(predicted[:, n], true[:, n])[0, 1]
            assert correlations(predicted, true)[n] == pytest.approx(expected)
    assert np.isnan(correlations(predicted, true)[5])
    assert np.isnan(average_precisions(predicted[:, :1], np.ones((200, 1), dtype=bool))[0])
