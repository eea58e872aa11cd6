"""Targets that recorded answers are compatible with: chances of success drawn from their posterior.

A bank (``attack_bank.py``) has few answers for each goal and operator. Taken as they are, they are
sharper than the model: one success in two answers is no chance of a half. So the chance of an
operator on a goal is modelled as operator × goal × pair, each factor Gamma with a shape that is
learned too, successes as Poisson, and a Gibbs sampler draws whole tables of chances. Each draw is a
target that may have given these answers, with all the doubt that they leave.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.special import gammaln

Array = npt.NDArray[np.float64]
SHAPES = np.geomspace(0.25, 16, 13)  # small: few are strong; large: all are alike
MOST = 0.95  # Poisson counts know no upper end, chances do


def tables(lines: Sequence[dict]) -> tuple[list[int], list[str], Array, Array]:
    """Goals, operators, successes (goals, operators) and answers of a bank."""
    goals = sorted({line["goal"] for line in lines})
    names = sorted({row["query"]["operator"] for line in lines for row in line["rows"]})
    hits, asked = np.zeros((2, len(goals), len(names)))
    for line in lines:
        for row in line["rows"]:
            at = goals.index(line["goal"]), names.index(row["query"]["operator"])
            hits[at] += sum(v is not None and v < 0.5 for v in row["verdicts"])
            asked[at] += len(row["verdicts"])
    return goals, names, hits, asked


def drawn_chances(
    hits: Array, asked: Array, draws: int, *, seed: int = 0, burn: int = 200, thin: int = 20
) -> Array:
    """(draws, goals, operators) chances from the posterior.

    Shapes have a uniform prior on ``SHAPES``; the mean rate has a flat one on its logarithm.
    """
    rng = np.random.default_rng(seed)
    operator, goal, pair = np.ones(hits.shape[1]), np.ones(len(hits)), np.ones_like(hits)
    shapes = {"operator": 1.0, "goal": 4.0, "pair": 4.0}
    level, found = hits.sum() / asked.sum(), []
    for step in range(burn + draws * thin):
        expected = asked * level
        there = expected * goal[:, None] * pair
        operator = _factor(rng, shapes["operator"], hits.sum(0), there.sum(0))
        there = expected * operator * pair
        goal = _factor(rng, shapes["goal"], hits.sum(1), there.sum(1))
        pair = _factor(rng, shapes["pair"], hits, expected * operator * goal[:, None])
        for name, factor in (("operator", operator), ("goal", goal), ("pair", pair)):
            shapes[name] = _shape(rng, factor)
        rates = operator * goal[:, None] * pair
        level = rng.gamma(max(hits.sum(), 0.5)) / (asked * rates).sum()
        if step >= burn and (step - burn) % thin == thin - 1:
            found.append(np.minimum(level * rates, MOST))
    return np.array(found)


def _factor(rng: np.random.Generator, shape: float, hits: Array, expected: Array) -> Array:
    """Draw of factors with prior Gamma(shape, shape): their mean is 1."""
    return np.maximum(rng.gamma(shape + hits) / (shape + expected), 1e-12)


def _shape(rng: np.random.Generator, factor: Array) -> float:
    """Draw of the factors' shape given their values."""
    logs = np.log(factor)
    weights = factor.size * (SHAPES * np.log(SHAPES) - gammaln(SHAPES)) + (
        (SHAPES - 1) * logs.sum() - SHAPES * factor.sum()
    )
    weights = np.exp(weights - weights.max())
    return float(rng.choice(SHAPES, p=weights / weights.sum()))


def curve_when_known(chances: Array, costs: Array, queries: int, confirm: int) -> Array:
    """Expected area of each goal when its best operator is asked from the start.

    Success needs ``confirm`` + 1 hits in a row on one prompt, each costing ``costs`` queries.
    """
    return np.array(
        [
            max(_area(p, int(c), queries, confirm) for p, c in zip(row, costs, strict=True))
            for row in chances
        ]
    )


def _area(p: float, cost: int, queries: int, confirm: int) -> float:
    """Area under the chance to have had ``confirm`` + 1 hits in a row, over the queries spent."""
    run, area = np.zeros(confirm + 1), 0.0
    run[0], solved = 1.0, 0.0
    for spent in range(cost, queries + 1, cost):
        solved_now = run[-1] * p
        run = np.concatenate(([(run.sum()) * (1 - p)], run[:-1] * p))
        solved += solved_now
        area += solved_now * (queries - spent + 1) / queries
    return area
