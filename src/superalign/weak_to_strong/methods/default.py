"""The default: every reading of the student, left-out denoising, choices by weak labels alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.special import softmax

from superalign.registry import register_method
from superalign.weak_to_strong.labels import WeakLabels
from superalign.weak_to_strong.losses import Array
from superalign.weak_to_strong.method import Family, NotApplicable, Prediction, Setting
from superalign.weak_to_strong.readings import salience, teach

MOST = 3.0  # a supervisor's log-odds count up to here: beyond it is mostly over-confidence
LEADING = 16  # directions of a reading that count as salient
SALIENT = 0.7  # share of what is explained at all above which the student teaches itself
GENERATIONS = 2


def evidence(belief_nK: Array) -> Array:
    """A belief as centred log-probabilities (n, K): sure labels pull, unsure do not."""
    logs = np.log(np.clip(belief_nK, 1e-6, 1))
    result: Array = np.clip(logs - logs.mean(1, keepdims=True), -MOST / 2, MOST / 2)
    return result


def belief(annotators: Sequence[WeakLabels]) -> Array:
    """What the supervisors say together (n, K): the normalised geometric mean of their probabilities.

    Each counts by its own sureness, up to log-odds of ``MOST``: one near chance moves nothing to the
    other side, one that is always certain pulls hardest. A mean, not a product: supervisors share
    errors, and the same label given twice is no stronger. Source: Genest & Zidek (1986),
    Statistical Science 1:114 (logarithmic opinion pool).
    """
    if len(annotators) == 1:
        return annotators[0].probability
    weights = np.stack([a.weight for a in annotators])
    logs = sum(a.weight[:, None] * evidence(a.probability) for a in annotators)
    result: Array = softmax(logs / np.maximum(weights.sum(0), 1e-12)[:, None], axis=1)
    return result


def sharpened(scores_nK: Array) -> Array:
    """Scores as a target: softmax(2 · scores / their standard deviation) − 1 / K."""
    k = scores_nK.shape[1]
    result: Array = softmax(2 * scores_nK / max(float(scores_nK.std()), 1e-12), axis=1) - 1 / k
    return result


@register_method("default")
class Default:
    """Ridge heads on all readings, averaged; where the labels are salient, taught again by itself.

    1. Where several supervisors are given, their log-odds are averaged.
    2. Each reading predicts their log-odds; the strength comes from rows left out.
    3. The answers are scaled alike and averaged. Readings are *not* weighted by how well they
       predict the weak labels: that favours the readings that share the supervisor's errors.
    4. The class shares of the answers are those of the weak labels.
    5. Where the few widest directions of what a cue brings out explain the labels nearly as well as
       all directions do, the student knows the task: its left-out answers teach it twice more,
       without the text's means, which see the wording that the supervisor errs by. Elsewhere that
       only loses what the labels say.
    """

    family: Family = "default"
    source = "this project; parts: arXiv 2312.09390, 2307.16645, 1805.04770, Allen (1974)"

    def annotators(self, setting: Setting) -> tuple[WeakLabels, ...]:
        """Those whose labels are learnt: all that there are."""
        return setting.annotators or (setting.weak,)

    def predict(self, setting: Setting) -> Prediction:
        """No truth decides anything."""
        annotators = self.annotators(setting)
        weight = np.max([a.weight for a in annotators], 0)
        told = belief(annotators)
        shares = None if setting.pairs else told[weight > 0].mean(0)
        target = evidence(told)
        taught = teach(setting.views, target, weight, shares)
        notes = {f"explained by {name}": round(r, 4) for name, r in taught.explained.items()}
        seen = salience(setting.elicited or setting.ends, target, weight, LEADING)
        for _ in range(GENERATIONS if seen >= SALIENT else 0):
            taught = teach(setting.ends, sharpened(taught.left_out), weight, shares)
        slope = _slope(taught.left_out, told, weight)
        notes["salience"] = round(seen, 4)
        used = sum(a.used for a in annotators)
        return Prediction(softmax(slope * taught.test, axis=1), used, notes)


@register_method("default_alone")
class DefaultAlone(Default):
    """The default without the other supervisors' labels: what it is worth where there is one."""

    family: Family = "default"
    source = "this project; the default with one supervisor"

    def annotators(self, setting: Setting) -> tuple[WeakLabels, ...]:
        """The supervisor whose gap is measured.

        Raises:
            NotApplicable: it is the only one, so that this is the default itself.
        """
        if len(setting.annotators) < 2:
            raise NotApplicable("with one supervisor this is the default")
        return (setting.weak,)


def _slope(scores_nK: Array, told_nK: Array, weight_n: Array) -> float:
    """The factor on left-out scores under which they fit the weak labels best (temperature)."""
    slopes = np.geomspace(0.05, 20, 40)
    losses = [
        -(weight_n[:, None] * told_nK * np.log(softmax(s * scores_nK, axis=1) + 1e-12)).sum()
        for s in slopes
    ]
    return float(slopes[int(np.argmin(losses))])
