"""Sparse-autoencoder features of the residual stream: a small TopK autoencoder of our own, or one
from a file, whose features are explained and tested as neurons are.

Training follows arXiv 2406.04093: tied start, the K largest activations kept, unit decoder rows, and
an auxiliary loss by which features that have died learn what is left over. Left out: the schedule of
the learning rate, and all that concerns size.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from superalign.errors import InputError
from superalign.explaining.recording import Array, Laid
from superalign.explaining.units import Units

KEPT = 16  # activations of a token that are kept (K)
BATCH, RATE = 256, 3e-3
DEAD_AFTER = 60  # steps without firing
AUXILIARY = 1 / 32  # weight of the auxiliary loss
NAMES = ("W_enc", "b_enc", "W_dec", "b_dec")


@dataclass(frozen=True)
class SparseAutoencoder:
    """f = ReLU((x - b_dec) W_enc + b_enc), its ``kept`` largest alone where that is set; x̂ = f W_dec + b_dec.

    ``encoder`` (width, F), ``encoder_bias`` (F,), ``decoder`` (F, width) with rows of length 1,
    ``decoder_bias`` (width,).
    """

    encoder: Tensor
    encoder_bias: Tensor
    decoder: Tensor
    decoder_bias: Tensor
    kept: int | None = None

    def encode(self, x: Tensor) -> Tensor:
        """Activations (T, F) of states (T, width)."""
        active = torch.relu((x - self.decoder_bias) @ self.encoder + self.encoder_bias)
        return active if self.kept is None else _largest(active, self.kept)

    def decode(self, active: Tensor) -> Tensor:
        """States (T, width) that activations stand for."""
        return active @ self.decoder + self.decoder_bias

    def save(self, path: Path) -> None:
        """Write as safetensors, under the names that others use."""
        tensors = (self.encoder, self.encoder_bias, self.decoder, self.decoder_bias)
        known = {"kept": str(self.kept)} if self.kept is not None else None
        held = {n: t.contiguous() for n, t in zip(NAMES, tensors, strict=True)}
        save_file(held, path, metadata=known)

    @classmethod
    def load(cls, path: Path) -> SparseAutoencoder:
        """Read ``W_enc``, ``b_enc``, ``W_dec`` and ``b_dec``; decoder rows are brought to length 1.

        A file of ours says how many activations are kept; with a stranger's all above 0 are.

        Raises:
            InputError: the file cannot be read, lacks one of the four, or their shapes do not fit.
        """
        try:
            with safe_open(path, framework="pt") as file:
                found = {n: file.get_tensor(n).float() for n in file.keys() if n in NAMES}  # noqa: SIM118
                kept = (file.metadata() or {}).get("kept")
        except (OSError, SafetensorError) as error:
            raise InputError(f"--features {path}: {error}") from error
        missing = [n for n in NAMES if n not in found]
        if missing:
            raise InputError(f"--features {path}: no {', '.join(missing)}")
        encoder, encoder_bias, decoder, decoder_bias = (found[n] for n in NAMES)
        width, features = encoder.shape
        shapes = (encoder_bias.shape, decoder.shape, decoder_bias.shape)
        if shapes != ((features,), (features, width), (width,)):
            raise InputError(f"--features {path}: shapes {shapes} do not fit W_enc {encoder.shape}")
        length = decoder.norm(dim=1).clamp(min=1e-12)
        whole = cls(
            encoder * length, encoder_bias * length, decoder / length[:, None], decoder_bias
        )
        return whole if kept is None else replace(whole, kept=int(kept))


def _largest(active: Tensor, kept: int) -> Tensor:
    values, places = active.topk(min(kept, active.shape[1]), dim=1)
    return torch.zeros_like(active).scatter(1, places, values)


def train(
    states: Tensor,
    features: int,
    *,
    kept: int = KEPT,
    steps: int = 1500,
    seed: int = 0,
    progress: Callable[[float], None] | None = None,
) -> SparseAutoencoder:
    """A TopK autoencoder with ``features`` features of states (T, width)."""
    generator = torch.Generator().manual_seed(seed)
    middle = states.mean(0)
    scale = float((states - middle).square().mean().sqrt()) or 1.0
    x = (states - middle) / scale
    start = torch.randn(features, x.shape[1], generator=generator)
    decoder = (start / start.norm(dim=1, keepdim=True)).requires_grad_()
    encoder = decoder.detach().T.clone().requires_grad_()
    biases = [torch.zeros(n, requires_grad=True) for n in (features, x.shape[1])]
    adam = torch.optim.Adam([encoder, decoder, *biases], lr=RATE)
    silent = torch.zeros(features)
    for step in range(steps):
        rows = x[torch.randint(len(x), (min(BATCH, len(x)),), generator=generator)]
        before = torch.relu((rows - biases[1]) @ encoder + biases[0])
        active = _largest(before, kept)
        left = rows - (active @ decoder + biases[1])
        loss = left.square().mean()
        silent = torch.where((active > 0).any(0), 0, silent + 1)
        dead = silent > DEAD_AFTER
        if bool(dead.any()):
            again = _largest(before * dead, min(x.shape[1] // 2, int(dead.sum())))
            loss = loss + AUXILIARY * (left.detach() - again @ decoder).square().mean()
        adam.zero_grad()
        loss.backward()
        adam.step()
        with torch.no_grad():
            decoder /= decoder.norm(dim=1, keepdim=True)
        if progress is not None:
            progress((step + 1) / steps)
    # What was learnt of scaled states holds of the states themselves.
    w_enc, w_dec, b_enc, b_dec = (t.detach() for t in (encoder, decoder, *biases))
    return SparseAutoencoder(w_enc, scale * b_enc, w_dec, middle + scale * b_dec, kept)


def quality(found: SparseAutoencoder, states: Tensor) -> dict[str, Any]:
    """On states (T, width) that it was not trained on: the share of variance explained, the mean
    number of active features of a token (L0), and how many features never fire."""
    active = found.encode(states)
    left = states - found.decode(active)
    total = (states - states.mean(0)).square().sum()
    return {
        "variance_explained": 1 - float(left.square().sum() / total),
        "l0": float((active > 0).sum(1).float().mean()),
        "silent": int((~(active > 0).any(0)).sum()),
        "features": active.shape[1],
        "tokens": len(states),
    }


def later_states(laid: Laid, layer: int) -> Tensor:
    """States (T, width) after ``layer`` blocks of all but the texts' first tokens."""
    return laid.states(layer)[~laid.begins]


def features(found: SparseAutoencoder, layer: int, seen: Laid, chosen: list[int]) -> Units:
    """Features as units of the stream after ``layer`` blocks; a text's first token has none.

    Raises:
        InputError: the autoencoder is of another width than the model.
    """
    width = seen.model.decoder.embedding.shape[1]
    if found.encoder.shape[0] != width:
        raise InputError(
            f"--features: made for a stream of width {found.encoder.shape[0]}; the model's is {width}"
        )

    def read(laid: Laid) -> Array:
        active = found.encode(laid.states(layer))[:, chosen]
        active[laid.begins] = 0
        return active.double().numpy()

    return Units(tuple(f"feature {i}" for i in chosen), layer, read, found.decoder[chosen])


def alive(found: SparseAutoencoder, layer: int, seen: Laid, count: int, seed: int) -> list[int]:
    """Random features that fire on at least two tokens of the texts explained from.

    Raises:
        InputError: there is none.
    """
    fired = (found.encode(later_states(seen, layer)) > 0).sum(0).numpy()
    living = np.flatnonzero(fired >= 2)
    if not len(living):
        raise InputError(f"--features: none fires on two tokens of the {len(seen.ids)} texts")
    picked = np.random.default_rng(seed).choice(living, min(count, len(living)), replace=False)
    return sorted(int(i) for i in picked)
