"""A remote model against a real server on this machine: every way to answer, and not to."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from chat_server import HANG, Body, ChatServer, Reply, completion, failing, said, serving
from superalign.errors import EndpointError, InputError, StoreError
from superalign.models import RemoteModel, load_model, open_model
from superalign.models.remote_settings import RemoteConfig

KEY = "sk-very-secret-7"
QUICK = {"backoff": 0.01, "retries": 3, "timeout": 5.0}


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUPERALIGN_API_KEY", KEY)


def remote(server: ChatServer, *, logprobs: bool = False, **settings: Any) -> RemoteModel:
    config = RemoteConfig(**{**QUICK, **settings})
    model = open_model(f"{server.url}#tiny", remote=config, logprobs=logprobs)
    assert isinstance(model, RemoteModel)
    return model


def echo(body: Body, number: int) -> Reply:
    return completion(f"to {body['messages'][-1]['content']}")


def in_turn(*replies: Reply) -> Callable[[Body, int], Reply]:
    """The given replies first, then an echo."""
    return lambda body, number: replies[number] if number < len(replies) else echo(body, number)


def texts(model: RemoteModel, *prompts: str, **settings: Any) -> list[tuple[str, str]]:
    return [(c.text, c.finish) for [c] in model.generate(list(prompts), **settings)]


# -- answers -----------------------------------------------------------------------------------------


def test_answers_come_back_in_order_with_what_was_asked() -> None:
    with serving(echo) as server:
        model = remote(server)
        chat = [{"role": "system", "content": "brief"}, {"role": "user", "content": "b"}]
        rows = model.generate(["a", chat], n=2, max_new_tokens=9, temperature=0.5, stop=["x"])
        assert [[c.text for c in row] for row in rows] == [["to a", "to a"], ["to b", "to b"]]
        assert all(c.finish == "stop" and c.tokens == () for row in rows for c in row)
        assert len(server.asked) == 4
        sent = next(b for b in server.asked if len(b["messages"]) == 2)
        assert sent["messages"] == chat
        assert (sent["model"], sent["max_tokens"], sent["temperature"]) == ("tiny", 9, 0.5)
        assert sent["stop"] == ["x"]
        assert len({b["seed"] for b in server.asked}) == 4, "every sample has a seed of its own"
        assert set(server.keys) == {f"Bearer {KEY}"}
        again = model.generate(["a", chat], n=2, max_new_tokens=9, temperature=0.5, stop=["x"])
        assert again == rows
        assert len(server.asked) == 4, "the same request is not paid for twice"
        model.generate(["a"], max_new_tokens=9, temperature=0.5, stop=["x"], seed=1)
        assert len(server.asked) == 5
        account = model.account()
        assert (account["answers"], account["requests"], account["tokens_read"]) == (5, 5, 25)


def test_fields_that_an_endpoint_refuses_are_left_out_and_samples_stay_apart() -> None:
    with serving(lambda body, number: completion(str(number))) as server:
        settings: dict[str, Any] = {"omit": ("seed", "temperature"), "concurrency": 1}
        model = remote(server, length_field="max_completion_tokens", **settings)
        [row] = model.generate(["a"], n=3)
        assert [c.text for c in row] == ["0", "1", "2"]
        assert set(server.asked[0]) == {"model", "messages", "max_completion_tokens"}


def test_an_identity_is_of_the_endpoint_and_says_so() -> None:
    with serving(echo) as server, serving(echo) as other:
        one, same, far = remote(server), remote(server), remote(other)
        assert one.weight_hash == same.weight_hash != far.weight_hash
        assert one.weight_hash.startswith("remote-")
        assert server.asked == [], "making a model asks nothing"


def test_what_text_alone_cannot_give_is_refused_in_one_line() -> None:
    with serving(echo) as server:
        model = remote(server)
        calls: list[Callable[[], object]] = [
            lambda: model.score(["a"], ["b"]),
            lambda: model.choose(["a"], [["b"]]),
            lambda: model.hidden(["a"], [1]),
        ]
        for call in calls:
            with pytest.raises(InputError, match=r"remote and gives text only.*allowed: a local"):
                call()
        for option in ({"raw": True}, {"top_k": 5}, {"min_p": 0.1}):
            with pytest.raises(InputError, match=next(iter(option))):
                model.generate(["a"], **option)  # type: ignore[arg-type]
        with pytest.raises(InputError, match="weights are needed here; allowed: smollm2"):
            load_model(f"{server.url}#tiny")
        assert server.asked == []


def test_log_probabilities_where_they_are_offered_and_an_error_where_not() -> None:
    choice = {"message": {"content": "a b"}, "finish_reason": "stop"}
    listed = {"content": [{"token": "a", "logprob": -0.5}, {"token": " b", "logprob": -1.5}]}
    with serving(in_turn(said(choices=[{**choice, "logprobs": listed}]))) as server:
        model = remote(server, logprobs=True)
        [[done]] = model.generate(["x"])
        assert done.logprobs == (-0.5, -1.5)
        assert server.asked[0]["logprobs"] is True
        with pytest.raises(EndpointError, match="gives no log-probabilities"):
            model.generate(["y"])


# -- failures ----------------------------------------------------------------------------------------


def test_a_busy_endpoint_is_left_alone_for_as_long_as_it_asks() -> None:
    busy = failing(429, "slow down", {"Retry-After": "1"})
    with serving(in_turn(busy)) as server:
        assert texts(remote(server, concurrency=1), "a", "b") == [
            ("to a", "stop"),
            ("to b", "stop"),
        ]
        assert server.times[1] - server.times[0] >= 1.0
        assert server.asked[0] == server.asked[1]


def test_a_wait_that_is_too_long_ends_the_work() -> None:
    with (
        serving(in_turn(failing(429, "tomorrow", {"Retry-After": "86400"}))) as server,
        pytest.raises(EndpointError, match=r"asks to wait 86400 s; remote\.longest_wait"),
    ):
        texts(remote(server), "a")


@pytest.mark.parametrize(
    "passing",
    [
        (failing(500), failing(500)),
        (failing(503), failing(408), failing(409)),
        (
            (200, {}, "<html>not JSON"),
            (200, {}, '{"choices": 3}'),
            said(error={"message": "later"}),
        ),
    ],
    ids=["500 twice", "503 408 409", "malformed"],
)
def test_a_passing_failure_is_tried_again(passing: tuple[Reply, ...]) -> None:
    with serving(in_turn(*passing)) as server:
        model = remote(server)
        assert texts(model, "a") == [("to a", "stop")]
        assert len(server.asked) == len(passing) + 1
        assert model.account()["requests"] == len(passing) + 1


def test_a_hang_is_a_passing_failure() -> None:
    with serving(in_turn(HANG)) as server:
        assert texts(remote(server, timeout=0.3), "a") == [("to a", "stop")]


MISSING = {
    "no choice": said(choices=[]),
    "no text": completion(None),
    "content filter": completion("half an ans", "content_filter"),
    "content filter before": (400, {}, '{"error": {"code": "content_filter", "message": "no"}}'),
}


@pytest.mark.parametrize(("why", "reply"), MISSING.items(), ids=MISSING.keys())
def test_an_answer_that_is_none_is_missing_and_not_asked_again(why: str, reply: Reply) -> None:
    with serving(in_turn(reply)) as server:
        model = remote(server)
        assert texts(model, "a") == [("", "missing")]
        assert texts(model, "a") == [("", "missing")]
        assert len(server.asked) == 1
        assert model.account()["missing"] == {why.removesuffix(" before"): 1}


def test_a_refusal_in_its_own_field_is_the_model_s_and_an_empty_text_is_an_answer() -> None:
    refused, empty = completion(None, refusal="I can't."), completion("")
    with serving(in_turn(refused, empty, completion("cut", "length"))) as server:
        found = texts(remote(server, concurrency=1), "a", "b", "c")
        assert found == [("I can't.", "stop"), ("", "stop"), ("cut", "length")]


def test_a_request_that_alone_fails_is_missing_while_others_are_answered() -> None:
    def reply(body: Body, number: int) -> Reply:
        text = body["messages"][0]["content"]
        return {"long": failing(400, "too long"), "crash": failing(500)}.get(text) or echo(body, 0)

    with serving(reply) as server:
        model = remote(server, concurrency=1)
        found = texts(model, "long", "crash", "a", "long")
        assert [finish for _, finish in found] == ["missing", "missing", "stop", "missing"]
        assert model.account()["missing"] == {"HTTP 400: too long": 2, "HTTP 500: no": 1}
        assert len(server.asked) == 1 + 4 + 1 + 1


DEAD = {
    "500": (failing(500, "down"), 3 * 4, r"HTTP 500: down"),
    "400": (failing(400, "unknown field seed"), 3, "HTTP 400: unknown field seed"),
    "503": (failing(503, "down"), 4, "after 4 tries: HTTP 503: down"),
    "401": (failing(401, f"bad key {KEY}"), 1, r"HTTP 401: bad key \[key\]"),
    "404": (failing(404, "no such model"), 1, "HTTP 404: no such model"),
    "302": ((302, {"Location": "http://192.0.2.1/"}, "moved"), 1, "HTTP 302: moved"),
    "429": (failing(429, "no quota"), 4, "after 4 tries: HTTP 429: no quota"),
}


@pytest.mark.parametrize(("reply", "requests", "words"), DEAD.values(), ids=DEAD.keys())
def test_an_endpoint_that_fails_for_good_ends_the_work(
    reply: Reply, requests: int, words: str
) -> None:
    with serving(lambda body, number: reply) as server:
        model = remote(server, concurrency=1)
        with pytest.raises(EndpointError, match=words) as error:
            texts(model, *"abcdef")
        assert len(server.asked) == requests
        assert KEY not in str(error.value)
        assert len(str(error.value).splitlines()) == 1
        assert model.account()["answers"] == 0
        assert model.account()["missing"] == {}


def test_an_endpoint_that_is_not_there_is_named() -> None:
    with serving(echo) as server:
        model = remote(server)
    with pytest.raises(EndpointError, match=r"http://127\.0\.0\.1:\d+/v1 after 4 tries"):
        texts(model, "a")


# -- limits ------------------------------------------------------------------------------------------


def test_the_request_budget_is_hard_and_counts_repetitions() -> None:
    with serving(in_turn(failing(500))) as server:
        model = remote(server, requests=3, concurrency=1)
        with pytest.raises(
            EndpointError, match=r"budget of 3 requests is spent \(remote\.requests"
        ):
            texts(model, *"abcd")
        assert len(server.asked) == 3
        assert model.account()["answers"] == 2, "what was answered is kept"


def test_no_more_requests_at_once_and_per_minute_than_allowed() -> None:
    running, most, lock = 0, 0, threading.Lock()

    def reply(body: Body, number: int) -> Reply:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.05)
        with lock:
            running -= 1
        return echo(body, number)

    with serving(reply) as server:
        texts(remote(server, concurrency=3), *"abcdefghi")
        assert most == 3
    with serving(echo) as server:
        texts(remote(server, requests_per_minute=600), *"abcd")
        gaps = [b - a for a, b in zip(server.times, server.times[1:], strict=False)]
        assert server.times[-1] - server.times[0] >= 0.25, gaps


# -- what is kept ------------------------------------------------------------------------------------


def test_answers_outlive_the_process_and_a_torn_line(tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    with serving(echo) as server:
        model = remote(server)
        model.keep_answers(path)
        first = texts(model, "a", "b", "ü\u2028")
        with path.open("ab") as file:
            file.write(b'{"model": "remote-0", "ke')
        model = remote(server)
        model.keep_answers(path)
        assert texts(model, "a", "b", "ü\u2028") == first
        assert len(server.asked) == 3
        texts(model, "a", "b", "ü\u2028", "d")
        assert len(server.asked) == 4
    lines = path.read_text(encoding="utf-8").split("\n")[:-1]
    assert [json.loads(line)["model"] for line in lines] == [model.weight_hash] * 4
    assert KEY not in path.read_text()
    path.write_text('{"text": "hello"}\n')
    with pytest.raises(StoreError, match="line 1: not an answer"):
        model.keep_answers(path)


def test_ctrl_c_keeps_what_was_under_way_and_begins_nothing_more() -> None:
    def reply(body: Body, number: int) -> Reply:
        if number == 2:
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.3)
        return echo(body, number)

    # A parent that ignores SIGINT (any job in the background of a script) hands that down.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    with serving(reply) as server:
        model = remote(server, concurrency=1)
        try:
            with pytest.raises(KeyboardInterrupt):
                texts(model, *"abcdef")
        finally:
            signal.signal(signal.SIGINT, before)
        assert (len(server.asked), model.account()["answers"]) == (3, 3)
        assert texts(model, *"abcdef") == [(f"to {x}", "stop") for x in "abcdef"]
        assert len(server.asked) == 6


def test_the_key_shows_nowhere(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    with serving(in_turn(failing(500, f"{KEY}?"))) as server:
        model = remote(server)
        model.keep_answers(tmp_path / "answers.jsonl")
        texts(model, "a")
        said = [repr(model), repr(model.endpoint), json.dumps(model.account()), model.weight_hash]
        assert not any(KEY in text for text in [*said, caplog.text])
    assert KEY not in (tmp_path / "answers.jsonl").read_text()
