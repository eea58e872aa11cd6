"""A critic on a fake model."""

from superalign.config import RunConfig
from superalign.critic import Critic, HiddenStateClassifier, Verifier, WordingClassifier
from superalign.loop.queries import critic_seed
from superalign.models.fake import FakeModel
from superalign.tasks.safety import refusal_text


def make_critic(n: int = 120, seed: int = 0) -> Critic:
    """As the loop makes it, with a fake model in place of the learner's."""
    queries, harmful = critic_seed(RunConfig(seed=seed), n) if n else ([], [])
    return Critic(
        Verifier(["mathematics", "ethics"]),
        {
            "hidden states": HiddenStateClassifier(FakeModel(), [1, 2]),
            "wording": WordingClassifier(),
        },
        lambda query, kind: (
            refusal_text(query.family, seed=0) if kind == "complied with harm" else None
        ),
        queries,
        harmful,
    )
