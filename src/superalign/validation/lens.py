"""What a fine-tune left in the activations on unrelated text, put in words.

The mean difference of the residual stream between suspect and base on plain texts, read through the
model's own head (activation difference lens, arXiv 2510.13900; logit lens). Ordinary data mixed into
the training weakens this trace, as the paper found.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from superalign.models import LocalModel
from superalign.tasks.neutral import NEUTRAL_TEXTS

TEXTS, WORDS_EACH, SHOWN = 12, 8, 12
Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class ActivationDifference:
    """``norm``: length of the mean difference over the typical length of a state; ``aligned``:
    its share in the differences of single texts (1: all texts are moved alike)."""

    norm: float
    aligned: float
    words: tuple[str, ...]


def layer_read(base: LocalModel) -> int:
    """Two thirds of the depth."""
    return max(1, 2 * base.depth // 3)


def differences_at(layer: int, suspect: LocalModel, base: LocalModel) -> tuple[Array, Array]:
    """The suspect's mean states less the base's on each text's opening, and the base's (n, width)."""
    texts = [" ".join(t.split()[:WORDS_EACH]) for t in NEUTRAL_TEXTS[:TEXTS]]
    mine, theirs = (m.hidden(texts, [layer], pool="mean", raw=True)[:, 0] for m in (suspect, base))
    return mine.astype(np.float64) - theirs, theirs.astype(np.float64)


@torch.inference_mode()
def activation_difference(suspect: LocalModel, base: LocalModel) -> ActivationDifference:
    """The mean difference at two thirds of the depth, over the openings of plain texts."""
    differences, theirs = differences_at(layer_read(base), suspect, base)
    mean = differences.mean(0)
    length = float(np.linalg.norm(mean))
    scale = float(np.linalg.norm(theirs, axis=1).mean())
    single = float(np.linalg.norm(differences, axis=1).mean())
    if length == 0.0:
        return ActivationDifference(0.0, 0.0, ())
    direction = torch.tensor(mean / length, dtype=torch.float32)
    logits = base.module.lm_head.weight.float().cpu() @ direction
    logits = (logits - logits.mean()) / logits.std()
    top = [base.tokenizer.decode([int(i)]).strip() for i in logits.topk(3 * SHOWN).indices]
    words = [w for w in dict.fromkeys(top) if len(w) > 2 and w.isascii()][:SHOWN]
    return ActivationDifference(length / max(scale, 1e-9), length / max(single, 1e-9), tuple(words))
