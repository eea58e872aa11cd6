"""Tasks from files, and the split rule."""

from pathlib import Path

import numpy as np
import pytest
import weak_toy

from superalign.errors import InputError
from superalign.weak_to_strong.settings import TaskSource
from superalign.weak_to_strong.splits import split
from superalign.weak_to_strong.tasks import Task, load_task


def load(path: Path, rows: int = 1000, **fields: str) -> Task:
    return load_task(TaskSource(path=str(path), **fields), rows)


def test_a_larger_task_begins_with_the_smaller_one(tmp_path: Path) -> None:
    path = weak_toy.write(tmp_path / "reviews.jsonl", weak_toy.reviews(200))
    small, large = load(path, 80), load(path, 160)
    assert small.texts == large.texts[:80]
    assert small.name == "reviews"
    assert small.classes == ("0", "1")


def test_a_text_with_two_labels_has_no_truth(tmp_path: Path) -> None:
    rows = weak_toy.reviews(100)
    rows += [{"text": rows[0]["text"], "label": 1 - int(str(rows[0]["label"]))}]
    rows += [{"text": "", "label": 1}, {"text": "no label", "label": None}]
    task = load(weak_toy.write(tmp_path / "t.jsonl", rows))
    assert task.n == 99
    assert (rows[0]["text"],) not in task.texts
    assert task.missing == 2


def test_several_fields_become_one_text_and_the_first_one_groups(tmp_path: Path) -> None:
    rows = [
        {"question": f"is it {i // 4} ?", "answer": f"yes {i} of course", "label": i % 2}
        for i in range(120)
    ]
    task = load(weak_toy.write(tmp_path / "t.jsonl", rows))
    assert task.texts[0][0].startswith("Question: is it ")
    assert "\nAnswer: yes " in task.texts[0][0]
    assert len(set(task.groups)) == 30
    assert len(set(load(weak_toy.write(tmp_path / "t.jsonl", rows), 60).groups)) == 30


def test_pairs_are_shuffled_by_hash_and_balanced(tmp_path: Path) -> None:
    rows = [{"better": f"good {i}", "worse": f"bad {i}"} for i in range(200)]
    task = load(weak_toy.write(tmp_path / "t.jsonl", rows))
    assert task.kind == "pairs"
    assert 0.35 < task.truth.mean() < 0.65
    assert all(
        texts[1 - t].startswith("good") for texts, t in zip(task.texts, task.truth, strict=True)
    )


def test_recorded_weak_labels_may_be_missing(tmp_path: Path) -> None:
    rows = weak_toy.reviews(100)
    for i, row in enumerate(rows):
        row["weak"] = None if i % 5 == 0 else row["label"]
    task = load(weak_toy.write(tmp_path / "t.jsonl", rows), weak_field="weak")
    assert task.recorded is not None
    assert (task.recorded == -1).sum() == 20
    known = task.recorded >= 0
    assert (task.recorded[known] == task.truth[known]).all()


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"text_field": "body"}, "no row has field 'body'; present: id, label, text"),
        ({"label_field": "id"}, "classes in field 'id'; allowed: 2 to 20"),
        ({"better_field": "text"}, "go together"),
    ],
)
def test_a_wrong_field_is_one_line(tmp_path: Path, fields: dict[str, str], words: str) -> None:
    path = weak_toy.write(tmp_path / "t.jsonl", weak_toy.reviews(100))
    with pytest.raises(InputError, match=words):
        load(path, **fields)


def test_too_few_rows_are_refused(tmp_path: Path) -> None:
    path = weak_toy.write(tmp_path / "t.jsonl", weak_toy.reviews(30))
    with pytest.raises(InputError, match="30 usable rows; allowed: 60 or more"):
        load(path)


def grouped(n: int = 300) -> Task:
    truth = np.arange(n) % 2
    texts = tuple((f"text {i}",) for i in range(n))
    return Task("t", "classes", ("0", "1"), texts, truth, tuple(f"g{i // 3}" for i in range(n)))


def test_the_three_parts_cover_the_rows_and_share_no_group() -> None:
    task = grouped()
    cut = split(task, 0)
    parts = (cut.supervisor, cut.student, cut.test)
    assert sorted(np.concatenate(parts)) == list(range(300))
    groups = [{task.groups[i] for i in part} for part in parts]
    assert not groups[0] & groups[1]
    assert not groups[0] & groups[2]
    assert not groups[1] & groups[2]
    assert [len(p) for p in parts] == pytest.approx([100, 100, 100], abs=3)


def test_the_test_set_is_the_same_for_every_seed_and_the_halves_are_not() -> None:
    first, second = split(grouped(), 0), split(grouped(), 1)
    assert first.test.tolist() == second.test.tolist()
    assert first.student.tolist() != second.student.tolist()


@pytest.mark.parametrize("name", ["ethics", "safety"])
def test_the_projects_generators_are_tasks(name: str) -> None:
    task = load_task(TaskSource(path=f"task:{name}"), 120)
    assert task.n == 120
    assert task.name == name
    assert task.classes == ("0", "1")
    assert 0.3 < task.truth.mean() < 0.7
    assert len(set(task.groups)) < 120 or name == "safety"
    with pytest.raises(InputError, match="allowed: task:ethics, task:safety"):
        load_task(TaskSource(path="task:mathematics"), 120)
