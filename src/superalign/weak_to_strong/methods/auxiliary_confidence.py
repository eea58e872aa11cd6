"""The paper's auxiliary confidence loss: trust the student's own hardened answer more and more."""

from __future__ import annotations

import numpy as np

from superalign.registry import register_method
from superalign.weak_to_strong.heads import Head, Space, fit
from superalign.weak_to_strong.labels import WeakLabels
from superalign.weak_to_strong.losses import Array, blended
from superalign.weak_to_strong.method import Prediction, Setting

MOST = 0.75
STEPS = 10
WARM_UP = 0.2


def share(step: int, steps: int = STEPS, warm_up: float = WARM_UP, most: float = MOST) -> float:
    """The auxiliary loss's share at ``step`` of ``steps``: linear over the warm-up, then ``most``.

    The published code multiplies by the *absolute* progress during the warm-up, so the share stays
    near 0 and then jumps; here it grows by progress / warm-up, as the paper describes.
    """
    progress = step / max(steps - 1, 1)
    return most * min(1.0, progress / warm_up) if warm_up > 0 else most


def hardened(p_nK: Array, prior_K: Array) -> Array:
    """One-hot answers (n, K) whose class shares match ``prior_K``: the adaptive threshold.

    With two classes the threshold is the quantile of p(class 1) that leaves ``prior_K[1]`` above it
    (a half, for a balanced prior, is the paper's). With more, each class's probabilities are
    divided by what makes the shares match (a few steps of iterative scaling).
    """
    n, k = p_nK.shape
    if k == 2:
        above = np.zeros(n, dtype=bool)
        above[np.argsort(-p_nK[:, 1], kind="stable")[: round(n * float(prior_K[1]))]] = True
        return np.stack([~above, above], 1).astype(np.float64)
    scale = np.ones(k)
    for _ in range(50):
        shares = np.bincount((p_nK * scale).argmax(1), minlength=k) / n
        scale *= ((prior_K + 1 / n) / (shares + 1 / n)) ** 0.3
    result: Array = np.eye(k)[(p_nK * scale).argmax(1)]
    return result


def train(space: Space, weak: WeakLabels, prior_K: Array, most: float = MOST) -> Head:
    """Alternate hardening and training, the auxiliary share growing as ``share`` says."""
    head = fit(space, weak.probability, weak.weight)
    for step in range(1, STEPS):
        target = hardened(head.probabilities(space.train), prior_K)
        loss_share = share(step, most=most)
        used = weak.weight > 0
        head = fit(
            space,
            weak.probability,
            weak.weight,
            loss=blended(target[used], loss_share),
            start=head,
            steps=20,
        )
    return head


@register_method("auxiliary_confidence")
class AuxiliaryConfidence:
    """(1 − α) CE(f, weak) + α CE(f, hardened f), the threshold such that the classes are balanced."""

    family = "denoising"
    source = "arXiv 2312.09390, section 4.3 and appendix A.4"

    def predict(self, setting: Setting) -> Prediction:
        """α up to 0.75, warm-up over the first 20%."""
        prior = np.full(setting.k, 1 / setting.k)
        head = train(setting.plain, setting.weak, prior)
        return Prediction(head.probabilities(setting.plain.others[0]), setting.weak.used)
