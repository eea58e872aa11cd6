"""A head over a model's reading of the steps: which step of a solution is the first wrong one.

Each step has a hazard h: the chance that it is wrong given that all before it are right. A small
ensemble of two-layer networks reads what tools say of the step, how surprised the model is, and its
pooled states along their main directions. Steps after the first wrong one teach nothing and are left
out. P(first error at i) = h_i · Π_{j<i} (1 - h_j), P(no error) = Π (1 - h_j).

Sources: first wrong step as the task, ProcessBench (arXiv 2412.06559); labels that stop at the first
error, "Let's verify step by step" (arXiv 2305.20050).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from safetensors.torch import load_file, save_file
from scipy.special import expit
from torch import Tensor

from superalign.critic.step_reader import StepViews
from superalign.critic.step_tools import TOOLS
from superalign.critic.steps import first_error_scores, harmonic_f1
from superalign.errors import ModelError

Floats = npt.NDArray[np.float64]
DIRECTIONS, HIDDEN, MEMBERS, EPOCHS, BATCH = 96, 64, 4, 24, 512
DROPOUT, DECAY, RATE = 0.2, 1e-2, 3e-3
FOLDS = 4
THRESHOLDS = tuple(round(0.01 * i, 2) for i in range(1, 100))
PER_STEP_THRESHOLDS = tuple(float(t) for t in expit(np.arange(-7.0, 5.0, 0.1)))


class Finding(NamedTuple):
    """One solution: hazards (steps,), the chance of some error, the likeliest first error.

    ``sure`` is the chance that the first error is at ``step``. Claims rest on it and not on
    ``wrong``, which grows with the number of steps however harmless each of them looks.

    ``per_step`` says how strong a claim is: by ``sure``, or by ``sure`` with its odds divided by
    the number of steps. The largest of many chances is large by chance; a threshold on divided
    odds claims as many right solutions of any length where the tail of their log-odds is
    exponential with rate 1 (Bonferroni's correction). The rate measured on development traces is
    2.2 to 2.6 at the trained length and 1.5 at twice that, so that the division also makes up for
    what surprises a model in a long trace only. It is for heads that meet lengths they did not
    learn from; on natural text of all lengths it spares long solutions too much.
    """

    hazards: Floats
    wrong: float
    step: int
    sure: float
    per_step: bool = False

    @property
    def strength(self) -> float:
        """What a claim rests on, in [0, 1]."""
        steps = len(self.hazards) if self.per_step else 1
        return self.sure / (self.sure + steps * (1 - self.sure))

    def claimed(self, threshold: float) -> int | None:
        """The step to claim, None where its strength is no more than ``threshold``."""
        return self.step if self.strength > threshold else None


class StepHead:
    """Fitted tensors; ``threshold`` is chosen on solutions that were not fitted to."""

    def __init__(self, tensors: dict[str, Tensor]) -> None:
        self.tensors = tensors

    @property
    def threshold(self) -> float:
        """A step is claimed when its strength lies above this."""
        return float(self.tensors["threshold"])

    @property
    def per_step(self) -> bool:
        """Whether claims rest on odds divided by the number of steps; see ``Finding``."""
        return "per step" in self.tensors

    @classmethod
    def fit(
        cls,
        views: Sequence[StepViews],
        first_errors: Sequence[int | None],
        *,
        seed: int,
        weights: Sequence[float] | None = None,
        use: Sequence[str] = ("tools", "surprise", "states"),
    ) -> StepHead:
        """Fit to solutions with known first errors (None: all steps right).

        ``use`` names the views that are read, so that each can be left out in turn.

        Raises:
            ValueError: nothing to learn from: no wrong step, or no right one.
        """
        rows = [
            (i, j, j == first)
            for i, (v, first) in enumerate(zip(views, first_errors, strict=True))
            for j in range(len(v.tools) if first is None else first + 1)
        ]
        labels = torch.tensor([float(wrong) for *_, wrong in rows])
        if not 0 < float(labels.sum()) < len(labels):
            raise ValueError("a step head needs right and wrong steps to learn from")
        own = weights or [1.0] * len(views)
        weight = torch.tensor([own[i] for i, *_ in rows])
        starts = np.cumsum([0, *(len(v.tools) for v in views)])
        index = torch.as_tensor([int(starts[i]) + j for i, j, _ in rows])
        plain, states = _joined(views)
        tensors = _directions(states[index], seed)
        x = torch.cat((plain, _project(states, tensors)), 1)[index]
        mask = _mask(use, plain.shape[1], x.shape[1] - plain.shape[1])
        mean, spread = x.mean(0), x.std(0) + 1e-3
        tensors |= {"mean": mean, "spread": spread, "mask": mask, "threshold": torch.tensor(0.5)}
        x = (x - mean) / spread * mask
        for member in range(MEMBERS):
            for name, value in _member(x, labels, weight, seed * 1000 + member).items():
                tensors[f"member {member} {name}"] = value
        return cls(tensors)

    @torch.no_grad()
    def findings(self, views: Sequence[StepViews]) -> list[Finding]:
        """One finding per solution, in order."""
        if not views:
            return []
        plain, states = _joined(views)
        t = self.tensors
        x = torch.cat((plain, _project(states, t)), 1)
        x = ((x - t["mean"]) / t["spread"] * t["mask"]).clamp(-8, 8)
        logits = torch.stack([_network(x, self._parameters(m)) for m in range(MEMBERS)]).mean(0)
        hazards = torch.sigmoid(logits).double().clamp(1e-6, 1 - 1e-6).numpy()
        at, found = 0, []
        for v in views:
            found.append(_finding(hazards[at : at + len(v.tools)], self.per_step))
            at += len(v.tools)
        return found

    def calibrate(
        self,
        views: Sequence[StepViews],
        first_errors: Sequence[int | None],
        false_claims: float | None = None,
    ) -> None:
        """Choose the threshold on these solutions; see ``best_threshold``."""
        found = self.findings(views)
        self.tensors["threshold"] = torch.tensor(best_threshold(found, first_errors, false_claims))

    def save(self, path: Path) -> None:
        """Write the tensors as safetensors."""
        save_file({k: v.contiguous() for k, v in self.tensors.items()}, path)

    @classmethod
    def load(cls, path: Path) -> StepHead:
        """Read a head.

        Raises:
            ModelError: the file is missing or is no step head.
        """
        try:
            tensors = load_file(path)
        except Exception as error:
            raise ModelError(f"cannot read a step head from {path}: {error}") from error
        if "threshold" not in tensors:
            raise ModelError(f"{path} is no step head")
        return cls(tensors)

    def _parameters(self, member: int) -> list[Tensor]:
        return [self.tensors[f"member {member} {name}"] for name in ("w1", "b1", "w2", "b2")]


def fit_crossed(
    views: Sequence[StepViews],
    first_errors: Sequence[int | None],
    *,
    seed: int,
    false_claims: float | None = None,
    use: Sequence[str] = ("tools", "surprise", "states"),
    per_step: bool = False,
) -> StepHead:
    """A head fitted to all solutions, its threshold chosen on what heads made of those they had not seen.

    ``per_step``: claims rest on odds divided by the number of steps; see ``Finding``.

    Raises:
        ValueError: as ``StepHead.fit``.
    """
    found: list[Finding | None] = [None] * len(views)
    for fold in range(FOLDS):
        rest = [i for i in range(len(views)) if i % FOLDS != fold]
        own = [i for i in range(len(views)) if i % FOLDS == fold]
        head = StepHead.fit(
            [views[i] for i in rest], [first_errors[i] for i in rest], seed=seed, use=use
        )
        for i, finding in zip(own, head.findings([views[i] for i in own]), strict=True):
            found[i] = finding._replace(per_step=per_step)
    head = StepHead.fit(views, first_errors, seed=seed, use=use)
    crossed = [f for f in found if f is not None]
    head.tensors["threshold"] = torch.tensor(best_threshold(crossed, first_errors, false_claims))
    if per_step:
        head.tensors["per step"] = torch.tensor(1.0)
    return head


def best_threshold(
    found: Sequence[Finding],
    first_errors: Sequence[int | None],
    false_claims: float | None = None,
) -> float:
    """The threshold with the best first-error F1.

    With ``false_claims``, among those at which at most that share of right solutions is claimed.
    """

    def value(threshold: float) -> tuple[float, float]:
        wrong, right = first_error_scores([f.claimed(threshold) for f in found], first_errors)
        spared = sum(right) / len(right) if right else 1.0
        within = false_claims is None or 1 - spared <= false_claims
        return (harmonic_f1(wrong, right) if within else spared - 1.0), threshold

    divided = any(f.per_step for f in found)
    return max(map(value, PER_STEP_THRESHOLDS if divided else THRESHOLDS))[1]


def _finding(hazards: Floats, per_step: bool) -> Finding:
    survival = np.cumprod(np.concatenate([[1.0], 1 - hazards]))
    first = hazards * survival[:-1]
    step = int(first.argmax())
    return Finding(hazards, float(1 - survival[-1]), step, float(first[step]), per_step)


def _joined(views: Sequence[StepViews]) -> tuple[Tensor, Tensor]:
    plain = np.concatenate([np.concatenate([v.tools, v.surprise], 1) for v in views])
    states = np.concatenate([v.states for v in views]).astype(np.float32)
    return torch.from_numpy(plain), torch.from_numpy(states)


def _directions(states: Tensor, seed: int) -> dict[str, Tensor]:
    """Main directions of the centred, scaled states."""
    center, scale = states.mean(0), states.std(0) + 1e-3
    rank = min(DIRECTIONS, *states.shape)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        _, _, basis = torch.pca_lowrank((states - center) / scale, q=rank, center=False, niter=3)
    return {"center": center, "scale": scale, "basis": basis.contiguous()}


def _project(states: Tensor, t: dict[str, Tensor]) -> Tensor:
    return ((states - t["center"]) / t["scale"]) @ t["basis"]


def _mask(use: Sequence[str], plain: int, directions: int) -> Tensor:
    tools, surprise, states = (float(name in use) for name in ("tools", "surprise", "states"))
    parts = [tools] * len(TOOLS) + [surprise] * (plain - len(TOOLS))
    return torch.tensor([*parts, *[states] * directions])


def _member(x: Tensor, labels: Tensor, weight: Tensor, seed: int) -> dict[str, Tensor]:
    """One network, trained with dropout and weight decay for a set number of epochs."""
    generator = torch.Generator().manual_seed(seed)
    width = x.shape[1]
    w1 = torch.randn(width, HIDDEN, generator=generator) / width**0.5
    w2 = torch.randn(HIDDEN, 1, generator=generator) / HIDDEN**0.5
    parameters = [w1, torch.zeros(HIDDEN), w2, torch.zeros(1)]
    for p in parameters:
        p.requires_grad_()
    adam = torch.optim.AdamW(parameters, lr=RATE, weight_decay=DECAY)
    steps = EPOCHS * -(-len(x) // BATCH)
    for step in range(steps):
        for group in adam.param_groups:
            group["lr"] = RATE * (1 - step / steps)
        rows = torch.randint(0, len(x), (BATCH,), generator=generator)
        keep = (torch.rand(BATCH, width, generator=generator) > DROPOUT) / (1 - DROPOUT)
        logits = _network(x[rows].clamp(-8, 8) * keep, parameters)
        loss = torch.nn.functional.binary_cross_entropy_with_logits(
            logits, labels[rows], weight[rows]
        )
        adam.zero_grad()
        loss.backward()
        adam.step()
    names = ("w1", "b1", "w2", "b2")
    return {n: p.detach() for n, p in zip(names, parameters, strict=True)}


def _network(x: Tensor, parameters: Sequence[Tensor]) -> Tensor:
    w1, b1, w2, b2 = parameters
    return (torch.nn.functional.gelu(x @ w1 + b1) @ w2 + b2)[:, 0]
