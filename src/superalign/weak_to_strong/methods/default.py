"""The default: every reading of the student, left-out denoising, choices by weak labels alone."""

from __future__ import annotations

import numpy as np
from scipy.special import softmax

from superalign.registry import register_method
from superalign.weak_to_strong.labels import WeakLabels
from superalign.weak_to_strong.losses import Array
from superalign.weak_to_strong.method import Prediction, Setting
from superalign.weak_to_strong.readings import salience, teach

MOST = 3.0  # a supervisor's log-odds count up to here: beyond it is mostly over-confidence
LEADING = 16  # directions of a reading that count as salient
SALIENT = 0.7  # share of what is explained at all above which the student teaches itself
GENERATIONS = 2


def evidence(weak: WeakLabels) -> Array:
    """The supervisor's belief (n, K) as centred log-probabilities: sure labels pull, unsure do not."""
    logs = np.log(np.clip(weak.probability, 1e-6, 1))
    result: Array = np.clip(logs - logs.mean(1, keepdims=True), -MOST / 2, MOST / 2)
    return result


def sharpened(scores_nK: Array) -> Array:
    """Scores as a target: softmax(2 · scores / their standard deviation) − 1 / K."""
    k = scores_nK.shape[1]
    result: Array = softmax(2 * scores_nK / max(float(scores_nK.std()), 1e-12), axis=1) - 1 / k
    return result


@register_method("default")
class Default:
    """Ridge heads on all readings, averaged; where the labels are salient, taught again by itself.

    1. Each reading predicts the supervisor's log-odds; the strength comes from rows left out.
    2. The answers are scaled alike and averaged. Readings are *not* weighted by how well they
       predict the weak labels: that favours the readings that share the supervisor's errors.
    3. The class shares of the answers are those of the weak labels.
    4. Where the few widest directions of what a cue brings out explain the labels nearly as well as
       all directions do, the student knows the task: its left-out answers teach it twice more,
       without the text's means, which see the wording that the supervisor errs by. Elsewhere that
       only loses what the labels say.
    """

    family = "default"
    source = "this project; parts: arXiv 2312.09390, 2307.16645, 1805.04770, Allen (1974)"

    def predict(self, setting: Setting) -> Prediction:
        """No truth decides anything."""
        weak = setting.weak
        shares = None if setting.pairs else weak.probability[weak.weight > 0].mean(0)
        target = evidence(weak)
        taught = teach(setting.views, target, weak.weight, shares)
        notes = {f"explained by {name}": round(r, 4) for name, r in taught.explained.items()}
        seen = salience(setting.elicited or setting.ends, target, weak.weight, LEADING)
        for _ in range(GENERATIONS if seen >= SALIENT else 0):
            taught = teach(setting.ends, sharpened(taught.left_out), weak.weight, shares)
        slope = _slope(taught.left_out, weak)
        notes["salience"] = round(seen, 4)
        return Prediction(softmax(slope * taught.test, axis=1), weak.used, notes)


def _slope(scores_nK: Array, weak: WeakLabels) -> float:
    """The factor on left-out scores under which they fit the weak labels best (temperature)."""
    slopes = np.geomspace(0.05, 20, 40)
    losses = [
        -(
            weak.weight[:, None] * weak.probability * np.log(softmax(s * scores_nK, axis=1) + 1e-12)
        ).sum()
        for s in slopes
    ]
    return float(slopes[int(np.argmin(losses))])
