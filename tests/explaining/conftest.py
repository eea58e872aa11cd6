import pytest

import toy
from superalign.models import LocalModel


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> LocalModel:
    return toy.model(tmp_path_factory.getbasetemp())
