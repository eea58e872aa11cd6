"""Requests to one endpoint: several at once, paced, repeated while their failures pass, answers kept.

The HTTP client is httpx2, which comes with transformers by way of huggingface_hub.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from typing import Any

from superalign.errors import EndpointError, InputError
from superalign.models.answer_log import AnswerLog
from superalign.models.endpoint import Endpoint
from superalign.models.pacing import Pacer, Stopped, backoff, pause
from superalign.models.remote_settings import RemoteConfig
from superalign.models.replies import Answer, Failure, read_reply

IN_A_ROW = 3  # requests that fail for good, none answered between them: it is not theirs but the endpoint's
Job = tuple[str, dict[str, Any]]  # a request's key and its body
Progress = Callable[[float], None]  # told the share that is done


class Asker:
    """Puts requests to an endpoint.

    Args:
        name: of the model, for error lines.
        endpoint: where it is.
        config: limits and manners.
        logprobs: whether the requests ask for log-probabilities.

    Raises:
        InputError: the HTTP client is not installed.
    """

    def __init__(
        self, name: str, endpoint: Endpoint, config: RemoteConfig, *, logprobs: bool
    ) -> None:
        self.name, self.endpoint, self.config, self.logprobs = name, endpoint, config, logprobs
        self.log = AnswerLog()
        self._pacer = Pacer(config.requests_per_minute)
        self._sent = 0
        self._lock = threading.Lock()
        self._http = _client_package()
        self._client = self._http.Client(
            headers={"Authorization": f"Bearer {endpoint.key}"} if endpoint.key else {},
            timeout=config.timeout,
            limits=self._http.Limits(max_connections=config.concurrency),
        )

    def ask(self, jobs: list[Job], progress: Progress | None = None) -> dict[str, Answer]:
        """The answer to every job by its key; those in the log are not asked for again.

        On the first error, or Ctrl-C, no request is begun anew, and what comes back still is kept.

        Raises:
            EndpointError: the endpoint cannot be used, or the request budget is spent.
        """
        known = self.log.of(self.endpoint.identity)
        todo = {key: body for key, body in jobs if key not in known}
        if todo:
            self._work_off(_Work(todo, self, progress), min(self.config.concurrency, len(todo)))
        return self.log.of(self.endpoint.identity)

    def _work_off(self, work: _Work, width: int) -> None:
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
        self.log.add(self.endpoint.identity, key, answer)

    @property
    def answered(self) -> bool:
        """Whether the endpoint ever gave an answer that is kept."""
        return self.log.any_of(self.endpoint.identity)


class _Work:
    """The jobs of one call, shared out to threads.

    A request that fails for good, though the endpoint may be well, is put aside. Once another is answered
    after it, it is missing; where none is, the endpoint is at fault.
    """

    def __init__(
        self, jobs: dict[str, dict[str, Any]], asker: Asker, progress: Progress | None
    ) -> None:
        self.asker, self.stop = asker, threading.Event()
        self._total, self._progress = len(jobs), progress
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
                self.asker.store(key, outcome)
                self._settle()
            else:
                self._aside[key] = outcome
                known = self.asker.answered
                if sum(f.retry or not known for f in self._aside.values()) >= IN_A_ROW:
                    raise self.asker.error(outcome)
            if self._progress is not None:
                self._progress(self._done / self._total)

    def settle(self) -> None:
        """What is still aside when all else is done.

        Raises:
            EndpointError: the endpoint never answered anything.
        """
        with self._lock:
            if self._aside and not self.asker.answered:
                raise self.asker.error(next(iter(self._aside.values())))
            self._settle()

    def _settle(self) -> None:
        for key, failure in self._aside.items():
            said = self.asker.endpoint.clean(failure.said)
            tries = self.asker.config.retries + 1 if failure.retry else 1
            self.asker.store(key, Answer("", "missing", said, tries=tries))
        self._aside.clear()


def _client_package() -> Any:
    try:
        import httpx2
    except ImportError as error:
        raise InputError(
            f"remote models need httpx2 ({error}); install it: pip install 'superalign[remote]'"
        ) from None
    return httpx2
