"""The log-confidence loss of the published code: hardened at the weak labels' own class shares."""

from __future__ import annotations

from superalign.registry import register_method
from superalign.weak_to_strong.method import Prediction, Setting
from superalign.weak_to_strong.methods.auxiliary_confidence import train


@register_method("log_confidence")
class LogConfidence:
    """As ``auxiliary_confidence``, with α 0.5 and the threshold at the weak labels' mean."""

    family = "denoising"
    source = "github openai/weak-to-strong, logconf; EleutherAI's w2s"

    def predict(self, setting: Setting) -> Prediction:
        """α up to 0.5; the class shares are those of the weak labels."""
        weak = setting.weak
        prior = weak.probability[weak.weight > 0].mean(0)
        head = train(setting.plain, weak, prior, most=0.5)
        return Prediction(head.probabilities(setting.plain.others[0]), weak.used)
