"""How hard each question is and how able each model, on one scale: the two-parameter logistic model.

P(model i answers item j rightly) = 1 / (1 + exp(-a_j (θ_i - b_j))): difficulty b_j is the ability at
which half of the answers are right, discrimination a_j how sharply the item tells models apart. A raw
share of right answers moves when items are exchanged; an ability on this scale does not, so a
benchmark can renew its items and still be compared with its earlier rounds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import expit

Array = npt.NDArray[np.float64]
NODES = 41  # quadrature points over abilities in [-5, 5]
PRIOR_LOG_A, PRIOR_D = 0.5, 3.0  # standard deviations: of log a around 0, of the intercept around 0


@dataclass(frozen=True)
class Items:
    """Fitted items: ``discrimination`` a > 0 and ``difficulty`` b, each (items,)."""

    discrimination: Array
    difficulty: Array

    def chance(self, ability: npt.ArrayLike) -> Array:
        """P(right), for each ability and item: (abilities, items)."""
        theta = np.atleast_1d(np.asarray(ability, dtype=np.float64))[:, None]
        p: Array = expit(self.discrimination * (theta - self.difficulty))
        return p

    def information(self, ability: npt.ArrayLike) -> Array:
        """Fisher information of each item about an ability, a² p (1 - p): (abilities, items)."""
        p = self.chance(ability)
        return self.discrimination**2 * p * (1 - p)

    def most_informative(self, ability: float, n: int) -> list[int]:
        """The ``n`` items that say most about a model of this ability, the best first."""
        return [int(i) for i in np.argsort(-self.information(ability)[0], kind="stable")[:n]]


@dataclass(frozen=True)
class Ability:
    """Posterior mean and standard deviation of an ability; before any answer N(0, 1)."""

    mean: float
    deviation: float
    n: int


def fit_items(right: npt.ArrayLike, *, steps: int = 200, tolerance: float = 1e-4) -> Items:
    """Items by marginal maximum likelihood, abilities being N(0, 1).

    Args:
        right: (models, items): 1 right, 0 wrong, NaN missing. A row is a model, a checkpoint, or one
            sampled pass of either.
        steps: most EM steps.
        tolerance: largest change of a parameter at which EM stops.

    Weak priors (log a ~ N(0, 0.5²), intercept -ab ~ N(0, 3²)) keep items finite that everyone or
    no one gets right.

    Raises:
        ValueError: not a table of 0, 1 and NaN, or fewer than two rows.

    Source: Bock & Aitkin (1981), Psychometrika 46:443.
    """
    table = np.asarray(right, dtype=np.float64)
    seen = ~np.isnan(table)
    if table.ndim != 2 or len(table) < 2:
        raise ValueError(f"a table of at least two models is needed, not shape {table.shape}")
    if not np.isin(table[seen], (0.0, 1.0)).all():
        raise ValueError("answers are 1 (right), 0 (wrong) or NaN (missing)")
    filled = np.where(seen, table, 0.0)
    nodes, weights = _abilities()
    log_a, d = np.zeros(table.shape[1]), np.zeros(table.shape[1])
    for _ in range(steps):
        posterior = _posterior(filled, seen, log_a, d, nodes, weights)
        asked, hits = posterior.T @ seen, posterior.T @ filled  # (nodes, items), expected counts
        new_a, new_d = _maximise(asked, hits, nodes, log_a, d)
        change = max(np.abs(new_a - log_a).max(), np.abs(new_d - d).max())
        log_a, d = new_a, new_d
        if change < tolerance:
            break
    return Items(np.exp(log_a), -d / np.exp(log_a))


def ability(items: Items, right: npt.ArrayLike) -> Ability:
    """A model's ability from its answers (items,) to fitted items; NaN is missing.

    Source: expected a posteriori, Bock & Mislevy (1982), Applied Psychological Measurement 6:431.
    """
    row = np.asarray(right, dtype=np.float64)
    seen = ~np.isnan(row)
    log_a = np.log(items.discrimination)
    d = -items.discrimination * items.difficulty
    nodes, weights = _abilities()
    [p] = _posterior(np.where(seen, row, 0.0)[None], seen[None], log_a, d, nodes, weights)
    mean = float(p @ nodes)
    return Ability(mean, float(np.sqrt(p @ (nodes - mean) ** 2)), int(seen.sum()))


def _abilities() -> tuple[Array, Array]:
    nodes = np.linspace(-5, 5, NODES)
    weights = np.exp(-(nodes**2) / 2)
    return nodes, weights / weights.sum()


def _posterior(
    filled: Array, seen: npt.NDArray[np.bool_], log_a: Array, d: Array, nodes: Array, weights: Array
) -> Array:
    """(models, nodes): how likely each model's ability is at each node."""
    logits = np.exp(log_a) * nodes[:, None] + d
    log_wrong = -np.logaddexp(0.0, logits)  # log P(wrong); log P(right) is this plus the logit
    log_p = seen @ log_wrong.T + filled @ logits.T + np.log(weights)
    p: Array = np.exp(log_p - log_p.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    return p


def _maximise(
    asked: Array, hits: Array, nodes: Array, log_a: Array, d: Array
) -> tuple[Array, Array]:
    """Newton steps with Fisher's information on (log a, d), all items at once."""
    for _ in range(4):
        a = np.exp(log_a)
        p = expit(a * nodes[:, None] + d)
        residual, weight = hits - asked * p, asked * p * (1 - p)
        slope = a * nodes[:, None]  # derivative of the logit by log a
        g_a = (residual * slope).sum(0) - log_a / PRIOR_LOG_A**2
        g_d = residual.sum(0) - d / PRIOR_D**2
        h_aa = (weight * slope**2).sum(0) + 1 / PRIOR_LOG_A**2
        h_dd = weight.sum(0) + 1 / PRIOR_D**2
        h_ad = (weight * slope).sum(0)
        determinant = h_aa * h_dd - h_ad**2
        log_a = log_a + np.clip((h_dd * g_a - h_ad * g_d) / determinant, -0.5, 0.5)
        d = d + np.clip((h_aa * g_d - h_ad * g_a) / determinant, -1.0, 1.0)
    return log_a, d
