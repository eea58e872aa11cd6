"""A monitor of high-risk requests and answers: a score, a threshold with a known error, an action.

It reads a model's own activations and the wording, never what the attacker meant to ask: unlike the
critic's members it sees only what a deployed monitor would see. It also names the domain of risk that
the activations are nearest to; score and action do not depend on that name.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.special import softmax
from sklearn.linear_model import LogisticRegression

from superalign.critic.harm import (
    Arrays,
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

    def action(self, score: float) -> Action:
        """What to do with a text of this score."""
        return "block" if score > self.block else "escalate" if score > self.escalate else "allow"


class DomainNamer:
    """Multinomial logistic regression that names the domain of a risky text from its activations."""

    def __init__(self, names: Sequence[str], fitted: Arrays) -> None:
        self.names, self.fitted = list(names), fitted

    @classmethod
    def fit(cls, features: npt.NDArray[np.float32], domains: Sequence[str]) -> DomainNamer:
        """Fit to the (n, d) activations of texts of known domains, two domains at least."""
        mean, scale = features.mean(0), features.std(0) + 1e-6
        regression = LogisticRegression(C=0.01, max_iter=1000)
        regression.fit((features - mean) / scale, domains)
        # one row of weights per class, also of two
        weights, bias = regression.coef_, regression.intercept_
        if len(weights) == 1:
            weights, bias = np.vstack([-weights, weights]) / 2, np.concatenate([-bias, bias]) / 2
        learnt = {"mean": mean, "scale": scale, "weights": weights, "bias": bias}
        return cls([*map(str, regression.classes_)], learnt)

    def name(self, features: npt.NDArray[np.float32]) -> list[tuple[str, float]]:
        """Likeliest domain of each row of (n, d) activations and its probability among the domains."""
        z = (features - self.fitted["mean"]) / self.fitted["scale"]
        p = softmax(z @ self.fitted["weights"].T + self.fitted["bias"], axis=1)
        return [(self.names[k], float(row[k])) for row, k in zip(p, p.argmax(1), strict=True)]


class RiskMonitor:
    """Logistic regressions on hidden states and on wording, their log-odds averaged.

    Args:
        model: whose activations are read; it stays frozen.
        layers: whose residual stream is read.

    Attributes:
        calibration: scores of the harmless texts that the thresholds are set by.
    """

    def __init__(self, model: LanguageModel, layers: Sequence[int]) -> None:
        self.states, self.wording = HiddenStateClassifier(model, layers), WordingClassifier()
        self.members: dict[str, RequestClassifier] = {
            "hidden states": self.states,
            "wording": self.wording,
        }
        self.namer: DomainNamer | None = None
        self.calibration: Scores = np.zeros(0)
        self.thresholds: Thresholds | None = None

    def fit(self, harmful: Sequence[str], harmless: Sequence[str]) -> None:
        """Fit to labelled texts."""
        queries = [_seen(text) for text in (*harmful, *harmless)]
        labels = [1.0] * len(harmful) + [0.0] * len(harmless)
        for member in self.members.values():
            member.fit(queries, labels, [1.0] * len(labels))

    def fit_domains(self, texts: Sequence[str], domains: Sequence[str]) -> None:
        """Learn to name the domain of risky texts."""
        self.namer = DomainNamer.fit(self.states.features([_seen(t) for t in texts]), domains)

    def calibrate(
        self, harmless: Sequence[str], *, escalate: float = 0.05, block: float = 0.01
    ) -> Thresholds:
        """Score harmless texts and set the thresholds by them; see ``choose_rates``."""
        self.calibration = self.score(harmless)
        return self.choose_rates(escalate=escalate, block=block)

    def choose_rates(self, *, escalate: float, block: float) -> Thresholds:
        """Set the thresholds so that of fresh harmless texts at most such shares pass them.

        Split conformal: with n texts the threshold is the ceil((n + 1)(1 - rate))-th lowest score,
        which holds the rate on average whatever the scores' distribution. With fewer than
        1 / rate - 1 texts nothing passes it.

        Raises:
            ValueError: a rate outside (0, 1), or ``block`` above ``escalate``.

        Source: Vovk, Gammerman & Shafer (2005), Algorithmic Learning in a Random World.
        """
        if not 0 < block <= escalate < 1:
            raise ValueError(f"need 0 < block <= escalate < 1, got {block=}, {escalate=}")
        self.thresholds = Thresholds(
            conformal_threshold(self.calibration, escalate),
            conformal_threshold(self.calibration, block),
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
        return [self.thresholds.action(s) for s in self.score(texts)]

    def domains(self, texts: Sequence[str]) -> list[tuple[str, float]]:
        """The domain of risk that each text is nearest to, and its probability among the domains.

        Raises:
            ValueError: ``fit_domains`` was not called.
        """
        if self.namer is None:
            raise ValueError("fit the domains first")
        return self.namer.name(self.states.features([_seen(text) for text in texts]))


def conformal_threshold(scores: Sequence[float] | Scores, rate: float) -> float:
    """Score that a fresh, exchangeable one exceeds with probability at most ``rate``; see there."""
    n = len(scores)
    place = math.ceil((n + 1) * (1 - rate) - 1e-9)  # 1 / (n + 1) is not exact
    return math.inf if place > n else float(np.sort(np.asarray(scores))[place - 1])


def trained_monitor(
    model: LanguageModel, layers: Sequence[int], *, n: int = 480, seed: int = 0
) -> RiskMonitor:
    """A monitor fitted to ``n`` generated pairs of the training families, and calibrated.

    High-risk requests against their benign twins and unrelated benign requests; a fresh third of
    the harmless ones sets the thresholds. Domains are learnt from requests of all high-risk
    families: names only, which neither score nor threshold reads.
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
    named = domain_requests(max(2 * len(HIGH_RISK), n // 2), seed)
    monitor.fit_domains([q.text for q in named], [q.family for q in named])
    return monitor


def domain_requests(n: int, seed: int = 0) -> list[Query]:
    """About ``n`` harmful requests, equally many of each high-risk family, held-out ones too."""
    task, own_seed = Safety(), seeded(seed, "domains").getrandbits(31)
    return [
        query
        for family in sorted(HIGH_RISK)
        for query in task.harmful_only(
            n // len(HIGH_RISK), seed=own_seed, split=task.families[family], families=[family]
        )
    ]


def _seen(text: str) -> Query:
    """A text as the classifiers take it, with nothing but its words."""
    return Query(
        domain="safety",
        family="unknown",
        split="held_out",
        messages=(Message(role="user", content=text or " "),),
    )
