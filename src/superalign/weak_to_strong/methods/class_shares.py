"""Naive training, with the class shares of the answers set to those of the weak labels."""

from superalign.registry import register_method
from superalign.weak_to_strong.heads import fit
from superalign.weak_to_strong.method import NotApplicable, Prediction, Setting


@register_method("class_shares")
class ClassShares:
    """Naive, its threshold moved: what of the default's gain is neither elicitation nor averaging."""

    family = "denoising"
    source = "Saerens, Latinne & Decaestecker (2002), Neural Computation 14:21"

    def predict(self, setting: Setting) -> Prediction:
        """The shift is found on answers to rows that the student did not see labelled.

        Raises:
            NotApplicable: pairs have no class shares.
        """
        if setting.pairs:
            raise NotApplicable("pairs have no class shares")
        weak, space = setting.weak, setting.plain
        test = fit(space, weak.probability, weak.weight).probabilities(space.others[0])
        return Prediction(setting.with_class_shares(setting.out_of_fold, test), weak.used)
