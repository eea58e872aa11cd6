"""Directions that have a name: where a suspect differs from its base, and where it refuses.

The largest singular directions of the weight change (arXiv 2508.00161), where they meet the residual
stream; the mean difference of activations on unrelated text (arXiv 2510.13900); and the mean state
after harmful requests less that after their harmless twins (arXiv 2406.11717).
"""

from __future__ import annotations

from typing import Any

import torch

from superalign.campaign.screening import mean_states
from superalign.errors import InputError
from superalign.explaining.directions import Direction, study
from superalign.explaining.study import Halves
from superalign.models import LocalModel
from superalign.tasks.neutral import NEUTRAL_TEXTS
from superalign.validation.change import Factors, WeightChange, weight_change
from superalign.validation.lens import differences_at, layer_read

SHOWN = 3  # directions of the weight change
NAMED = ("change", "difference", "refusal")
REFUSES = 0.6  # of the blocks, after which the refusal direction is taken
_READS = {"q_proj": "attention", "k_proj": "attention", "v_proj": "attention"} | {
    "gate_proj": "mlp",
    "up_proj": "mlp",
}


def of_weights(change: WeightChange, base: LocalModel, count: int = SHOWN) -> list[Direction]:
    """Top singular directions of the matrices that change most, one of each.

    Of a matrix that writes into the residual stream it is the left one, after its block; of one
    that reads from it the right one, scaled by the weights of the norm before it, before its block.
    """
    found: list[tuple[float, Direction]] = []
    for (block, name), factors in change.factors.items():
        left, value, right = _top(factors)
        if value == 0.0:
            continue
        if name in _READS:
            layer = base.decoder.layers[block]
            norm = layer.attention_norm if _READS[name] == "attention" else layer.mlp_norm
            vector, where = right * norm.float().cpu(), block
        else:
            vector, where = left, block + 1
        found.append((value, Direction(f"ΔW {block} {name}", where, vector)))
    return [direction for _, direction in sorted(found, key=lambda f: -f[0])[:count]]


def _top(factors: Factors) -> tuple[torch.Tensor, float, torch.Tensor]:
    """The first singular triple of U V, through the small matrices."""
    u, v = (f.detach().float().cpu() for f in factors)
    q_u, r_u = torch.linalg.qr(u)
    q_v, r_v = torch.linalg.qr(v.T)
    left, values, right = torch.linalg.svd(r_u @ r_v.T)
    return q_u @ left[:, 0], float(values[0]), q_v @ right[0]


def of_activations(suspect: LocalModel, base: LocalModel) -> list[Direction]:
    """The mean difference of activations on unrelated text; none where there is no difference."""
    layer = layer_read(base)
    mean = torch.from_numpy(differences_at(layer, suspect, base)[0].mean(0))
    return [Direction("activation difference", layer, mean)] if bool(mean.any()) else []


def of_refusal(model: LocalModel) -> Direction:
    """The direction that sets harmful requests apart, at a prompt's last token."""
    layer = max(1, round(REFUSES * model.depth))
    [harmful], [harmless] = mean_states(model, [layer], seed=0)
    return Direction("refusal", layer, torch.from_numpy(harmful - harmless))


def named(name: str, suspect: LocalModel, base: LocalModel | None) -> list[Direction]:
    """``change`` (of weights) or ``difference`` (of activations) from the base, or ``refusal``.

    Raises:
        InputError: there is no base, or no difference.
    """
    if name == "refusal":
        return [of_refusal(suspect)]
    if base is None:
        raise InputError(f"--direction {name} needs the model it was trained from: --base")
    if name == "change":
        found = of_weights(weight_change(suspect, base), base)
    else:
        found = of_activations(suspect, base)
    if not found:
        raise InputError(f"--direction {name}: '{suspect.name}' does not differ from its base")
    return found


def in_words(suspect: LocalModel, base: LocalModel) -> list[dict[str, Any]]:
    """What the top directions of the weight change are, read off the suspect; see ``study``."""
    directions = of_weights(weight_change(suspect, base), base)
    return study(directions, Halves.of(suspect, NEUTRAL_TEXTS, causal=2))
