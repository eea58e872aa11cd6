"""Critics: members with opinions, joined into one critique per answer."""

from superalign.critic.base import Item, Member, Opinion
from superalign.critic.critic import Critic
from superalign.critic.explain import explain
from superalign.critic.harm import HiddenStateClassifier, WordingClassifier
from superalign.critic.verifier import Verifier

__all__ = [
    "Critic",
    "HiddenStateClassifier",
    "Item",
    "Member",
    "Opinion",
    "Verifier",
    "WordingClassifier",
    "explain",
]
