"""Train only where the label can be trusted."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from superalign.registry import register_method
from superalign.weak_to_strong.heads import fit
from superalign.weak_to_strong.losses import Array
from superalign.weak_to_strong.method import Prediction, Setting

SHARE = 0.5


def surest(
    trust_n: Array, hard_n: npt.NDArray[np.int64], weight_n: Array, share: float = SHARE
) -> Array:
    """Weights (n,) that keep the ``share`` of each class's rows with the highest trust.

    By class, so that a supervisor that is surer of one class does not leave the other empty.
    """
    keep = np.zeros(len(trust_n))
    for label in np.unique(hard_n):
        rows = np.flatnonzero((hard_n == label) & (weight_n > 0))
        most = rows[np.argsort(-trust_n[rows], kind="stable")]
        keep[most[: max(1, round(share * len(rows)))]] = 1
    result: Array = keep * weight_n
    return result


@register_method("selective_confidence")
class SelectiveConfidence:
    """The half of each class's rows of which the supervisor is surer."""

    family = "denoising"
    source = "the supervisor-confidence baseline of arXiv 2511.14166"

    def predict(self, setting: Setting) -> Prediction:
        """Soft labels of the surer half."""
        weak = setting.weak
        kept = surest(weak.confidence, weak.hard, weak.weight)
        head = fit(setting.plain, weak.probability, kept)
        return Prediction(head.probabilities(setting.plain.others[0]), int((kept > 0).sum()))


@register_method("selective_consistency")
class SelectiveConsistency:
    """The half of each class's rows to which a student that did not see the label agrees most."""

    family = "denoising"
    source = "confident learning, arXiv 1911.00068; trust functions, arXiv 2606.01000"

    def predict(self, setting: Setting) -> Prediction:
        """Trust is the cross-fitted student's probability of the weak label."""
        weak, space = setting.weak, setting.plain
        p = setting.out_of_fold
        kept = surest(p[np.arange(len(p)), weak.hard], weak.hard, weak.weight)
        head = fit(space, weak.probability, kept)
        return Prediction(head.probabilities(space.others[0]), int((kept > 0).sum()))
