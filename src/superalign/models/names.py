"""Model names: what ``--model`` accepts, parsed once.

Local: ``smollm2`` | ``hf:ORG/NAME`` | a folder | ``gguf:FILE`` | ``run:FOLDER``, each with optional
``@layers=K``, which keeps the first K layers only, and ``@weights=int8``, which generates and scores in
8-bit integers. Behind an endpoint: ``openai/MODEL`` | ``ollama/MODEL`` | ``vllm/MODEL`` |
``https://HOST/v1#MODEL``; a folder that is called like that goes first.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from superalign.errors import InputError

OPTIONS = "@layers=K (K >= 1), @weights=int8"
ALLOWED = (
    "smollm2, a local folder, hf:ORG/NAME, gguf:FILE or run:FOLDER, each with optional @layers=K "
    "and @weights=int8; or, where text is enough, openai/MODEL, ollama/MODEL, vllm/MODEL or "
    "https://HOST/v1#MODEL"
)
PROVIDERS = ("openai", "ollama", "vllm")


@dataclass(frozen=True)
class ModelName:
    """A parsed name.

    ``kind`` is smollm2, folder, hf, gguf or run, and ``source`` its path or hub id; or it is openai,
    ollama or vllm with ``source`` the endpoint's own name of the model, or url with ``source`` all of it.
    """

    kind: str
    source: str
    layers: int | None = None
    int8: bool = False

    @property
    def options(self) -> str:
        """The part from the first ``@`` on."""
        cut = "" if self.layers is None else f"@layers={self.layers}"
        return cut + ("@weights=int8" if self.int8 else "")

    @property
    def remote(self) -> bool:
        """Whether the model is behind an endpoint, which gives text only."""
        return self.kind in (*PROVIDERS, "url")

    def __str__(self) -> str:
        if self.remote:
            return self.source if self.kind == "url" else f"{self.kind}/{self.source}"
        stem = {"smollm2": "smollm2", "folder": self.source}.get(
            self.kind, f"{self.kind}:{self.source}"
        )
        return stem + self.options


def parse_name(name: str) -> ModelName:
    """Parse a model's name.

    Raises:
        InputError: unknown form, missing file or folder, or a bad ``@`` option.
    """
    remote = None if _exists(name) else _remote(name)
    if remote is not None:
        return remote
    stem, layers, int8 = name, None, False
    while not _exists(stem):  # a path may hold an @
        rest, at, option = stem.rpartition("@")
        if not at:
            break
        key, _, value = option.partition("=")
        if key == "layers" and value.isdigit() and int(value) >= 1 and layers is None:
            layers = int(value)
        elif option == "weights=int8" and not int8:
            int8 = True
        else:
            raise InputError(f"model '{name}': unknown option '@{option}'; allowed: {OPTIONS}")
        stem = rest
    if stem == "smollm2":
        return ModelName("smollm2", "", layers, int8)
    for kind in ("hf", "gguf", "run"):
        if stem.startswith(f"{kind}:"):
            source = stem[len(kind) + 1 :]
            if kind == "gguf" and not Path(source).is_file():
                raise InputError(f"model '{name}': no such file '{source}'")
            if kind == "run" and not Path(source).is_dir():
                raise InputError(f"model '{name}': no such run folder '{source}'")
            return ModelName(kind, source, layers, int8)
    if stem and Path(stem).is_dir():
        return ModelName("folder", stem, layers, int8)
    if stem.endswith(".gguf") and Path(stem).is_file():
        return ModelName("gguf", stem, layers, int8)
    raise InputError(f"unknown model '{name}'; allowed: {ALLOWED}")


def _remote(name: str) -> ModelName | None:
    provider, slash, model = name.partition("/")
    if slash and provider in PROVIDERS:
        if not model:
            raise InputError(f"model '{name}' names no model; allowed: {provider}/MODEL")
        return ModelName(provider, model)
    if name.startswith(("http://", "https://")):
        parts = urlsplit(name)
        if parts.username or parts.password or parts.query:
            raise InputError(  # the name is not repeated: it may hold a key
                "a model's URL holds a password or a query; allowed: https://HOST/v1#MODEL, with the "
                "key in the environment variable SUPERALIGN_API_KEY"
            )
        if not parts.hostname or not parts.fragment:
            raise InputError(f"model '{name}' lacks host or model; allowed: https://HOST/v1#MODEL")
        return ModelName("url", name)
    return None


def _exists(name: str) -> bool:
    return Path(name.removeprefix("run:").removeprefix("gguf:")).exists()
