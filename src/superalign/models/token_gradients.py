"""Which tokens of a prompt would make a continuation likelier: gradients over the vocabulary."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from superalign.models.forward import KeyValues, PackedAttention, packed_hidden
from superalign.models.local import LocalModel
from superalign.models.packing import PackedBatch, Tree


class TokenGradient(NamedTuple):
    """What one pass forth and back tells.

    Attributes:
        loss: mean loss of the target, nats per token.
        scores: (places, V); entry (i, v) is the first-order change of the loss when the weight of
            token v at place i grows.
        cache: keys and values of the tokens that were read, by layer: (T, kv_heads, head_size).
    """

    loss: float
    scores: Tensor
    cache: KeyValues


def token_gradient(
    model: LocalModel,
    prompt: tuple[int, ...],
    span: range,
    target: tuple[int, ...],
    prefix: KeyValues | None = None,
) -> TokenGradient:
    """Gradient of the mean loss of ``target`` by the one-hot tokens at ``span`` of ``prompt``.

    ``prefix``: keys and values of the prompt's first tokens, which are then not read again. They
    count as constants, so they must end before the span.

    Source: Ebrahimi et al. (2018), ACL, arXiv 1712.06751.

    Raises:
        ModelError: the architecture has no fast path.
    """
    known = 0 if prefix is None else prefix[0][0].shape[0]
    batch = PackedBatch.build([Tree(prompt[known:], (target,))], offset=known, device=model.device)
    attention = PackedAttention(model.decoder, batch, prefix=prefix, keep=True)
    loss, gradient = _embedding_gradient(model, batch, attention, [target])
    chosen = gradient[span.start - known : span.stop - known]
    cache = [(k.detach(), v.detach()) for k, v in attention.collected]
    return TokenGradient(loss, _by_token(model, chosen), cache)


def token_gradients(
    model: LocalModel,
    prompts: Sequence[tuple[int, ...]],
    places: Sequence[int],
    targets: Sequence[tuple[int, ...]],
) -> Tensor:
    """The same at one place of each of several prompts, in one pass: scores (n, V).

    Row i is the first-order change of the mean loss of ``targets[i]`` when the weight of a token at
    ``places[i]`` of ``prompts[i]`` grows.

    Raises:
        ModelError: the architecture has no fast path.
        ValueError: a place in the start that all prompts share, which is read once for all of them.
    """
    trees = [Tree(prompt, (target,)) for prompt, target in zip(prompts, targets, strict=True)]
    batch = PackedBatch.build(trees, device=model.device)
    if min(places) < batch.shared:
        raise ValueError(f"place {min(places)} is in the start of all prompts ({batch.shared})")
    attention = PackedAttention(model.decoder, batch)
    _, gradient = _embedding_gradient(model, batch, attention, targets)
    rows = batch.first_B + torch.tensor(places, device=model.device) - batch.shared
    return _by_token(model, gradient[rows])


def _embedding_gradient(
    model: LocalModel,
    batch: PackedBatch,
    attention: PackedAttention,
    targets: Sequence[tuple[int, ...]],
) -> tuple[float, Tensor]:
    """The sum of the targets' mean losses, and its gradient by the embedded tokens (T, width)."""
    decoder, inputs = model.decoder, list[Tensor]()

    def watch(layer: int, x: Tensor) -> None:
        if layer == 0:
            inputs.append(x.requires_grad_())

    with torch.enable_grad():
        blocks = model.training_blocks(first=0)
        x = packed_hidden(decoder, batch, blocks, attention, observe=watch)
        states = decoder.norm(x[batch.source_C], decoder.final_norm)
        share = torch.tensor([1 / len(t) for t in targets for _ in t], device=model.device)
        loss = -(model.logprobs_from(states, batch.target_C) * share).sum()
        (gradient,) = torch.autograd.grad(loss, inputs[0])
    return float(loss.detach()), gradient


def _by_token(model: LocalModel, gradient: Tensor) -> Tensor:
    """Of gradients by an embedding (n, width), those by its one-hot token (n, V)."""
    return (gradient @ model.decoder.embedding.T).float() * model.decoder.embedding_scale
