"""What a model's hidden states let one learn from wrong labels and from few families.

A linear head is trained on hidden states of requests, with a share of its labels flipped, and tested
on true labels of families it never saw: the setting of a supervisor that errs (arXiv 2312.09390).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from superalign.models import LocalModel
from superalign.records import Query, Split
from superalign.registry import lookup
from superalign.statistics import mean
from superalign.validation.curves import points, relative_area
from superalign.weak_to_strong.heads import Space, fit, one_hot

FLIPPED = (0.0, 0.1, 0.2, 0.3, 0.4)
FAMILIES = (2, 4, 8, 16)
TRAINED, TESTED = 512, 200  # rows; pairs that differ in the label stay together
FEW = 32  # rows that the heads of different numbers of families all have
DRAWS = 8  # of flipped labels, and of families
Array = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]
States = tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]
"""Hidden states (n, width) of the rows to train on and of those to test on."""
Progress = Callable[[str, float, str], None]


@dataclass(frozen=True)
class Concept:
    """A question to the hidden states: rows to train and to test, and their true labels."""

    name: str
    train: tuple[Query, ...]
    test: tuple[Query, ...]

    def labels(self, rows: Sequence[Query]) -> Labels:
        """1 where the request is harmful, or where the answer is yes."""
        if self.name == "harmful":
            return np.array([int(q.truth["harmful"]) for q in rows])
        return np.array([int(q.truth["answer"] in ("yes", "A")) for q in rows])


def concepts(seed: int) -> list[Concept]:
    """Is the request harmful; is the answer to the moral question yes (or A)."""

    def rows(task: str, n: int, split: Split) -> tuple[Query, ...]:
        return tuple(lookup("task", task)().generate(n, seed=seed, split=split))

    return [
        Concept(name, rows(task, TRAINED, "train"), rows(task, TESTED, "held_out"))
        for name, task in (("harmful", "safety"), ("moral", "ethics"))
    ]


def probe_curves(
    models: Mapping[str, LocalModel], progress: Progress, seed: int = 0
) -> list[dict[str, Any]]:
    """For each concept a curve over the share of flipped labels and one over training families."""
    found = []
    for number, concept in enumerate(concepts(seed)):
        by_label: dict[str, Any] = _entry(
            "labels flipped", "label noise", concept, "share of labels flipped"
        )
        by_family: dict[str, Any] = _entry(
            "families seen", "distribution shift", concept, f"families behind {FEW} rows"
        )
        for i, (who, model) in enumerate(models.items()):
            done = number + i / len(models)
            progress("robustness, probes", done / 2, f"{concept.name}, {who}")
            states = (_states(model, concept.train), _states(model, concept.test))
            right = under_flips(concept, states, seed)
            area = relative_area(FLIPPED, right).as_dict()
            by_label[who] = {"points": _points(FLIPPED, right), "area": area}
            by_family[who] = {"points": _points(FAMILIES, by_families(concept, states, seed))}
        found += [by_label, by_family]
    progress("robustness, probes", 1.0, "")
    return found


def _entry(name: str, kind: str, concept: Concept, axis: str) -> dict[str, Any]:
    return {
        "name": name, "kind": kind, "task": concept.name,
        "quantity": "accuracy of a linear head on held-out families", "axis": axis,
    }  # fmt: skip


def _points(xs: Sequence[float], right_LN: Array) -> list[dict[str, Any]]:
    """Accuracies with their interval over the test rows, each the mean of its draws."""
    return points([float(x) for x in xs], [mean(level) for level in right_LN])


def _states(model: LocalModel, rows: Sequence[Query]) -> npt.NDArray[np.float32]:
    """Residual stream (n, width) after two thirds of the blocks, at the prompt's last token."""
    layer = max(1, round(2 * model.depth / 3))
    return model.hidden([q.chat for q in rows], [layer])[:, 0]


def under_flips(concept: Concept, states: States, seed: int = 0) -> Array:
    """Share of ``DRAWS`` heads that are right (levels, test rows), by share of flipped labels."""
    space, truth = Space.of(*states), concept.labels(concept.train)
    wanted = concept.labels(concept.test)
    return np.array(
        [
            np.mean(
                [
                    _right(space, flipped(truth, share, np.random.default_rng([seed, d])), wanted)
                    for d in range(DRAWS if share else 1)
                ],
                axis=0,
            )
            for share in FLIPPED
        ]
    )


def flipped(labels: Labels, share: float, rng: np.random.Generator) -> Labels:
    """``labels`` (0 or 1) with exactly the nearest number to ``share`` of them turned round."""
    out = labels.copy()
    turned = rng.permutation(len(labels))[: round(share * len(labels))]
    out[turned] = 1 - out[turned]
    return out


def by_families(concept: Concept, states: States, seed: int = 0) -> Array:
    """Share of ``DRAWS`` heads that are right (levels, test rows), by number of training families.

    Each head has ``FEW`` rows, evenly from families drawn anew.
    """
    train, test = states
    families = np.array([q.family for q in concept.train])
    names, truth = np.unique(families), concept.labels(concept.train)
    wanted = concept.labels(concept.test)
    levels = []
    for count in FAMILIES:
        heads = []
        for draw in range(DRAWS):
            rng = np.random.default_rng([seed, count, draw])
            chosen = rng.choice(names, min(count, len(names)), replace=False)
            rows = np.concatenate(
                [np.flatnonzero(families == f)[: -(-FEW // len(chosen))] for f in chosen]
            )[:FEW]
            heads.append(_right(Space.of(train[rows], test), truth[rows], wanted))
        levels.append(np.mean(heads, axis=0))
    return np.array(levels)


def _right(space: Space, labels: Labels, wanted: Labels) -> Array:
    """1.0 where a head trained on ``labels`` is right about a test row."""
    head = fit(space, one_hot(labels, 2))
    right: Array = (head.probabilities(space.others[0]).argmax(1) == wanted).astype(np.float64)
    return right
