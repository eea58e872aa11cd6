"""The default: elicited readings, denoised; every choice in it is made without ground truth."""

from __future__ import annotations

from superalign.registry import register_method
from superalign.weak_to_strong.heads import fit
from superalign.weak_to_strong.method import Prediction, Setting
from superalign.weak_to_strong.methods.elicitation import mean_log_odds


@register_method("default")
class Default:
    """The average of all readings' heads."""

    family = "default"
    source = "this project"

    def predict(self, setting: Setting) -> Prediction:
        """Train one head per view."""
        weak = setting.weak
        outs = [
            fit(space, weak.probability, weak.weight).probabilities(space.others[0])
            for space in setting.views.values()
        ]
        return Prediction(mean_log_odds(outs), weak.used)
