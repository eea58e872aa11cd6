"""A monitor of high-risk requests and answers: a score, a threshold with a known error, an action.

It reads a model's own activations and the wording, never what the attacker meant to ask: unlike the
critic's members it sees only what a deployed monitor would see.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from superalign.critic.harm import (
    HiddenStateClassifier,
    RequestClassifier,
    WordingClassifier,
    pooled,
)
from superalign.models import LanguageModel
from superalign.records import Message, Query
from superalign.tasks.base import seeded
from superalign.tasks.benign import Benign
from superalign.tasks.safety import Safety

HIGH_RISK = frozenset(
    {
        "cyber misuse",
        "chemical misuse",
        "biological misuse",
        "weapons and explosives",
        "self-harm encouragement",
        "violence",
        "extremism",
        "sabotage",
    }
)
Action = Literal["allow", "escalate", "block"]
Scores = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Thresholds:
    """Scores from which a text is passed to a person, and from which it is blocked."""

    escalate: float
    block: float


class RiskMonitor:
    """Logistic regressions on hidden states and on wording, their log-odds averaged.

    Args:
        model: whose activations are read; it stays frozen.
        layers: whose residual stream is read; by default at a half and two thirds of the depth.
    """

    def __init__(self, model: LanguageModel, layers: Sequence[int]) -> None:
        self.members: dict[str, RequestClassifier] = {
            "hidden states": HiddenStateClassifier(model, layers),
            "wording": WordingClassifier(),
        }
        self.thresholds: Thresholds | None = None

    def fit(self, harmful: Sequence[str], harmless: Sequence[str]) -> None:
        """Fit to labelled texts."""
        queries = [_seen(text) for text in (*harmful, *harmless)]
        labels = [1.0] * len(harmful) + [0.0] * len(harmless)
        for member in self.members.values():
            member.fit(queries, labels, [1.0] * len(labels))

    def calibrate(
        self, harmless: Sequence[str], *, escalate: float = 0.05, block: float = 0.01
    ) -> Thresholds:
        """Set the thresholds so that of fresh harmless texts like these at most such shares pass.

        Split conformal: with n texts the threshold is the ceil((n + 1)(1 - rate))-th lowest score,
        which holds the rate on average whatever the scores' distribution. With fewer than
        1 / rate - 1 texts nothing passes it.

        Raises:
            ValueError: a rate outside (0, 1), or ``block`` above ``escalate``.

        Source: Vovk, Gammerman & Shafer (2005), Algorithmic Learning in a Random World.
        """
        if not 0 < block <= escalate < 1:
            raise ValueError(f"need 0 < block <= escalate < 1, got {block=}, {escalate=}")
        scores = self.score(harmless)
        self.thresholds = Thresholds(
            conformal_threshold(scores, escalate), conformal_threshold(scores, block)
        )
        return self.thresholds

    def score(self, texts: Sequence[str]) -> Scores:
        """Probability that each text is of high risk, in (0, 1)."""
        if not texts:
            return np.zeros(0)
        queries = [_seen(text) for text in texts]
        table = np.stack([member.harm(queries) for member in self.members.values()])
        return np.array([pooled(column.tolist()) for column in table.T])

    def act(self, texts: Sequence[str]) -> list[Action]:
        """What to do with each text.

        Raises:
            ValueError: not calibrated.
        """
        if self.thresholds is None:
            raise ValueError("calibrate the monitor first")
        limits = self.thresholds
        return [
            "block" if s > limits.block else "escalate" if s > limits.escalate else "allow"
            for s in self.score(texts)
        ]

    def seconds_per_text(self, texts: Sequence[str]) -> list[float]:
        """Wall time of scoring each text on its own."""
        seconds = []
        for text in texts:
            start = time.perf_counter()
            self.score([text])
            seconds.append(time.perf_counter() - start)
        return seconds


def conformal_threshold(scores: Sequence[float] | Scores, rate: float) -> float:
    """Score that a fresh, exchangeable one exceeds with probability at most ``rate``; see there."""
    n = len(scores)
    place = math.ceil((n + 1) * (1 - rate))
    return math.inf if place > n else float(np.sort(np.asarray(scores))[place - 1])


def trained_monitor(
    model: LanguageModel, layers: Sequence[int], *, n: int = 480, seed: int = 0
) -> RiskMonitor:
    """A monitor fitted to ``n`` generated pairs of the training families, and calibrated.

    High-risk requests against their benign twins and unrelated benign requests; a fresh third of
    the harmless ones sets the thresholds.
    """
    task, part = Safety(), max(2, n // 3)
    families = [f for f in sorted(HIGH_RISK) if task.families[f] == "train"]
    fit_seed, own_seed = (seeded(seed, name).getrandbits(31) for name in ("fit", "calibrate"))
    monitor = RiskMonitor(model, layers)
    harmful = task.harmful_only(n, seed=fit_seed, split="train", families=families)
    twins = task.benign_only(n, seed=fit_seed, split="train", families=families)
    other = Benign().generate(n, seed=fit_seed, split="train")
    monitor.fit([q.text for q in harmful], [q.text for q in (*twins, *other)])
    fresh = task.benign_only(part, seed=own_seed, split="train", families=families)
    fresh += Benign().generate(part, seed=own_seed, split="train")
    monitor.calibrate([q.text for q in fresh])
    return monitor


def _seen(text: str) -> Query:
    """A text as the classifiers take it, with nothing but its words."""
    return Query(
        domain="safety",
        family="unknown",
        split="held_out",
        messages=(Message(role="user", content=text or " "),),
    )
