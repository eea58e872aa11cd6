"""Updates from records: what is taught is learnt, what is kept stays, cuts change nothing."""

from __future__ import annotations

import math
import random
from typing import Any

import pytest
import torch
from toy_learner import (
    config,
    demonstrations,
    gradient,
    kept,
    learner,
    mixed,
    moved,
    parameters,
    preferences,
    query,
)

from superalign.learner import offline
from superalign.learner.examples import Example, encode
from superalign.learner.offline import references, train_offline
from superalign.models import LocalModel
from superalign.models.packing import Tree
from superalign.records import Demonstration

ONE_STEP: dict[str, Any] = {"batch_tokens": 10**6}


def nll(model: LocalModel, examples: list[Example]) -> list[torch.Tensor]:
    """−log p of each token of each example's first completion."""
    return [-row[0] for row in model.tree_logprobs([e.tree for e in examples])]


def divergence(base: LocalModel, model: LocalModel, examples: list[Example]) -> list[torch.Tensor]:
    """KL(base ‖ model) at each token of each first completion: the whole vocabulary, tree by tree."""
    every = [(t,) for t in range(base.module.config.vocab_size)]
    found = []
    for example in examples:
        prompt, completion = example.tree.prompt, example.tree.completions[0]
        trees = [Tree(prompt + completion[:i], tuple(every)) for i in range(len(completion))]
        p, q = (
            torch.stack([torch.cat(row) for row in m.tree_logprobs(trees)]) for m in (base, model)
        )
        found.append((p.exp() * (p - q)).sum(-1))
    return found


# -- the frozen model's side ------------------------------------------------------------------------


@torch.no_grad()
def test_references_equal_a_plain_computation(
    base: LocalModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One sequence at a time through ``transformers``, the adapter nowhere."""
    monkeypatch.setattr(offline, "MICRO_BATCH_CELLS", 150)
    examples = mixed(base)
    found = references(moved(base, 0.3), examples)
    assert set(found) == {i for i, e in enumerate(examples) if e.is_pair or e.keep}
    assert len(found) == 12
    for i, (sums, states) in found.items():
        tree = examples[i].tree
        assert len(sums) == (len(tree.completions) if examples[i].is_pair else 0)
        for side, completion in enumerate(tree.completions):
            ids = torch.tensor([[*tree.prompt, *completion]])
            hidden = base.module.model(ids).last_hidden_state[0, len(tree.prompt) - 1 : -1]
            log_p = base.module.lm_head(hidden).log_softmax(-1)
            wanted = log_p.gather(1, torch.tensor(completion)[:, None]).sum()
            if examples[i].is_pair:
                assert sums[side] == pytest.approx(float(wanted), abs=1e-3)
            if side == 0 and examples[i].keep:
                assert states is not None
                torch.testing.assert_close(states, hidden, atol=1e-4, rtol=1e-3)
        if not examples[i].keep:
            assert states is None


def test_references_of_demonstrations_are_not_needed(base: LocalModel) -> None:
    assert references(base, encode(base, demonstrations())) == {}
    assert references(base, []) == {}


# -- the loss ---------------------------------------------------------------------------------------


def terms(base: LocalModel, model: LocalModel, examples: list[Example], beta: float) -> Any:
    """(per-token supervised values, pair loss or None) of every example, computed plainly."""
    rows = []
    for e, own in zip(examples, nll(model, examples), strict=True):
        values = divergence(base, model, [e])[0] if e.keep else own
        pair = None
        if e.is_pair:
            ours, theirs = (
                [float(x.sum()) for x in m.tree_logprobs([e.tree])[0]] for m in (model, base)
            )
            h = beta * ((ours[0] - theirs[0]) - (ours[1] - theirs[1]))
            p = e.probability
            pair = p * math.log1p(math.exp(-h)) + (1 - p) * math.log1p(math.exp(h))
        rows.append((values, pair))
    return rows


@pytest.mark.parametrize("average", ["examples", "tokens"])
def test_the_loss_is_the_documented_one(base: LocalModel, average: str) -> None:
    examples, model = mixed(base), moved(base, 0.2)
    rows = terms(base, model, examples, beta=0.3)
    cfg = config("dpo", **ONE_STEP, average=average, beta=0.3, sft_weight=0.7, anchor_weight=2.0)
    supervised = paired = 0.0
    for e, (values, pair) in zip(examples, rows, strict=True):
        share = e.weight * e.probability * (2.0 if e.keep else 0.7)
        supervised += share * float(values.mean() if average == "examples" else values.sum())
        paired += e.weight * (pair or 0.0)
    votes = sum(e.weight for e in examples)
    tokens = sum(e.weight * len(e.tree.completions[0]) for e in examples)
    pairs = sum(e.weight for e in examples if e.is_pair)
    wanted = (
        (supervised + paired) / votes
        if average == "examples"
        else supervised / tokens + paired / pairs
    )
    assert sum(float(v.sum()) for e, (v, _) in zip(examples, rows, strict=True) if e.keep) > 0.1
    found = train_offline(model, examples, cfg, seed=0).losses
    assert found == pytest.approx([wanted], rel=1e-3)


def test_every_example_counts_alike_however_long(base: LocalModel) -> None:
    short = Demonstration(query=query("Say red"), completion="red", source="t")
    long = Demonstration(query=query("Count"), completion="one two three " * 9, source="t")
    examples = encode(base, [short, long])
    one, many = nll(base, examples)
    assert len(many) > 10 * len(one)
    first = {
        average: train_offline(
            learner(base), examples, config("sft", **ONE_STEP, average=average), seed=0
        ).losses[0]
        for average in ("examples", "tokens")
    }
    assert first["examples"] == pytest.approx(float(one.mean() + many.mean()) / 2, abs=1e-3)
    assert first["tokens"] == pytest.approx(float(torch.cat([one, many]).mean()), abs=1e-3)
    assert abs(first["examples"] - first["tokens"]) > 0.1


@pytest.mark.parametrize("average", ["examples", "tokens"])
@pytest.mark.parametrize("algorithm", ["sft", "dpo"])
def test_steps_add_up_to_the_whole(base: LocalModel, algorithm: str, average: str) -> None:
    """A step's normaliser is that of a mean step: small steps do not raise what they hold."""
    examples = mixed(base)
    whole, parts = (
        train_offline(
            moved(base),
            examples,
            config(algorithm, average=average, batch_tokens=size, learning_rate=1e-12),
            seed=0,
        ).losses
        for size in (10**6, 60)
    )
    assert len(parts) > 3
    assert sum(parts) / len(parts) == pytest.approx(whole[0], rel=1e-3)


@pytest.mark.parametrize("average", ["examples", "tokens"])
@pytest.mark.parametrize("algorithm", ["sft", "dpo"])
def test_gradient_does_not_depend_on_the_cut(
    base: LocalModel, monkeypatch: pytest.MonkeyPatch, algorithm: str, average: str
) -> None:
    cfg = config(algorithm, **ONE_STEP, average=average, anchor_weight=3.0)
    examples = mixed(base)
    whole, *cuts = [
        gradient(monkeypatch, base, cells, lambda m: train_offline(m, examples, cfg, seed=0))
        for cells in (10**6, 1, 150)
    ]
    assert max(float(g.abs().max()) for g in whole) > 1e-3
    for cut in cuts:
        for a, b in zip(whole, cut, strict=True):
            torch.testing.assert_close(a, b, atol=2e-5, rtol=1e-3)


# -- learning ---------------------------------------------------------------------------------------


def test_sft_lowers_the_loss(base: LocalModel) -> None:
    model, examples = learner(base), encode(base, demonstrations())
    before = float(torch.cat(nll(base, examples)).mean())
    told: list[float] = []
    report = train_offline(
        model, examples, config("sft", epochs=12, **ONE_STEP, average="tokens"), seed=0,
        progress=lambda share, text: told.append(share),
    )  # fmt: skip
    assert float(torch.cat(nll(model, examples)).mean()) < before - 0.5
    assert report.losses[0] == pytest.approx(before, abs=1e-3)
    assert report.losses[-1] < report.losses[0] - 0.3
    assert report.steps == len(report.losses) == len(told) == 12
    assert told[-1] == 1.0
    assert report.tokens == 12 * sum(e.tree.size for e in examples)
    after = float(torch.cat(nll(base, examples)).mean())
    assert after == pytest.approx(before, abs=1e-5)  # the base is untouched


@pytest.mark.parametrize("keeps", [False, True])
def test_sft_of_pairs_takes_the_chosen_side_alone(base: LocalModel, keeps: bool) -> None:
    pairs = encode(base, preferences(keeps=keeps))
    chosen = [
        Example(Tree(e.tree.prompt, e.tree.completions[:1]), e.weight, e.probability, e.keep)
        for e in pairs
    ]
    one, two = moved(base), moved(base)
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
        model, examples, config("dpo", epochs=10, **ONE_STEP, sft_weight=0.0), seed=0
    )
    gains = [a - b for a, b in zip(margins(model), before, strict=True)]
    assert min(gains) > 0.5
    assert report.losses[0] == pytest.approx(math.log(2), abs=1e-4)  # the learner is the reference
    assert report.losses[-1] < report.losses[0]
    assert report.metrics["pair_accuracy"] == 1.0


@pytest.mark.parametrize("average", ["examples", "tokens"])
def test_zero_weight_teaches_nothing(base: LocalModel, average: str) -> None:
    one, two = learner(base), learner(base)
    examples = encode(base, demonstrations(3))
    ignored = Example(encode(base, demonstrations())[5].tree, 0.0, 1.0)
    cfg = config("sft", **ONE_STEP, epochs=3, average=average)
    train_offline(one, examples, cfg, seed=0)
    train_offline(two, [*examples, ignored], cfg, seed=0)
    for a, b in zip(parameters(one), parameters(two), strict=True):
        torch.testing.assert_close(a, b, atol=1e-4, rtol=1e-3)


def test_nothing_to_learn_from(base: LocalModel) -> None:
    for algorithm in ("sft", "dpo"):
        model = learner(base)
        report = train_offline(model, [], config(algorithm), seed=0)
        assert (report.steps, report.as_dict()["loss_first"]) == (0, None)
        for a, b in zip(parameters(model), parameters(learner(base)), strict=True):
            assert torch.equal(a, b)


# -- keeping ----------------------------------------------------------------------------------------


def test_what_is_kept_stays_while_something_else_is_learnt(base: LocalModel) -> None:
    taught, stays = encode(base, demonstrations()), encode(base, kept(6))
    before = float(torch.cat(nll(base, taught)).mean())
    far, learnt = {}, {}
    for name, examples in (("free", taught), ("held", [*taught, *stays])):
        model = learner(base)
        cfg = config("sft", epochs=20, **ONE_STEP, anchor_weight=5.0)
        train_offline(model, examples, cfg, seed=0)
        far[name] = float(torch.cat(divergence(base, model, stays)).mean())
        learnt[name] = before - float(torch.cat(nll(model, taught)).mean())
    assert far["free"] > 0.2
    assert far["held"] < far["free"] / 5
    assert min(learnt.values()) > 1.0


def test_keeping_alone_changes_nothing(base: LocalModel) -> None:
    """At the frozen model itself the divergence and its gradient are nought."""
    model = learner(base)
    report = train_offline(model, encode(base, kept()), config("sft"), seed=0)
    assert report.losses == pytest.approx([0.0] * report.steps, abs=1e-6)
    assert report.metrics["kept_nll"] == pytest.approx(0.0, abs=1e-6)


def test_keeping_brings_a_learner_back(base: LocalModel) -> None:
    model, stays = moved(base, 0.3), encode(base, kept())
    before = float(torch.cat(divergence(base, model, stays)).mean())
    train_offline(model, stays, config("sft", epochs=20, **ONE_STEP), seed=0)
    assert float(torch.cat(divergence(base, model, stays)).mean()) < before / 2


def test_what_is_kept_is_held_and_not_imitated(base: LocalModel) -> None:
    """Unlikely words are as likely as before where they are kept, likelier where imitated.

    Adam makes whole steps even of rounding, where the two forward passes differ by it: there is
    time enough for the divergence to pull back what these move.
    """
    records = kept()
    stays, taught = (
        encode(base, [r.model_copy(update={"keeps": keeps}) for r in records])
        for keeps in (True, False)
    )
    one, two = learner(base), learner(base)
    for model, examples in ((one, stays), (two, taught)):
        train_offline(model, examples, config("sft", epochs=40, **ONE_STEP), seed=0)
    before, held, imitated = (float(torch.cat(nll(m, stays)).mean()) for m in (base, one, two))
    assert held == pytest.approx(before, abs=0.02)
    assert imitated < before - 0.2


# -- determinism ------------------------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", ["sft", "dpo"])
def test_same_seed_same_parameters(base: LocalModel, algorithm: str) -> None:
    examples = mixed(base)

    def trained(seed: int) -> list[torch.Tensor]:
        model = learner(base)
        torch.manual_seed(random.randrange(10**6))  # global state has no say
        train_offline(model, examples, config(algorithm, batch_tokens=120, epochs=2), seed=seed)
        return parameters(model)

    one, again, other = trained(3), trained(3), trained(4)
    assert all(torch.equal(a, b) for a, b in zip(one, again, strict=True))
    assert not all(torch.equal(a, b) for a, b in zip(one, other, strict=True))
