"""A language model behind an OpenAI-compatible chat-completions endpoint. It gives text only.

Every answer is one request (``n`` answers are ``n`` requests: not every endpoint gives several), is
written down as it comes and is not asked for again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from superalign.errors import InputError
from superalign.models.answer_log import AnswerLog
from superalign.models.asking import Asker, Job, Progress
from superalign.models.base import Completion, LanguageModel, Prompt
from superalign.models.endpoint import Endpoint
from superalign.models.remote_settings import RemoteConfig
from superalign.models.replies import Answer
from superalign.records import content_hash


class RemoteModel:
    """A model that is asked over the network; making one asks nothing.

    Args:
        name: what it was called by.
        endpoint: where it is.
        config: limits and manners.
        logprobs: ask for the log-probabilities of the answers.
        progress: told the share of a ``generate`` that is answered.

    Raises:
        InputError: the HTTP client is not installed.
    """

    def __init__(
        self,
        name: str,
        endpoint: Endpoint,
        config: RemoteConfig | None = None,
        *,
        logprobs: bool = False,
        progress: Progress | None = None,
    ) -> None:
        self.name, self.endpoint, self.config = name, endpoint, config or RemoteConfig()
        self.logprobs, self.progress = logprobs, progress
        self._asker = Asker(name, endpoint, self.config, logprobs=logprobs)

    @property
    def weight_hash(self) -> str:
        """Identity of endpoint and model name, beginning with ``remote-``: nobody shows the weights."""
        return self.endpoint.identity

    def keep_answers(self, path: Path) -> None:
        """Go on from the answers in the file at ``path`` and add to it."""
        self._asker.log = AnswerLog(path)

    def account(self) -> dict[str, Any]:
        """What was asked and what came: counts over all sittings whose answers are kept."""
        answers = list(self._asker.log.of(self.weight_hash).values())
        missing = Counter(a.missing for a in answers if a.missing)
        counted = [a for a in answers if a.read is not None and a.written is not None]
        return {
            "endpoint": self.endpoint.url,
            "model": self.endpoint.model,
            "answers": len(answers) - missing.total(),
            "missing": dict(sorted(missing.items())),
            "requests": sum(a.tries for a in answers),
            "tokens_read": sum(a.read or 0 for a in counted) if counted else None,
            "tokens_written": sum(a.written or 0 for a in counted) if counted else None,
            "answers_with_token_counts": len(counted),
        }

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
        """``n`` completions per prompt; ``finish`` is ``missing`` where the endpoint gave none.

        ``seed`` is sent, each sample with its own; whether it decides anything is up to the endpoint.
        No token ids come with an answer: ``tokens`` is empty.

        Raises:
            InputError: ``raw``, ``top_k`` or ``min_p``, which chat completions have no word for.
            EndpointError: the endpoint cannot be used, or the request budget is spent.
        """
        for option, given in (("raw", raw), ("top_k", top_k), ("min_p", min_p)):
            if given:
                raise InputError(f"model '{self.name}': no '{option}' with a remote model")
        fields = {
            self.config.length_field: max_new_tokens,
            "temperature": temperature,
            **({"top_p": top_p} if top_p < 1 else {}),
            **({"stop": list(stop)} if stop else {}),
            **({"logprobs": True} if self.logprobs else {}),
        }
        jobs = [
            self._job(prompt, {**fields, "seed": int(content_hash([seed, i, j], 7), 16)})
            for i, prompt in enumerate(prompts)
            for j in range(n)
        ]
        kept = self._asker.ask(jobs, self.progress)
        done = [_completion(kept[key]) for key, _ in jobs]
        return [done[i * n : (i + 1) * n] for i in range(len(prompts))]

    def score(self, *_: object, **__: object) -> NoReturn:
        """Not offered: an endpoint gives no likelihood of a given text.

        Raises:
            InputError: always.
        """
        raise self._text_only("scores of given texts")

    def choose(self, *_: object, **__: object) -> NoReturn:
        """Not offered, like ``score``.

        Raises:
            InputError: always.
        """
        raise self._text_only("scores of given answers")

    def hidden(self, *_: object, **__: object) -> NoReturn:
        """Not offered: an endpoint shows no hidden states.

        Raises:
            InputError: always.
        """
        raise self._text_only("hidden states")

    def _text_only(self, wanted: str) -> InputError:
        return InputError(
            f"model '{self.name}' is remote and gives text only, no {wanted}; allowed: a local model"
        )

    def _job(self, prompt: Prompt, fields: dict[str, Any]) -> Job:
        """A request and its key, which also holds what the settings leave out of it."""
        turns = [{"role": "user", "content": prompt}] if isinstance(prompt, str) else list(prompt)
        body = {"model": self.endpoint.model, "messages": turns, **fields}
        sent = {k: v for k, v in body.items() if k not in self.config.omit}
        return content_hash(body), sent


def keep_answers(model: LanguageModel, path: Path) -> None:
    """Let a remote model's answers survive in a file; nothing to do for a local one."""
    if isinstance(model, RemoteModel):
        model.keep_answers(path)


def _completion(answer: Answer) -> Completion:
    return Completion(answer.text, (), answer.logprobs, answer.finish)
