from collections.abc import Iterator

import pytest
import torch

import toy
from superalign.models import LocalModel, load_model


@pytest.fixture(scope="package", autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> LocalModel:
    folder = toy.save_model(tmp_path_factory.mktemp("learner") / "tiny")
    return load_model(str(folder), device="cpu", dtype="float32")
