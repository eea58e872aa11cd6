"""Weak supervisors: what gives a student its labels, and how good it is.

Names: any model's (``smollm2@layers=2``: a head on its frozen features), ``bow`` (bag of words),
``noisy:SENSITIVITY,SPECIFICITY`` (the truth with known errors), ``recorded`` (the task's own field).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
from sklearn.feature_extraction.text import TfidfVectorizer

from superalign.errors import InputError
from superalign.weak_to_strong.heads import Space, cross_fitted, fit, one_hot
from superalign.weak_to_strong.labels import WeakLabels, labels_of
from superalign.weak_to_strong.losses import Array
from superalign.weak_to_strong.splits import Split
from superalign.weak_to_strong.tasks import SEPARATOR, Task

Features = Callable[[Task], npt.NDArray[np.float32]]
RIDGES = (0.1, 1.0, 10.0)
ALLOWED = "a model's name, bow, noisy:SENSITIVITY,SPECIFICITY or recorded"


@dataclass(frozen=True)
class Supervision:
    """A supervisor's labels of the student's rows and its own answers (m, K) on the test rows."""

    labels: WeakLabels
    test: Array


class Supervisor(Protocol):
    """Learns from its half of the truth and labels the student's half and the test set."""

    name: str

    def supervise(self, task: Task, split: Split, seed: int) -> Supervision:
        """Labels for one split.

        Raises:
            InputError: the supervisor cannot label this task.
        """
        ...


class Feature:
    """A head on vectors: a weak model's frozen features, or a bag of words.

    The ridge is chosen by cross-validation on the supervisor's own labelled half.
    """

    def __init__(self, name: str, vectors: Features) -> None:
        self.name, self._vectors = name, vectors
        self._last: tuple[Task, npt.NDArray[np.float32]] | None = None

    def supervise(self, task: Task, split: Split, seed: int) -> Supervision:
        """Train on the truth of the supervisor's half."""
        if self._last is None or self._last[0] is not task:
            self._last = task, self._vectors(task)
        x = self._last[1]
        space = Space.of(
            x[split.supervisor], x[split.student], x[split.test], intercept=task.kind != "pairs"
        )
        y = one_hot(task.truth[split.supervisor], task.k)
        head = fit(space, y, ridge=best_ridge(space, y, seed))
        student, test = (head.probabilities(o) for o in space.others)
        return Supervision(labels_of(self.name, student, cost=len(y)), test)


def best_ridge(space: Space, y_nK: Array, seed: int, ridges: tuple[float, ...] = RIDGES) -> float:
    """The ridge with the lowest cross-validated log loss against ``y_nK``."""

    def loss(ridge: float) -> float:
        p = cross_fitted(space, y_nK, ridge=ridge, parts=3, seed=seed)
        return float(-(y_nK * np.log(np.maximum(p, 1e-9))).sum())

    return min(ridges, key=loss)


class NoisyOracle:
    """The truth, flipped at known rates; a flipped multi-class label is any other class.

    ``sensitivity`` is the chance that class 1 is told right, ``specificity`` that any other class is.
    The probability it reports is its hard answer: it does not know when it errs.
    """

    def __init__(self, sensitivity: float, specificity: float) -> None:
        self.sensitivity, self.specificity = sensitivity, specificity
        self.name = f"noisy:{sensitivity:g},{specificity:g}"

    def supervise(self, task: Task, split: Split, seed: int) -> Supervision:
        """Flip the truth; the draw depends on the seed alone."""
        rng = np.random.default_rng([seed, 0x0AC1E])
        right = np.where(task.truth == 1, self.sensitivity, self.specificity)
        told = flip(task.truth, 1 - right, task.k, rng)
        y = one_hot(told, task.k)
        return Supervision(labels_of(self.name, y[split.student]), y[split.test])


def flip(
    truth: npt.NDArray[np.int64], rate_n: Array, k: int, rng: np.random.Generator
) -> npt.NDArray[np.int64]:
    """Labels of which each is wrong with its own probability ``rate_n``, evenly over the others."""
    wrong = rng.random(len(truth)) < rate_n
    other = (truth + rng.integers(1, k, len(truth))) % k
    return np.where(wrong, other, truth)


class Recorded:
    """Labels that were given before, by people or by a model, in a field of the task's file."""

    name = "recorded"

    def supervise(self, task: Task, split: Split, seed: int) -> Supervision:
        """The recorded labels; a row without one has weight 0 and its test answer is a guess.

        Raises:
            InputError: the task has no such field, or no recorded label in a part.
        """
        if task.recorded is None:
            raise InputError(f"task '{task.name}' has no recorded labels; name them: --weak-field")
        known = task.recorded >= 0
        y = np.where(known[:, None], one_hot(np.maximum(task.recorded, 0), task.k), np.nan)
        if not known[split.student].any() or not known[split.test].all():
            raise InputError(
                f"task '{task.name}': recorded labels are needed for every test row and for some "
                f"of the student's; {int((~known[split.test]).sum())} test rows have none"
            )
        return Supervision(labels_of(self.name, y[split.student]), y[split.test])


def bag_of_words(task: Task) -> npt.NDArray[np.float32]:
    """TF-IDF of words and word pairs (n, up to 4000); for a pair the difference of the two texts.

    Fitted on all texts of the task without any label: which words exist is no ground truth.
    """
    texts = [text.replace(SEPARATOR, "\n") for text in task.flat]
    counts = TfidfVectorizer(ngram_range=(1, 2), min_df=2, max_features=4000, sublinear_tf=True)
    x = np.asarray(counts.fit_transform(texts).todense(), dtype=np.float32)
    return x[0::2] - x[1::2] if task.kind == "pairs" else x


def parse_noisy(name: str) -> NoisyOracle:
    """``noisy:0.8,0.7`` as a supervisor.

    Raises:
        InputError: not two numbers in [0, 1].
    """
    parts = name.removeprefix("noisy:").split(",")
    try:
        rates = [float(p) for p in parts]
    except ValueError:
        rates = []
    if len(rates) != 2 or not all(0 <= r <= 1 for r in rates):
        raise InputError(f"supervisor '{name}'; allowed: noisy:SENSITIVITY,SPECIFICITY in [0, 1]")
    return NoisyOracle(*rates)
