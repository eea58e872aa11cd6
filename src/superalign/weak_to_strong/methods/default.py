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
GENERATIONS = 1


def evidence(weak: WeakLabels) -> Array:
    """The supervisor's belief (n, K) as centred log-probabilities: sure labels pull, unsure do not."""
    logs = np.log(np.clip(weak.probability, 1e-6, 1))
    result: Array = np.clip(logs - logs.mean(1, keepdims=True), -MOST / 2, MOST / 2)
    return result


def consensus(found: dict[str, Regressed]) -> tuple[Array, Array, dict[str, float]]:
    """The views' answers, scaled alike and weighted by what each explains of the weak labels.

    Left-out (n, K) and test (m, K) answers, and the weights, which sum to 1. When no view explains
    anything, all count alike.
    """
    weights = {name: max(r.explained, 0.0) for name, r in found.items()}
    if not any(weights.values()):
        weights = dict.fromkeys(found, 1.0)
    total = sum(weights.values())
    weights = {name: w / total for name, w in weights.items()}
    scale = {name: max(float(r.left_out.std()), 1e-12) for name, r in found.items()}
    left_out = sum(w / scale[name] * found[name].left_out for name, w in weights.items())
    test = sum(w / scale[name] * found[name].test for name, w in weights.items())
    return np.asarray(left_out), np.asarray(test), weights


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
    """Ridge heads on all readings, weighted by left-out agreement, taught once more by each other.

    1. Each reading predicts the supervisor's log-odds; strength and weight come from rows left out.
    2. The readings' weighted left-out answers are the next generation's labels: no row keeps its
       own label, so a wrong one is outvoted by what the student makes of the others.
    3. The class shares of the answers are those of the weak labels.
    """

    family = "default"
    source = "this project; parts: arXiv 2312.09390, 2307.16645, Allen (1974), Zhou & Li (2005)"

    def predict(self, setting: Setting) -> Prediction:
        """No truth decides anything: readings and strengths are validated on weak labels."""
        weak = setting.weak
        used = weak.weight > 0
        shares = weak.probability[used].mean(0)
        target = evidence(weak)
        first = {name: regress(space, target, weak.weight) for name, space in setting.views.items()}
        left_out, test, weights = consensus(first)
        for _ in range(GENERATIONS):
            labels = self._sharpened(left_out, shares, setting.pairs)
            again = {
                name: regress(space, labels, np.ones(len(labels)))
                for name, space in setting.views.items()
            }
            found = {
                name: Regressed(r.left_out, r.test, r.strength, weights[name])
                for name, r in again.items()
            }
            left_out, test, _ = consensus(found)
        shift = np.zeros(setting.k) if setting.pairs else share_shift(left_out, shares)
        return Prediction(
            softmax(_slope(left_out + shift, weak) * (test + shift), axis=1),
            weak.used,
            {f"weight of {name}": round(w, 4) for name, w in weights.items()},
        )

    @staticmethod
    def _sharpened(scores: Array, shares: Array, pairs: bool) -> Array:
        shift = np.zeros(scores.shape[1]) if pairs else share_shift(scores, shares)
        result: Array = np.tanh((scores + shift) / max(float(scores.std()), 1e-12))
        return result


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
