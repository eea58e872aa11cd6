"""Elicitation: reading what the student already knows, kept apart from denoising of the labels."""

from __future__ import annotations

import numpy as np
from scipy.special import softmax

from superalign.registry import register_method
from superalign.weak_to_strong.heads import Space, fit
from superalign.weak_to_strong.losses import Array
from superalign.weak_to_strong.method import NotApplicable, Prediction, Setting


def mean_log_odds(probabilities: list[Array]) -> Array:
    """Normalised geometric mean of class probabilities (n, K): the average of the logits."""
    logs = np.mean([np.log(np.clip(p, 1e-6, 1)) for p in probabilities], 0)
    result: Array = softmax(logs, axis=1)
    return result


@register_method("elicited")
class Elicited:
    """Naive training on each cue's reading of the text; the heads' log-odds are averaged."""

    family = "elicitation"
    source = "question form, arXiv 2312.09390, section 5.1; one-word cue, arXiv 2307.16645"

    def predict(self, setting: Setting) -> Prediction:
        """No label is changed or dropped, so the gain over naive is elicitation's alone.

        Raises:
            NotApplicable: no view but the plain text.
        """
        if not setting.elicited:
            raise NotApplicable("no question or cue was read")
        weak = setting.weak
        outs = [
            fit(space, weak.probability, weak.weight).probabilities(space.others[0])
            for space in setting.elicited.values()
        ]
        return Prediction(mean_log_odds(outs), weak.used)


@register_method("zero_shot")
class ZeroShot:
    """The student's own answer to the question, its class shares matched to the weak labels'."""

    family = "elicitation"
    source = "arXiv 2312.09390, section 5.1; calibration: arXiv 2102.09690"

    def predict(self, setting: Setting) -> Prediction:
        """The weak labels are used for one thing only: which answer goes with which class.

        Raises:
            NotApplicable: no question with two answers was given.
        """
        if setting.prior is None:
            raise NotApplicable("needs --question and two classes")
        own, test = setting.prior
        centred = [np.log(p + 1e-9) - np.log(own + 1e-9).mean(0) for p in (own, test)]
        agree = float(((centred[0].argmax(1) == setting.weak.hard) * setting.weak.weight).sum())
        sign = 1 if agree >= setting.weak.weight.sum() / 2 else -1
        return Prediction(softmax(sign * centred[1], axis=1), setting.weak.used)


@register_method("coherent_direction")
class CoherentDirection:
    """The direction along which the texts vary most, out of the first few, that fits the labels.

    Unsupervised structure first (principal directions of the student's states), weak labels only
    to choose and weigh among them: 8 numbers are learnt instead of hundreds.
    """

    family = "elicitation"
    source = "contrast-free variant of the top principal component in arXiv 2212.03827, appendix"

    def predict(self, setting: Setting) -> Prediction:
        """Eight principal directions of every view, whitened; the heads' log-odds are averaged."""
        weak = setting.weak
        outs = []
        for space in setting.views.values():
            few = principal(space, 8)
            outs.append(fit(few, weak.probability, weak.weight).probabilities(few.others[0]))
        return Prediction(mean_log_odds(outs), weak.used)


def principal(space: Space, count: int) -> Space:
    """The space's first ``count`` principal directions, each scaled to variance 1 / count."""
    few = space.leading(count)
    scale = np.sqrt((few.train**2).mean(0) * few.train.shape[1])
    return Space(few.train / scale, tuple(o / scale for o in few.others), space.intercept)
