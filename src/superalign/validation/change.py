"""The change of weights between a base and a suspect: its spectrum, and the tokens it singles out.

Linear-algebra reading of a fine-tune without running it: the singular values of every ΔW
(arXiv 2508.00161) and, at the lowest blocks, how far ΔW moves the embedding of each token. A hidden
trigger is a word whose processing was changed more than that of other words.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from superalign.errors import InputError
from superalign.models import LocalModel

RANK = 16  # of a dense difference, what is kept
SCANNED_BLOCKS = 2
Factors = tuple[Tensor, Tensor]  # U (out, r), V (r, in): the change is U V


@dataclass(frozen=True)
class WeightChange:
    """Low-rank factors by (block, projection); ``elsewhere``: other tensors that differ."""

    factors: dict[tuple[int, str], Factors]
    elsewhere: tuple[str, ...] = ()

    def norms(self) -> dict[tuple[int, str], float]:
        """Frobenius norm of each change."""
        return {key: float(_values(f).square().sum().sqrt()) for key, f in self.factors.items()}

    def stable_ranks(self) -> dict[tuple[int, str], float]:
        """‖ΔW‖²_F / ‖ΔW‖²_2 of each change that is not zero; 1 is a single direction."""
        found = {}
        for key, factors in self.factors.items():
            s = _values(factors)
            if float(s.max()) > 0:
                found[key] = float(s.square().sum() / s.max().square())
        return found

    def depth_profile(self, depth: int) -> list[float]:
        """Share of the squared change by block."""
        shares = np.zeros(depth)
        for (block, _), norm in self.norms().items():
            shares[block] += norm**2
        total = shares.sum()
        return [float(x) for x in shares / total] if total > 0 else [0.0] * depth


def _values(factors: Factors) -> Tensor:
    """Singular values of U V through the small Gram matrices."""
    u, v = (x.float() for x in factors)
    _, r_u = torch.linalg.qr(u)
    _, r_v = torch.linalg.qr(v.T)
    values: Tensor = torch.linalg.svdvals(r_u @ r_v.T)
    return values


@torch.no_grad()
def weight_change(suspect: LocalModel, base: LocalModel) -> WeightChange:
    """The change from ``base`` to ``suspect``: exact for an adapter over the same weights.

    Raises:
        InputError: the two are not of one architecture.
    """
    if suspect.adapter is not None and suspect.module is base.module:
        adapter = suspect.adapter
        return WeightChange(
            {k: (adapter.scaling * b, a.detach()) for k, (a, b) in adapter.parameters.items()}
        )
    mine, theirs = _matrices(suspect), _matrices(base)
    if {k: v.shape for k, v in mine.items()} != {k: v.shape for k, v in theirs.items()}:
        raise InputError(
            f"'{suspect.name}' and base '{base.name}' are of different shapes; "
            "allowed: a base from which the model was trained"
        )
    factors = {}
    for key, weight in mine.items():
        change = weight - theirs[key]
        if suspect.adapter is not None:
            delta = suspect.adapter.delta(*key)
            change = change if delta is None else change + delta
        if bool(change.any()):
            factors[key] = _low_rank(change)
    return WeightChange(factors, _elsewhere(suspect, base))


def _low_rank(change: Tensor) -> Factors:
    torch.manual_seed(0)
    u, s, v = torch.svd_lowrank(change, q=min(RANK, *change.shape), niter=2)
    return u * s, v.T


def _matrices(model: LocalModel) -> dict[tuple[int, str], Tensor]:
    found = {}
    for i, layer in enumerate(model.decoder.layers):
        for linear in (layer.qkv, layer.out, layer.gate_up, layer.down):
            row = 0
            for name, rows in linear.parts:
                found[i, name] = linear.weight[row : row + rows].float()
                row += rows
    return found


def _elsewhere(suspect: LocalModel, base: LocalModel) -> tuple[str, ...]:
    mine, theirs = suspect.module.state_dict(), base.module.state_dict()
    names = [k for k in mine if "proj" not in k and k in theirs]
    return tuple(k for k in names if not torch.equal(mine[k].float(), theirs[k].float()))


@torch.no_grad()
def token_scan(change: WeightChange, base: LocalModel) -> npt.NDArray[np.float64]:
    """How far the change moves each token of the vocabulary at the lowest blocks, (V,).

    For each projection that reads the residual stream, ‖ΔW n(e_t)‖² over its mean (n: the block's
    norm, e_t: the embedding), averaged over projections; then the logarithm, centred and scaled by
    median and quartiles over the vocabulary. Zeros where nothing changed.
    """
    embedding = base.module.get_input_embeddings().weight
    total = torch.zeros(embedding.shape[0])
    read = 0
    for block in range(min(SCANNED_BLOCKS, base.depth)):
        layer = base.decoder.layers[block]
        for names, norm in (
            (("q_proj", "k_proj", "v_proj"), layer.attention_norm),
            (("gate_proj", "up_proj"), layer.mlp_norm),
        ):
            x = base.decoder.norm(embedding, norm).float()
            for name in names:
                factors = change.factors.get((block, name))
                if factors is None:
                    continue
                u, v = (f.float() for f in factors)
                _, r = torch.linalg.qr(u)
                moved = (x @ v.T @ r.T).square().sum(1)
                if float(moved.mean()) > 0:
                    total += (moved / moved.mean()).cpu()
                    read += 1
    if not read:
        return np.zeros(embedding.shape[0])
    logs = np.log((total / read).numpy().astype(np.float64) + 1e-9)
    low, middle, high = np.quantile(logs, [0.25, 0.5, 0.75])
    scaled: npt.NDArray[np.float64] = (logs - middle) / max(high - low, 1e-9)
    return scaled
