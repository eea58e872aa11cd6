"""What tests of the updates share: learners of the tiny model, records and sampled answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from superalign.config import LearnerConfig
from superalign.learner import offline, optimisation
from superalign.learner.examples import Example, Rollout, encode
from superalign.models import LocalModel
from superalign.records import Demonstration, Message, Preference, Query

COMMON: dict[str, Any] = {"learning_rate": 1e-2, "lora_rank": 4, "lora_alpha": 8}
WORDS = ("red", "green", "blue", "white", "black", "grey")


def learner(base: LocalModel, seed: int = 0) -> LocalModel:
    return base.with_adapter(base.fresh_adapter(rank=4, alpha=8, seed=seed))


def moved(base: LocalModel, size: float = 0.05) -> LocalModel:
    """A learner away from the no-op, so that ratios and divergences differ from 1 and 0."""
    model = learner(base)
    assert model.adapter is not None
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for _, b in model.adapter.parameters.values():
            b.copy_(size * torch.randn(b.shape, generator=generator))
    model.adapter.touched()
    return model


def config(algorithm: str, **more: Any) -> LearnerConfig:
    return LearnerConfig(**{"algorithm": algorithm, **COMMON, **more})


def query(text: str, domain: str = "toy") -> Query:
    messages = (Message(role="user", content=text),)
    return Query(domain=domain, family="toy", split="train", messages=messages)


def demonstrations(n: int = 6) -> list[Demonstration]:
    return [
        Demonstration(query=query(f"Say {w}"), completion=f"{w} " * (1 + i % 3), source="test")
        for i, w in enumerate(WORDS[:n])
    ]


def preferences(n: int = 6, *, keeps: bool = False) -> list[Preference]:
    return [
        Preference(
            query=query(f"What is {i}{' then' * keeps}?"),
            chosen=f"It is {i}." + " Indeed." * (i % 3),
            rejected="No idea" + " at all" * (i % 2),
            source="test",
            weight=1 + i / 4,
            probability=1 - i / 20,
            keeps=keeps,
        )
        for i in range(n)
    ]


def kept(n: int = 4) -> list[Demonstration]:
    return [
        Demonstration(
            query=query(f"Keep {w}"),
            completion=f"Here is {w}" + ", with all the steps" * (i % 3),
            source="test",
            weight=1 + i / 3,
            probability=1 - i / 10,
            keeps=True,
        )
        for i, w in enumerate(WORDS[:n])
    ]


def mixed(base: LocalModel) -> list[Example]:
    """All four kinds by turns: imitated and kept, alone and as the chosen side of a pair."""
    kinds = (demonstrations(4), kept(4), preferences(4), preferences(4, keeps=True))
    return encode(base, [record for row in zip(*kinds, strict=True) for record in row])


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


def parameters(model: LocalModel) -> list[torch.Tensor]:
    assert model.adapter is not None
    return [t.detach().clone() for t in model.adapter.tensors()]


def gradient(
    monkeypatch: pytest.MonkeyPatch,
    base: LocalModel,
    cells: int,
    train: Callable[[LocalModel], Any],
) -> list[torch.Tensor]:
    """The last optimiser step's gradient, before clipping, under a given micro-batch size."""
    seen: list[torch.Tensor] = []

    def step(self: optimisation.Optimizer) -> None:
        seen[:] = [p.grad.clone() for p in self.parameters if p.grad is not None]

    for module in (offline, optimisation):
        monkeypatch.setattr(module, "MICRO_BATCH_CELLS", cells)
    monkeypatch.setattr(optimisation.Optimizer, "step", step)
    train(moved(base))
    return seen
