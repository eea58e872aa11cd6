"""A language model behind an OpenAI-compatible chat-completions endpoint. It gives text only.

Every answer is one request (``n`` answers are ``n`` requests: not every endpoint gives several), is
written down as it comes and is not asked for again. Passing failures are repeated after growing pauses;
what fails for good ends the work, with everything answered so far kept.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

from superalign.errors import EndpointError, InputError
from superalign.models.answer_log import AnswerLog
from superalign.models.base import Completion, LanguageModel, Prompt
from superalign.models.endpoint import Endpoint
from superalign.models.pacing import Pacer, Stopped, backoff, pause
from superalign.models.remote_settings import RemoteConfig
from superalign.models.replies import Answer, Failure, read_reply
from superalign.records import content_hash

IN_A_ROW = 3  # requests that fail for good, none answered between them: it is not theirs but the endpoint's
Job = tuple[str, dict[str, Any]]  # a request's key and its body


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
        progress: Callable[[float], None] | None = None,
    ) -> None:
        self.name, self.endpoint, self.config = name, endpoint, config or RemoteConfig()
        self.logprobs, self.progress = logprobs, progress
        self._http = _client_package()
        self._pacer = Pacer(self.config.requests_per_minute)
        self._log = AnswerLog()
        self._sent = 0
        self._lock = threading.Lock()
        self._client = self._http.Client(
            headers={"Authorization": f"Bearer {endpoint.key}"} if endpoint.key else {},
            timeout=self.config.timeout,
            limits=self._http.Limits(max_connections=self.config.concurrency),
        )

    @property
    def weight_hash(self) -> str:
        """Identity of endpoint and model name, beginning with ``remote-``: nobody shows the weights."""
        return self.endpoint.identity

    def keep_answers(self, path: Path) -> None:
        """Go on from the answers in the file at ``path`` and add to it."""
        self._log = AnswerLog(path)

    def account(self) -> dict[str, Any]:
        """What was asked and what came: counts over all sittings whose answers are kept."""
        answers = list(self._log.of(self.weight_hash).values())
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
        kept = self._log.of(self.weight_hash)
        self._ask([(key, body) for key, body in jobs if key not in kept])
        kept = self._log.of(self.weight_hash)
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

    # -- asking ---------------------------------------------------------------------------------

    def _ask(self, jobs: list[Job]) -> None:
        """Answer all jobs; on the first error, or Ctrl-C, begin none anew and keep what comes back."""
        if not jobs:
            return
        work = _Work(dict(jobs), self)
        width = min(self.config.concurrency, len(jobs))
        with ThreadPoolExecutor(width) as pool:
            threads = [pool.submit(self._take, work) for _ in range(width)]
            try:
                wait(threads)
            finally:  # Ctrl-C: the pool waits for the requests under way, which are paid for
                work.stop.set()
        for thread in threads:
            thread.result()
        work.settle()

    def _take(self, work: _Work) -> None:
        with suppress(Stopped):
            for key, body in work:
                try:
                    work.finish(key, self._answer(body, work.stop))
                except Stopped:
                    raise
                except BaseException:
                    work.stop.set()
                    raise

    def _answer(self, body: dict[str, Any], stop: threading.Event) -> Answer | Failure:
        """One request, repeated while its failures pass.

        Raises:
            EndpointError: the endpoint's fault, not the request's; or the budget is spent.
            Stopped: other work ended first.
        """
        attempt = 0
        while True:
            attempt += 1
            self._pacer.turn(stop)
            self._spend()
            reply = self._send(body)
            if isinstance(reply, Answer):
                return Answer(**{**vars(reply), "tries": attempt})
            if not reply.retry or attempt > self.config.retries:
                if not reply.own:
                    raise self.error(reply, attempt)
                return reply
            self._heed(reply)
            pause(backoff(attempt - 1, self.config.backoff), stop)

    def _send(self, body: dict[str, Any]) -> Answer | Failure:
        try:
            reply = self._client.post(f"{self.endpoint.url}/chat/completions", json=body)
            return read_reply(reply.status_code, reply.headers, reply.text, logprobs=self.logprobs)
        except self._http.TimeoutException:
            return Failure(f"no answer within {self.config.timeout:g} s", retry=True, own=True)
        except (self._http.TransportError, self._http.DecodingError) as error:
            return Failure(str(error) or type(error).__name__, retry=True, own=False)
        except self._http.InvalidURL as error:
            return Failure(str(error), retry=False, own=False)

    def _heed(self, failure: Failure) -> None:
        """Let no request begin before the time that the endpoint asks for."""
        if failure.wait is None:
            return
        if failure.wait > self.config.longest_wait:
            raise EndpointError(
                f"{self.endpoint.url} asks to wait {failure.wait:.0f} s; remote.longest_wait allows "
                f"{self.config.longest_wait:g} s"
            )
        self._pacer.hold(failure.wait)

    def _spend(self) -> None:
        with self._lock:
            if self.config.requests is not None and self._sent >= self.config.requests:
                raise EndpointError(
                    f"the budget of {self.config.requests} requests is spent (remote.requests, "
                    "each sitting anew)"
                )
            self._sent += 1

    def error(self, failure: Failure, tries: int = 1) -> EndpointError:
        """The one line about a failure for good."""
        after = f" after {tries} tries" if tries > 1 else ""
        return EndpointError(
            f"model '{self.name}' at {self.endpoint.url}{after}: {self.endpoint.clean(failure.said)}"
        )

    def store(self, key: str, answer: Answer) -> None:
        """Write an answer down."""
        self._log.add(self.weight_hash, key, answer)

    @property
    def answered(self) -> bool:
        """Whether the endpoint ever gave an answer that is kept."""
        return self._log.any_of(self.weight_hash)


class _Work:
    """The jobs of one ``generate``, shared out to threads.

    A request that fails for good, though the endpoint may be well, is put aside. Once another is answered
    after it, it is missing; where none is, the endpoint is at fault.
    """

    def __init__(self, jobs: dict[str, dict[str, Any]], model: RemoteModel) -> None:
        self.model, self.stop, self.total = model, threading.Event(), len(jobs)
        self._jobs = iter(jobs.items())
        self._aside: dict[str, Failure] = {}
        self._done = 0
        self._lock = threading.Lock()

    def __iter__(self) -> Iterator[Job]:
        while not self.stop.is_set():
            with self._lock:
                job = next(self._jobs, None)
            if job is None:
                return
            yield job

    def finish(self, key: str, outcome: Answer | Failure) -> None:
        """Keep an answer; put a failure aside.

        Raises:
            EndpointError: too many failures with no answer between them.
        """
        with self._lock:
            self._done += 1
            if isinstance(outcome, Answer):
                self.model.store(key, outcome)
                self._settle()
            else:
                self._aside[key] = outcome
                known = self.model.answered
                if sum(f.retry or not known for f in self._aside.values()) >= IN_A_ROW:
                    raise self.model.error(outcome)
            if self.model.progress is not None:
                self.model.progress(self._done / self.total)

    def settle(self) -> None:
        """What is still aside when all else is done.

        Raises:
            EndpointError: the endpoint never answered anything.
        """
        with self._lock:
            if self._aside and not self.model.answered:
                raise self.model.error(next(iter(self._aside.values())))
            self._settle()

    def _settle(self) -> None:
        for key, failure in self._aside.items():
            said = self.model.endpoint.clean(failure.said)
            tries = self.model.config.retries + 1 if failure.retry else 1
            self.model.store(key, Answer("", "missing", said, tries=tries))
        self._aside.clear()


def keep_answers(model: LanguageModel, path: Path) -> None:
    """Let a remote model's answers survive in a file; nothing to do for a local one."""
    if isinstance(model, RemoteModel):
        model.keep_answers(path)


def _completion(answer: Answer) -> Completion:
    return Completion(answer.text, (), answer.logprobs, answer.finish)


def _client_package() -> Any:
    try:
        import httpx2
    except ImportError as error:
        raise InputError(
            f"remote models need httpx2 ({error}); install it: pip install 'superalign[remote]'"
        ) from None
    return httpx2
