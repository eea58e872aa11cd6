"""Where a remote model is asked: base URL, model name and key, from its name and the environment."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from superalign.errors import InputError
from superalign.models.names import ModelName
from superalign.records import content_hash

# Provider → usual base URL; PROVIDER_BASE_URL and PROVIDER_API_KEY in the environment go first.
BASE_URLS = {
    "openai": "https://api.openai.com/v1",
    "ollama": "http://localhost:11434/v1",
    "vllm": "http://localhost:8000/v1",
}
URL_KEY = "SUPERALIGN_API_KEY"


@dataclass(frozen=True)
class Endpoint:
    """An OpenAI-compatible chat-completions endpoint and the model asked there.

    The key is kept out of ``repr``, identity and error lines.
    """

    url: str
    model: str
    key: str | None = field(default=None, repr=False)

    @property
    def identity(self) -> str:
        """``remote-`` and 16 hex digits of URL and model name: of no weights, which nobody shows."""
        return f"remote-{content_hash([self.url, self.model])}"

    def clean(self, text: str) -> str:
        """``text`` in one line, without the key and not too long, for an error."""
        line = " ".join(text.split())
        line = line.replace(self.key, "[key]") if self.key else line
        return line if len(line) <= 200 else line[:197] + "..."


def find_endpoint(name: ModelName) -> Endpoint:
    """The endpoint of a remote model's name. Asks nothing of the network.

    Raises:
        InputError: a base URL that cannot be used, or OpenAI without a key.
    """
    if name.kind == "url":
        url, _, model = name.source.partition("#")
        return Endpoint(url.rstrip("/"), model, os.environ.get(URL_KEY) or None)
    own = name.kind.upper()
    given = os.environ.get(f"{own}_BASE_URL")
    url, key = given or BASE_URLS[name.kind], os.environ.get(f"{own}_API_KEY") or None
    parts = urlsplit(url)
    if (
        parts.scheme not in ("http", "https")
        or not parts.hostname
        or parts.username
        or parts.password
        or parts.query
    ):
        raise InputError(
            f"{own}_BASE_URL in the environment; allowed: https://HOST/v1, no key in it"
        )
    if name.kind == "openai" and key is None and given is None:
        raise InputError(
            f"model '{name}': no OPENAI_API_KEY in the environment; allowed: a key in it"
        )
    return Endpoint(url.rstrip("/"), name.source, key)
