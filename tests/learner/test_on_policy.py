"""Updates from rewards: they raise what is rewarded, cuts change nothing, seeds decide everything."""

from __future__ import annotations

import math
import random

import pytest
import torch
from toy_learner import config, gradient, learner, parameters, query, rollouts

from superalign.learner import on_policy
from superalign.learner.examples import Rollout
from superalign.learner.on_policy import train_on_policy
from superalign.models import LocalModel
from superalign.models.packing import Tree

ALGORITHMS = ["ppo", "grpo", "rloo"]


def rewarded_gain(base: LocalModel, model: LocalModel, given: list[Rollout]) -> float:
    """How much the log-odds of rewarded against other first tokens moved, mean over queries."""
    even = [(t,) for t in range(0, base.module.config.vocab_size, 2)]
    moved = []
    for asked in {r.query.id: r.query for r in given}.values():
        tree = Tree(base.encode(asked.chat), tuple(even))
        mass = [
            float(torch.stack([x[0] for x in m.tree_logprobs([tree])[0]]).exp().sum())
            for m in (base, model)
        ]
        moved.append(math.log(mass[1] / (1 - mass[1])) - math.log(mass[0] / (1 - mass[0])))
    return sum(moved) / len(moved)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_gradient_does_not_depend_on_the_cut(
    base: LocalModel, monkeypatch: pytest.MonkeyPatch, algorithm: str
) -> None:
    cfg = config(algorithm, batch_tokens=10**6, kl_weight=0.3)
    given = rollouts(base)
    whole, *cuts = [
        gradient(monkeypatch, base, cells, lambda m: train_on_policy(m, given, cfg, seed=0))
        for cells in (10**6, 1, 150)
    ]
    assert max(float(g.abs().max()) for g in whole) > 1e-3
    for cut in cuts:
        for a, b in zip(whole, cut, strict=True):
            torch.testing.assert_close(a, b, atol=2e-5, rtol=1e-3)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_on_policy_raises_rewarded_answers(base: LocalModel, algorithm: str) -> None:
    given, model = rollouts(base, n=16), learner(base)
    if algorithm == "ppo":  # no group baseline: punish as well as praise
        given = [Rollout(r.query, r.tokens, r.logprobs, 2 * (r.reward or 0) - 1) for r in given]
    cfg = config(algorithm, epochs=6, batch_tokens=10**6, kl_weight=0.0)
    report = train_on_policy(model, given, cfg, seed=0)
    assert rewarded_gain(base, model, given) > 0.2
    assert report.steps == 6
    assert all(math.isfinite(x) for x in report.losses)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_missing_rewards_count_nowhere(base: LocalModel, algorithm: str) -> None:
    given = rollouts(base)
    missing = [
        Rollout(r.query, (*r.tokens, 1), (*r.logprobs, -3.0), None) for r in rollouts(base, seed=90)
    ]
    alone = [Rollout(query("unanswered"), (5, 6), (-1.0, -1.0), None)]
    one, two = learner(base), learner(base)
    cfg = config(algorithm, epochs=2, batch_tokens=10**6, kl_weight=0.2)
    first = train_on_policy(one, given, cfg, seed=0)
    second = train_on_policy(two, [*given, *missing, *alone], cfg, seed=0)
    assert first.losses == pytest.approx(second.losses, abs=1e-5)
    for a, b in zip(parameters(one), parameters(two), strict=True):
        torch.testing.assert_close(a, b, atol=2e-4, rtol=1e-3)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_only_missing_rewards_change_nothing(base: LocalModel, algorithm: str) -> None:
    model = learner(base)
    given = [Rollout(r.query, r.tokens, r.logprobs, None) for r in rollouts(base)]
    train_on_policy(model, given, config(algorithm), seed=0)
    for a, b in zip(parameters(model), parameters(learner(base)), strict=True):
        assert torch.equal(a, b)


def test_nothing_to_learn_from(base: LocalModel) -> None:
    model = learner(base)
    assert train_on_policy(model, [], config("grpo"), seed=0).steps == 0
    for a, b in zip(parameters(model), parameters(learner(base)), strict=True):
        assert torch.equal(a, b)


def test_divergence_penalty_holds_back(base: LocalModel) -> None:
    given = rollouts(base, n=16)
    far = {}
    for weight in (0.0, 5.0):
        model = learner(base)
        cfg = config("grpo", epochs=8, batch_tokens=10**6, kl_weight=weight)
        train_on_policy(model, given, cfg, seed=0)
        trees = [t.tree for t in on_policy._grouped(base, given)]
        rows = zip(base.tree_logprobs(trees), model.tree_logprobs(trees), strict=True)
        gaps = torch.cat([b - m for x, y in rows for b, m in zip(x, y, strict=True)])
        far[weight] = float((gaps.exp() - 1 - gaps).mean())
    assert far[5.0] < far[0.0] / 2


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_same_seed_same_parameters(base: LocalModel, algorithm: str) -> None:
    given = rollouts(base, groups=3, n=4)

    def trained(seed: int) -> list[torch.Tensor]:
        model = learner(base)
        torch.manual_seed(random.randrange(10**6))  # global state has no say
        train_on_policy(model, given, config(algorithm, batch_tokens=120, epochs=2), seed=seed)
        return parameters(model)

    one, again, other = trained(3), trained(3), trained(4)
    assert all(torch.equal(a, b) for a, b in zip(one, again, strict=True))
    assert not all(torch.equal(a, b) for a, b in zip(one, other, strict=True))
