"""Reward models over a model's reading of a solution: outcome, process, and pairwise.

All three are linear heads with a ridge penalty on the same features, so that they differ in what they
learn from and in nothing else. The *outcome* model sees whether a solution reached the right answer.
The *process* model sees, for every step, the share of rollouts from there that did, and scores a
solution by its least hopeful step. The *pairwise* model sees which of two solutions is better, a label
that may be wrong; its losses are the learner's preference losses with the reward in the place of the
log-probability ratio (a sequence of one token).

Sources: outcome and process supervision, arXiv 2211.14275 and 2305.20050; rollouts as step labels,
Math-Shepherd, arXiv 2312.08935; pairs, Bradley and Terry (1952); label smoothing, Mitchell (2023);
unbiased correction for flipped labels, arXiv 2403.00409 (Natarajan et al. 2013 for classes).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler
from torch import Tensor

from superalign.critic.step_reader import StepViews
from superalign.learner.preference_losses import dpo, rdpo

Floats = npt.NDArray[np.float64]
PairLoss = Literal["plain", "smoothed", "robust"]
DIRECTIONS = 32  # of the pooled states
RIDGE = 1e-2


class Features:
    """Rows for the heads: what tools say, the surprise, and the states' main directions."""

    def __init__(self, views: Sequence[StepViews], seed: int = 0) -> None:
        """Fit scale and directions to ``views``."""
        states = np.concatenate([v.states for v in views]).astype(np.float32)
        self._scale = StandardScaler().fit(states)
        rank = min(DIRECTIONS, *states.shape)
        self._directions = PCA(rank, random_state=seed, svd_solver="randomized")
        self._directions.fit(self._scale.transform(states))
        self._step_scale = StandardScaler().fit(np.concatenate([self._step(v) for v in views]))
        whole = np.stack([self._whole(v) for v in views])
        self._whole_scale = StandardScaler().fit(whole)

    def steps(self, view: StepViews) -> Floats:
        """(steps, features)."""
        rows: Floats = self._step_scale.transform(self._step(view))
        return rows.clip(-8, 8)

    def solutions(self, views: Sequence[StepViews]) -> Floats:
        """(solutions, features): mean, least and largest over the steps, and the last step."""
        rows: Floats = self._whole_scale.transform(np.stack([self._whole(v) for v in views]))
        return rows.clip(-8, 8)

    def _step(self, view: StepViews) -> Floats:
        scaled = self._scale.transform(view.states.astype(np.float32))
        states = self._directions.transform(scaled)
        rows: Floats = np.concatenate([view.tools, view.surprise, states], 1).astype(np.float64)
        return rows

    def _whole(self, view: StepViews) -> Floats:
        rows = self._step_scale.transform(self._step(view))
        return np.concatenate([rows.mean(0), rows.min(0), rows.max(0), rows[-1]])


@dataclass(frozen=True)
class LinearReward:
    """r(x) = w·x + b, in log-odds."""

    weights: Floats
    bias: float

    def __call__(self, rows: Floats) -> Floats:
        """(n,) rewards of (n, features) rows."""
        found: Floats = rows @ self.weights + self.bias
        return found


def fit_outcomes(rows_nD: Floats, value_n: Sequence[float], ridge: float = RIDGE) -> LinearReward:
    """Logistic regression on soft labels: −v·log σ(r) − (1−v)·log σ(−r), v in [0, 1].

    Raises:
        ValueError: all labels are equal.
    """
    value = torch.as_tensor(np.asarray(value_n))
    if len(value) == 0 or bool((value == value[0]).all()):
        raise ValueError("a reward model needs better and worse solutions to learn from")
    x = torch.as_tensor(rows_nD)

    def loss(w: Tensor, b: Tensor) -> Tensor:
        return torch.nn.functional.binary_cross_entropy_with_logits(x @ w + b, value)

    return _minimised(loss, rows_nD.shape[1], ridge)


def fit_pairs(
    better_PD: Floats,
    worse_PD: Floats,
    *,
    loss: PairLoss = "plain",
    noise: float = 0.0,
    probability_P: Sequence[float] | None = None,
    ridge: float = RIDGE,
) -> LinearReward:
    """A pairwise reward model on P pairs, labelled better and worse.

    Args:
        loss: ``plain`` is Bradley–Terry with soft labels, −p·log σ(h) − (1−p)·log σ(−h) with h the
            difference of rewards; ``smoothed`` draws the label towards one half by ``noise``;
            ``robust`` is in expectation the plain loss on unflipped labels.
        noise: rate at which labels are flipped, in [0, 0.5); unused by ``plain``.
        probability_P: belief that the first is better; default 1.

    Raises:
        InputError: ``robust`` with a rate outside [0, 0.5).
        ValueError: no pairs.
    """
    count = len(better_PD)
    if not count:
        raise ValueError("a pairwise reward model needs pairs to learn from")
    x = torch.as_tensor(np.stack([better_PD, worse_PD], 1).reshape(2 * count, -1))
    own = torch.arange(2 * count)
    none = torch.zeros(2 * count, dtype=x.dtype)
    p = None if probability_P is None else torch.as_tensor(np.asarray(probability_P))

    def value(w: Tensor, b: Tensor) -> Tensor:
        reward = x @ w + b * 0  # a constant cancels in every difference
        given = {"reference_S": none, "beta": 1.0, "probability_P": p}
        if loss == "robust":
            return rdpo(reward, own, 2 * count, flip_rate=noise, **given).value  # type: ignore[arg-type]
        smoothing = noise if loss == "smoothed" else 0.0
        return dpo(reward, own, 2 * count, label_smoothing=smoothing, **given).value  # type: ignore[arg-type]

    return _minimised(value, x.shape[1], ridge)


def worst_step(rewards: Floats) -> float:
    """A process model's word on a solution: its least hopeful step."""
    return float(rewards.min())


def _minimised(loss: Callable[[Tensor, Tensor], Tensor], width: int, ridge: float) -> LinearReward:
    """Weights that minimise loss + ridge·|w|², by L-BFGS from 0."""
    w = torch.zeros(width, dtype=torch.float64, requires_grad=True)
    b = torch.zeros((), dtype=torch.float64, requires_grad=True)
    solver = torch.optim.LBFGS([w, b], max_iter=200, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        solver.zero_grad()
        value = loss(w, b) + ridge * w.square().sum()
        value.backward()
        return value

    solver.step(closure)
    return LinearReward(w.detach().numpy(), float(b.detach()))
