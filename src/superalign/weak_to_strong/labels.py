"""Weak labels with their provenance: every loss consumes probability and weight, never a bare class."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from superalign.weak_to_strong.losses import Array


@dataclass(frozen=True)
class WeakLabels:
    """What one supervisor says of the student's rows.

    ``source`` names the supervisor, ``probability`` is (n, K) with rows that sum to 1, ``weight``
    (n,) is non-negative: 0 where the supervisor said nothing (missing, never a guess). ``cost`` is
    the number of true labels that went into the supervisor.
    """

    source: str
    probability: Array
    weight: Array
    cost: int = 0

    @property
    def confidence(self) -> Array:
        """How sure the supervisor is of its own answer (n,): 0 at chance, 1 when certain."""
        k = self.probability.shape[1]
        result: Array = (self.probability.max(1) - 1 / k) / (1 - 1 / k)
        return result

    @property
    def hard(self) -> npt.NDArray[np.int64]:
        """The most probable class of each row."""
        result: npt.NDArray[np.int64] = self.probability.argmax(1).astype(np.int64)
        return result

    @property
    def used(self) -> int:
        """Number of labels with weight."""
        return int((self.weight > 0).sum())

    def at(self, rows: npt.NDArray[np.intp]) -> WeakLabels:
        """The labels of some rows."""
        return replace(self, probability=self.probability[rows], weight=self.weight[rows])


def labels_of(source: str, probability: Array, cost: int = 0) -> WeakLabels:
    """Labels of weight 1 where the probabilities are finite; a row of NaN is missing.

    Raises:
        ValueError: a row that is no probability distribution.
    """
    known = np.asarray(np.isfinite(probability).all(axis=1))
    filled = np.where(known[:, None], probability, 1 / probability.shape[1])
    if (filled < -1e-9).any() or not np.allclose(filled.sum(1), 1, atol=1e-6):
        raise ValueError("each row of probabilities must be non-negative and sum to 1")
    return WeakLabels(source, filled, known.astype(np.float64), cost)
