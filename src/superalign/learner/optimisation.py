"""What every update of an adapter shares: its steps, its optimiser and its report.

Batches are padding-free trees, cut into steps by tokens and into micro-batches by memory; the
normalisers of the losses do not depend on the second cut, so it does not change the gradient.
Every random choice comes from the seed given, none from global state.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from superalign.config import LearnerConfig
from superalign.models.local import LocalModel
from superalign.models.packing import Tree, token_batches

MICRO_BATCH_CELLS = 2048
Progress = Callable[[float, str], None]


@dataclass
class TrainingReport:
    """What an update did. Losses are those of the first and last tenth of the steps."""

    algorithm: str
    steps: int = 0
    tokens: int = 0
    seconds: float = 0.0
    losses: list[float] = field(default_factory=list)
    metrics: dict[str, float] = field(default_factory=dict)

    def as_dict(self) -> dict[str, object]:
        """Plain types for the run's records."""
        edge = max(1, len(self.losses) // 10)
        return {
            "algorithm": self.algorithm,
            "steps": self.steps,
            "tokens": self.tokens,
            "seconds": round(self.seconds, 3),
            "loss_first": _mean(self.losses[:edge]),
            "loss_last": _mean(self.losses[-edge:]),
            "metrics": {k: v for k, v in self.metrics.items() if math.isfinite(v)},
        }


def _mean(values: Sequence[float]) -> float | None:
    """Mean; None where there is none, so that a loss that diverged is still valid JSON."""
    mean = sum(values) / len(values) if values else math.nan
    return mean if math.isfinite(mean) else None


def pace(taken: int, steps: int, warmup: float) -> float:
    """Share of the peak learning rate after ``taken`` of ``steps`` steps: warm-up over the share
    ``warmup`` of them, then cosine to a tenth."""
    warm = max(1, round(warmup * steps))
    if taken < warm:
        return (taken + 1) / warm
    done = (taken - warm) / max(1, steps - warm)
    return 0.1 + 0.45 * (1 + math.cos(math.pi * done))


class Optimizer:
    """AdamW on the adapter's tensors (and more), warm-up then cosine to a tenth, norm clipped."""

    def __init__(
        self, model: LocalModel, config: LearnerConfig, steps: int, extra: Sequence[Tensor] = ()
    ) -> None:
        if model.adapter is None:
            raise ValueError("training needs a model view with an adapter")
        self.adapter = model.adapter
        self.parameters = [*model.adapter.tensors(), *extra]
        self.config, self.steps, self.taken = config, max(1, steps), 0
        self.adam = torch.optim.AdamW(
            self.parameters,
            lr=config.learning_rate,
            weight_decay=0.0,
            betas=(0.9, 0.99),
            fused=True,
        )

    def step(self) -> None:
        """Take one step with the gradients gathered so far."""
        factor = pace(self.taken, self.steps, self.config.warmup)
        for group in self.adam.param_groups:
            group["lr"] = self.config.learning_rate * factor
        torch.nn.utils.clip_grad_norm_(self.parameters, self.config.max_grad_norm)
        self.adam.step()
        self.adam.zero_grad(set_to_none=True)
        self.adapter.touched()
        self.taken += 1


def step_batches(sizes: Sequence[int], budget: int, rng: random.Random) -> list[list[int]]:
    """Shuffle items and cut them into steps of at most ``budget`` tokens (at least one item)."""
    order = list(range(len(sizes)))
    rng.shuffle(order)
    steps: list[list[int]] = []
    room = 0
    for i in order:
        if not steps or sizes[i] > room:
            steps.append([])
            room = budget
        steps[-1].append(i)
        room -= sizes[i]
    return steps


def take_steps(
    optimizer: Optimizer,
    steps: Sequence[Sequence[int]],
    trees: Sequence[Tree],
    loss_of: Callable[[Sequence[int], Sequence[int]], Tensor],
    report: TrainingReport,
    start: float,
    progress: Progress | None = None,
) -> TrainingReport:
    """One optimiser step for each of ``steps`` (indices of ``trees``), in micro-batches.

    ``loss_of(step, part)`` is the share of the step's loss that the micro-batch ``part`` of it
    makes; ``start`` is when the update began (``time.perf_counter``).
    """
    for number, step in enumerate(steps):
        value = 0.0
        for part in token_batches([trees[i] for i in step], MICRO_BATCH_CELLS):
            loss = loss_of(step, [step[i] for i in part])
            loss.backward()
            value += float(loss.detach())
        optimizer.step()
        report.losses.append(value)
        report.steps += 1
        report.tokens += sum(trees[i].size for i in step)
        report.seconds = time.perf_counter() - start
        if progress is not None:
            progress((number + 1) / len(steps), f"loss {value:.3f}")
    return report
