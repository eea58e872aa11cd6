"""Bootstrapping: from weak to strong through students of intermediate size."""

from superalign.registry import register_method
from superalign.weak_to_strong.heads import cross_fitted, fit
from superalign.weak_to_strong.method import NotApplicable, Prediction, Setting


@register_method("bootstrapping")
class Bootstrapping:
    """Each deeper cut of the student learns from the one below; the whole student learns last."""

    family = "denoising"
    source = "arXiv 2312.09390, section 4.3.1"

    def predict(self, setting: Setting) -> Prediction:
        """Labels pass up the ladder cross-fitted.

        Raises:
            NotApplicable: the student has no states between the supervisor's and its own.
        """
        if not setting.ladder:
            raise NotApplicable("the student has no intermediate sizes")
        target, weight = setting.weak.probability, setting.weak.weight
        for step, space in enumerate(setting.ladder):
            target = cross_fitted(
                space, target, weight if step == 0 else None, seed=setting.seed + step
            )
        head = fit(setting.plain, target)
        test = setting.with_class_shares(target, head.probabilities(setting.plain.others[0]))
        return Prediction(test, setting.weak.used)
