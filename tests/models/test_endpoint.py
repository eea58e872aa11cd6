"""Names of remote models, where they are asked, and when."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from superalign.errors import InputError
from superalign.models.endpoint import find_endpoint
from superalign.models.names import ModelName, parse_name
from superalign.models.pacing import Pacer, Stopped, backoff, retry_after

KEY = "sk-very-secret-6"


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for provider in ("OPENAI", "OLLAMA", "VLLM"):
        monkeypatch.delenv(f"{provider}_BASE_URL", raising=False)
        monkeypatch.delenv(f"{provider}_API_KEY", raising=False)


def test_names_of_remote_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert parse_name("ollama/llama3.2:1b") == ModelName("ollama", "llama3.2:1b")
    assert parse_name("vllm/org/name@v2") == ModelName("vllm", "org/name@v2")
    for name in ("openai/gpt-x", "https://host.example:8000/v1#org/name"):
        assert parse_name(name).remote
        assert str(parse_name(name)) == name
    monkeypatch.chdir(tmp_path)
    Path("openai/mine").mkdir(parents=True)
    assert parse_name("openai/mine").kind == "folder", "a folder goes first"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("openai/", "allowed: openai/MODEL"),
        ("https://host.example/v1", "allowed: https://HOST/v1#MODEL"),
        ("https:///v1#m", "lacks host or model"),
        (f"https://me:{KEY}@host.example/v1#m", "password or a query"),
        (f"https://host.example/v1?api-key={KEY}#m", "password or a query"),
    ],
)
def test_names_that_cannot_be_used(name: str, words: str) -> None:
    with pytest.raises(InputError, match=words) as error:
        parse_name(name)
    assert KEY not in str(error.value)


def test_endpoints_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_endpoint(parse_name("ollama/m")).url == "http://localhost:11434/v1"
    assert find_endpoint(parse_name("vllm/m")).url == "http://localhost:8000/v1"
    with pytest.raises(InputError, match="no OPENAI_API_KEY in the environment"):
        find_endpoint(parse_name("openai/m"))
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    endpoint = find_endpoint(parse_name("openai/m"))
    assert (endpoint.url, endpoint.key) == ("https://api.openai.com/v1", KEY)
    assert find_endpoint(parse_name("vllm/m")).key is None, "a provider's key goes to it alone"
    monkeypatch.setenv("OPENAI_BASE_URL", "http://here:1/v1/")
    moved = find_endpoint(parse_name("openai/m"))
    assert moved.url == "http://here:1/v1"
    assert moved.identity != endpoint.identity
    monkeypatch.setenv("OPENAI_BASE_URL", f"http://x:{KEY}@here/v1")
    with pytest.raises(InputError, match="OPENAI_BASE_URL") as error:
        find_endpoint(parse_name("openai/m"))
    assert KEY not in str(error.value)


def test_a_turn_that_is_stopped_is_not_waited_for() -> None:
    pacer, stop = Pacer(None), threading.Event()
    pacer.hold(30)
    stop.set()
    with pytest.raises(Stopped):
        pacer.turn(stop)


def test_pauses_double_with_jitter_and_headers_are_read_in_both_forms() -> None:
    for attempt, top in enumerate((2.0, 4.0, 8.0)):
        assert all(top / 2 <= backoff(attempt, 2.0) <= top for _ in range(50))
    assert backoff(30, 2.0) <= 60
    assert retry_after({"retry-after": "7"}) == 7
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
    assert retry_after({"retry-after": soon}) == pytest.approx(90, abs=3)
    assert retry_after({"retry-after": "soon"}) is None
    assert retry_after({}) is None
