"""Strong-to-strong: the student's cross-fitted answers become the next student's labels."""

from __future__ import annotations

from superalign.registry import register_method
from superalign.weak_to_strong.heads import cross_fitted, fit
from superalign.weak_to_strong.method import Prediction, Setting

ROUNDS = 2


@register_method("strong_to_strong")
class StrongToStrong:
    """Two generations, each taught by answers to rows that its teacher had not seen labelled."""

    family = "denoising"
    source = "github EleutherAI/w2s (strong-to-strong); born-again networks, arXiv 1805.04770"

    def predict(self, setting: Setting) -> Prediction:
        """Cross-fitting keeps a teacher from handing on the label noise that it has memorised."""
        space, target = setting.plain, setting.out_of_fold
        for generation in range(1, ROUNDS):
            target = cross_fitted(space, target, seed=setting.seed + generation)
        head = fit(space, target)
        test = setting.with_class_shares(target, head.probabilities(space.others[0]))
        return Prediction(test, setting.weak.used)
