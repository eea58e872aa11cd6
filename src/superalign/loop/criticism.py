"""The round's critique: judge, ask people, learn from them, and pass the gate before anything labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from superalign.config import RunConfig
from superalign.critic import Critic, HiddenStateClassifier, Item, Verifier, WordingClassifier
from superalign.loop import queries as q
from superalign.loop.gate import Examiner, Gate
from superalign.loop.human import MeteredHuman
from superalign.models import LocalModel
from superalign.records import Critique, Label, Query, Response
from superalign.tasks.safety import refusal_text


def new_critic(config: RunConfig, model: LocalModel) -> Critic:
    """The critic of a run, not fitted yet: a verifier, and two classifiers of requests."""
    seeds: tuple[list[Query], list[float]] = ([], [])
    if "safety" in config.domains:
        seeds = q.critic_seed(config, config.critic.seed_items)
    layer = config.critic.probe_layer
    layers = [layer] if layer is not None else [model.depth // 2, 2 * model.depth // 3]
    return Critic(
        Verifier([d for d in ("mathematics", "ethics") if d in config.domains]),
        {
            "hidden states": HiddenStateClassifier(model, layers),
            "wording": WordingClassifier(),
        },
        lambda query, kind: (
            refusal_text(query.family, seed=q.derived_seed(config.seed, "fix", query.id))
            if kind == "complied with harm"
            else None
        ),
        *seeds,
    )


@dataclass(frozen=True)
class Criticism:
    """A round's critiques, one per item, the labels given with their indices, and the gate."""

    items: Sequence[Item]
    critiques: list[Critique]
    labels: list[tuple[int, Label]]
    gate: Gate

    @property
    def asked(self) -> list[dict[str, Any]]:
        """What people were asked and said, in plain types."""
        return [
            {
                "query": self.items[i].query.model_dump(mode="json"),
                "response": self.items[i].response.model_dump(mode="json"),
                "label": label.model_dump(mode="json"),
                "members": self.critiques[i].members,
            }
            for i, label in self.labels
        ]


def criticise(
    k: int, items: Sequence[Item], critic: Critic, human: MeteredHuman, examiner: Examiner
) -> Criticism:
    """Judge the items of round k, ask about the most contested, learn, examine the critic.

    A critic that fails the gate has a person label more items, as many as the budget of the run
    still allows, and is examined again.

    Raises:
        WaitingForHuman: a real person has not given all labels yet.
    """
    critiques = critic.judge(items)
    labels = human.ask(k, critic, items, critiques)
    critiques = _learnt(critic, items, critiques, labels)
    gate = examiner.examine(critic, human.left(k, labels))
    if gate.decision == "ask a person":
        more = human.ask(k, critic, items, critiques, given=labels)
        labels = [*labels, *more]
        critiques = _learnt(critic, items, critiques, more)
        gate = examiner.examine(critic, 0)
    return Criticism(items, critiques, labels, gate)


def relearn(critic: Critic, asked: Sequence[dict[str, Any]]) -> None:
    """Take in what people said in a finished critique, unless the critic has done so already."""
    known = [
        (Item(Query(**row["query"]), Response(**row["response"])), Label(**row["label"]))
        for row in asked
    ]
    if known and not critic.knows([item for item, _ in known]):
        critic.learn(known)


def _learnt(
    critic: Critic,
    items: Sequence[Item],
    critiques: list[Critique],
    labels: Sequence[tuple[int, Label]],
) -> list[Critique]:
    """The critiques after the critic has taken in ``labels``."""
    if not labels:
        return critiques
    critic.learn([(items[i], label) for i, label in labels])
    return critic.judge(items)
