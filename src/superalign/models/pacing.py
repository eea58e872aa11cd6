"""When the next request may begin: a rate, waits that an endpoint asks for, and growing pauses."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

LONGEST_PAUSE = 60.0  # seconds; where the doubling ends


class Stopped(Exception):
    """The work was stopped while a request waited for its turn."""


class Pacer:
    """Turns of all threads that ask one endpoint.

    Args:
        per_minute: most turns per minute; None: as many as are asked for.
    """

    def __init__(self, per_minute: float | None) -> None:
        self._gap = 0.0 if per_minute is None else 60.0 / per_minute
        self._next = 0.0
        self._lock = threading.Lock()

    def turn(self, stop: threading.Event) -> None:
        """Wait for a turn.

        Raises:
            Stopped: ``stop`` was set meanwhile.
        """
        with self._lock:
            now = time.monotonic()
            start = max(now, self._next)
            self._next = start + self._gap
        pause(start - now, stop)

    def hold(self, seconds: float) -> None:
        """No turn within the next ``seconds``."""
        with self._lock:
            self._next = max(self._next, time.monotonic() + seconds)


def pause(seconds: float, stop: threading.Event) -> None:
    """Sleep, unless stopped.

    Raises:
        Stopped: ``stop`` is set.
    """
    if stop.wait(max(0.0, seconds)):
        raise Stopped


def backoff(attempt: int, first: float) -> float:
    """Seconds before repetition ``attempt`` (from 0): doubling, with jitter of up to one half."""
    return min(LONGEST_PAUSE, first * 2.0**attempt) * random.uniform(0.5, 1.0)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that a ``Retry-After`` header asks for (RFC 9110, 10.2.3); None without a usable one."""
    value = headers.get("retry-after", "").strip()
    if value.isdecimal():
        return float(value)
    try:
        when = parsedate_to_datetime(value)
    except ValueError:
        return None
    when = when if when.tzinfo is not None else when.replace(tzinfo=UTC)
    return max(0.0, (when - datetime.now(UTC)).total_seconds())
