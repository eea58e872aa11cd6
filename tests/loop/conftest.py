from pathlib import Path
from typing import Any

import pytest

import toy
from superalign.config import Sizes
from superalign.loop import run as loop
from superalign.models import LocalModel


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return toy.model_folder(tmp_path_factory.getbasetemp())


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> LocalModel:
    return toy.model(tmp_path_factory.getbasetemp())


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Path]:
    return toy.finished(tmp_path_factory.getbasetemp())


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small development sets, for tests that look at something else."""
    monkeypatch.setattr(loop, "DEV", Sizes(safety=3, benign=3, mathematics=3, ethics=3))
