"""The tiny models: ``zoo.ours(name)`` and ``zoo.theirs(name)`` hold the same weights."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import tiny
import torch

from superalign.models import LocalModel


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
