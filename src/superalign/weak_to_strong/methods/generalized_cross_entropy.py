"""Generalized cross-entropy: between cross-entropy and absolute error."""

from superalign.registry import register_method
from superalign.weak_to_strong.heads import fit
from superalign.weak_to_strong.losses import generalized_cross_entropy
from superalign.weak_to_strong.method import Prediction, Setting


@register_method("generalized_cross_entropy")
class GeneralizedCrossEntropy:
    """(1 − p^0.7) / 0.7: labels that the student finds unlikely pull less."""

    family = "denoising"
    source = "arXiv 1805.07836"

    def predict(self, setting: Setting) -> Prediction:
        """From the naive head, since the loss is not convex."""
        space, weak = setting.plain, setting.weak
        start = fit(space, weak.probability, weak.weight)
        loss = generalized_cross_entropy(0.7)
        head = fit(space, weak.probability, weak.weight, loss=loss, start=start)
        return Prediction(head.probabilities(space.others[0]), weak.used)
