"""Unsupervised generative tuning first, then naive training on the tuned student's states."""

from superalign.registry import register_method
from superalign.weak_to_strong.heads import fit
from superalign.weak_to_strong.method import NotApplicable, Prediction, Setting


@register_method("generative_tuning")
class GenerativeTuning:
    """Naive training on ``plain`` as read by a student that was tuned on the task's texts."""

    family = "elicitation"
    source = "arXiv 2312.09390, section 5.2.2"

    def predict(self, setting: Setting) -> Prediction:
        """No label takes part in the tuning.

        Raises:
            NotApplicable: the student was not tuned (``generative_tuning`` is off).
        """
        if setting.tuned is None:
            raise NotApplicable("needs --set generative_tuning=true")
        head = fit(setting.tuned, setting.weak.probability, setting.weak.weight)
        return Prediction(head.probabilities(setting.tuned.others[0]), setting.weak.used)
