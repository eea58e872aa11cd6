"""What an endpoint's reply means: an answer, a missing answer, or a failure.

A missing answer is the endpoint's word that there is none: its filter cut it, or it sent no choice. It
is neither a refusal of the model's nor an empty text that the model wrote.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from superalign.models.pacing import retry_after

PASSING = frozenset({408, 409, 429})  # beside 5xx: worth another try
OF_THE_REQUEST = frozenset({400, 413, 422})  # another request may fare better
FILTERS = frozenset({"content_filter", "content_policy_violation"})


@dataclass(frozen=True)
class Answer:
    """One answer of an endpoint.

    Attributes:
        text: what it wrote; empty where the answer is missing.
        finish: ``stop``, ``length`` or ``missing``.
        missing: why there is no answer; empty where there is one.
        logprobs: of its tokens, nats, where they were asked for.
        read: tokens of the prompt as the endpoint counts them; None where it does not.
        written: tokens of the answer, likewise.
        tries: requests that it took.
    """

    text: str
    finish: str
    missing: str = ""
    logprobs: tuple[float, ...] = ()
    read: int | None = None
    written: int | None = None
    tries: int = 1


@dataclass(frozen=True)
class Failure:
    """A request without an answer.

    Attributes:
        said: what happened, for one line.
        retry: another try may help.
        own: it may lie in this one request rather than in the endpoint.
        wait: seconds that the endpoint asks to wait; None where it asks for none.
    """

    said: str
    retry: bool
    own: bool
    wait: float | None = None


def read_reply(
    status: int, headers: Mapping[str, str], text: str, *, logprobs: bool = False
) -> Answer | Failure:
    """What a reply to a chat-completions request means.

    Args:
        status: of HTTP.
        headers: by lower-case name.
        text: the body.
        logprobs: whether log-probabilities were asked for.
    """
    body = _json(text)
    said = f"HTTP {status}: {_message(body) or text}"
    if status == 200:
        return _answer(body, logprobs)
    if status in PASSING or status >= 500:
        return Failure(said, retry=True, own=status == 500, wait=retry_after(headers))
    if status in OF_THE_REQUEST and _filtered(body):
        return Answer("", "missing", "content filter")
    return Failure(said, retry=False, own=status in OF_THE_REQUEST)


def _answer(body: Any, logprobs: bool) -> Answer | Failure:
    error = _message(body)
    if error:
        return Failure(f"HTTP 200: {error}", retry=True, own=True)
    try:
        read, written = (_count(body, key) for key in ("prompt_tokens", "completion_tokens"))
        if not body["choices"]:
            return Answer("", "missing", "no choice", read=read, written=written)
        choice = body["choices"][0]
        content, refused = choice["message"].get("content"), choice["message"].get("refusal")
        finish = choice.get("finish_reason")
        seen = _logprobs(choice) if logprobs else ()
    except (TypeError, KeyError, ValueError, AttributeError):
        return Failure("HTTP 200: the reply is no chat completion", retry=True, own=True)
    if finish == "content_filter":
        return Answer("", "missing", "content filter", read=read, written=written)
    written_text = content if isinstance(content, str) else refused
    if not isinstance(written_text, str):
        return Answer("", "missing", "no text", read=read, written=written)
    if seen is None and written_text:
        return Failure("the endpoint gives no log-probabilities", retry=False, own=False)
    end = "length" if finish == "length" else "stop"
    whole = written_text.encode("utf-8", "replace").decode()  # half a surrogate fits no file
    return Answer(whole, end, "", seen or (), read, written)


def _logprobs(choice: dict[str, Any]) -> tuple[float, ...] | None:
    tokens = (choice.get("logprobs") or {}).get("content")
    return None if tokens is None else tuple(float(t["logprob"]) for t in tokens)


def _count(body: dict[str, Any], key: str) -> int | None:
    number = (body.get("usage") or {}).get(key)
    return number if isinstance(number, int) else None


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _error(body: Any) -> Any:
    return body.get("error") if isinstance(body, dict) else None


def _message(body: Any) -> str:
    error = _error(body)
    return str(error.get("message") or error) if isinstance(error, dict) else str(error or "")


def _filtered(body: Any) -> bool:
    error = _error(body)
    return isinstance(error, dict) and error.get("code") in FILTERS
