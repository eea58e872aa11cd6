"""What a round asked and got, as the store holds it."""

from __future__ import annotations

from dataclasses import dataclass

from superalign.critic.base import Item
from superalign.records import Query, Response
from superalign.store import RunStore

FROZEN = "frozen"  # the name under which answers of the frozen model are stored


def is_twin(query: Query) -> bool:
    """Whether it is the benign twin of a harmful request."""
    return query.domain == "safety" and not query.truth.get("harmful")


@dataclass(frozen=True)
class RoundData:
    """The learner's answers to ``attacks`` and ``twins``; queries that it was not asked.

    ``anchors``: the frozen model's answers by query.
    """

    attacks: list[Item]
    twins: list[Item]
    anchors: dict[str, Response]
    benign: list[Query]
    rehearsal: list[Query]

    @property
    def items(self) -> list[Item]:
        """All answers of the learner."""
        return self.attacks + self.twins

    @classmethod
    def of(cls, store: RunStore, k: int) -> RoundData:
        """Round k, whose answers are stored."""
        phase = f"round {k} answers"
        known = {x.id: x for x in store.records(Query, phase)}
        responses = store.records(Response, phase)
        items = [Item(known[r.query], r) for r in responses if r.model != FROZEN]
        answered = {i.query.id for i in items}
        return cls(
            attacks=[i for i in items if not is_twin(i.query)],
            twins=[i for i in items if is_twin(i.query)],
            anchors={r.query: r for r in responses if r.model == FROZEN},
            benign=[x for x in known.values() if x.domain == "benign"],
            rehearsal=[x for x in known.values() if x.domain == "safety" and x.id not in answered],
        )
