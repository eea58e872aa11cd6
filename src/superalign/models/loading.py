"""From a name to a model: ``load_model`` for local ones, ``open_model`` for any."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import torch

from superalign.errors import InputError, ModelError
from superalign.models.adapters import Adapter
from superalign.models.architecture import no_fast_path
from superalign.models.base import LanguageModel
from superalign.models.embedded import HUB_ID, embedded_folder, read_gguf
from superalign.models.endpoint import find_endpoint
from superalign.models.local import LocalModel
from superalign.models.memory import keep_freed_memory
from superalign.models.names import ModelName, parse_name
from superalign.models.remote import RemoteModel
from superalign.models.remote_settings import RemoteConfig

DTYPES = {"bfloat16": torch.bfloat16, "float32": torch.float32, "float16": torch.float16}


def choose_device(device: str | None = None) -> torch.device:
    """The device asked for, else CUDA where present, else the CPU.

    Raises:
        InputError: no such device here.
    """
    available = ["cpu", *(f"cuda:{i}" for i in range(torch.cuda.device_count()))]
    if device is None:
        return torch.device(available[1] if len(available) > 1 else "cpu")
    if device not in available and not (device == "cuda" and len(available) > 1):
        raise InputError(f"no such device '{device}'; available here: {', '.join(available)}")
    return torch.device(device)


def native_bfloat16() -> bool:
    """Whether this CPU multiplies bfloat16 in hardware."""
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())


def choose_dtype(device: torch.device, dtype: str | None = None) -> torch.dtype:
    """The type asked for, else bfloat16 where the processor has it, else float32.

    Raises:
        InputError: unknown type.
    """
    if dtype is not None:
        if dtype not in DTYPES:
            raise InputError(f"unknown dtype '{dtype}'; allowed: {', '.join(DTYPES)}")
        return DTYPES[dtype]
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float32
    return torch.bfloat16 if native_bfloat16() else torch.float32


def load_model(
    name: str = "smollm2", *, device: str | None = None, dtype: str | None = None
) -> LocalModel:
    """Load a local model by name; device and dtype are chosen for the machine unless given.

    Raises:
        InputError: unknown name, device or dtype, or a remote model.
        ModelError: the model cannot be read.
    """
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    parsed = parse_name(name)
    if parsed.remote:
        raise InputError(
            f"model '{name}' is remote and gives text only, but weights are needed here; allowed: "
            "smollm2, a local folder, hf:ORG/NAME, gguf:FILE or run:FOLDER (remote models: attack, "
            "evaluate and generate)"
        )
    place = choose_device(device)
    kind = choose_dtype(place, dtype)
    if parsed.kind == "run":
        return _load_run(parsed, str(place), dtype)
    if parsed.int8 and place.type != "cpu":
        raise InputError(f"model '{name}': @weights=int8 is for the processor; give --device cpu")
    module, tokenizer, adapter = _read(parsed)
    if parsed.layers is not None:
        _truncate(module, parsed)
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    reason = no_fast_path(module.config)
    if parsed.int8 and reason is not None:
        raise InputError(f"model '{name}': @weights=int8 needs the fast path; {reason}")
    model = LocalModel(str(parsed), module.to(place, kind).eval(), tokenizer, int8=parsed.int8)
    if place.type == "cpu":
        keep_freed_memory()
    return model if adapter is None else model.with_adapter(adapter.to(place), name=str(parsed))


def open_model(
    name: str = "smollm2",
    *,
    device: str | None = None,
    dtype: str | None = None,
    remote: RemoteConfig | None = None,
    logprobs: bool = False,
) -> LanguageModel:
    """A local model, loaded, or a remote one, of which nothing is asked yet.

    Args:
        name: of the model.
        device: of a local one.
        dtype: of a local one.
        remote: how a remote one is asked.
        logprobs: ask a remote one for its answers' log-probabilities.

    Raises:
        InputError: unknown name, device or dtype, or an endpoint without its key.
        ModelError: the model cannot be read.
    """
    parsed = parse_name(name)
    if not parsed.remote:
        return load_model(name, device=device, dtype=dtype)
    return RemoteModel(name, find_endpoint(parsed), remote, logprobs=logprobs)


def _load_run(parsed: ModelName, device: str, dtype: str | None) -> LocalModel:
    summary = Path(parsed.source) / "summary.json"
    try:
        learner = json.loads(summary.read_text())["learner"]
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"run '{parsed.source}' has no finished learner ({summary})") from error
    if not learner:
        raise InputError(f"run '{parsed.source}' has no learner: {summary} says null")
    folder = Path(learner)
    if not folder.is_absolute():
        folder = Path(parsed.source) / folder
    if not folder.is_dir():  # the run was moved since
        folder = Path(parsed.source) / "checkpoints" / folder.name
    return load_model(f"{folder}{parsed.options}", device=device, dtype=dtype)


def _read(parsed: ModelName) -> tuple[Any, Any, Adapter | None]:
    """Module, tokenizer and, for an adapter's folder, the adapter."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    source = parsed.source
    if parsed.kind == "smollm2":
        folder = embedded_folder()
        source = HUB_ID if folder is None else str(folder)
    elif (Path(source) / "adapter_config.json").is_file():
        return _read_adapter(Path(source))
    try:
        if parsed.kind == "gguf":
            return *read_gguf(Path(source)), None
        tokenizer = AutoTokenizer.from_pretrained(source)
        module = AutoModelForCausalLM.from_pretrained(source, dtype="auto")
    except Exception as error:  # libraries raise all sorts of things on a broken file
        first = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ModelError(f"cannot load model '{parsed}': {first}") from error
    return module, tokenizer, None


def _read_adapter(folder: Path) -> tuple[Any, Any, Adapter]:
    try:
        config = json.loads((folder / "adapter_config.json").read_text())
    except (OSError, ValueError) as error:
        raise ModelError(f"cannot read an adapter from {folder}: {error}") from error
    base = str(config.get("base_model_name_or_path") or "")
    try:
        name = parse_name(base)
    except InputError:
        name = ModelName("hf", base)
    module, tokenizer, inner = _read(name)
    if name.layers is not None:
        _truncate(module, name)
    if inner is not None:
        raise ModelError(f"{folder}: its base '{base}' is itself an adapter")
    return module, tokenizer, Adapter.load(folder)


def _truncate(module: Any, parsed: ModelName) -> None:
    """Keep the first K layers: the same model as a weaker one."""
    layers = getattr(getattr(module, "model", None), "layers", None)
    if layers is None or parsed.layers is None or parsed.layers > len(layers):
        depth = "unknown" if layers is None else str(len(layers))
        raise InputError(f"model '{parsed}': @layers={parsed.layers}; its depth is {depth}")
    module.model.layers = layers[: parsed.layers]
    module.config.num_hidden_layers = parsed.layers
    kinds = getattr(module.config, "layer_types", None)
    if kinds:
        module.config.layer_types = kinds[: parsed.layers]
