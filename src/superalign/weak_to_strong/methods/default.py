"""The default: every reading of the student, left-out denoising, choices by weak labels alone."""

from __future__ import annotations

import numpy as np
from scipy.special import softmax

from superalign.registry import register_method
from superalign.weak_to_strong.labels import WeakLabels
from superalign.weak_to_strong.losses import Array
from superalign.weak_to_strong.method import Prediction, Setting
from superalign.weak_to_strong.ridge import Regressed, regress

MOST = 3.0  # a supervisor's log-odds count up to here: beyond it is mostly over-confidence


def evidence(weak: WeakLabels) -> Array:
    """The supervisor's belief (n, K) as centred log-probabilities: sure labels pull, unsure do not."""
    logs = np.log(np.clip(weak.probability, 1e-6, 1))
    result: Array = np.clip(logs - logs.mean(1, keepdims=True), -MOST / 2, MOST / 2)
    return result


def consensus(found: dict[str, Regressed]) -> tuple[Array, Array]:
    """The readings' answers, scaled alike and averaged: left-out (n, K) and test (m, K)."""
    scale = {name: max(float(r.left_out.std()), 1e-12) for name, r in found.items()}
    left_out = np.mean([r.left_out / scale[name] for name, r in found.items()], 0)
    test = np.mean([r.test / scale[name] for name, r in found.items()], 0)
    return left_out, test


def share_shift(scores_nK: Array, shares_K: Array) -> Array:
    """Shifts (K,) of the scores under which the most probable classes have the wanted shares.

    With two classes exact up to ties; with more by iterative scaling.
    """
    n, k = scores_nK.shape
    if k == 2:
        cut = float(np.quantile(scores_nK[:, 1] - scores_nK[:, 0], 1 - shares_K[1]))
        return np.array([cut / 2, -cut / 2])
    shift = np.zeros(k)
    for step in range(200):
        now = np.bincount((scores_nK + shift).argmax(1), minlength=k) / n
        shift += 0.5 / (1 + step / 20) * float(scores_nK.std()) * (shares_K - now)
    return shift


@register_method("default")
class Default:
    """Ridge heads on all readings, averaged; strengths from left-out weak labels.

    1. Each reading predicts the supervisor's log-odds; the strength comes from rows left out.
    2. The answers are scaled alike and averaged. Readings are *not* weighted by how well they
       predict the weak labels: that favours the readings that share the supervisor's errors.
    3. The class shares of the answers are those of the weak labels.
    """

    family = "default"
    source = "this project; parts: arXiv 2312.09390, 2307.16645, Allen (1974)"

    def predict(self, setting: Setting) -> Prediction:
        """No truth decides anything."""
        weak = setting.weak
        shares = weak.probability[weak.weight > 0].mean(0)
        target = evidence(weak)
        found = {name: regress(space, target, weak.weight) for name, space in setting.views.items()}
        left_out, test = consensus(found)
        shift = np.zeros(setting.k) if setting.pairs else share_shift(left_out, shares)
        notes = {f"explained by {name}": round(r.explained, 4) for name, r in found.items()}
        return Prediction(
            softmax(_slope(left_out + shift, weak) * (test + shift), axis=1), weak.used, notes
        )


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
