"""Product of the student's and the supervisor's beliefs as the target."""

from __future__ import annotations

import numpy as np

from superalign.registry import register_method
from superalign.weak_to_strong.heads import fit
from superalign.weak_to_strong.losses import FLOOR, Array
from superalign.weak_to_strong.method import Prediction, Setting

ROUNDS = 6
STUDENT = 0.5


def product(p_nK: Array, y_nK: Array, student: float = STUDENT) -> Array:
    """p^student · y, normalised (n, K); ``student`` = 0 gives the weak labels back."""
    joint = np.maximum(p_nK, FLOOR) ** student * np.maximum(y_nK, FLOOR)
    result: Array = joint / joint.sum(1, keepdims=True)
    return result


@register_method("product")
class Product:
    """CE against p^½ · weak, normalised; the target is renewed a few times and held constant."""

    family = "denoising"
    source = "github openai/weak-to-strong, product loss"

    def predict(self, setting: Setting) -> Prediction:
        """Six rounds, each from the last head."""
        space, weak = setting.plain, setting.weak
        head = fit(space, weak.probability, weak.weight)
        for _ in range(ROUNDS):
            target = product(head.probabilities(space.train), weak.probability)
            head = fit(space, target, weak.weight, start=head)
        return Prediction(head.probabilities(space.others[0]), weak.used)
