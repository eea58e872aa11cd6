"""Naive fine-tuning on the supervisor's soft labels: what every other method is compared with."""

from superalign.registry import register_method
from superalign.weak_to_strong.heads import fit
from superalign.weak_to_strong.method import Prediction, Setting


@register_method("naive")
class Naive:
    """Cross-entropy with the weak soft labels, on the plain text."""

    family = "baseline"
    source = "arXiv 2312.09390"

    def predict(self, setting: Setting) -> Prediction:
        """Train on every weak label."""
        weak = setting.weak
        head = fit(setting.plain, weak.probability, weak.weight)
        return Prediction(head.probabilities(setting.plain.others[0]), weak.used)
