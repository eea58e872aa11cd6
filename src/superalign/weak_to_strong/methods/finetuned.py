"""Students whose weights learn, too: LoRA by the published recipe, for the losses it has."""

from __future__ import annotations

from superalign.registry import register_method
from superalign.weak_to_strong.method import NotApplicable, Prediction, Setting, TunedLoss


def _predict(setting: Setting, loss: TunedLoss) -> Prediction:
    if setting.finetune is None:
        raise NotApplicable("needs --set lora=true and single texts")
    if loss == "logconf" and setting.k != 2:
        raise NotApplicable("its threshold is that of two classes")
    weak = setting.weak
    if not (weak.weight > 0).all():
        raise NotApplicable("some labels are missing")
    return Prediction(setting.finetune(weak.probability, loss), weak.used)


@register_method("lora_naive")
class LoraNaive:
    """Soft cross-entropy, LoRA on every block and a head on the last token's state."""

    family = "fine-tuned"
    source = "arXiv 2312.09390; recipe of github openai/weak-to-strong, xent"

    def predict(self, setting: Setting) -> Prediction:
        """Two epochs over every weak label.

        Raises:
            NotApplicable: ``lora`` is off, pairs, or missing labels.
        """
        return _predict(setting, "xent")


@register_method("lora_log_confidence")
class LoraLogConfidence:
    """As ``lora_naive``, with the log-confidence loss and its warm-up right."""

    family = "fine-tuned"
    source = "github openai/weak-to-strong, logconf"

    def predict(self, setting: Setting) -> Prediction:
        """The share of the student's own hardened answers grows to a half.

        Raises:
            NotApplicable: as for ``lora_naive``, or more than two classes.
        """
        return _predict(setting, "logconf")
