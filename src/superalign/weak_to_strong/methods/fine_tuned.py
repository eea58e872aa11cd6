"""Students whose weights learn, too: LoRA or whole, by the published recipe, for the losses it has."""

from __future__ import annotations

from superalign.registry import register_method
from superalign.weak_to_strong.method import NotApplicable, Prediction, Setting, TunedLoss


def _predict(setting: Setting, loss: TunedLoss) -> Prediction:
    if setting.finetune is None:
        raise NotApplicable("needs --set fine_tuning=lora (or full) and single texts")
    if loss == "logconf" and setting.k != 2:
        raise NotApplicable("its threshold is that of two classes")
    weak = setting.weak
    if not (weak.weight > 0).all():
        raise NotApplicable("some labels are missing")
    return Prediction(setting.finetune(weak.probability, loss), weak.used)


@register_method("fine_tuned_naive")
class FineTunedNaive:
    """Soft cross-entropy on every block (LoRA, or whole) and a head on the last token's state."""

    family = "fine-tuned"
    source = "arXiv 2312.09390; recipe of github openai/weak-to-strong, xent"

    def predict(self, setting: Setting) -> Prediction:
        """Two epochs over every weak label.

        Raises:
            NotApplicable: ``fine_tuning`` is off, pairs, or missing labels.
        """
        return _predict(setting, "xent")


@register_method("fine_tuned_log_confidence")
class FineTunedLogConfidence:
    """As ``fine_tuned_naive``, with the log-confidence loss and its warm-up right."""

    family = "fine-tuned"
    source = "github openai/weak-to-strong, logconf"

    def predict(self, setting: Setting) -> Prediction:
        """The share of the student's own hardened answers grows to a half.

        Raises:
            NotApplicable: as for ``fine_tuned_naive``, or more than two classes.
        """
        return _predict(setting, "logconf")
