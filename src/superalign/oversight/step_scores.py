"""Scores of step critics on labelled solutions: first-error F1 with intervals, beside simple rules."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from superalign.critic.step_head import StepHead
from superalign.critic.step_reader import StepViews
from superalign.critic.step_tools import false_sum
from superalign.critic.steps import Solution, first_error_scores, harmonic_f1
from superalign.oversight.worked_solutions import question_key
from superalign.statistics import Estimate, rate
from superalign.statistics.estimates import RESAMPLES, percentile, undefined

Rule = Callable[[Solution, random.Random], int | None]
Found = Sequence[int | None]


def _calculator(solution: Solution, rng: random.Random) -> int | None:
    return next((i for i, step in enumerate(solution.steps) if false_sum(step)), None)


def _random_pointer(solution: Solution, rng: random.Random) -> int | None:
    return rng.randrange(len(solution.steps)) if rng.random() < 0.5 else None


RULES: dict[str, Rule] = {
    "calculator": _calculator,
    "random pointer": _random_pointer,
    "last step": lambda s, _: len(s.steps) - 1,
    "always flag the first": lambda s, _: 0,
}


def f1(found: Found, truth: Found, seed: int = 0) -> Estimate:
    """ProcessBench's F1 with a bootstrap interval over solutions, right and wrong ones apart."""
    wrong, right = first_error_scores(found, truth)
    if not wrong or not right:
        return undefined("needs solutions with and without an error", len(found))
    rng = np.random.default_rng(seed)
    a = rng.binomial(len(wrong), sum(wrong) / len(wrong), RESAMPLES) / len(wrong)
    b = rng.binomial(len(right), sum(right) / len(right), RESAMPLES) / len(right)
    both = a + b
    draws = np.divide(2 * a * b, both, out=np.zeros_like(both), where=both > 0)
    return percentile(harmonic_f1(wrong, right), draws.tolist(), len(found), 0)


def score_row(name: str, found: Found, truth: Found) -> dict[str, Any]:
    """One critic on one set: F1, exact hits on wrong solutions, silence on right ones."""
    wrong, right = first_error_scores(found, truth)
    flagged = [f is not None for f, t in zip(found, truth, strict=True) if t is not None]
    return {
        "name": name,
        "f1": f1(found, truth).as_dict(),
        "accuracy_wrong": rate(wrong).as_dict(),
        "accuracy_right": rate(right).as_dict(),
        "sensitivity": rate(flagged).as_dict(),
    }


def rule_rows(solutions: Sequence[Solution], seed: int = 0) -> list[dict[str, Any]]:
    """The rules that a critic must beat."""
    truth = [s.first_error for s in solutions]
    rng = random.Random(f"rules {seed}")
    return [score_row(n, [rule(s, rng) for s in solutions], truth) for n, rule in RULES.items()]


def fit_head(
    solutions: Sequence[Solution],
    views: Sequence[StepViews],
    *,
    seed: int,
    use: Sequence[str] = ("tools", "surprise", "states"),
    dev_share: float = 0.2,
) -> tuple[StepHead, list[int]]:
    """A head fitted to most questions, its threshold chosen on the others; returns their rows too."""
    rng = random.Random(f"dev {seed}")
    keys = sorted({question_key(s.question) for s in solutions})
    rng.shuffle(keys)
    dev_keys = set(keys[: round(len(keys) * dev_share)])
    dev = [i for i, s in enumerate(solutions) if question_key(s.question) in dev_keys]
    fit = [i for i in range(len(solutions)) if i not in set(dev)]
    head = StepHead.fit(
        [views[i] for i in fit], [solutions[i].first_error for i in fit], seed=seed, use=use
    )
    head.calibrate([views[i] for i in dev], [solutions[i].first_error for i in dev])
    return head, dev


def head_row(
    name: str,
    head: StepHead,
    solutions: Sequence[Solution],
    views: Sequence[StepViews],
    claim_rate: float | None = None,
) -> dict[str, Any]:
    """The head on one set, at its own threshold.

    With ``claim_rate`` the threshold is instead the one at which that share of this set is claimed:
    it is read off the set's scores without their labels, for sets whose scores lie elsewhere.
    """
    found = head.findings(views)
    threshold = head.threshold
    if claim_rate is not None:
        threshold = float(np.quantile([f.strength for f in found], 1 - claim_rate, method="lower"))
    return score_row(
        name, [f.claimed(threshold) for f in found], [s.first_error for s in solutions]
    )


def claim_rate(head: StepHead, views: Sequence[StepViews]) -> float:
    """The share of solutions that the head claims to hold an error, at its own threshold."""
    return float(np.mean([f.strength > head.threshold for f in head.findings(views)]))
