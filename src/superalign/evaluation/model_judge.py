"""A model as the judge of pairs of answers, and how far its position, length and kin sway it.

Every pair is asked in both orders. Averaging the two cancels a liking for a slot; what it was is
reported, as are the liking for length and for the judge's own answers. The win rate is given as it
is and at equal length.

Sources: position bias: Zheng et al. (2023), arXiv 2306.05685; length-controlled win rate: Dubois et
al. (2024), arXiv 2404.04475; self-preference: Panickssery et al. (2024), arXiv 2404.13076.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from superalign.models import LanguageModel
from superalign.statistics import Estimate, bootstrap, mean, mean_difference, proportion

QUESTION = (
    "Which answer to the request is better? Reply with A or B only.\n\n"
    "Request: {request}\n\nAnswer A: {first}\n\nAnswer B: {second}"
)
Array = npt.NDArray[np.float64]
PENALTY = 1e-5  # ridge of the regression; keeps separable data finite
STEPS = 8


@dataclass(frozen=True)
class Pair:
    """Two answers to a request: ``ours`` is the one whose win rate is asked for.

    Attributes:
        better: what people or ground truth say: 1 ours, 0 the other, 0.5 a tie, None unknown.
    """

    request: str
    ours: str
    other: str
    better: float | None = None


@dataclass(frozen=True)
class Judged:
    """A pair with the judge's probability that ours is better, shown first and shown second."""

    pair: Pair
    first: float
    second: float

    @property
    def preference(self) -> float:
        """Probability of ours, both orders together."""
        return (self.first + self.second) / 2

    @property
    def flips(self) -> bool:
        """Whether the order decides who wins."""
        return (self.first > 0.5) != (self.second > 0.5)

    @property
    def longer(self) -> float:
        """How much longer ours is: difference of lengths over their sum, in [-1, 1]."""
        ours, other = len(self.pair.ours), len(self.pair.other)
        return (ours - other) / max(1, ours + other)


def judge_pairs(model: LanguageModel, pairs: Sequence[Pair]) -> list[Judged]:
    """The judge's probabilities, read off the letters' likelihoods: nothing to parse or to miss."""
    orders = [(p, *answers) for p in pairs for answers in ((p.ours, p.other), (p.other, p.ours))]
    prompts = [QUESTION.format(request=p.request, first=a, second=b) for p, a, b in orders]
    scores = model.choose(prompts, [["A", "B"]] * len(prompts))
    slot_one = [float(expit(row[0].logprob - row[1].logprob)) for row in scores]
    both = zip(slot_one[::2], slot_one[1::2], strict=True)
    return [Judged(p, first, 1 - second) for p, (first, second) in zip(pairs, both, strict=True)]


def report(judged: Sequence[Judged], control: Sequence[Judged] = ()) -> dict[str, Any]:
    """Win rates and biases, each ``{value, low, high, n}``; bootstrap over pairs.

    ``win_rate``: share of pairs won, both orders together. ``length_controlled``: the same at equal
    length. ``position``: probability given to the first slot less a half. ``flips``: share of pairs
    that the order decides. ``length``: slope of the log-odds by relative length. ``agreement``: share
    of decided pairs on which the judge agrees with ``better``. ``self_preference``: where ``judged``
    holds the judge's own answers as ours and ``control`` those of another model, how much more the
    judge's word exceeds ``better`` for its own than for the other's.
    """
    decided = [j for j in judged if j.pair.better in (0.0, 1.0)]
    agree = sum((j.preference > 0.5) == (j.pair.better == 1.0) for j in decided)
    found = {
        "win_rate": proportion(sum(j.preference > 0.5 for j in judged), len(judged)),
        "length_controlled": length_controlled(judged),
        "position": mean([(j.first + 1 - j.second) / 2 - 0.5 for j in judged]),
        "flips": proportion(sum(j.flips for j in judged), len(judged)),
        "length": _over_pairs(judged, lambda table: _fit(table)[1]),
        "agreement": proportion(agree, len(decided)),
    }
    if control:
        found["self_preference"] = _excess(judged, control)
    return {name: estimate.as_dict() for name, estimate in found.items()}


def length_controlled(judged: Sequence[Judged]) -> Estimate:
    """The win probability that a logistic regression on relative length gives at equal length."""
    return _over_pairs(judged, lambda table: float(expit(_fit(table)[0])))


def _over_pairs(judged: Sequence[Judged], statistic: Callable[[Array], float]) -> Estimate:
    table = np.array([[j.preference, j.longer] for j in judged], dtype=float).reshape(-1, 2)
    return bootstrap(range(len(table)), lambda rows: statistic(table[rows.astype(int)]))


def _fit(table: Array) -> tuple[float, float]:
    """Intercept and slope of log-odds(preference) by relative length; soft labels, Newton's steps."""
    preference, longer = table[:, 0], table[:, 1]
    design = np.column_stack([np.ones_like(longer), longer])
    b = np.zeros(2)
    for _ in range(STEPS):
        p = expit(design @ b)
        slope = design.T @ (p - preference) / len(p) + PENALTY * b
        curve = (design.T * (p * (1 - p))) @ design / len(p) + PENALTY * np.eye(2)
        b = b - np.clip(np.linalg.solve(curve, slope), -2, 2)
    return float(b[0]), float(b[1])


def _excess(judged: Sequence[Judged], control: Sequence[Judged]) -> Estimate:
    groups = [
        [j.preference - j.pair.better for j in rows if j.pair.better is not None]
        for rows in (judged, control)
    ]
    return mean_difference(groups[0], groups[1])
