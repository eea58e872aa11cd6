"""Updating an adapter: it learns, cuts change nothing, seeds decide everything."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Iterator
from typing import Any

import pytest
import torch

import toy
from superalign.config import LearnerConfig
from superalign.learner import trainer
from superalign.learner.examples import Example, Rollout, encode
from superalign.learner.trainer import TrainingReport, step_batches, train_offline, train_on_policy
from superalign.models import LocalModel, load_model
from superalign.models.packing import Tree
from superalign.records import Demonstration, Message, Preference, Query

COMMON: dict[str, Any] = {"learning_rate": 1e-2, "lora_rank": 4, "lora_alpha": 8}


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> LocalModel:
    folder = toy.save_model(tmp_path_factory.mktemp("trainer") / "tiny")
    return load_model(str(folder), device="cpu", dtype="float32")


def learner(base: LocalModel, seed: int = 0) -> LocalModel:
    return base.with_adapter(base.fresh_adapter(rank=4, alpha=8, seed=seed))


def config(algorithm: str, **more: Any) -> LearnerConfig:
    return LearnerConfig(**{"algorithm": algorithm, **COMMON, **more})


def query(text: str) -> Query:
    messages = (Message(role="user", content=text),)
    return Query(domain="toy", family="toy", split="train", messages=messages)


def demonstrations(n: int = 6) -> list[Demonstration]:
    return [
        Demonstration(query=query(f"Say {w}"), completion=f"{w} " * (1 + i % 3), source="test")
        for i, w in enumerate(["red", "green", "blue", "white", "black", "grey"][:n])
    ]


def preferences(n: int = 6) -> list[Preference]:
    return [
        Preference(
            query=query(f"What is {i}?"),
            chosen=f"It is {i}." + " Indeed." * (i % 3),
            rejected="No idea" + " at all" * (i % 2),
            source="test",
            weight=1 + i / 4,
            probability=1 - i / 20,
        )
        for i in range(n)
    ]


def mixed(base: LocalModel) -> list[Example]:
    return encode(base, [*demonstrations(), *preferences()])


def rollouts(base: LocalModel, groups: int = 4, n: int = 8, seed: int = 0) -> list[Rollout]:
    """Answers rewarded when their first token is even; no two lengths alike."""
    made = []
    for g in range(groups):
        asked = query(f"Question {g}")
        for i, done in enumerate(
            base.generate([asked.chat], n=n, max_new_tokens=6, seed=seed + g)[0]
        ):
            keep = 1 + i % len(done.tokens)
            reward = 1.0 if done.tokens[0] % 2 == 0 else 0.0
            made.append(Rollout(asked, done.tokens[:keep], done.logprobs[:keep], reward))
    return made


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


def parameters(model: LocalModel) -> list[torch.Tensor]:
    assert model.adapter is not None
    return [t.detach().clone() for t in model.adapter.tensors()]


# -- encoding ---------------------------------------------------------------------------------------


def test_encode(base: LocalModel) -> None:
    end = int(base.tokenizer.eos_token_id)
    demo, cut, pair = encode(
        base,
        [
            Demonstration(query=query("q"), completion="a b", source="t", weight=2.0),
            Demonstration(query=query("q"), completion="a b…", source="t"),
            Preference(query=query("q"), chosen="a", rejected="b…", source="t", probability=0.7),
        ],
    )
    assert demo.tree.prompt == base.encode(query("q").chat)
    assert demo.tree.completions == ((*base.encode_completion("a b"), end),)
    assert (demo.weight, demo.probability, demo.is_pair) == (2.0, 1.0, False)
    assert cut.tree.completions == (base.encode_completion("a b"),)  # cut off: no end, no mark
    assert pair.is_pair
    assert pair.probability == 0.7
    assert [c[-1] == end for c in pair.tree.completions] == [True, False]


# -- steps ------------------------------------------------------------------------------------------


def test_step_batches() -> None:
    rng = random.Random(0)
    sizes = [rng.randint(1, 30) for _ in range(50)]
    for budget in (1, 40, 10**6):
        steps = step_batches(sizes, budget, random.Random(1))
        assert sorted(itertools.chain(*steps)) == list(range(50))
        assert all(sum(sizes[i] for i in s) <= budget or len(s) == 1 for s in steps)
    assert step_batches(sizes, 40, random.Random(1)) == step_batches(sizes, 40, random.Random(1))
    assert step_batches(sizes, 40, random.Random(1)) != step_batches(sizes, 40, random.Random(2))
    assert step_batches([], 10, random.Random(0)) == []


def test_needs_an_adapter(base: LocalModel) -> None:
    with pytest.raises(ValueError, match="a model view with an adapter"):
        train_offline(base, mixed(base), config("sft"), seed=0)


def gradients(
    monkeypatch: pytest.MonkeyPatch, base: LocalModel, cells: int, algorithm: str
) -> list[torch.Tensor]:
    """One optimiser step's gradient, before clipping, under a given micro-batch size."""
    seen: list[torch.Tensor] = []
    monkeypatch.setattr(trainer, "MICRO_BATCH_CELLS", cells)
    monkeypatch.setattr(
        trainer._Optimizer,
        "step",
        lambda self: seen.extend(p.grad.clone() for p in self.parameters),
    )
    model = learner(base)
    assert model.adapter is not None
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():  # away from the no-op, so that ratios and divergences differ from 1 and 0
        for _, b in model.adapter.parameters.values():
            b.copy_(0.05 * torch.randn(b.shape, generator=generator))
    model.adapter.touched()
    cfg = config(algorithm, batch_tokens=10**6, kl_weight=0.3)
    if algorithm in ("sft", "dpo"):
        train_offline(model, mixed(base), cfg, seed=0)
    else:
        train_on_policy(model, rollouts(base), cfg, seed=0)
    return seen


@pytest.mark.parametrize("algorithm", ["sft", "dpo", "ppo", "grpo", "rloo"])
def test_gradient_does_not_depend_on_the_cut(
    base: LocalModel, monkeypatch: pytest.MonkeyPatch, algorithm: str
) -> None:
    whole = gradients(monkeypatch, base, 10**6, algorithm)
    assert max(float(g.abs().max()) for g in whole) > 1e-3
    for cells in (1, 150):
        cut = gradients(monkeypatch, base, cells, algorithm)
        for a, b in zip(whole, cut, strict=True):
            torch.testing.assert_close(a, b, atol=2e-5, rtol=1e-3)


# -- offline ----------------------------------------------------------------------------------------


def test_sft_lowers_the_loss(base: LocalModel) -> None:
    model, examples = learner(base), encode(base, demonstrations())

    def nll(m: LocalModel) -> float:
        rows = m.tree_logprobs([e.tree for e in examples])
        return -float(torch.cat([row[0] for row in rows]).mean())

    before = nll(model)
    told: list[float] = []
    report = train_offline(
        model, examples, config("sft", epochs=12, batch_tokens=10**6), seed=0,
        progress=lambda share, text: told.append(share),
    )  # fmt: skip
    assert nll(model) < before - 0.5
    assert report.losses[0] == pytest.approx(before, abs=1e-3)
    assert report.losses[-1] < report.losses[0] - 0.3
    assert report.steps == len(report.losses) == len(told) == 12
    assert told[-1] == 1.0
    assert report.tokens == 12 * sum(e.tree.size for e in examples)
    assert nll(base) == pytest.approx(before, abs=1e-5)  # the base is untouched


def test_sft_of_pairs_imitates_the_chosen_side(base: LocalModel) -> None:
    pairs = encode(base, preferences())
    chosen = [Example(trainer._chosen_only(e).tree, e.weight, e.probability) for e in pairs]
    one, two = learner(base), learner(base)
    train_offline(one, pairs, config("sft"), seed=0)
    train_offline(two, chosen, config("sft"), seed=0)
    for a, b in zip(parameters(one), parameters(two), strict=True):
        assert torch.equal(a, b)


def test_dpo_raises_the_margin(base: LocalModel) -> None:
    model, examples = learner(base), encode(base, preferences())

    def margins(m: LocalModel) -> list[float]:
        rows = m.tree_logprobs([e.tree for e in examples])
        return [float(row[0].sum() - row[1].sum()) for row in rows]

    before = margins(model)
    report = train_offline(
        model, examples, config("dpo", epochs=10, batch_tokens=10**6, sft_weight=0.0), seed=0
    )
    gains = [a - b for a, b in zip(margins(model), before, strict=True)]
    assert min(gains) > 0.5
    assert report.losses[0] == pytest.approx(math.log(2), abs=1e-4)  # the learner is the reference
    assert report.losses[-1] < report.losses[0]
    assert report.metrics["pair_accuracy"] == 1.0


def test_zero_weight_teaches_nothing(base: LocalModel) -> None:
    one, two = learner(base), learner(base)
    examples = encode(base, demonstrations(3))
    ignored = Example(encode(base, demonstrations())[5].tree, 0.0, 1.0)
    train_offline(one, examples, config("sft", batch_tokens=10**6, epochs=3), seed=0)
    train_offline(two, [*examples, ignored], config("sft", batch_tokens=10**6, epochs=3), seed=0)
    for a, b in zip(parameters(one), parameters(two), strict=True):
        torch.testing.assert_close(a, b, atol=1e-4, rtol=1e-3)


def test_nothing_to_learn_from(base: LocalModel) -> None:
    for algorithm in ("sft", "dpo"):
        model = learner(base)
        report = train_offline(model, [], config(algorithm), seed=0)
        assert (report.steps, report.as_dict()["loss_first"]) == (0, None)
    model = learner(base)
    assert train_on_policy(model, [], config("grpo"), seed=0).steps == 0
    for a, b in zip(parameters(model), parameters(learner(base)), strict=True):
        assert torch.equal(a, b)


# -- on-policy --------------------------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", ["ppo", "grpo", "rloo"])
def test_on_policy_raises_rewarded_answers(base: LocalModel, algorithm: str) -> None:
    given, model = rollouts(base, n=16), learner(base)
    if algorithm == "ppo":  # no group baseline: punish as well as praise
        given = [Rollout(r.query, r.tokens, r.logprobs, 2 * (r.reward or 0) - 1) for r in given]
    cfg = config(algorithm, epochs=6, batch_tokens=10**6, kl_weight=0.0)
    report = train_on_policy(model, given, cfg, seed=0)
    assert rewarded_gain(base, model, given) > 0.2
    assert report.steps == 6
    assert all(math.isfinite(x) for x in report.losses)


@pytest.mark.parametrize("algorithm", ["ppo", "grpo", "rloo"])
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


@pytest.mark.parametrize("algorithm", ["ppo", "grpo", "rloo"])
def test_only_missing_rewards_change_nothing(base: LocalModel, algorithm: str) -> None:
    model = learner(base)
    given = [Rollout(r.query, r.tokens, r.logprobs, None) for r in rollouts(base)]
    train_on_policy(model, given, config(algorithm), seed=0)
    for a, b in zip(parameters(model), parameters(learner(base)), strict=True):
        assert torch.equal(a, b)


def test_divergence_penalty_holds_back(base: LocalModel) -> None:
    given = rollouts(base, n=16)
    far = {}
    for weight in (0.0, 5.0):
        model = learner(base)
        cfg = config("grpo", epochs=8, batch_tokens=10**6, kl_weight=weight)
        train_on_policy(model, given, cfg, seed=0)
        trees = [t.tree for t in trainer._grouped(base, given)]
        rows = zip(base.tree_logprobs(trees), model.tree_logprobs(trees), strict=True)
        gaps = torch.cat([b - m for x, y in rows for b, m in zip(x, y, strict=True)])
        far[weight] = float((gaps.exp() - 1 - gaps).mean())
    assert far[5.0] < far[0.0] / 2


# -- determinism ------------------------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", ["sft", "dpo", "ppo", "grpo", "rloo"])
def test_same_seed_same_parameters(base: LocalModel, algorithm: str) -> None:
    def trained(seed: int) -> list[torch.Tensor]:
        model = learner(base)
        cfg = config(algorithm, batch_tokens=120, epochs=2)
        torch.manual_seed(random.randrange(10**6))  # global state has no say
        if algorithm in ("sft", "dpo"):
            train_offline(model, mixed(base), cfg, seed=seed)
        else:
            train_on_policy(model, rollouts(base, groups=3, n=4), cfg, seed=seed)
        return parameters(model)

    one, again, other = trained(3), trained(3), trained(4)
    assert all(torch.equal(a, b) for a, b in zip(one, again, strict=True))
    assert not all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


# -- schedule and report ----------------------------------------------------------------------------


def test_learning_rate_warms_up_and_decays(base: LocalModel) -> None:
    model = learner(base)
    optimizer = trainer._Optimizer(model, config("sft", warmup=0.2), steps=20)
    rates = []
    for _ in range(20):
        for p in optimizer.parameters:
            p.grad = torch.zeros_like(p)
        optimizer.step()
        rates.append(optimizer.adam.param_groups[0]["lr"])
    assert rates[:4] == pytest.approx([2.5e-3, 5e-3, 7.5e-3, 1e-2])
    assert rates[4] == pytest.approx(1e-2)
    assert all(a >= b for a, b in itertools.pairwise(rates[3:]))
    assert rates[-1] < 2e-3
    assert rates[-1] >= 1e-3 * (1 - 1e-9)


def test_gradient_norm_is_clipped(base: LocalModel) -> None:
    model = learner(base)
    optimizer = trainer._Optimizer(model, config("sft", max_grad_norm=0.5), steps=1)
    for p in optimizer.parameters:
        p.grad = torch.full_like(p, 100.0)
    seen: list[float] = []
    optimizer.adam.register_step_pre_hook(
        lambda *_: seen.append(
            math.sqrt(sum(float(p.grad.square().sum()) for p in optimizer.parameters))  # type: ignore[union-attr]
        )
    )
    optimizer.step()
    assert seen == pytest.approx([0.5], rel=1e-3)
    assert all(p.grad is None for p in optimizer.parameters)


def test_report() -> None:
    empty = TrainingReport("sft").as_dict()
    assert empty["loss_first"] is None
    report = TrainingReport("dpo", steps=20, losses=[float(20 - i) for i in range(20)])
    report.metrics = {"margin": 1.0, "undefined": math.nan}
    plain = report.as_dict()
    assert plain["loss_first"] == 19.5
    assert plain["loss_last"] == 1.5
    assert plain["metrics"] == {"margin": 1.0}
