"""Corrections for the supervisor's estimated noise: forward, and for pairs cDPO's and rDPO's."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from superalign.registry import register_method
from superalign.weak_to_strong.heads import fit, one_hot
from superalign.weak_to_strong.labels import WeakLabels
from superalign.weak_to_strong.losses import (
    Array,
    Loss,
    backward_corrected,
    cross_entropy,
    forward_corrected,
)
from superalign.weak_to_strong.method import NotApplicable, Prediction, Setting

WORST_FLIP = 0.4


def transition(p_nK: Array, hard_n: npt.NDArray[np.int64], k: int) -> Array:
    """The supervisor's transition matrix (K, K), row i: what it says where the truth is class i.

    Confident learning's joint: a row counts for class j when the cross-fitted p(j) is at least the
    mean p(j) of the rows labelled j; ties go to the largest p. Rows are smoothed by one count on
    the diagonal and normalised; a flip rate above 0.4 is cut to 0.4, beyond which nothing is known.
    Source: arXiv 1911.00068.
    """
    thresholds = np.array(
        [p_nK[hard_n == j, j].mean() if (hard_n == j).any() else 1.0 for j in range(k)]
    )
    margin = np.where(p_nK >= thresholds, p_nK, -1.0)
    sure = margin.max(1) > 0
    counts = np.eye(k)
    np.add.at(counts, (margin.argmax(1)[sure], hard_n[sure]), 1)
    rows = counts / counts.sum(1, keepdims=True)
    off = 1 - np.diag(rows)
    cut = np.where(off > WORST_FLIP, WORST_FLIP / np.maximum(off, 1e-12), 1.0)
    rows = rows * cut[:, None]
    rows[np.arange(k), np.arange(k)] = 1 - (rows.sum(1) - np.diag(rows))
    result: Array = rows
    return result


def estimated_flip(setting: Setting) -> tuple[Array, float, Array]:
    """Transition matrix, its mean flip rate and hard labels, estimated without any truth."""
    weak = setting.weak
    matrix = transition(setting.out_of_fold_hard, weak.hard, setting.k)
    return matrix, float(1 - np.diag(matrix).mean()), one_hot(weak.hard, setting.k)


def _predict(
    setting: Setting, y: Array, weak: WeakLabels, loss: Loss, **notes: float
) -> Prediction:
    head = fit(setting.plain, y, weak.weight, loss=loss)
    return Prediction(head.probabilities(setting.plain.others[0]), weak.used, dict(notes))


@register_method("forward_correction")
class ForwardCorrection:
    """CE of the hard weak label under the prediction sent through the estimated noise."""

    family = "denoising"
    source = "arXiv 1609.03683"

    def predict(self, setting: Setting) -> Prediction:
        """The transition matrix comes from confident learning."""
        matrix, flip, hard = estimated_flip(setting)
        return _predict(setting, hard, setting.weak, forward_corrected(matrix), estimated_flip=flip)


@register_method("soft_bradley_terry")
class SoftBradleyTerry:
    """Bradley–Terry on the supervisor's soft preference: −Σ P log σ(±(r₁ − r₂))."""

    family = "pairs"
    source = "Bradley & Terry (1952); soft labels as in arXiv 2312.09390"

    def predict(self, setting: Setting) -> Prediction:
        """On differences of features with no intercept this is the soft cross-entropy."""
        _require_pairs(setting)
        return _predict(setting, setting.weak.probability, setting.weak, cross_entropy)


@register_method("cdpo")
class ConservativePreferences:
    """Hard preferences smoothed by the estimated flip rate: (1 − ε) and ε."""

    family = "pairs"
    source = "cDPO, Mitchell (2023)"

    def predict(self, setting: Setting) -> Prediction:
        """ε is the mean estimated flip rate; both orders share it."""
        _require_pairs(setting)
        _, flip, hard = estimated_flip(setting)
        smooth = (1 - flip) * hard + flip * (1 - hard)
        return _predict(setting, smooth, setting.weak, cross_entropy, estimated_flip=flip)


@register_method("rdpo")
class RobustPreferences:
    """The unbiased loss under flips of rate ε: ((1 − ε) ℓ(y) − ε ℓ(1 − y)) / (1 − 2ε)."""

    family = "pairs"
    source = "arXiv 2403.00409"

    def predict(self, setting: Setting) -> Prediction:
        """ε as for ``cdpo``."""
        _require_pairs(setting)
        _, flip, hard = estimated_flip(setting)
        symmetric = np.array([[1 - flip, flip], [flip, 1 - flip]])
        loss = backward_corrected(symmetric)
        return _predict(setting, hard, setting.weak, loss, estimated_flip=flip)


@register_method("confidence_weighted")
class ConfidenceWeighted:
    """Hard preferences, each weighted by the supervisor's confidence |2P − 1|."""

    family = "pairs"
    source = "arXiv 2603.04968"

    def predict(self, setting: Setting) -> Prediction:
        """Weights as they are: a preference near 1/2 hardly counts."""
        _require_pairs(setting)
        weak = setting.weak
        head = fit(setting.plain, one_hot(weak.hard, setting.k), weak.weight * weak.confidence)
        return Prediction(head.probabilities(setting.plain.others[0]), weak.used)


def _require_pairs(setting: Setting) -> None:
    if not setting.pairs:
        raise NotApplicable("for pairs only")
