"""Tiny random models of every family, with a byte-level tokenizer, saved and loaded like real ones.

Nothing is downloaded. A vocabulary of 300 is larger than the tokenizer's 258 and no multiple of the
sampler's blocks; weights are drawn wide, so that float32 argmaxes are far from ties.
"""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from torch import Tensor, nn
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedTokenizerFast

from superalign.models import Adapter, LocalModel, load_model

VOCABULARY = 300
START, END = "<|im_start|>", "<|im_end|>"
CHAT_TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
_COMMON: dict[str, Any] = {
    "vocab_size": VOCABULARY,
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "max_position_embeddings": 1024,
    "initializer_range": 0.2,
    "bos_token_id": None,
    "eos_token_id": 257,
    "pad_token_id": 257,
}
_GROUPED: dict[str, Any] = _COMMON | {"num_key_value_heads": 2, "head_dim": 16}
_LLAMA3 = {
    "rope_type": "llama3",
    "rope_theta": 10000.0,
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 64,
}
SETTINGS: dict[str, tuple[str, dict[str, Any]]] = {
    "llama": ("llama", _GROUPED),
    "llama-biases": (
        "llama",
        _GROUPED
        | {
            "attention_bias": True,
            "mlp_bias": True,
            "tie_word_embeddings": True,
            "rope_parameters": _LLAMA3,
        },
    ),
    "mistral": ("mistral", _GROUPED | {"sliding_window": None}),
    "qwen2": ("qwen2", _GROUPED),
    "qwen3": ("qwen3", _GROUPED),
    "gemma": ("gemma", _GROUPED),
    "gpt_neox": ("gpt_neox", _COMMON | {"max_position_embeddings": 512}),
    "gpt2": ("gpt2", {"n_embd": 64, "n_head": 4, "n_layer": 3} | _COMMON),
    "mistral-window": ("mistral", _GROUPED | {"sliding_window": 12}),
    "gemma2": ("gemma2", _GROUPED | {"query_pre_attn_scalar": 16, "final_logit_softcapping": 4.0}),
    "phi": ("phi", _COMMON),  # its head has a bias
}
SLOW = ["gpt_neox", "gpt2", "mistral-window", "gemma2", "phi"]
FAST = [name for name in SETTINGS if name not in SLOW]


def tokenizer() -> PreTrainedTokenizerFast:
    """256 bytes and two special tokens."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    plain = Tokenizer(models.BPE(vocab={c: i for i, c in enumerate(alphabet)}, merges=[]))
    plain.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    plain.decoder = decoders.ByteLevel()
    plain.add_special_tokens([AddedToken(t, special=True) for t in (START, END)])
    made = PreTrainedTokenizerFast(tokenizer_object=plain, eos_token=END, pad_token=END)
    made.chat_template = CHAT_TEMPLATE
    return made


def save(name: str, folder: Path) -> Path:
    """A random model of the family in float32, biases and norms random too."""
    kind, settings = SETTINGS[name]
    with torch.random.fork_rng():
        torch.manual_seed(len(name))
        module = AutoModelForCausalLM.from_config(AutoConfig.for_model(kind, **settings))
        with torch.no_grad():
            for parameter in module.parameters():
                if parameter.ndim == 1:
                    parameter.add_(0.1 * torch.randn_like(parameter))
    module.save_pretrained(folder)
    tokenizer().save_pretrained(folder)
    return folder


class Zoo:
    """Every tiny model, saved and loaded once a session and never changed."""

    def __init__(self, base: Path) -> None:
        self.base = base
        self._ours: dict[str, LocalModel] = {}
        self._theirs: dict[str, Any] = {}

    def folder(self, name: str = "llama") -> Path:
        path = self.base / name
        return path if path.exists() else save(name, path)

    def ours(self, name: str = "llama") -> LocalModel:
        """Our view, float32 on the CPU."""
        if name not in self._ours:
            self._ours[name] = load_model(str(self.folder(name)), device="cpu", dtype="float32")
        return self._ours[name]

    def theirs(self, name: str = "llama") -> Any:
        """The same weights as ``transformers`` alone loads them."""
        if name not in self._theirs:
            module = AutoModelForCausalLM.from_pretrained(self.folder(name), dtype=torch.float32)
            self._theirs[name] = module.eval()
        return self._theirs[name]


def adapter(model: LocalModel, seed: int = 1, first_layer: int = 0) -> Adapter:
    """LoRA whose B is not zero."""
    made = model.fresh_adapter(rank=4, alpha=8, seed=seed, first_layer=first_layer)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for _, b in made.parameters.values():
            b.copy_(0.2 * torch.randn(b.shape, generator=generator))
    made.touched()
    return made


def texts(n: int, seed: int = 0, longest: int = 40) -> list[str]:
    """Prompts of 1 to ``longest`` characters, some with multi-byte ones."""
    rng = random.Random(seed)
    letters = "abcdefghij klmnop QRSTU 0123456789 .,?!\n éß漢🙂"
    return ["".join(rng.choices(letters, k=rng.randint(1, longest))) for _ in range(n)]


def logprobs(module: Any, prompt: tuple[int, ...], completion: tuple[int, ...]) -> Tensor:
    """Per-token log-probabilities through a plain forward pass of one unpadded sequence."""
    logits = module(torch.tensor([[*prompt, *completion]])).logits[0, len(prompt) - 1 : -1]
    log_p = logits.float().log_softmax(-1)
    return log_p.gather(1, torch.tensor(completion, dtype=torch.long)[:, None])[:, 0]


def hook_adapter(module: nn.Module, adapter: Adapter) -> list[Any]:
    """Add the adapter's term by hooks, written here on its own. Returns the handles."""
    handles = []
    for name, part in module.named_modules():
        words = name.split(".")
        if not isinstance(part, nn.Linear) or "layers" not in words:
            continue
        pair = adapter.get(int(words[words.index("layers") + 1]), words[-1])
        if pair is not None:
            a, b = pair

            def add(_: Any, given: Any, out: Tensor, a: Tensor = a, b: Tensor = b) -> Tensor:
                return out + adapter.alpha / adapter.rank * (given[0] @ a.T @ b.T)

            handles.append(part.register_forward_hook(add))
    return handles
