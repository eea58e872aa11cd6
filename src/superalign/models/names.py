"""Model names: what ``--model`` accepts, parsed once.

``smollm2`` | ``hf:ORG/NAME`` | a folder | ``gguf:FILE`` | ``run:FOLDER``, each with an optional
``@layers=K`` that keeps the first K layers only.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from superalign.errors import InputError

ALLOWED = (
    "smollm2, a local folder, hf:ORG/NAME, gguf:FILE or run:FOLDER, each with an optional @layers=K"
)


@dataclass(frozen=True)
class ModelName:
    """``kind`` is one of smollm2, folder, hf, gguf, run; ``source`` its path or hub id."""

    kind: str
    source: str
    layers: int | None = None

    def __str__(self) -> str:
        stem = {"smollm2": "smollm2", "folder": self.source}.get(
            self.kind, f"{self.kind}:{self.source}"
        )
        return stem if self.layers is None else f"{stem}@layers={self.layers}"


def parse_name(name: str) -> ModelName:
    """Parse a model's name.

    Raises:
        InputError: unknown form, missing file or folder, or a bad ``@`` option.
    """
    stem, at, option = name.rpartition("@")
    if not at or Path(name.removeprefix("run:").removeprefix("gguf:")).exists():
        stem, at, option = name, "", ""  # a path may hold an @
    layers = _layers(name, option) if at else None
    if stem == "smollm2":
        return ModelName("smollm2", "", layers)
    for kind in ("hf", "gguf", "run"):
        if stem.startswith(f"{kind}:"):
            source = stem[len(kind) + 1 :]
            if kind == "gguf" and not Path(source).is_file():
                raise InputError(f"model '{name}': no such file '{source}'")
            if kind == "run" and not Path(source).is_dir():
                raise InputError(f"model '{name}': no such run folder '{source}'")
            return ModelName(kind, source, layers)
    if stem and Path(stem).is_dir():
        return ModelName("folder", stem, layers)
    if stem.endswith(".gguf") and Path(stem).is_file():
        return ModelName("gguf", stem, layers)
    raise InputError(f"unknown model '{name}'; allowed: {ALLOWED}")


def _layers(name: str, option: str) -> int:
    key, _, value = option.partition("=")
    if key != "layers" or not value.isdigit() or int(value) < 1:
        raise InputError(f"model '{name}': unknown option '@{option}'; allowed: @layers=K, K >= 1")
    return int(value)
