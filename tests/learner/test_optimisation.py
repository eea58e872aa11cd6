"""What every update shares: its steps, its schedule, its report."""

from __future__ import annotations

import itertools
import math
import random
import time
from collections.abc import Sequence

import pytest
import torch
from torch import Tensor
from toy_learner import config, learner

from superalign.learner.optimisation import Optimizer, TrainingReport, step_batches, take_steps
from superalign.models import LocalModel
from superalign.models.packing import Tree


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
        Optimizer(base, config("sft"), steps=1)


def test_learning_rate_warms_up_and_decays(base: LocalModel) -> None:
    model = learner(base)
    optimizer = Optimizer(model, config("sft", warmup=0.2), steps=20)
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
    optimizer = Optimizer(model, config("sft", max_grad_norm=0.5), steps=1)
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


def test_steps_are_taken_and_accounted(base: LocalModel) -> None:
    """A step's gradient is the sum over its micro-batches; every step moves the adapter."""
    model = learner(base)
    assert model.adapter is not None
    optimizer = Optimizer(model, config("sft"), steps=2)
    trees = [Tree((1,) * size) for size in (10, 1500, 1500)]
    seen: list[tuple[list[int], list[int]]] = []

    def loss_of(step: Sequence[int], part: Sequence[int]) -> Tensor:
        seen.append((list(step), sorted(part)))
        return torch.stack([p.sum() for p in optimizer.parameters]).sum() + float(len(part))

    report, told, version = TrainingReport("sft"), [], model.adapter.version
    total = float(sum(p.detach().sum() for p in optimizer.parameters))
    take_steps(
        optimizer, [[0], [1, 2]], trees, loss_of, report, time.perf_counter(),
        lambda share, text: told.append((share, text)),
    )  # fmt: skip
    assert seen == [([0], [0]), ([1, 2], [1]), ([1, 2], [2])]
    assert (report.steps, report.tokens, [x for x, _ in told]) == (2, 3010, [0.5, 1.0])
    assert report.losses[0] == pytest.approx(total + 1)
    assert model.adapter.version > version
    assert report.seconds > 0
