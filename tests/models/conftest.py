"""The tiny models: ``zoo.ours(name)`` and ``zoo.theirs(name)`` hold the same weights."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import tiny
import torch

from superalign.models import LocalModel, architecture, native, sampling


@pytest.fixture(scope="session")
def zoo(tmp_path_factory: pytest.TempPathFactory) -> tiny.Zoo:
    return tiny.Zoo(tmp_path_factory.mktemp("zoo"))


@pytest.fixture
def llama(zoo: tiny.Zoo) -> LocalModel:
    return zoo.ours("llama")


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> Iterator[None]:
    """Matrices this small only wait for each other's threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(params=["compiled", "torch"])
def inner_loop(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Once with the compiled kernels (where they can be built), once without."""
    kind: str = request.param
    if kind == "torch":
        for module in (architecture, sampling):
            monkeypatch.setattr(module, "kernels", lambda device, dtype: None)
    elif native.missing():
        pytest.skip(f"no compiled kernels: {native.missing()}")
    return kind
