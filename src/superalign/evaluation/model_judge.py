"""A model as the judge of pairs of answers, and how far position and length sway it.

Every pair is asked in both orders. Averaging the two cancels a liking for a slot; what it was is
reported, as is the liking for length. The win rate is given as it is and at equal length. A judge may
first write a critique of the two answers, which then stands before the question which one is better.

Sources: position bias: Zheng et al. (2023), arXiv 2306.05685; length-controlled win rate: Dubois et
al. (2024), arXiv 2404.04475; critique before verdict: Ankner et al. (2024), arXiv 2408.11791.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from superalign.evaluation.measure import Progress, silent
from superalign.models import LanguageModel, Prompt
from superalign.statistics import Estimate, bootstrap, mean, proportion

SHOWN = "Request: {request}\n\nAnswer A: {first}\n\nAnswer B: {second}"
QUESTION = f"Which answer to the request is better? Reply with A or B only.\n\n{SHOWN}"
CRITIQUE = (
    f"{SHOWN}\n\nSay in two or three sentences what is right and what is wrong in each answer."
)
VERDICT = "Which answer to the request is better? Reply with A or B only."
BATCH = 32  # pairs judged at once
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
    """A pair with the judge's probability that ours is better, shown first and shown second.

    ``critiques``: what it wrote before, in the same order, if it was asked to.
    """

    pair: Pair
    first: float
    second: float
    critiques: tuple[str, ...] = ()

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


def judge_pairs(
    model: LanguageModel,
    pairs: Sequence[Pair],
    *,
    critique_tokens: int = 0,
    progress: Progress = silent,
) -> list[Judged]:
    """The judge's probabilities, read off the letters' likelihoods: nothing to parse or to miss.

    Args:
        model: the judge.
        pairs: what it judges, each in both orders.
        critique_tokens: longest critique that it writes first (greedy); 0 asks for none.
        progress: told the share that is done.
    """
    judged: list[Judged] = []
    for at in range(0, len(pairs), BATCH):
        judged += _judge(model, pairs[at : at + BATCH], critique_tokens)
        progress("judging", len(judged) / len(pairs))
    return judged


def _judge(model: LanguageModel, pairs: Sequence[Pair], critique_tokens: int) -> list[Judged]:
    orders = [(p, *answers) for p in pairs for answers in ((p.ours, p.other), (p.other, p.ours))]
    shown = [{"request": p.request, "first": a, "second": b} for p, a, b in orders]
    critiques: list[str] = []
    prompts: list[Prompt] = [QUESTION.format(**s) for s in shown]
    if critique_tokens:
        asked = [CRITIQUE.format(**s) for s in shown]
        rows = model.generate(asked, max_new_tokens=critique_tokens, temperature=0.0)
        critiques = [row[0].text.strip() for row in rows]
        prompts = [_after(q, c) for q, c in zip(asked, critiques, strict=True)]
    scores = model.choose(prompts, [["A", "B"]] * len(prompts))
    slot_one = [float(expit(row[0].logprob - row[1].logprob)) for row in scores]
    return [
        Judged(p, slot_one[2 * i], 1 - slot_one[2 * i + 1], tuple(critiques[2 * i : 2 * i + 2]))
        for i, p in enumerate(pairs)
    ]


def _after(question: str, critique: str) -> list[dict[str, str]]:
    """The conversation in which the verdict follows the judge's own critique."""
    turns = (("user", question), ("assistant", critique), ("user", VERDICT))
    return [{"role": role, "content": content} for role, content in turns]


def report(judged: Sequence[Judged]) -> dict[str, dict[str, Any]]:
    """Win rates and biases, each ``{value, low, high, n}``; bootstrap over pairs.

    ``win_rate``: share of pairs won, both orders together. ``length_controlled``: the same at equal
    length. ``position``: probability given to the first slot less a half. ``flips``: share of pairs
    that the order decides. ``length``: slope of the log-odds by relative length. ``agreement``: share
    of decided pairs on which the judge agrees with ``better``.
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
