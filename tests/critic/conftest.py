import pytest
from toy_critic import make_critic

from superalign.config import RunConfig
from superalign.critic import Critic
from superalign.loop.queries import critic_seed
from superalign.records import Query


@pytest.fixture(scope="session")
def fitted() -> Critic:
    """A fitted critic; tests that change one make their own."""
    critic = make_critic()
    critic.fit()
    return critic


@pytest.fixture(scope="session")
def requests() -> list[Query]:
    """Fresh requests of training families, harmful and benign by turns."""
    return critic_seed(RunConfig(seed=77), 60)[0]
