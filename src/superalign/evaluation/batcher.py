"""Requests that arrive one by one, answered together: futures in front of the engine's batches.

A worker thread takes everything that waits as soon as it is free, so a lone request starts at once
and a crowd shares its passes. Callers come back one by one after their answers: the worker waits for
those that it served last beside those that came meanwhile, but only while they keep arriving. So two
groups that take turns become one batch: a step of 32 rows costs less than one of 21 and one of 11.
Nothing polls: the worker sleeps on a condition, callers on futures.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import defaultdict
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from superalign.models.base import Completion, LanguageModel, Prompt

LINGER = 0.004  # seconds: what arrives together in an event loop's turn shares a batch
QUIET = 0.1  # of the last batch's seconds without an arrival end the waiting for its callers
LONGEST = 0.2  # seconds; the most that such a pause lasts


@dataclass(frozen=True)
class Sampling:
    """How a request is answered; requests with equal settings share a batch."""

    n: int = 1
    max_new_tokens: int = 256
    temperature: float = 1.0
    top_p: float = 1.0
    top_k: int = 0
    stop: tuple[str, ...] = ()
    seed: int = 0

    def as_arguments(self) -> dict[str, Any]:
        """Arguments of ``LanguageModel.generate``."""
        return dict(vars(self))


@dataclass
class _Request:
    prompt: Prompt
    sampling: Sampling
    future: Future[list[Completion]] = field(default_factory=Future)


class Batcher:
    """Shares a model among many callers.

    Args:
        model: asked from the worker thread only.
        most: most requests in one call of the model.
    """

    def __init__(self, model: LanguageModel, most: int = 512) -> None:
        self.model, self.most = model, most
        self.batches: list[int] = []
        self._waiting: list[_Request] = []
        self._condition = threading.Condition()
        self._closed = False
        self._expected = 0  # requests that wait once the last batch's callers are back
        self._seconds = 0.0  # the last batch's time
        self._worker = threading.Thread(target=self._work, name="batcher", daemon=True)
        self._worker.start()

    def submit(self, prompt: Prompt, sampling: Sampling) -> Future[list[Completion]]:
        """A future of ``sampling.n`` completions.

        Raises:
            RuntimeError: the batcher is closed.
        """
        request = _Request(prompt, sampling)
        with self._condition:
            if self._closed:
                raise RuntimeError("the batcher is closed")
            self._waiting.append(request)
            self._condition.notify()
        return request.future

    async def generate(self, prompt: Prompt, sampling: Sampling) -> list[Completion]:
        """The same for a coroutine."""
        return await asyncio.wrap_future(self.submit(prompt, sampling))

    def close(self) -> None:
        """Answer what waits, then stop."""
        with self._condition:
            self._closed = True
            self._condition.notify()
        self._worker.join()

    def _work(self) -> None:
        while True:
            with self._condition:
                self._condition.wait_for(lambda: self._waiting or self._closed)
                if not self._waiting:
                    return
            time.sleep(LINGER)
            with self._condition:
                self._await_callers()
                taken, self._waiting = self._waiting[: self.most], self._waiting[self.most :]
            groups: defaultdict[Sampling, list[_Request]] = defaultdict(list)
            for request in taken:
                if request.future.set_running_or_notify_cancel():
                    groups[request.sampling].append(request)
            start = time.perf_counter()
            for sampling, requests in groups.items():
                self._answer(sampling, requests)
            with self._condition:
                self._expected = min(self.most, len(taken) + len(self._waiting))
            self._seconds = time.perf_counter() - start

    def _await_callers(self) -> None:
        """Wait for as many requests as are expected, while they keep arriving; lock held."""
        pause = min(QUIET * self._seconds, LONGEST)
        while len(self._waiting) < self._expected and not self._closed:
            if not self._condition.wait(timeout=pause):
                return

    def _answer(self, sampling: Sampling, requests: list[_Request]) -> None:
        self.batches.append(len(requests))
        try:
            rows = self.model.generate([r.prompt for r in requests], **sampling.as_arguments())
        except Exception as error:
            for request in requests:
                request.future.set_exception(error)
            return
        for request, row in zip(requests, rows, strict=True):
            request.future.set_result(row)
