"""Easy to hard: learn from the rows that are easy for the supervisor, then from ever harder ones."""

from __future__ import annotations

import numpy as np

from superalign.registry import register_method
from superalign.weak_to_strong.heads import fit
from superalign.weak_to_strong.method import Prediction, Setting
from superalign.weak_to_strong.methods.product import product
from superalign.weak_to_strong.methods.selective import surest

SHARES = (0.3, 0.5, 0.7, 1.0)


@register_method("easy_to_hard")
class EasyToHard:
    """Self-paced: each wider set's new rows get the product of weak label and student's belief."""

    family = "denoising"
    source = "self-paced learning, Kumar et al. (2010); easy-to-hard, arXiv 2403.09472"

    def predict(self, setting: Setting) -> Prediction:
        """The supervisor's surest 30%, 50%, 70% and all rows."""
        weak, space = setting.weak, setting.plain
        target, head, known = weak.probability, None, np.zeros(len(weak.weight))
        for share in SHARES:
            kept = surest(weak.confidence, weak.hard, weak.weight, share)
            if head is not None:
                own = product(head.probabilities(space.train), weak.probability, student=1.0)
                target = np.where((known > 0)[:, None], target, own)
            head = fit(space, target, kept)
            known = kept
        assert head is not None
        return Prediction(head.probabilities(space.others[0]), weak.used)
