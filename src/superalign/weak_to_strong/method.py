"""What a weak-to-strong method sees and gives. It sees no ground truth: there is none in here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, Protocol

import numpy as np
from scipy.special import softmax

from superalign.weak_to_strong.heads import Space, cross_fitted, one_hot
from superalign.weak_to_strong.labels import WeakLabels
from superalign.weak_to_strong.losses import Array
from superalign.weak_to_strong.readings import share_shift

Family = Literal[
    "baseline", "denoising", "co-supervision", "elicitation", "pairs", "fine-tuned", "default"
]
TunedLoss = Literal["xent", "logconf"]


class NotApplicable(Exception):
    """The method has no meaning in this setting; the message says why and goes into the report."""


@dataclass(frozen=True)
class Setting:
    """One student to train: its readings of the rows, the weak labels, and what else is free.

    ``views`` are named spaces over the same rows, each with the test rows as ``others[0]``; ``plain``
    is the text alone, two thirds up the student. ``ladder`` holds the student's own shallower
    states, weakest first. ``prior`` is the student's zero-shot answer (n, K) and (m, K), where a
    question with answers was given. ``tuned`` is ``plain`` of a student tuned on the task's texts.
    ``finetune`` fine-tunes a student on the rows' labels (n, K) with a loss: test answers (m, K).
    """

    views: dict[str, Space]
    weak: WeakLabels
    annotators: tuple[WeakLabels, ...] = ()
    ladder: tuple[Space, ...] = ()
    prior: tuple[Array, Array] | None = None
    tuned: Space | None = None
    pairs: bool = False
    seed: int = 0
    finetune: Callable[[Array, TunedLoss], Array] | None = None

    @property
    def plain(self) -> Space:
        """The text alone."""
        return self.views["plain"]

    @property
    def k(self) -> int:
        """Number of classes."""
        return int(self.weak.probability.shape[1])

    @cached_property
    def out_of_fold(self) -> Array:
        """The plain student's answers (n, K) to rows whose weak label it did not see."""
        return cross_fitted(self.plain, self.weak.probability, self.weak.weight, seed=self.seed)

    @cached_property
    def out_of_fold_hard(self) -> Array:
        """As ``out_of_fold``, of a student of the hardened labels: for estimates of flip rates."""
        hard = one_hot(self.weak.hard, self.k)
        return cross_fitted(self.plain, hard, self.weak.weight, seed=self.seed)

    def with_class_shares(self, train_nK: Array, test_mK: Array) -> Array:
        """``test_mK`` shifted in log-odds so that ``train_nK`` has the weak labels' class shares.

        A student of soft labels is soft, one of its answers softer still: a threshold at ½ ends with
        the more frequent class for every row. Pairs have no shares to keep and stay as they are.
        """
        if self.pairs:
            return test_mK
        shares = self.weak.probability[self.weak.weight > 0].mean(0)
        shift = share_shift(np.log(np.maximum(train_nK, 1e-12)), shares)
        result: Array = softmax(np.log(np.maximum(test_mK, 1e-12)) + shift, axis=1)
        return result

    @property
    def ends(self) -> dict[str, Space]:
        """The views of one state, at the end of the text or of a cue: all but the text's means."""
        return {n: s for n, s in self.views.items() if not n.startswith("mean")}

    @property
    def elicited(self) -> dict[str, Space]:
        """The views in which a question or a cue follows the text."""
        return {n: s for n, s in self.views.items() if n.startswith(("cue", "question"))}


@dataclass(frozen=True)
class Prediction:
    """Class probabilities of the test rows (m, K), how many weak labels were trained on, notes."""

    test: Array
    labels_used: int
    notes: dict[str, Any] = field(default_factory=dict)


class Method(Protocol):
    """One way to train a student on weak labels."""

    family: Family
    source: str

    def predict(self, setting: Setting) -> Prediction:
        """Train, and predict the test rows.

        Raises:
            NotApplicable: the setting lacks what the method needs.
        """
        ...
