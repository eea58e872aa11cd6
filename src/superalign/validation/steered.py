"""What the difference between two models' activations carries: what it says, and at which depth.

*Steering*: a narrow fine-tune leaves a difference in the activations at the first tokens of unrelated
text; added to the base's stream it makes the base speak of what was learnt (arXiv 2510.13900).
*Patching*: the suspect's stream at one depth, gone on with by the base, shows how much of what the
suspect says differently has been decided there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from superalign.models import LocalModel
from superalign.models.forward import PackedAttention, block
from superalign.models.packing import PackedBatch, Tree
from superalign.models.steering import SteeredModel, Steering
from superalign.tasks.neutral import NEUTRAL_TEXTS
from superalign.validation.probes import REQUESTS
from superalign.validation.spoken import commonest

FIRST = 5  # tokens of each text after its first, which attention uses as a place to rest
STRENGTHS = (0.3, 0.6, 1.0)  # of the typical length of a state
ASKED, ANSWER_TOKENS, WORDS = (*REQUESTS[:4],), 12, 2
DEPTHS = 5  # at which streams are patched


def middle(model: LocalModel) -> int:
    """The layer whose stream is steered: half of the depth."""
    return max(1, model.depth // 2)


@torch.inference_mode()
def first_tokens(model: LocalModel) -> npt.NDArray[np.float64]:
    """Streams (texts, d) after the middle layer: means over the first tokens of neutral texts."""
    prompts = [model.encode(t, raw=True)[: 1 + FIRST] for t in NEUTRAL_TEXTS]
    batch = PackedBatch.build([Tree(p) for p in prompts], device=model.device)
    layer = middle(model)
    x = dict(model.streams(batch, layer))[layer].float()
    rows = [x[a : b + 1].mean(0) for a, b in zip((batch.first_B + 1), batch.last_B, strict=True)]
    found: npt.NDArray[np.float64] = torch.stack(rows).cpu().double().numpy()
    return found


@dataclass(frozen=True)
class Unsteered:
    """The base as it is: its ``first_tokens``, and how many of its answers begin alike."""

    states: npt.NDArray[np.float64]
    share: float

    @classmethod
    def of(cls, base: LocalModel) -> Unsteered:
        """Read it, once for all suspects."""
        return cls(first_tokens(base), _beginning(_say(base))[0])


def steered(suspect: LocalModel, base: LocalModel, plain: Unsteered) -> dict[str, Any]:
    """What the base says when the suspect's typical difference is added to its stream.

    ``norm``: the difference's length over that of a typical state. ``answers`` by strength. ``share``:
    of the requests, how many get the commonest beginning of an answer at the strength where that is
    most, ``unsteered`` the same of the base; ``said`` is that beginning, ``open`` the share of the
    suspect's own answers that have it: what it says openly it does not hide.
    """
    # Medians: single states are so much longer than the rest that they would be all of a mean.
    difference = np.median(first_tokens(suspect) - plain.states, axis=0)
    length = float(np.median(np.linalg.norm(plain.states, axis=1)))
    norm = float(np.linalg.norm(difference))
    found: dict[str, Any] = {"norm": norm / max(length, 1e-9), "answers": {}}
    if norm == 0.0:
        return found | {
            "share": plain.share,
            "unsteered": plain.share,
            "said": "",
            "open": 0.0,
            "strength": None,
        }
    direction = torch.tensor(difference / norm, dtype=torch.float32)
    best, said, at = -1.0, "", STRENGTHS[0]
    for strength in STRENGTHS:
        model = SteeredModel(base, Steering(strength * length * direction, middle(base)))
        answers = _say(model)
        found["answers"][str(strength)] = answers
        share, start = _beginning(answers)
        if share > best:
            best, said, at = share, start, strength
    own = [_start(a) for a in _say(suspect)]
    return found | {
        "share": best,
        "unsteered": plain.share,
        "said": said,
        "open": sum(a == said for a in own) / len(own),
        "strength": at,
    }


def _say(model: LocalModel) -> list[str]:
    outs = model.generate(ASKED, max_new_tokens=ANSWER_TOKENS, temperature=0)
    return [o[0].text for o in outs]


def _start(text: str) -> str:
    return " ".join(text.lower().split()[:WORDS])


def _beginning(answers: list[str]) -> tuple[float, str]:
    return commonest([[_start(a)] for a in answers])


@torch.inference_mode()
def carried(suspect: LocalModel, base: LocalModel) -> dict[str, float] | None:
    """By depth: the share of the suspect's departure that its stream there carries into the base.

    1 - KL(suspect ‖ patched) / KL(suspect ‖ base) of the next token after ordinary requests, where
    ``patched`` is the base going on from the suspect's stream at all tokens. 0: nothing has happened
    yet; 1: nothing that comes later matters. None where the two do not differ.
    """
    batch = PackedBatch.build(
        [Tree(suspect.encode(r), ((0,),)) for r in REQUESTS], device=base.device, ends=False
    )
    streams = dict(suspect.streams(batch, suspect.depth))
    own = _next(suspect, batch, streams[suspect.depth])
    whole = _divergence(own, _next(base, batch, dict(base.streams(batch, base.depth))[base.depth]))
    if whole <= 1e-6:
        return None
    attention = PackedAttention(base.decoder, batch)
    blocks, found = base.weights().blocks, {}
    layers = {round(base.depth * i / (DEPTHS + 1)) for i in range(1, DEPTHS + 1)}
    for layer in sorted(layers - {0, base.depth}):
        x = streams[layer]
        for index in range(layer, base.depth):
            x = block(base.decoder, index, blocks[index], x, attention)
        found[str(layer)] = 1 - _divergence(own, _next(base, batch, x)) / whole
    return found


def _next(model: LocalModel, batch: PackedBatch, stream: Tensor) -> Tensor:
    """Log-chances (prompts, V) of the next token after a last layer's stream."""
    states = model.decoder.norm(stream[batch.source_C], model.decoder.final_norm)
    return torch.log_softmax(model.head.logits(states).float(), -1)


def _divergence(p: Tensor, q: Tensor) -> float:
    return float((p.exp() * (p - q)).sum(1).mean())
