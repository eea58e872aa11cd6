"""A small OpenAI-compatible server for tests: on this machine, around any function or model.

By hand: ``python tests/chat_server.py 8000`` serves the embedded model.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Body = dict[str, Any]
Reply = tuple[int, dict[str, str], str]  # status, headers, body
HANG = (0, {}, "")  # a reply that never comes


def completion(text: str | None, finish: str = "stop", **message: Any) -> Reply:
    """An answer as chat completions have it."""
    choice = {"index": 0, "message": {"role": "assistant", "content": text, **message}}
    usage = {"prompt_tokens": 5, "completion_tokens": len((text or "").split())}
    return said(choices=[{**choice, "finish_reason": finish}], usage=usage)


def said(**body: Any) -> Reply:
    return 200, {}, json.dumps(body)


def failing(status: int, message: str = "no", headers: dict[str, str] | None = None) -> Reply:
    return status, headers or {}, json.dumps({"error": {"message": message}})


class ChatServer(ThreadingHTTPServer):
    """Answers with ``reply(body, number of the request)``; ``asked`` holds every request's body.

    ``answered`` holds those that got an answer (HTTP 200). ``keys`` are the keys that were sent.
    """

    daemon_threads = True

    def __init__(self, reply: Callable[[Body, int], Reply], port: int = 0) -> None:
        self.reply, self.asked, self.answered = reply, [], []
        self.keys: list[str | None] = []
        self.times: list[float] = []
        self.lock = threading.Lock()
        self.gone = threading.Event()
        super().__init__(("127.0.0.1", port), _Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: ChatServer

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.server.lock:
            number = len(self.server.asked)
            self.server.asked.append(body)
            self.server.keys.append(self.headers.get("Authorization"))
            self.server.times.append(time.monotonic())
        status, headers, text = (
            self.server.reply(body, number)
            if self.path == "/v1/chat/completions"
            else failing(404, "no such path")
        )
        if status == 0:
            self.server.gone.wait(30)
            return
        if status == 200:
            with self.server.lock:
                self.server.answered.append(body)
        data = text.encode()
        self.send_response(status)
        for name, value in {"Content-Length": str(len(data)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Silent."""


@contextmanager
def serving(reply: Callable[[Body, int], Reply]) -> Iterator[ChatServer]:
    """A server on a free port until the block ends."""
    server = ChatServer(reply)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.gone.set()
        server.shutdown()
        thread.join()
        server.server_close()


def main(port: int) -> None:
    """Serve the embedded model, one request at a time."""
    from superalign import load_model

    model, lock = load_model("smollm2"), threading.Lock()

    def reply(body: Body, number: int) -> Reply:
        with lock:
            [[done]] = model.generate(
                [body["messages"]],
                max_new_tokens=body.get("max_tokens", 48),
                temperature=body.get("temperature", 1.0),
                seed=body.get("seed", 0),
            )
        return completion(done.text, done.finish)

    ChatServer(reply, port).serve_forever()


if __name__ == "__main__":
    main(int(sys.argv[1]))
