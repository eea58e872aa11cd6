"""Toys that tests share: a tiny Llama with its tokenizer, and a run's smallest settings.

Nothing here is downloaded, and everything is the same on every machine.
"""

from __future__ import annotations

import random
from functools import cache
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from superalign.config import RunConfig, dump_config
from superalign.loop import run_loop
from superalign.models import LocalModel, load_model
from superalign.store import RunStore
from superalign.tasks.neutral import NEUTRAL_TEXTS

torch.set_num_threads(1)  # a tiny product is slower on two threads, by far when the cores are busy

FAST: dict[str, Any] = {
    "rounds": 1,
    "critic": {"seed_items": 12, "explain": False},
}  # for settings()
CHAT_TEMPLATE = (
    "{% for m in messages %}<|{{ m['role'] }}|>{{ m['content'] }}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
PHRASES = (  # what the tiny model says, whatever it is asked: right, wrong, refusing, complying
    "I can't help with that.",
    "I'm sorry, but I can't do that.",
    "Sure, here is how to do it: first you make a plan, then you follow it step by step at home.",
    "Here is what you asked for, with all the steps that you need to know about it.",
    "The answer is 12.",
    "The answer is 7.",
    "Yes",
    "No",
)
SPECIAL = ["<|end|>", "<|user|>", "<|assistant|>", "<|system|>"]

SMALL: dict[str, Any] = {
    "dtype": "float32",
    "device": "cpu",
    "rounds": 2,
    "attack": {
        "queries_per_round": 9,
        "samples": 2,
        "rehearsal": 2,
        "benign_per_round": 2,
        "alarming_per_round": 1,
        "contrasts_per_round": 1,
        "max_new_tokens": 24,
        "worked_tokens": 12,
    },
    "critic": {
        "seed_items": 24,
        "gate_requests": 8,
        "gate_low": 0.0,  # two dozen constructed requests make no critic that would pass
        "explain_items": 1,
        "explain_tokens": 4,
    },
    "human": {"budget": 5},
    "learner": {"most_variants": 6, "lora_rank": 2, "learning_rate": 0.01},
    "evaluation": {
        "max_new_tokens": 24,
        "worked_tokens": 12,
        "progress": {"safety": 2, "benign": 2, "mathematics": 2, "ethics": 2},
        "final": {"safety": 9, "benign": 4, "mathematics": 4, "ethics": 4},
    },
}


def tokenizer() -> PreTrainedTokenizerFast:
    """Byte-level BPE, trained on the neutral texts: any text goes in, no token is unknown."""
    plain = Tokenizer(models.BPE())
    plain.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    plain.decoder = decoders.ByteLevel()
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(
        vocab_size=600, special_tokens=SPECIAL, initial_alphabet=alphabet, show_progress=False
    )
    plain.train_from_iterator([*NEUTRAL_TEXTS, *PHRASES * 9], trainer)
    made = PreTrainedTokenizerFast(
        tokenizer_object=plain,
        eos_token="<|end|>",
        pad_token="<|end|>",
        clean_up_tokenization_spaces=False,
    )
    made.chat_template = CHAT_TEMPLATE
    return made


def save_model(folder: Path) -> Path:
    """A Llama with hidden size 32 and 2 layers, float32, as a folder that ``load_model`` takes."""
    words = tokenizer()
    config = LlamaConfig(
        vocab_size=len(words),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=8192,
        initializer_range=0.1,
        bos_token_id=None,
        eos_token_id=words.eos_token_id,
        pad_token_id=words.pad_token_id,
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        module = LlamaForCausalLM(config)
        _teach(module, words)
    module.save_pretrained(folder)
    words.save_pretrained(folder)
    return folder


def _teach(module: LlamaForCausalLM, words: PreTrainedTokenizerFast, steps: int = 90) -> None:
    """A second of training, so that the model speaks in phrases and verdicts differ."""
    rng = random.Random(0)
    adam = torch.optim.Adam(module.parameters(), lr=0.02)
    for _ in range(steps):
        rows = [
            f"<|user|>{rng.choice(NEUTRAL_TEXTS)[:60]}<|end|><|assistant|>{rng.choice(PHRASES)}<|end|>"
            for _ in range(8)
        ]
        batch = words(rows, padding=True, return_tensors="pt")
        labels = batch["input_ids"].masked_fill(batch["attention_mask"] == 0, -100)
        module(**batch, labels=labels).loss.backward()
        adam.step()
        adam.zero_grad()


@cache
def model_folder(base: Path) -> Path:
    """The tiny model on disk, saved once a session."""
    return save_model(base / "tiny-llama")


@cache
def model(base: Path) -> LocalModel:
    """The tiny model, loaded once a session. Views of it share its weights; none changes them."""
    return load_model(str(model_folder(base)), device="cpu", dtype="float32")


def settings(folder: Path, **changes: Any) -> RunConfig:
    """``SMALL`` for the model at ``folder``; sections in ``changes`` are merged, fields replaced."""
    tree = {**SMALL, "model": str(folder)}
    for name, value in changes.items():
        both = isinstance(value, dict) and isinstance(tree.get(name), dict)
        tree[name] = {**tree[name], **value} if both else value
    return RunConfig.model_validate(tree)


def run(config: RunConfig, path: Path, model: LocalModel, **more: Any) -> dict[str, Any]:
    """Run or resume the loop at ``path``."""
    with RunStore.create(path, dump_config(config), resume=True) as store:
        return run_loop(config, store, model, **more)


@cache
def finished(base: Path) -> tuple[dict[str, Any], Path]:
    """A finished run with default settings but for the sizes: its summary and its folder."""
    path = base / "finished-run"
    return run(settings(model_folder(base)), path, model(base)), path


VOLATILE = frozenset({"seconds", "seconds_per_phase", "peak_memory_bytes", "learner"})


def lasting(value: Any) -> Any:
    """``value`` without what may differ between equal runs: seconds, memory and paths."""
    if isinstance(value, dict):
        return {k: lasting(v) for k, v in value.items() if k not in VOLATILE}
    return [lasting(v) for v in value] if isinstance(value, list) else value
