"""Methods: each formula by hand, and each method on a world where the truth is known."""

from dataclasses import replace

import numpy as np
import pytest
import weak_toy

import superalign.weak_to_strong.methods  # noqa: F401 - registers them
from superalign.registry import registered
from superalign.weak_to_strong.heads import Space, cross_fitted, one_hot
from superalign.weak_to_strong.labels import labels_of
from superalign.weak_to_strong.method import NotApplicable
from superalign.weak_to_strong.methods.auxiliary_confidence import hardened, share
from superalign.weak_to_strong.methods.co_supervision import dawid_skene
from superalign.weak_to_strong.methods.default import LEADING, SALIENT, belief, evidence, sharpened
from superalign.weak_to_strong.methods.elicitation import mean_log_odds, principal
from superalign.weak_to_strong.methods.graph_smoothing import smoothed
from superalign.weak_to_strong.methods.noise_correction import transition
from superalign.weak_to_strong.methods.product import product
from superalign.weak_to_strong.methods.selective import surest
from superalign.weak_to_strong.readings import salience, share_shift

METHODS = registered("method")
CLASSES_ONLY = {"zero_shot", "class_shares"}
TUNED = {"fine_tuned_naive", "fine_tuned_log_confidence"}
PAIRS_ONLY = {"soft_bradley_terry", "cdpo", "rdpo", "confidence_weighted"}


def test_there_are_twelve_methods_or_more_each_with_a_source() -> None:
    assert len(METHODS) >= 12
    for method in METHODS.values():
        assert method.source
        assert method.__doc__


@pytest.mark.parametrize("name", sorted(METHODS))
@pytest.mark.parametrize("pairs", [False, True], ids=["classes", "pairs"])
def test_each_method_beats_its_supervisor_under_random_noise(name: str, pairs: bool) -> None:
    setting, truth = weak_toy.setting(pairs=pairs)
    method = METHODS[name]()
    if (name in PAIRS_ONLY and not pairs) or (name in CLASSES_ONLY and pairs):
        with pytest.raises(NotApplicable):
            method.predict(setting)
        return
    made = method.predict(setting)
    assert made.test.shape == (len(truth), 2)
    assert made.test.sum(1) == pytest.approx(np.ones(len(truth)))
    assert 0 < made.labels_used <= 2 * 240
    assert (made.test.argmax(1) == truth).mean() > 0.75  # the supervisor: 0.70


@pytest.mark.parametrize("name", sorted(set(METHODS) - PAIRS_ONLY - TUNED - {"zero_shot"}))
def test_three_classes_work_too(name: str) -> None:
    rng = np.random.default_rng(3)
    truth = rng.integers(0, 3, 300)
    x = (rng.normal(size=(300, 12)) + 3 * np.eye(12)[truth]).astype(np.float32)
    base, _ = weak_toy.setting()
    space = Space.of(x[:150], x[150:])
    weak = labels_of("weak", 0.1 + 0.7 * one_hot(truth[:150], 3))
    setting = type(base)(
        {"plain": space, "cue at 1": space}, weak, (weak, weak), (space,), None, space, False, 0
    )
    assert (METHODS[name]().predict(setting).test.argmax(1) == truth[150:]).mean() > 0.7


def test_a_method_sees_no_label_of_weight_zero() -> None:
    """Rows whose label is missing may be wrong in any way without changing the answer."""
    setting, _ = weak_toy.setting(n=100)
    p = setting.weak.probability.copy()
    p[::3] = np.nan
    weak = labels_of("weak", p)
    upset = type(weak)(weak.source, np.where(np.isnan(p), [[0.9, 0.1]], p), weak.weight)
    for name in ("naive", "log_confidence", "selective_confidence", "graph_smoothing", "default"):
        first, second = (
            METHODS[name]().predict(type(setting)(setting.views, w, (w,), seed=0)).test
            for w in (weak, upset)
        )
        assert first == pytest.approx(second, abs=1e-6), name


def test_the_auxiliary_share_grows_over_the_warm_up_and_then_stays() -> None:
    """At half of the warm-up it is half of the most; the published code has a fifth of that."""
    assert [share(s, 11, 0.2, 0.75) for s in (0, 1, 2, 3, 10)] == pytest.approx(
        [0, 0.375, 0.75, 0.75, 0.75]
    )
    assert share(0, 11, 0.0, 0.5) == 0.5


def test_hardening_keeps_the_class_shares() -> None:
    p1 = np.array([0.9, 0.8, 0.7, 0.6])
    two = hardened(np.stack([1 - p1, p1], 1), np.array([0.5, 0.5]))
    assert two[:, 1].tolist() == [1, 1, 0, 0]
    p = np.random.default_rng(0).dirichlet([4, 2, 1], 600)
    assert hardened(p, np.full(3, 1 / 3)).mean(0) == pytest.approx(np.full(3, 1 / 3), abs=0.03)


def test_the_product_by_hand() -> None:
    p, y = np.array([[0.2, 0.8]]), np.array([[0.6, 0.4]])
    assert product(p, y, student=1) == pytest.approx(np.array([[0.12, 0.32]]) / 0.44)
    assert product(p, y, student=0) == pytest.approx(y)


def test_the_surest_are_taken_class_by_class() -> None:
    trust = np.array([0.9, 0.8, 0.7, 0.3, 0.2, 0.99])
    hard = np.array([0, 0, 0, 1, 1, 0])
    assert surest(trust, hard, np.array([1, 1, 1, 1, 1, 0]), 0.5).tolist() == [1, 1, 0, 1, 0, 0]


def test_dawid_skene_finds_who_is_right() -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, 2000)
    rates = (0.1, 0.25, 0.4)
    votes = np.stack([np.eye(2)[np.where(rng.random(2000) < r, 1 - truth, truth)] for r in rates])
    posterior, confusion = dawid_skene(votes, np.ones((3, 2000)))
    found = [1 - np.diag(c).mean() for c in confusion]
    assert found == pytest.approx(rates, abs=0.05)
    majority = (votes.sum(0).argmax(1) == truth).mean()
    assert (posterior.argmax(1) == truth).mean() > majority + 0.02


def test_dawid_skene_one_step_by_hand() -> None:
    """Two annotators who agree: the posterior after one step is Bayes' rule with smoothed counts."""
    votes = np.array([[[1.0, 0], [0, 1.0]]] * 2)
    posterior, confusion = dawid_skene(votes, np.ones((2, 2)), steps=1)
    assert confusion[0] == pytest.approx(np.array([[1.75, 0.25], [0.25, 1.75]]) / 2, abs=1e-6)
    assert posterior[0, 0] == pytest.approx(0.875**2 / (0.875**2 + 0.125**2), abs=1e-6)


def test_label_spreading_by_its_series() -> None:
    """(I − aS)⁻¹ is Σ aⁱ Sⁱ; a wrong label amid a cluster is corrected."""
    rng = np.random.default_rng(0)
    x = np.concatenate([rng.normal(3, 1, (20, 2)), rng.normal(-3, 1, (20, 2))])
    unit = x / np.linalg.norm(x, axis=1, keepdims=True)
    y = one_hot(np.repeat([1, 0], 20), 2)
    y[0] = [1, 0]
    spread = smoothed(unit @ unit.T, y, np.ones(40), neighbours=5)
    assert spread[0].argmax() == 1
    near = unit @ unit.T - 3 * np.eye(40)
    graph = np.zeros((40, 40))
    for i in range(40):
        for j in np.argsort(-near[i])[:5]:
            graph[i, j] = max(float((unit @ unit.T)[i, j]), 0)
    graph = np.maximum(graph, graph.T)
    root = 1 / np.sqrt(graph.sum(1))
    s = root[:, None] * graph * root
    total, term = np.zeros_like(y), y
    for _ in range(200):
        total, term = total + term, 0.8 * s @ term
    assert spread == pytest.approx(total / total.sum(1, keepdims=True), abs=1e-6)


def test_the_transition_matrix_of_known_noise_is_found() -> None:
    setting, _ = weak_toy.setting(n=1500, flip_rate=0.25)
    hard = setting.weak.hard
    p = cross_fitted(setting.plain, one_hot(hard, 2))
    off = 1 - np.diag(transition(p, hard, 2))
    assert off == pytest.approx([0.25, 0.25], abs=0.09)
    assert np.diag(transition(np.full((4, 2), 0.5), np.array([0, 1, 0, 1]), 2)).min() >= 0.6


def test_averaging_log_odds_by_hand() -> None:
    out = mean_log_odds([np.array([[0.2, 0.8]]), np.array([[0.5, 0.5]])])
    assert out[0, 1] / out[0, 0] == pytest.approx(2)  # the square root of 4 · 1


def test_principal_directions_are_the_widest_and_whitened() -> None:
    rng = np.random.default_rng(0)
    space = principal(
        Space.of((rng.normal(size=(200, 10)) @ rng.normal(size=(10, 10))).astype(np.float32)), 3
    )
    assert space.train.shape == (200, 3)
    covariance = space.train.T @ space.train / 200
    assert covariance == pytest.approx(np.eye(3) / 3, abs=1e-6)


def test_class_shares_are_those_of_the_weak_labels() -> None:
    """Answers all on one side of ½ are told apart again; the order of the rows stays."""
    setting, _ = weak_toy.setting(n=200)
    rng = np.random.default_rng(0)
    low = rng.uniform(0.05, 0.4, 200)
    soft = np.stack([1 - low, low], 1)
    moved = setting.with_class_shares(soft, soft)
    wanted = setting.weak.probability[:, 1].mean()
    assert (moved.argmax(1) == 1).mean() == pytest.approx(wanted, abs=0.01)
    assert (np.argsort(moved[:, 1]) == np.argsort(low)).all()
    scores = np.random.default_rng(0).normal(size=(900, 3)) + np.array([2, 0, 0])
    again = (scores + share_shift(scores, np.array([0.2, 0.5, 0.3]))).argmax(1)
    assert np.bincount(again) / 900 == pytest.approx([0.2, 0.5, 0.3], abs=0.03)


def test_salient_labels_are_told_from_buried_ones() -> None:
    """The same noisy labels of a wide and of a narrow direction, among sixty of falling width."""
    rng = np.random.default_rng(0)
    widths = 0.94 ** np.arange(60)
    x = rng.normal(size=(800, 60))
    found = {}
    for direction in (0, 40):
        truth = (x[:, direction] > 0).astype(np.int64)
        mixed = ((x * widths) @ np.linalg.qr(rng.normal(size=(60, 60)))[0]).astype(np.float32)
        space = Space.of(mixed[:400], mixed[400:])
        weak = labels_of("weak", 0.2 + 0.6 * one_hot(truth[:400], 2))
        found[direction] = salience(
            {"cue": space}, evidence(weak.probability), weak.weight, LEADING
        )
    assert found[0] > SALIENT > found[40] >= 0


def test_of_labels_that_nothing_explains_nothing_is_salient() -> None:
    """Coin flips: without the floor a ratio of two accidents opens the gate in some of the draws."""
    x = np.random.default_rng(1).normal(size=(300, 60)).astype(np.float32)
    space = Space.of(x[:200], x[200:])
    for seed in range(20):
        coins = np.random.default_rng([seed, 7]).integers(0, 2, 200)
        weak = labels_of("weak", 0.2 + 0.6 * one_hot(coins, 2))
        assert salience({"cue": space}, evidence(weak.probability), weak.weight, LEADING) == 0


def test_sharpened_scores_by_hand() -> None:
    """Two classes: half of tanh(2 u), with u the score over its standard deviation."""
    u = np.array([1.0, -1.0, 1.0, -1.0])
    out = sharpened(np.stack([-u, u], 1) * 7)
    assert out[:, 1] == pytest.approx(np.tanh(2 * u) / 2)
    assert out.sum(1) == pytest.approx(np.zeros(4))


def test_tuned_methods_say_when_they_do_not_apply() -> None:
    setting, _ = weak_toy.setting()
    for name in TUNED:
        with pytest.raises(NotApplicable, match="fine_tuning=lora"):
            METHODS[name]().predict(replace(setting, finetune=None))


def test_beliefs_of_several_supervisors_are_averaged_in_log_odds_by_hand() -> None:
    """0.8 and 0.6 for one class: odds of √(4 · 1.5); who says nothing is left out."""
    one, two = (labels_of("weak", np.array([[1 - p, p]])) for p in (0.8, 0.6))
    chance, gone = (labels_of("other", np.array([[p, p]])) for p in (0.5, np.nan))
    assert belief([one, two])[0, 1] == pytest.approx(6**0.5 / (1 + 6**0.5))
    assert belief([one, chance])[0, 1] == pytest.approx(2 / 3)
    assert belief([one, gone]) == pytest.approx(one.probability)
    assert belief([one, one]) == pytest.approx(one.probability)
    assert belief([one]) is one.probability
    certain = labels_of("certain", np.array([[1.0, 0.0]]))
    assert belief([one, certain])[0, 1] == pytest.approx(2 / (2 + np.exp(1.5)))


def test_the_default_takes_other_supervisors_in_and_default_alone_does_not() -> None:
    setting, truth = weak_toy.setting(flip_rate=0.45, seed=3)
    better, _ = weak_toy.setting(flip_rate=0.1, seed=3)
    both = replace(setting, annotators=(setting.weak, better.weak))
    default, alone = METHODS["default"](), METHODS["default_alone"]()
    right = {
        name: (p.test.argmax(1) == truth).mean()
        for name, p in {"both": default.predict(both), "alone": alone.predict(both)}.items()
    }
    assert right["both"] > right["alone"] + 0.1
    single = replace(setting, annotators=(setting.weak,))
    assert np.array_equal(alone.predict(both).test, default.predict(single).test)
    with pytest.raises(NotApplicable, match="this is the default"):
        alone.predict(single)
