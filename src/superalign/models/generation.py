"""Sampling many continuations: shared prefill, slots refilled as sequences finish, exact sampling.

1. The longest prefix common to all prompts (a system prompt, a rubric) is computed once.
2. Each distinct prompt's rest is prefilled once, however many samples are asked of it.
3. Every request takes a slot of the key/value cache; slots freed by finished sequences are refilled
   from the queue, and at the tail of the queue the cache shrinks to the sequences still running.
The uniform numbers of request i at step t depend on (seed, i, t) alone, not on the slot it got.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from superalign.models.architecture import Decoder
from superalign.models.forward import InferenceWeights, KeyValues, PackedAttention, packed_hidden
from superalign.models.forward import block as run_block
from superalign.models.memory import free_bytes
from superalign.models.packing import PackedBatch, Tree, common_prefix, token_batches
from superalign.models.sampling import Sampler
from superalign.models.slots import Piece, SlotCache, bytes_per_token

MAX_SLOTS = {"cpu": 128, "cuda": 1024}
PREFILL_TOKENS = 2048
REFILL_SHARE = 16  # refill once 1/16 of the slots are free: one prefill then serves several


@dataclass
class Request:
    """One continuation being made; ``uniforms``: one number in [0, 1) per step."""

    prompt: int
    uniforms: npt.NDArray[np.float32]
    tokens: list[int] = field(default_factory=list)
    logprobs: list[float] = field(default_factory=list)
    finish: str = "length"


@dataclass(frozen=True)
class Limits:
    """When a continuation ends: token count, end tokens, and a test on all its tokens so far."""

    max_new_tokens: int
    end_tokens: frozenset[int]
    stopped: Callable[[Sequence[int]], bool] | None = None


def ends_with(
    stop: Sequence[str], decode: Callable[[Sequence[int]], str]
) -> Callable[[Sequence[int]], bool] | None:
    """The test whether a continuation's last tokens hold one of the strings ``stop``."""
    if not stop:
        return None
    reach = 4 + max(len(s.encode()) for s in stop)  # a token holds at least one byte

    def stopped(tokens: Sequence[int]) -> bool:
        tail = decode(tokens[-reach:])
        return any(s in tail for s in stop)

    return stopped


def slot_count(decoder: Decoder, requests: int, tokens_each: int) -> int:
    """Slots that fit in a quarter of the free memory, at most 128 (CPU) or 1,024 (GPU)."""
    device = decoder.device
    fit = free_bytes(device) // 4 // max(1, tokens_each * bytes_per_token(decoder))
    return int(max(1, min(requests, MAX_SLOTS.get(device.type, 128), fit)))


class _Prefill:
    """Keys, values and first logits of distinct prompts, each kept while requests need it."""

    def __init__(
        self, decoder: Decoder, weights: InferenceWeights, prompts: Sequence[tuple[int, ...]]
    ) -> None:
        self.decoder, self.weights, self.prompts = decoder, weights, prompts
        self.shared = common_prefix(prompts)
        self.prefix: KeyValues | None = None
        if self.shared:
            batch = PackedBatch.build([Tree(prompts[0][: self.shared])], device=decoder.device)
            self.prefix = self._run(batch, None)[1]

    def _run(self, batch: PackedBatch, prefix: KeyValues | None) -> tuple[Tensor, KeyValues]:
        attention = PackedAttention(self.decoder, batch, prefix=prefix, keep=True)
        x = packed_hidden(self.decoder, batch, self.weights.blocks, attention)
        last = self.decoder.norm(x[batch.last_B], self.decoder.final_norm)
        return self.weights.head(last), attention.collected

    def __call__(self, indices: Sequence[int]) -> dict[int, tuple[list[Piece], Tensor]]:
        """Prompt index → (pieces for ``SlotCache.fill``, next-token logits (V,))."""
        trees = [Tree(self.prompts[i][self.shared :]) for i in indices]
        done: dict[int, tuple[list[Piece], Tensor]] = {}
        device = self.decoder.device
        before: list[Piece] = []
        if self.prefix is not None:
            before = [(self.prefix, torch.arange(self.shared, device=device))]
        for part in token_batches(trees, PREFILL_TOKENS):
            batch = PackedBatch.build([trees[j] for j in part], offset=self.shared, device=device)
            logits, collected = self._run(batch, self.prefix)
            for row, first in enumerate(batch.first_B.tolist()):
                j = part[row]
                own = torch.arange(first, first + trees[j].size - batch.shared)
                rows = torch.cat((torch.arange(batch.shared), own)).to(device)
                done[indices[j]] = ([*before, (collected, rows)], logits[row])
        return done


class _Run:
    """State of one ``generate`` call: the queue, the slots, and the requests that hold them."""

    def __init__(
        self,
        decoder: Decoder,
        weights: InferenceWeights,
        prompts: Sequence[tuple[int, ...]],
        requests: Sequence[Request],
        sampler: Sampler,
        limits: Limits,
        slots: int,
    ) -> None:
        self.decoder, self.weights, self.sampler, self.limits = decoder, weights, sampler, limits
        self.prefill = _Prefill(decoder, weights, prompts)
        # Long prompts first, so that the tail of the run holds the short ones.
        order = sorted(
            range(len(requests)),
            key=lambda i: (-len(prompts[requests[i].prompt]), requests[i].prompt, i),
        )
        self.queue = deque(requests[i] for i in order)
        self.ready: dict[int, tuple[list[Piece], Tensor]] = {}
        longest = max(len(p) for p in prompts)
        # PyTorch's attention reads a slot's whole capacity, the compiled one only what is used.
        room = limits.max_new_tokens if decoder.compiled() is not None else 1
        self.cache = SlotCache(decoder, slots, longest + room)
        self.holders: list[Request | None] = [None] * slots

    def refill(self) -> None:
        """Give free slots to queued requests, sampling each one's first token from its prefill."""
        free = [slot for slot, holder in enumerate(self.holders) if holder is None]
        taken = [self.queue.popleft() for _ in range(min(len(free), len(self.queue)))]
        while taken:
            fresh = sorted({r.prompt for r in taken} - self.ready.keys())
            self.ready |= self.prefill(fresh)
            logits = torch.stack([self.ready[r.prompt][1] for r in taken])
            starting, self._starting = taken, free[: len(taken)]
            for request, slot in zip(starting, self._starting, strict=True):
                self.holders[slot] = request
            self.cache.fill(self._starting, [self.ready[r.prompt][0] for r in starting])
            waiting = {r.prompt for r in self.queue}
            self.ready = {p: kv for p, kv in self.ready.items() if p in waiting}
            self.accept(logits, self._starting)
            free = [slot for slot in self._starting if self.holders[slot] is None]
            taken = [self.queue.popleft() for _ in range(min(len(free), len(self.queue)))]

    def accept(self, logits: Tensor, slots: Sequence[int]) -> None:
        """Sample one token for each of ``slots`` and free those whose request has ended."""
        holders = [self.holders[slot] for slot in slots]
        points = [0.0 if r is None else r.uniforms[len(r.tokens)] for r in holders]
        uniforms = torch.from_numpy(np.array(points, dtype=np.float32)).to(logits.device)
        tokens, logprobs = self.sampler(logits, uniforms)
        ended = []
        for slot, request, token, logprob in zip(
            slots, holders, tokens.tolist(), logprobs.tolist(), strict=True
        ):
            if request is not None and self._ended(request, token, logprob):
                self.holders[slot] = None
                ended.append(slot)
        self.cache.release(ended)

    def _ended(self, request: Request, token: int, logprob: float) -> bool:
        request.tokens.append(token)
        request.logprobs.append(logprob)
        if token in self.limits.end_tokens or (
            self.limits.stopped is not None and self.limits.stopped(request.tokens)
        ):
            request.finish = "stop"
            return True
        return len(request.tokens) >= self.limits.max_new_tokens

    def step(self) -> None:
        """Decode one token in every slot."""
        self.cache.advance()
        newest = [r.tokens[-1] if r is not None else 0 for r in self.holders]
        decoder = self.decoder
        x = decoder.embed(torch.tensor(newest, device=decoder.device))
        for index, project in enumerate(self.weights.blocks):
            x = run_block(decoder, index, project, x, self.cache.attend)
        logits = self.weights.head(decoder.norm(x, decoder.final_norm))
        self.accept(logits, range(len(self.holders)))

    def shrink(self) -> None:
        """Drop free slots once nothing is queued and a quarter of them idle."""
        active = [slot for slot, holder in enumerate(self.holders) if holder is not None]
        if active and len(active) <= 0.75 * len(self.holders):
            self.cache.keep(active)
            self.holders = [self.holders[slot] for slot in active]

    def finish(self) -> None:
        """Run until every request has ended."""
        while True:
            free = sum(holder is None for holder in self.holders)
            if self.queue and free >= max(1, len(self.holders) // REFILL_SHARE):
                self.refill()
            elif not self.queue and free:
                self.shrink()
            if all(holder is None for holder in self.holders):
                if not self.queue:
                    return
                continue
            self.step()


@torch.inference_mode()
def generate(
    decoder: Decoder,
    weights: InferenceWeights,
    prompts: Sequence[tuple[int, ...]],
    wanted: Sequence[int],
    sampler: Sampler,
    limits: Limits,
    seed: int,
) -> list[Request]:
    """One finished request per entry of ``wanted`` (indices into distinct ``prompts``)."""
    generator = torch.Generator().manual_seed(seed)
    uniforms = torch.rand(len(wanted), limits.max_new_tokens, generator=generator)
    requests = [Request(p, u) for p, u in zip(wanted, uniforms.numpy(), strict=True)]
    if not requests or limits.max_new_tokens < 1:
        return requests
    tokens_each = max(map(len, prompts)) + limits.max_new_tokens
    slots = slot_count(decoder, len(requests), tokens_each)
    _Run(decoder, weights, prompts, requests, sampler, limits, slots).finish()
    return requests
