"""What one task under one supervisor gave: the answers of supervisor, students and ceiling."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from superalign.statistics import reliability_bins
from superalign.weak_to_strong.losses import Array

Answers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Student:
    """One method's answers (S, m) on the test rows, and what went into it.

    ``calibration`` is the expected calibration error of each seed, ``labels`` the mean number of
    weak labels trained on, ``notes`` what the method says of itself, one entry per seed.
    ``transfer`` maps another task's name to the accuracy there, per seed.
    """

    answers: Answers
    calibration: list[float]
    labels: float
    notes: list[dict[str, Any]] = field(default_factory=list)
    transfer: dict[str, list[float]] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """Answers (S seeds, m test rows) as class indices; ``truth`` (m,) and ``groups`` go with them.

    ``sure`` says where the supervisor was surer than at its median: what it can check. ``skipped``
    maps methods that do not apply to the reason. ``ceiling`` reads the text in every way,
    ``plain_ceiling`` in the plain one only, as naive does; ``tuned_ceiling`` was fine-tuned.
    ``depths`` holds the answers of naive students and of ceilings that read a shallower layer.
    """

    task: str
    supervisor: str
    kind: str
    classes: tuple[str, ...]
    sizes: dict[str, int]
    truth: Answers
    groups: list[str]
    weak: Answers
    sure: npt.NDArray[np.bool_]
    ceiling: Answers
    plain_ceiling: Answers
    students: dict[str, Student]
    skipped: dict[str, str]
    depths: dict[int, list[Answers]] = field(default_factory=dict)
    transfer_ceiling: dict[str, list[float]] = field(default_factory=dict)
    tuned_ceiling: Answers | None = None

    def right(self, answers: Answers) -> Array:
        """1 where an answer is right, else 0."""
        result: Array = (answers == self.truth).astype(np.float64)
        return result

    def as_payload(self) -> dict[str, Any]:
        """Plain values for the run's store; answers as one string of digits per seed."""
        plain = dict(vars(self)) | {
            "truth": _write(self.truth[None])[0],
            "sure": _write(self.sure.astype(np.int64)),
            "weak": _write(self.weak),
            "ceiling": _write(self.ceiling),
            "plain_ceiling": _write(self.plain_ceiling),
            "tuned_ceiling": None if self.tuned_ceiling is None else _write(self.tuned_ceiling),
            "depths": {str(n): [_write(a) for a in both] for n, both in self.depths.items()},
            "students": {
                name: dict(vars(s)) | {"answers": _write(s.answers)}
                for name, s in self.students.items()
            },
        }
        return plain

    @classmethod
    def of_payload(cls, plain: dict[str, Any]) -> Outcome:
        """The inverse of ``as_payload``."""
        return cls(
            **plain
            | {
                "classes": tuple(plain["classes"]),
                "truth": _read([plain["truth"]])[0],
                "sure": _read(plain["sure"]).astype(bool),
                "weak": _read(plain["weak"]),
                "ceiling": _read(plain["ceiling"]),
                "plain_ceiling": _read(plain["plain_ceiling"]),
                "tuned_ceiling": None
                if plain["tuned_ceiling"] is None
                else _read(plain["tuned_ceiling"]),
                "depths": {int(n): [_read(a) for a in both] for n, both in plain["depths"].items()},
                "students": {
                    name: Student(**s | {"answers": _read(s["answers"])})
                    for name, s in plain["students"].items()
                },
            }
        )


DIGITS = "0123456789abcdefghij"  # a task has at most 20 classes


def _write(answers: Answers) -> list[str]:
    return ["".join(DIGITS[a] for a in row) for row in answers]


def _read(lines: list[str]) -> Answers:
    return np.array([[DIGITS.index(c) for c in line] for line in lines], dtype=np.int64)


def calibration_error(p_mK: Array, truth: Answers) -> float:
    """Expected calibration error of the most probable class, ten equal bins; in [0, 1].

    The plug-in value is biased upwards at small n; it compares methods on the same rows.
    """
    sure = np.clip(p_mK.max(1), 0, 1)
    bins = reliability_bins(sure.tolist(), (p_mK.argmax(1) == truth).tolist())
    gaps = [b["n"] * abs(b["predicted"] - b["observed"]) for b in bins if b["n"]]
    return float(sum(gaps) / len(truth))
