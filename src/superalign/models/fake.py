"""A toy language model: deterministic, instant, no weights. For tests and dry runs."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from superalign.models.base import Completion, Prompt, Score


def _digest(*parts: object) -> int:
    return int.from_bytes(hashlib.sha256(repr(parts).encode()).digest()[:8], "big")


def prompt_text(prompt: Prompt) -> str:
    """The prompt as one string, roles dropped."""
    return prompt if isinstance(prompt, str) else "\n".join(m["content"] for m in prompt)


class FakeModel:
    """Answers with ``reply(prompt_text, sample_index)``; tokens are words, log-probabilities -1."""

    def __init__(self, reply: Callable[[str, int], str] | None = None, name: str = "fake") -> None:
        self.name = name
        self._reply = reply or (lambda text, i: f"Reply {i} to: {text}")

    @property
    def weight_hash(self) -> str:
        """A hash of the name: a fake has no weights."""
        return f"{_digest(self.name):016x}"

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
        """The scripted reply, cut to ``max_new_tokens`` words."""
        rows = []
        for prompt in prompts:
            texts = [self._reply(prompt_text(prompt), i).split()[:max_new_tokens] for i in range(n)]
            rows.append(
                [
                    Completion(" ".join(w), tuple(range(len(w))), (-1.0,) * len(w), "stop")
                    for w in texts
                ]
            )
        return rows

    def score(
        self, prompts: Sequence[Prompt], continuations: Sequence[str], *, raw: bool = False
    ) -> list[Score]:
        """A number in (-3, 0] that depends on the texts alone."""
        return [
            Score(-3.0 * (_digest(prompt_text(p), c) % 1000) / 1000, max(1, len(c.split())))
            for p, c in zip(prompts, continuations, strict=True)
        ]

    def choose(
        self, prompts: Sequence[Prompt], choices: Sequence[Sequence[str]], *, raw: bool = False
    ) -> list[list[Score]]:
        """``score`` of every choice."""
        return [self.score([p] * len(c), c) for p, c in zip(prompts, choices, strict=True)]

    def hidden(
        self,
        texts: Sequence[Prompt],
        layers: Sequence[int],
        *,
        pool: str = "last",
        raw: bool = False,
    ) -> npt.NDArray[np.float32]:
        """Hashed bag of words: linearly separable wherever words are."""
        out = np.zeros((len(texts), len(layers), 64), dtype=np.float32)
        for i, text in enumerate(texts):
            for word in prompt_text(text).lower().split():
                out[i, :, _digest(word) % 64] += 1.0
        return out
