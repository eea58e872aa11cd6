"""The slow path: any decoder-only ``transformers`` architecture, through its own forward pass."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from superalign.errors import ModelError
from superalign.models.adapters import PROJECTIONS
from superalign.models.architecture import Steer
from superalign.models.generation import Limits, Request
from superalign.models.packing import PackedBatch
from superalign.models.sampling import Sampler

if TYPE_CHECKING:
    from superalign.models.local import LocalModel

BATCH = 32


@contextmanager
def adapted(model: LocalModel) -> Iterator[None]:
    """Add the adapter's low-rank term to every linear projection, and steer, while the context lasts."""
    adapter, handles = model.adapter, []
    if model.steer is not None:
        handles += _stream_hooks(model, model.steer)
    if adapter is not None:
        for name, module in model.module.named_modules():
            parts = name.split(".")
            if parts[-1] not in PROJECTIONS or not isinstance(module, nn.Linear):
                continue
            pair = adapter.get(int(parts[parts.index("layers") + 1]), parts[-1])
            if pair is not None:
                handles.append(module.register_forward_hook(_low_rank_hook(*pair, adapter.scaling)))
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _blocks(model: LocalModel) -> nn.ModuleList:
    lists = [m for m in model.module.get_decoder().children() if isinstance(m, nn.ModuleList)]
    return next(m for m in lists if len(m) == model.depth)


def _stream_hooks(model: LocalModel, change: Steer) -> list[Any]:
    """Hooks that put ``change(layer, stream)`` for what enters each block and what leaves the last."""

    def entering(layer: int) -> Any:
        return lambda module, args: (change(layer, args[0]), *args[1:])

    def leaving(module: nn.Module, args: Any, out: Any) -> Any:
        if isinstance(out, tuple):
            return (change(model.depth, out[0]), *out[1:])
        return change(model.depth, out)

    blocks = _blocks(model)
    handles = [b.register_forward_pre_hook(entering(i)) for i, b in enumerate(blocks)]
    return [*handles, blocks[-1].register_forward_hook(leaving)]


def _low_rank_hook(a: Tensor, b: Tensor, scaling: float) -> Any:
    def hook(module: nn.Module, args: tuple[Tensor, ...], output: Tensor) -> Tensor:
        x = args[0]
        return output + F.linear(F.linear(x, a.to(x.dtype)), (scaling * b).to(x.dtype))

    return hook


def _forward(model: LocalModel, batch: PackedBatch, run: Any = None) -> tuple[Any, Tensor]:
    """Output over the right-padded grid of the decoder without its head (or of ``run``), and the
    flat slots of real tokens."""
    if batch.mask_BLL is not None:
        raise ModelError(f"model '{model.name}' has no fast path, so trees must not branch")
    tokens = batch.tokens_T[batch.rows_BL]
    attention = torch.zeros(tokens.numel(), dtype=torch.long, device=tokens.device)
    attention[batch.slots_T] = 1
    attention.view_as(tokens)[:, : batch.shared] = 1
    run = run or model.module.get_decoder()
    with adapted(model):
        out = run(
            input_ids=tokens,
            attention_mask=attention.view_as(tokens),
            use_cache=False,
        )
    return out, batch.slots_T


def final_hidden(model: LocalModel, batch: PackedBatch, *, train: bool) -> Tensor:
    """Normed last hidden states (T, d)."""
    with torch.set_grad_enabled(train):
        out, slots = _forward(model, batch)
        states: Tensor = out.last_hidden_state.flatten(0, 1)[slots]
        return states


def completion_logprobs(model: LocalModel, batch: PackedBatch, *, train: bool) -> Tensor:
    """Log-probabilities (C,) of completion tokens, through the module's own head: its bias, scale
    and soft cap count. Only the rows that predict a completion token reach it."""
    rows = batch.slots_T[batch.source_C]
    handle = model.module.get_output_embeddings().register_forward_pre_hook(
        lambda module, args: (args[0].flatten(0, 1)[rows][None],)
    )
    try:
        with torch.set_grad_enabled(train):
            out, _ = _forward(model, batch, model.module)
            log_p = torch.log_softmax(out.logits[0], -1, torch.float32)
            return log_p.gather(1, batch.target_C[:, None])[:, 0]
    finally:
        handle.remove()


def all_hidden(model: LocalModel, batch: PackedBatch) -> list[Tensor]:
    """Residual streams (T, d) after the embeddings and after each block, steered where they are.

    Seen by hooks: ``transformers`` norms the last of its hidden states.
    """
    seen: list[Tensor] = []

    def see(layer: int, x: Tensor) -> Tensor:
        seen.append(x if model.steer is None else model.steer(layer, x))
        return x

    handles = _stream_hooks(model, see)
    try:
        _, slots = _forward(model, batch)
    finally:
        for handle in handles:
            handle.remove()
    return [x.flatten(0, 1)[slots] for x in seen]


@torch.inference_mode()
def generate(
    model: LocalModel,
    prompts: Sequence[tuple[int, ...]],
    wanted: Sequence[int],
    sampler: Sampler,
    limits: Limits,
    seed: int,
) -> list[Request]:
    """Plain batched decoding with left padding and the module's own cache."""
    generator = torch.Generator().manual_seed(seed)
    uniforms = torch.rand(len(wanted), limits.max_new_tokens, generator=generator)
    requests = [Request(p, u) for p, u in zip(wanted, uniforms.numpy(), strict=True)]
    order = sorted(range(len(requests)), key=lambda i: len(prompts[requests[i].prompt]))
    with adapted(model):
        for start in range(0, len(order), BATCH):
            part = [requests[i] for i in order[start : start + BATCH]]
            _decode(model, [prompts[r.prompt] for r in part], part, sampler, limits)
    return requests


def _decode(
    model: LocalModel,
    prompts: Sequence[tuple[int, ...]],
    requests: Sequence[Request],
    sampler: Sampler,
    limits: Limits,
) -> None:
    longest, device = max(map(len, prompts)), model.device
    tokens = torch.zeros(len(prompts), longest, dtype=torch.long, device=device)
    attention = torch.zeros_like(tokens)
    for row, ids in enumerate(prompts):
        tokens[row, longest - len(ids) :] = torch.tensor(ids, device=device)
        attention[row, longest - len(ids) :] = 1
    cache, running = None, [True] * len(requests)
    for step in range(limits.max_new_tokens):
        positions = (attention.cumsum(-1) - 1).clamp(min=0)[:, -tokens.shape[1] :]
        out = model.module(
            input_ids=tokens,
            attention_mask=attention,
            position_ids=positions,
            past_key_values=cache,
            use_cache=True,
        )
        cache = out.past_key_values
        points = np.array([r.uniforms[step] for r in requests])
        drawn, logprobs = sampler(out.logits[:, -1], torch.from_numpy(points).to(device))
        for row, request in enumerate(requests):
            if running[row]:
                running[row] = not _append(request, int(drawn[row]), float(logprobs[row]), limits)
        if not any(running):
            return
        tokens = drawn[:, None]
        attention = torch.cat((attention, attention.new_ones(len(requests), 1)), dim=1)


def _append(request: Request, token: int, logprob: float, limits: Limits) -> bool:
    """Record a token; True when the request has ended."""
    request.tokens.append(token)
    request.logprobs.append(logprob)
    if token in limits.end_tokens or (
        limits.stopped is not None and limits.stopped(request.tokens)
    ):
        request.finish = "stop"
        return True
    return len(request.tokens) >= limits.max_new_tokens
