"""A model in this process: generation, scoring, hidden states; adapters over shared weights."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from superalign.errors import InputError, ModelError
from superalign.models import generation
from superalign.models.adapters import PROJECTIONS, Adapter
from superalign.models.architecture import Decoder, Steer, no_fast_path, read_decoder
from superalign.models.base import Completion, Prompt, Score
from superalign.models.checkpointing import Checkpointing
from superalign.models.forward import (
    InferenceWeights,
    KeyValues,
    PackedAttention,
    Projections,
    TrainingWeights,
    packed_hidden,
)
from superalign.models.identity import hash_both, hash_tensors
from superalign.models.packing import POOLS, PackedBatch, Tree, common_prefix, pooled, token_batches
from superalign.models.products import form_of
from superalign.models.sampling import Sampler
from superalign.models.token_logprobs import Head, token_divergences, token_logprobs

BATCH_TOKENS = 4096


class LocalModel:
    """A causal language model in memory.

    ``with_adapter`` gives another view of the same weights: learner (adapter on), frozen reference,
    attacker and critic are views of one copy. ``int8``: inference in 8-bit integers, no training.
    """

    def __init__(
        self,
        name: str,
        module: Any,
        tokenizer: Any,
        adapter: Adapter | None = None,
        shared: LocalModel | None = None,
        int8: bool = False,
    ) -> None:
        self.name = name
        self.module = module
        self.tokenizer, self.adapter = tokenizer, adapter
        self.slow_because = no_fast_path(module.config)
        self.steer: Steer | None = None
        if shared is None and adapter is not None:
            raise ValueError("load the base first, then take a view of it with_adapter")
        self._owner = shared or self  # the base, which holds what all views of it share
        self._decoder: Decoder | None = shared._decoder if shared else read_decoder(module, int8)
        self._weights: InferenceWeights | None = None
        self._training: TrainingWeights | None = None
        self._head: Head | None = None
        module.requires_grad_(False)

    # -- identity -------------------------------------------------------------------------------

    @cached_property
    def base_hash(self) -> str:
        """Hash of the base weights in memory: names, types, shapes and bytes; another for int8."""
        if self._owner is not self:
            return self._owner.base_hash
        found = hash_tensors(self.module.state_dict().items())
        return hash_both(found, "int8") if self.int8 else found

    @property
    def weight_hash(self) -> str:
        """Identity of the weights, adapter included."""
        if self.adapter is None:
            return self.base_hash
        return hash_both(self.base_hash, hash_tensors(self.adapter.state().items()))

    @property
    def decoder(self) -> Decoder:
        """The fast path's view.

        Raises:
            ModelError: the architecture has none; the message says why.
        """
        if self._decoder is None:
            raise ModelError(f"model '{self.name}' has no fast path: {self.slow_because}")
        return self._decoder

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return torch.device(next(self.module.parameters()).device)

    @property
    def int8(self) -> bool:
        """Whether it generates and scores in 8-bit integers."""
        return self._decoder is not None and self._decoder.int8

    @property
    def depth(self) -> int:
        """Number of transformer blocks."""
        return int(self.module.config.num_hidden_layers)

    def with_adapter(self, adapter: Adapter | None, name: str | None = None) -> LocalModel:
        """A view of the same weights under another adapter (None: the base)."""
        return LocalModel(name or self.name, self.module, self.tokenizer, adapter, self._owner)

    def fresh_adapter(self, *, rank: int, alpha: float, seed: int, first_layer: int = 0) -> Adapter:
        """A no-op LoRA adapter on every projection from block ``first_layer`` on."""
        self.check_whole()
        shapes = {
            (i, name): (rows, linear.weight.shape[1])
            for i, layer in enumerate(self.decoder.layers)
            for linear in (layer.qkv, layer.out, layer.gate_up, layer.down)
            for name, rows in linear.parts
            if name in PROJECTIONS and i >= first_layer
        }
        return Adapter.create(shapes, rank=rank, alpha=alpha, seed=seed, device=self.device)

    # -- text and tokens ------------------------------------------------------------------------

    def encode(self, prompt: Prompt, *, raw: bool = False) -> tuple[int, ...]:
        """Token ids of a prompt: through the chat template, or as it is when ``raw``.

        Raises:
            InputError: the prompt is empty.
        """
        text = prompt if isinstance(prompt, str) else None
        if not raw:
            chat = [{"role": "user", "content": prompt}] if text is not None else list(prompt)
            if self.tokenizer.chat_template is not None:
                text = self.tokenizer.apply_chat_template(
                    chat, tokenize=False, add_generation_prompt=True
                )
            else:
                text = "\n".join(str(m["content"]) for m in chat) + "\n"  # type: ignore[index]
        if text is None:
            raise InputError("a raw prompt must be a string, not a list of messages")
        ids = self.tokenizer(text, add_special_tokens=raw)["input_ids"]
        if not ids:
            raise InputError("a prompt has no tokens: it must not be empty")
        return tuple(ids)

    def encode_completion(self, text: str, *, end: bool = False) -> tuple[int, ...]:
        """Token ids of a continuation, with the end-of-turn token when ``end``."""
        ids = tuple(self.tokenizer(text, add_special_tokens=False)["input_ids"])
        return (*ids, int(self.tokenizer.eos_token_id)) if end else ids

    @cached_property
    def end_tokens(self) -> frozenset[int]:
        """Tokens that end a continuation."""
        configured = getattr(self.module.generation_config, "eos_token_id", None)
        ids = configured if isinstance(configured, list) else [configured]
        return frozenset(int(i) for i in [*ids, self.tokenizer.eos_token_id] if i is not None)

    # -- generation -----------------------------------------------------------------------------

    def generate(
        self,
        prompts: Sequence[Prompt],
        *,
        n: int = 1,
        max_new_tokens: int = 48,
        temperature: float = 1.0,
        top_p: float = 1.0,
        top_k: int = 0,
        min_p: float = 0.0,
        stop: Sequence[str] = (),
        seed: int = 0,
        raw: bool = False,
    ) -> list[list[Completion]]:
        """``n`` completions per prompt; ``temperature=0`` is greedy. Same seed, same result."""
        encoded = [self.encode(p, raw=raw) for p in prompts]
        distinct = {ids: i for i, ids in enumerate(dict.fromkeys(encoded))}
        limits = generation.Limits(
            max_new_tokens, self.end_tokens, generation.ends_with(stop, self.tokenizer.decode)
        )
        requests = self._requests(
            list(distinct),
            [distinct[ids] for ids in encoded for _ in range(n)],
            Sampler(temperature, top_p, top_k, min_p),
            limits,
            seed,
        )
        done = [self._completion(r, stop) for r in requests]
        return [done[i * n : (i + 1) * n] for i in range(len(prompts))]

    def _requests(
        self,
        prompts: list[tuple[int, ...]],
        wanted: list[int],
        sampler: Sampler,
        limits: generation.Limits,
        seed: int,
    ) -> list[generation.Request]:
        if self._decoder is None:
            from superalign.models.fallback import generate

            return generate(self, prompts, wanted, sampler, limits, seed)
        return generation.generate(
            self._decoder, self.weights(), prompts, wanted, sampler, limits, seed
        )

    def weights(self) -> InferenceWeights:
        """Merged weights for inference, remade when the adapter has changed."""
        if self.adapter is None and self._owner is not self:
            return self._owner.weights()
        version = self.adapter.version if self.adapter is not None else 0
        if self._weights is None or self._weights.key != (id(self.adapter), version):
            self._weights = None
            base = self._owner._weights if self.adapter is not None else None
            self._weights = InferenceWeights(self.decoder, self.adapter, self.head.logits, base)
        return self._weights

    def _completion(self, request: generation.Request, stop: Sequence[str]) -> Completion:
        text = self.tokenizer.decode(request.tokens, skip_special_tokens=True)
        for s in stop:
            text = text.split(s)[0]
        return Completion(text, tuple(request.tokens), tuple(request.logprobs), request.finish)

    # -- scoring --------------------------------------------------------------------------------

    def score(
        self, prompts: Sequence[Prompt], continuations: Sequence[str], *, raw: bool = False
    ) -> list[Score]:
        """Summed log-probability and token count of each continuation after its prompt."""
        return [row[0] for row in self.choose(prompts, [[c] for c in continuations], raw=raw)]

    def choose(
        self, prompts: Sequence[Prompt], choices: Sequence[Sequence[str]], *, raw: bool = False
    ) -> list[list[Score]]:
        """Scores of every choice after each prompt; the prompt is computed once per question."""
        trees = [
            Tree(self.encode(p, raw=raw), tuple(self.encode_completion(c) for c in row))
            for p, row in zip(prompts, choices, strict=True)
        ]
        return [
            [Score(float(x.sum()), x.numel()) for x in row] for row in self.tree_logprobs(trees)
        ]

    @torch.inference_mode()
    def tree_logprobs(self, trees: Sequence[Tree]) -> list[list[Tensor]]:
        """Per-token log-probabilities (float32, CPU) of every completion of every tree."""
        if self._decoder is None and any(len(t.completions) > 1 for t in trees):
            rows = self.tree_logprobs([Tree(t.prompt, (c,)) for t in trees for c in t.completions])
            flat = iter(rows)
            return [[next(flat)[0] for _ in t.completions] for t in trees]
        shared = common_prefix([t.prompt for t in trees]) if self._decoder is not None else 0
        prefix = self.keys_and_values(trees[0].prompt[:shared]) if shared >= 8 else None
        cut = shared if prefix is not None else 0
        rests = [Tree(t.prompt[cut:], t.completions) for t in trees]
        results: list[list[Tensor]] = [[] for _ in trees]
        for part in token_batches(rests, BATCH_TOKENS):
            batch = PackedBatch.build(
                [rests[i] for i in part], offset=cut, device=self.device, ends=False
            )
            logps = self.completion_logprobs(batch, prefix=prefix).float().cpu()
            lengths = [len(c) for i in part for c in trees[i].completions]
            pieces = iter(logps.split(lengths)) if lengths else iter(())
            for i in part:
                results[i] = [next(pieces) for _ in trees[i].completions]
        return results

    def keys_and_values(self, tokens: tuple[int, ...]) -> KeyValues:
        """What later tokens attend to of ``tokens``, by layer: (T, kv_heads, head_size) each."""
        batch = PackedBatch.build([Tree(tokens)], device=self.device)
        attention = PackedAttention(self.decoder, batch, keep=True)
        packed_hidden(self.decoder, batch, self.weights().blocks, attention)
        return attention.collected

    def completion_logprobs(
        self, batch: PackedBatch, *, prefix: KeyValues | None = None, train: bool = False
    ) -> Tensor:
        """Log-probabilities (C,) of a batch's completion tokens; differentiable when ``train``."""
        if self._decoder is None:
            from superalign.models.fallback import completion_logprobs

            return completion_logprobs(self, batch, train=train)
        states = self.completion_states(batch, prefix=prefix, train=train)
        return self.logprobs_from(states, batch.target_C)

    def completion_states(
        self,
        batch: PackedBatch,
        *,
        prefix: KeyValues | None = None,
        train: bool = False,
        checkpointing: Checkpointing = "auto",
    ) -> Tensor:
        """Normed last hidden states (C, d) that predict each completion token.

        ``checkpointing``: whether blocks in training are computed again in the backward pass.

        Raises:
            ModelError: ``always`` for an architecture without a fast path.
        """
        if self._decoder is None:
            from superalign.models.fallback import final_hidden

            if train and checkpointing == "always":
                raise ModelError(f"no checkpointing of activations: {self.slow_because}")
            return final_hidden(self, batch, train=train)[batch.source_C]
        decoder = self._decoder
        blocks = self.training_blocks() if train else self.weights().blocks
        attention = PackedAttention(decoder, batch, prefix=prefix)
        x = packed_hidden(
            decoder, batch, blocks, attention, checkpointing=checkpointing if train else "never"
        )
        return decoder.norm(x[batch.source_C], decoder.final_norm)

    def training_blocks(self, first: int | None = None) -> list[Projections]:
        """Differentiable products of each block from ``first`` on.

        By default from the first adapted one: below it no weight needs a gradient.
        """
        self.check_whole()
        if first is None:
            first = 0 if self.adapter is None else self.adapter.first_layer
        owner = self._owner
        if owner._training is None or owner._training.first != first:
            owner._training = TrainingWeights(owner.with_adapter(None).weights(), first)
        return owner._training.blocks(self.adapter)

    def check_whole(self) -> None:
        """Raise an InputError for a model in 8-bit integers: to be trained or saved it has to be whole."""
        if self.int8:
            raise InputError(f"model '{self.name}': @weights=int8 generates and scores only")

    def logprobs_from(self, states_Cd: Tensor, target_C: Tensor) -> Tensor:
        """Log-probabilities (C,) of ``target_C`` given ``completion_states``."""
        return token_logprobs(states_Cd, self.head, target_C)

    def divergences(self, states_Cd: Tensor, reference_Cd: Tensor) -> Tensor:
        """KL(reference ‖ model) (C,) between what two sets of ``completion_states`` predict."""
        return token_divergences(states_Cd, reference_Cd, self.head)

    @property
    def head(self) -> Head:
        """The output head, which no adapter changes."""
        owner = self._owner
        if owner._head is None:
            owner._head = Head(owner.module.get_output_embeddings().weight, form_of(owner._decoder))
        return owner._head

    # -- hidden states --------------------------------------------------------------------------

    @torch.inference_mode()
    def hidden(
        self,
        texts: Sequence[Prompt],
        layers: Sequence[int],
        *,
        pool: str = "last",
        raw: bool = False,
    ) -> npt.NDArray[np.float32]:
        """Residual stream after the given layers (0: embeddings), pooled: (n, layers, width).

        Only the layers asked for are kept, and the pass ends after the deepest.

        Raises:
            InputError: a layer outside 0..depth, or an unknown pool.
        """
        if pool not in POOLS:
            raise InputError(f"unknown pool '{pool}'; allowed: {', '.join(POOLS)}")
        if not layers or min(layers) < 0 or max(layers) > self.depth:
            raise InputError(f"layers {list(layers)}: allowed are 0 to {self.depth}")
        trees = [Tree(self.encode(t, raw=raw)) for t in texts]
        width = int(self.module.config.hidden_size)
        out = np.zeros((len(trees), len(layers), width), dtype=np.float32)
        for part in token_batches(trees, BATCH_TOKENS):
            batch = PackedBatch.build([trees[i] for i in part], device=self.device)
            for layer, x in self.streams(batch, max(layers)):
                if layer in layers:
                    rows = pooled(x, batch, pool).float().cpu().numpy()
                    for column in (c for c, want in enumerate(layers) if want == layer):
                        out[part, column] = rows
        return out

    def streams(self, batch: PackedBatch, deepest: int) -> Iterable[tuple[int, Tensor]]:
        """``(layer, residual stream (T, width))`` from the embeddings (0) to block ``deepest``."""
        if self._decoder is None:
            from superalign.models.fallback import all_hidden

            return enumerate(all_hidden(self, batch))
        seen: list[tuple[int, Tensor]] = []
        packed_hidden(
            self._decoder,
            batch,
            self.weights().blocks,
            PackedAttention(self._decoder, batch),
            observe=lambda layer, x: seen.append((layer, x)),
            stop_after=deepest,
        )
        return seen
