"""Reverse KL and reverse cross-entropy: mode-seeking, so the student may drop a label."""

from __future__ import annotations

from superalign.registry import register_method
from superalign.weak_to_strong.heads import fit
from superalign.weak_to_strong.losses import Loss, reverse_cross_entropy, reverse_kl
from superalign.weak_to_strong.method import Prediction, Setting


def _predict(setting: Setting, loss: Loss) -> Prediction:
    """Start at the naive head: from zero a mode-seeking loss may settle on the wrong mode."""
    space, weak = setting.plain, setting.weak
    start = fit(space, weak.probability, weak.weight)
    head = fit(space, weak.probability, weak.weight, loss=loss, start=start)
    return Prediction(head.probabilities(space.others[0]), weak.used)


@register_method("reverse_kl")
class ReverseKL:
    """KL(student ‖ weak) in place of KL(weak ‖ student)."""

    family = "denoising"
    source = "arXiv 2502.11107"

    def predict(self, setting: Setting) -> Prediction:
        """From the naive head."""
        return _predict(setting, reverse_kl)


@register_method("reverse_cross_entropy")
class ReverseCrossEntropy:
    """−Σ p log weak: reverse KL without the entropy that keeps the student soft."""

    family = "denoising"
    source = "arXiv 2505.24313"

    def predict(self, setting: Setting) -> Prediction:
        """From the naive head."""
        return _predict(setting, reverse_cross_entropy)
