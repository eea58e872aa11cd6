"""Supervisors: who labels what, and with which errors."""

from dataclasses import replace

import numpy as np
import pytest

from superalign.errors import InputError
from superalign.weak_to_strong.labels import labels_of
from superalign.weak_to_strong.splits import split
from superalign.weak_to_strong.supervisors import (
    Feature,
    NoisyOracle,
    Recorded,
    bag_of_words,
    flip,
    parse_noisy,
)
from superalign.weak_to_strong.tasks import Task

N = 900


def task(recorded: np.ndarray | None = None) -> Task:
    truth = (np.arange(N) * 7919 % 2).astype(np.int64)
    texts = tuple((f"{'fine' if t else 'poor'} thing {i}",) for i, t in enumerate(truth))
    return Task("t", "classes", ("0", "1"), texts, truth, tuple(map(str, range(N))), None, recorded)


def test_the_noisy_oracle_errs_as_told() -> None:
    made, cut = task(), split(task(), 0)
    told = NoisyOracle(0.9, 0.6).supervise(made, cut, 0)
    truth = made.truth[cut.student]
    right = told.labels.hard == truth
    assert right[truth == 1].mean() == pytest.approx(0.9, abs=0.06)
    assert right[truth == 0].mean() == pytest.approx(0.6, abs=0.09)
    assert told.labels.cost == 0
    again = NoisyOracle(0.9, 0.6).supervise(made, cut, 0)
    assert (again.labels.hard == told.labels.hard).all()


def test_a_flipped_label_is_another_class() -> None:
    truth = np.arange(3000) % 3
    told = flip(truth, np.ones(3000), 3, np.random.default_rng(0))
    assert (told != truth).all()
    assert np.bincount((told - truth) % 3, minlength=3)[1:].tolist() == pytest.approx(
        [1500] * 2, abs=120
    )


@pytest.mark.parametrize("name", ["noisy:", "noisy:0.5", "noisy:a,b", "noisy:1.2,0.5"])
def test_a_bad_oracle_is_refused(name: str) -> None:
    with pytest.raises(InputError, match="SENSITIVITY,SPECIFICITY"):
        parse_noisy(name)


def test_a_bag_of_words_learns_from_its_half_only() -> None:
    made, cut = task(), split(task(), 0)
    found = Feature("bow", bag_of_words).supervise(made, cut, 0)
    assert (found.labels.hard == made.truth[cut.student]).mean() > 0.95
    assert found.labels.cost == len(cut.supervisor)
    upside = replace(made, truth=made.truth.copy())
    upside.truth[cut.student] = 1 - upside.truth[cut.student]
    upside.truth[cut.test] = 1 - upside.truth[cut.test]
    again = Feature("bow", bag_of_words).supervise(upside, cut, 0)
    assert (again.labels.probability == found.labels.probability).all()


def test_recorded_labels_need_the_test_rows() -> None:
    made = task()
    with pytest.raises(InputError, match="no recorded labels"):
        Recorded().supervise(made, split(made, 0), 0)
    recorded = made.truth.copy()
    cut = split(made, 0)
    recorded[cut.student[:10]] = -1
    known = task(recorded)
    found = Recorded().supervise(known, cut, 0)
    assert found.labels.used == len(cut.student) - 10
    recorded[cut.test[0]] = -1
    with pytest.raises(InputError, match="1 test rows have none"):
        Recorded().supervise(task(recorded), cut, 0)


def test_labels_must_be_distributions_and_nan_is_missing() -> None:
    found = labels_of("s", np.array([[0.2, 0.8], [np.nan, np.nan]]), cost=3)
    assert found.weight.tolist() == [1, 0]
    assert found.confidence.tolist() == pytest.approx([0.6, 0])
    assert (found.used, found.cost) == (1, 3)
    with pytest.raises(ValueError, match="sum to 1"):
        labels_of("s", np.array([[0.2, 0.7]]))
