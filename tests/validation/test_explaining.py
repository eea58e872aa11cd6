"""Explanations of units whose rule is known, and of none."""

import numpy as np
import pytest

from superalign.models import LocalModel
from superalign.tasks.neutral import NEUTRAL_TEXTS
from superalign.validation.explaining import (
    Array,
    Texts,
    explain,
    pearson,
    score,
    shuffled,
    token_lookup,
)
from superalign.validation.neurons import ablation_effects, activations, cut, study, table

WORDS = "the cat sat on a red mat and saw one blue bird near the old house of stone".split()


def texts(n: int, seed: int) -> Texts:
    rng = np.random.default_rng(seed)
    return Texts(tuple(tuple(rng.choice(WORDS, 20)) for _ in range(n)))


def activation(of: Texts, rule: str) -> Array:
    found = []
    for words in of.words:
        for t, word in enumerate(words):
            before = words[t - 1] if t else ""
            fires = {
                "token": word in ("red", "blue"),
                "token before": before == "the",
                "token before and token": before == "the" and word == "old",
                "position": t == 0,
            }[rule]
            found.append(float(fires))
    noise = np.random.default_rng(1).uniform(0, 0.05, len(found))
    return np.array(found) + noise


RULES = ["token", "token before", "token before and token", "position"]


@pytest.mark.parametrize("rule", RULES)
def test_a_planted_unit_is_recovered_and_its_null_is_at_chance(rule: str) -> None:
    seen, unseen = texts(120, 0), texts(120, 1)
    train, test = activation(seen, rule), activation(unseen, rule)
    found = explain(seen, train)
    assert found.reads == rule
    got = score(found, unseen, test)
    assert got.natural is not None
    assert got.natural > 0.9
    assert got.precision is not None
    assert got.precision > 0.9
    nulls = [
        score(explain(seen, shuffled(train, s)), unseen, test).natural or 0.0 for s in range(20)
    ]
    assert abs(float(np.mean(nulls))) < 0.05


def test_token_lookup_cannot_see_the_token_before() -> None:
    seen, unseen = texts(120, 0), texts(120, 1)
    rule = "token before"
    lookup = score(token_lookup(seen, activation(seen, rule)), unseen, activation(unseen, rule))
    assert abs(lookup.natural or 0.0) < 0.15


def test_a_unit_that_never_fires_has_no_score() -> None:
    seen = texts(4, 0)
    silent = np.zeros(seen.tokens)
    got = score(explain(seen, silent), seen, silent)
    assert got.natural is None
    assert got.precision is None


def test_correlation_by_hand() -> None:
    assert pearson(np.array([1.0, 2, 3]), np.array([2.0, 4, 6])) == pytest.approx(1.0)
    assert pearson(np.array([1.0, 1, 1]), np.array([2.0, 4, 6])) is None


def test_activations_are_the_inputs_of_the_down_projection(base: LocalModel) -> None:
    """Down projection of what is read must give what the block's MLP gives."""
    ids, words = cut(base, NEUTRAL_TEXTS[:2], 12)
    block = base.module.model.layers[1].mlp
    seen = []
    handle = block.register_forward_hook(lambda m, a, out: seen.append(out[0].clone()))
    found = activations(base, ids, 1)
    handle.remove()
    assert found.shape == (words.tokens, 64)
    np.testing.assert_allclose(
        (found @ block.down_proj.weight.T).numpy(), np.concatenate([x.numpy() for x in seen]),
        atol=1e-4,
    )  # fmt: skip


def test_ablating_a_neuron_that_writes_nothing_changes_nothing(base: LocalModel) -> None:
    ids, _ = cut(base, NEUTRAL_TEXTS[:2], 10)
    column = base.module.model.layers[0].mlp.down_proj.weight[:, 3]
    kept = column.clone()
    try:
        column.zero_()
        nothing, something = ablation_effects(base, ids, 0, [3, 5])
    finally:
        column.copy_(kept)
    np.testing.assert_allclose(nothing, 0.0, atol=1e-6)
    assert something.max() > 1e-6
    assert something.min() >= -1e-6


def test_neurons_ablated_together_are_ablated_one_by_one(base: LocalModel) -> None:
    ids, _ = cut(base, NEUTRAL_TEXTS[:2], 10)
    together = ablation_effects(base, ids, 1, list(range(10)))
    for index in (0, 7, 9):
        [alone] = ablation_effects(base, ids, 1, [index])
        np.testing.assert_allclose(together[index], alone, atol=1e-6)


def test_a_table_by_layer_has_nulls_and_a_rate(base: LocalModel) -> None:
    found = table(base, NEUTRAL_TEXTS[:8], 3, (0, 1), 1, seed=0)
    assert [r["layer"] for r in found["by_layer"]] == [0, 1]
    assert len(found["neurons"]) == 6
    assert found["neurons_per_minute"] > 0
    for row in found["by_layer"]:
        for key in ("natural", "null", "causal", "causal_null", "token_lookup"):
            assert {"value", "low", "high", "n"} <= set(row[key])
    [neuron] = study(base, NEUTRAL_TEXTS[:4], 0, [5])
    assert neuron.causal is None
