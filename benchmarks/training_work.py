"""The work of a LoRA step, the same for every peer of ``training.py``, and superalign at it."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import timing
import torch
from timing import Words
from torch import Tensor

from superalign.config import LearnerConfig
from superalign.learner.examples import Example, Rollout
from superalign.learner.offline import train_offline
from superalign.learner.on_policy import train_on_policy
from superalign.models import Adapter, LocalModel
from superalign.models.packing import Tree
from superalign.records import Message, Query
from superalign.tasks.neutral import NEUTRAL_TEXTS

RANK, ALPHA, RATE, BETA, KL = 16, 32, 1e-5, 0.1, 0.05
Ids = tuple[int, ...]


@dataclass(frozen=True)
class Work:
    """What every peer gets: token ids of prompts, chosen and rejected answers; GRPO's sizes."""

    prompts: list[Ids]
    chosen: list[Ids]
    rejected: list[Ids]
    queries: list[Query]
    samples: int
    new: int

    @classmethod
    def make(cls, model: Words, tiny: bool) -> Work:
        words, stream = " ".join(NEUTRAL_TEXTS).split(), timing.token_stream(model)
        n, groups, samples, new, few = (4, 2, 4, 6, 2) if tiny else (16, 8, 8, 32, 20)

        def question(i: int) -> str:
            start = 53 * i % (len(words) - 2 * few)
            return "Explain: " + " ".join(words[start : start + few // 2 + (i * 5) % few])

        end = int(model.tokenizer.eos_token_id)

        def answer(i: int) -> Ids:
            return (*timing.cut(stream, i, 8 + (i * 11) % (2 * new)), end)

        queries = [
            Query(
                domain="bench",
                family="bench",
                split="train",
                messages=(Message(role="user", content=question(100 + i)),),
            )
            for i in range(groups)
        ]
        assert len({q.id for q in queries}) == groups
        return cls(
            [model.encode(question(i)) for i in range(n)],
            [answer(i) for i in range(n)],
            [answer(n + i) for i in range(n)],
            queries,
            samples,
            new,
        )

    def tokens(self, job: str) -> int:
        """Tokens that a peer without sharing computes in a step."""
        if job == "grpo":
            return len(self.queries) * self.samples * self.new
        answers = self.chosen + (self.rejected if job == "dpo" else [])
        sides = 2 if job == "dpo" else 1
        return sides * sum(map(len, self.prompts)) + sum(map(len, answers))


def reward(text: str) -> float:
    return len(set(text)) / 20


def settings(job: str) -> LearnerConfig:
    algorithm: Any = job
    return LearnerConfig(
        algorithm=algorithm, learning_rate=RATE, batch_tokens=10**9, average="tokens",
        sft_weight=float(job == "sft"), beta=BETA, kl_weight=KL, clip=0.2,
    )  # fmt: skip


def padded(rows: Sequence[Sequence[float]], fill: float = 0, left: bool = False) -> Tensor:
    width = max(map(len, rows))
    gaps = [[fill] * (width - len(r)) for r in rows]
    return torch.tensor([[*g, *r] if left else [*r, *g] for r, g in zip(rows, gaps, strict=True)])


class Ours:
    """superalign's trainers, one step a call."""

    def __init__(
        self, args: argparse.Namespace, job: str, dtype: str | None = None, share: float = 0.0
    ) -> None:
        base = timing.ours(args, dtype)
        self.work, self.job, self.count = Work.make(Words(args), args.tiny), job, 0
        first = round(share * base.depth)
        adapter = base.fresh_adapter(rank=RANK, alpha=ALPHA, seed=0, first_layer=first)
        self.base = base
        self.view = self._view(adapter)

    def _view(self, adapter: Adapter) -> LocalModel:
        view = self.base.with_adapter(adapter)
        view.__dict__["end_tokens"] = frozenset()
        return view

    def load(self, folder: Path) -> None:
        self.view = self._view(Adapter.load(folder))

    def examples(self) -> list[Example]:
        work = self.work
        sides = zip(work.prompts, work.chosen, work.rejected, strict=True)
        return [
            Example(Tree(p, (c, r) if self.job == "dpo" else (c,)), 1.0, 1.0) for p, c, r in sides
        ]

    def rollouts(self) -> list[Rollout]:
        """Samples of every query; their rewards are a function of their texts."""
        self.count += 1
        rows = self.view.generate(
            [q.chat for q in self.work.queries],
            n=self.work.samples,
            max_new_tokens=self.work.new,
            seed=self.count,
        )
        return [
            Rollout(q, c.tokens, c.logprobs, reward(c.text))
            for q, row in zip(self.work.queries, rows, strict=True)
            for c in row
        ]

    def loss(self, rollouts: list[Rollout]) -> float:
        """The loss of the next step, which is taken."""
        cfg = settings(self.job)
        if self.job == "grpo":
            return train_on_policy(self.view, rollouts, cfg, seed=0).losses[0]
        return train_offline(self.view, self.examples(), cfg, seed=0).losses[0]

    def step(self) -> None:
        self.loss(self.rollouts() if self.job == "grpo" else [])
