"""Exact sampling by inverse CDF from one uniform number per token, and fast argmax.

A vocabulary row is cut into blocks; block sums locate the block, a running sum within it the token.
This reads each probability once, where drawing exponentials for every entry dominates CPU decoding.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from superalign.models.native import kernels

BLOCK = 128
_CANDIDATES = 256


def _blocks(x_NV: Tensor, fill: float) -> Tensor:
    short = -x_NV.shape[1] % BLOCK
    if short:
        x_NV = F.pad(x_NV, (0, short), value=fill)
    return x_NV.view(x_NV.shape[0], -1, BLOCK)


def argmax(x_NV: Tensor) -> Tensor:
    """Index of the first maximum of each row."""
    if x_NV.device.type != "cpu":
        return x_NV.argmax(-1)
    blocks = _blocks(x_NV, float("-inf"))
    block = blocks.amax(-1).argmax(-1)
    row = torch.arange(x_NV.shape[0], device=x_NV.device)
    return block * BLOCK + blocks[row, block].argmax(-1)


def inverse_cdf(weights_NV: Tensor, uniform_N: Tensor) -> Tensor:
    """Draw one index per row with probability proportional to ``weights_NV`` (>= 0).

    ``uniform_N`` lies in [0, 1). An index of weight zero is never drawn.
    """
    blocks = _blocks(weights_NV, 0.0)
    sums = blocks.sum(-1)
    running = sums.cumsum(-1)
    point = uniform_N.to(running.dtype)[:, None] * running[:, -1:]
    block = torch.searchsorted(running, point, right=True).clamp_(max=running.shape[1] - 1)
    rest = point - (running.gather(1, block) - sums.gather(1, block))
    row = torch.arange(weights_NV.shape[0], device=weights_NV.device)
    inside = blocks[row, block[:, 0]]
    within = inside.cumsum(-1)
    # Rounding may put the point at or past the block's end: keep it below the last positive step.
    rest = torch.minimum(rest.clamp_(min=0.0), within[:, -1:] * (1 - 1e-6))
    return block[:, 0] * BLOCK + torch.searchsorted(within, rest, right=True)[:, 0]


@dataclass(frozen=True)
class Sampler:
    """Turns logits into tokens. ``temperature`` 0 is greedy; filters apply in the order k, p, min."""

    temperature: float = 1.0
    top_p: float = 1.0
    top_k: int = 0
    min_p: float = 0.0

    def __call__(self, logits_NV: Tensor, uniform_N: Tensor) -> tuple[Tensor, Tensor]:
        """Tokens (N,) and their log-probabilities (N,) under the unmodified logits."""
        fast = kernels(logits_NV.device.type, logits_NV.dtype)
        if fast is not None and not self.filters:
            uniforms = None if self.temperature == 0 else uniform_N.float().contiguous()
            return fast.sample(logits_NV, uniforms, self.temperature)
        logits_NV = logits_NV.float()
        probs_NV = torch.softmax(logits_NV, -1)
        if self.temperature == 0:
            tokens = argmax(logits_NV)
        else:
            weights = probs_NV
            if self.temperature != 1:
                weights = torch.softmax(logits_NV / self.temperature, -1)
            tokens = inverse_cdf(self._filter(weights), uniform_N)
        return tokens, probs_NV.gather(1, tokens[:, None])[:, 0].log()

    @property
    def filters(self) -> bool:
        """Whether some tokens may be left out before drawing."""
        return self.temperature != 0 and (self.top_k > 0 or self.top_p < 1 or self.min_p > 0)

    def _filter(self, probs_NV: Tensor) -> Tensor:
        if 0 < self.top_k < probs_NV.shape[1]:
            floor = probs_NV.topk(self.top_k, dim=-1).values[:, -1:]
            probs_NV = probs_NV.where(probs_NV >= floor, probs_NV.new_zeros(()))
        if self.top_p < 1:
            probs_NV = probs_NV.where(
                probs_NV >= _nucleus_floor(probs_NV, self.top_p), probs_NV.new_zeros(())
            )
        if self.min_p > 0:
            floor = self.min_p * probs_NV.amax(-1, keepdim=True)
            probs_NV = probs_NV.where(probs_NV >= floor, probs_NV.new_zeros(()))
        return probs_NV


def _nucleus_floor(probs_NV: Tensor, top_p: float) -> Tensor:
    """Smallest probability inside the nucleus: the shortest prefix with mass >= top_p."""
    mass = probs_NV.sum(-1, keepdim=True)
    values = probs_NV.topk(min(_CANDIDATES, probs_NV.shape[1]), dim=-1).values
    if bool((values.sum(-1, keepdim=True) < top_p * mass).any()):
        values = probs_NV.sort(dim=-1, descending=True).values
    before = values.cumsum(-1) - values
    last = (before < top_p * mass).sum(-1, keepdim=True) - 1
    return values.gather(1, last)
