"""What every test stands on: no network, no telemetry, and the experiments' data where it exists."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"  # before anything imports huggingface_hub
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
os.environ["TRANSFORMERS_OFFLINE"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"

import pytest
from hypothesis import settings

settings.register_profile("superalign", deadline=None, derandomize=True)  # same cases, any load
settings.load_profile("superalign")

ROOT = Path(__file__).resolve().parent.parent
_CONNECT, _CONNECT_EX = socket.socket.connect, socket.socket.connect_ex
_LOCAL = ("127.", "::1", "localhost")


class NetworkRefused(AssertionError):
    """A test tried to leave the machine. It derives from no OSError, so no retry swallows it."""


def _refuse_remote(sock: socket.socket, address: object) -> None:
    if sock.family in (socket.AF_INET, socket.AF_INET6) and isinstance(address, tuple):
        host = str(address[0])
        if not host.startswith(_LOCAL):
            raise NetworkRefused(f"a test tried to connect to {host}:{address[1]}")


def _connect(self: socket.socket, address: object) -> None:
    _refuse_remote(self, address)
    _CONNECT(self, address)  # type: ignore[arg-type]


def _connect_ex(self: socket.socket, address: object) -> int:
    _refuse_remote(self, address)
    return _CONNECT_EX(self, address)  # type: ignore[arg-type]


@pytest.fixture(scope="session", autouse=True)
def _no_network() -> Iterator[None]:
    """Only this machine can be reached, unless SUPERALIGN_TEST_NETWORK=1."""
    if os.environ.get("SUPERALIGN_TEST_NETWORK") == "1":
        yield
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", _connect)
        patch.setattr(socket.socket, "connect_ex", _connect_ex)
        yield


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The experiments' data sets; a test that needs them is skipped where they are missing."""
    given = os.environ.get("SUPERALIGN_DATA")
    places = [Path(given)] if given else [ROOT.parent / "shared/data", ROOT / "shared/data"]
    found = next((place for place in places if place.is_dir()), None)
    if found is None:
        pytest.skip(f"no data at {' or '.join(map(str, places))} (set SUPERALIGN_DATA)")
    return found
