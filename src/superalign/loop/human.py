"""The metered human: what is asked, and what a simulated one answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from superalign.config import RunConfig
from superalign.critic import Critic
from superalign.critic.base import Item
from superalign.errors import SuperalignError
from superalign.evaluation.measure import grade
from superalign.records import Critique, Label
from superalign.store import RunStore


class WaitingForHuman(SuperalignError):
    """The run needs labels that only a person can give; its state is saved."""


def contested(
    critic: Critic,
    items: Sequence[Item],
    critiques: Sequence[Critique],
    n: int,
    known: Sequence[int] = (),
) -> list[int]:
    """Indices of the ``n`` answers on which the critic's members disagree most, one per query.

    Answers on which nobody disagrees are not worth a label, so fewer may come; queries of the
    answers ``known`` have been asked about.
    """
    scores = [critic.disagreement(c) for c in critiques]
    chosen: list[int] = []
    asked = {items[i].query.id for i in known}
    for i in sorted(range(len(items)), key=lambda i: (-scores[i], i)):
        if len(chosen) == n or scores[i] <= 0.0:
            break
        if items[i].query.id not in asked:
            asked.add(items[i].query.id)
            chosen.append(i)
    return chosen


def simulated_labels(items: Sequence[Item], critiques: Sequence[Critique]) -> list[Label]:
    """Labels read off ground truth, marked as simulated. A missing verdict stays missing."""
    graded = grade([i.query for i in items], [i.response for i in items])
    return [
        Label(
            parent=c.id,
            response=g.response.id,
            value=g.verdict.value,
            source="simulated human",
            note=g.verdict.reason,
        )
        for g, c in zip(graded, critiques, strict=True)
    ]


class MeteredHuman:
    """A person, real or simulated, of whom only a budget of labels may be asked over the run."""

    def __init__(self, config: RunConfig, store: RunStore) -> None:
        self.config, self.store = config, store

    def ask(
        self,
        k: int,
        critic: Critic,
        items: Sequence[Item],
        critiques: Sequence[Critique],
        given: Sequence[tuple[int, Label]] | None = None,
    ) -> list[tuple[int, Label]]:
        """Labels of the answers most contested in round k, with their indices.

        With ``given``, the labels that the round has had already, all of the run's budget that is
        left may be spent on others.

        Raises:
            WaitingForHuman: a real person has not given all of them yet.
        """
        most = self._budget(k) if given is None else self.left(k, given)
        chosen = contested(critic, items, critiques, most, [i for i, _ in given or ()])
        if self.config.human.simulated:
            labels = simulated_labels([items[i] for i in chosen], [critiques[i] for i in chosen])
            return list(zip(chosen, labels, strict=True))
        known = {
            label.response: label for label in self.store.records(Label) if label.source == "human"
        }
        missing = [i for i in chosen if items[i].response.id not in known]
        self.store.write_json(
            "questions.json",
            [
                {
                    "round": k,
                    "response_id": items[i].response.id,
                    "domain": items[i].query.domain,
                    "prompt": items[i].query.chat,
                    "response": items[i].response.text,
                    "members": critiques[i].members,
                }
                for i in chosen
            ],
        )
        if missing:
            raise WaitingForHuman(
                f"round {k} waits for {len(missing)} labels: answer them with 'superalign label "
                f"{self.store.path}', then 'superalign run --resume {self.store.path}'"
            )
        return [(i, known[items[i].response.id]) for i in chosen]

    def left(self, k: int, labels: Sequence[tuple[int, Label]] = ()) -> int:
        """Labels that the run may still ask for after ``labels`` of round k."""
        return self.config.human.budget - self._used(k) - len(labels)

    def _budget(self, k: int) -> int:
        """Labels that may be asked for in round k: what is left, spread over the rounds left."""
        return self.left(k) // (self.config.rounds - k + 1)

    def _used(self, k: int) -> int:
        return sum(
            self.store.phase_payload(f"round {j} critique")["human"]["asked"] for j in range(1, k)
        )

    def report(self, k: int, labels: Sequence[tuple[int, Label]]) -> dict[str, Any]:
        """What round k asked, for the summary."""
        left = self.left(k, labels)
        return {
            "asked": len(labels),
            "used": self.config.human.budget - left,
            "budget_left": left,
            "undecided": sum(label.value is None for _, label in labels),
        }
