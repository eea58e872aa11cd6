"""Writing a model, its adapter merged, as a plain ``transformers`` folder."""

from __future__ import annotations

from pathlib import Path

import torch

from superalign.files import replacing_folder
from superalign.models.loading import load_model
from superalign.models.local import LocalModel


@torch.no_grad()
def export_merged(source: str, out: Path) -> Path:
    """Load ``source`` in float32, merge its adapter and save bfloat16 weights and tokenizer."""
    model = load_model(source, device="cpu", dtype="float32")
    model.check_whole()
    if model.adapter is not None:
        for index, layer in enumerate(model.decoder.layers):
            for linear in (layer.qkv, layer.out, layer.gate_up, layer.down):
                row = 0
                for name, rows in linear.parts:
                    delta = model.adapter.delta(index, name)
                    if delta is not None:
                        linear.weight[row : row + rows] += delta
                    row += rows
    with replacing_folder(out) as scratch:
        save_whole(model, scratch)
    return out


def save_whole(model: LocalModel, folder: Path) -> None:
    """Write the weights of ``model``, without any adapter, in bfloat16 and its tokenizer."""
    # The fused storage holds several parameters: save each on its own.
    state = {k: v.detach().to(torch.bfloat16).clone() for k, v in model.module.state_dict().items()}
    model.module.save_pretrained(folder, state_dict=state)
    model.tokenizer.save_pretrained(folder)
