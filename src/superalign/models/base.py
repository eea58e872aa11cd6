"""The language-model contract and what a model returns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

Prompt = str | Sequence[dict[str, str]]


@dataclass(frozen=True)
class Completion:
    """One sampled continuation.

    ``logprobs`` (nats) belong to ``tokens`` one by one and are taken under the unmodified model
    (temperature 1, no filter), so that a fresh scoring pass gives the same numbers.
    ``finish`` is ``"stop"`` (end token or stop string), ``"length"``, or ``"missing"``: an endpoint
    gave no answer, which is no empty answer. An endpoint names no token ids, and its log-probabilities
    are as it gives them.
    """

    text: str
    tokens: tuple[int, ...]
    logprobs: tuple[float, ...]
    finish: str

    @property
    def finished(self) -> bool | None:
        """Whether it ended by itself; None where there is no answer."""
        return None if self.finish == "missing" else self.finish == "stop"


@dataclass(frozen=True)
class Score:
    """Summed log-probability (nats) of a continuation and its number of tokens."""

    logprob: float
    tokens: int

    @property
    def per_token(self) -> float:
        """Mean log-probability per token; NaN for an empty continuation."""
        return self.logprob / self.tokens if self.tokens else float("nan")


class LanguageModel(Protocol):
    """What every model offers, local, remote or fake."""

    name: str

    @property
    def weight_hash(self) -> str:
        """Identity of the weights."""
        ...

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
        """``n`` completions per prompt; ``temperature=0`` is greedy."""
        ...

    def score(
        self, prompts: Sequence[Prompt], continuations: Sequence[str], *, raw: bool = False
    ) -> list[Score]:
        """Log-probability of each continuation after its prompt."""
        ...

    def choose(
        self, prompts: Sequence[Prompt], choices: Sequence[Sequence[str]], *, raw: bool = False
    ) -> list[list[Score]]:
        """Scores of every choice after each prompt, the prompt computed once."""
        ...

    def hidden(
        self,
        texts: Sequence[Prompt],
        layers: Sequence[int],
        *,
        pool: str = "last",
        raw: bool = False,
    ) -> npt.NDArray[np.float32]:
        """Residual stream after the given layers (0: embeddings), pooled: (n, layers, width)."""
        ...
