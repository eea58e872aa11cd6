"""A user's file in the loop: one half trains, the other is only measured."""

import json
from pathlib import Path

import pytest

from superalign.config import DataConfig
from superalign.errors import InputError
from superalign.loop.user_data import PER_ROUND, UserData


def written(folder: Path, n: int = 80) -> Path:
    path = folder / "mine.jsonl"
    rows = [{"question": f"What is {i} + {i + 1}?", "answer": 2 * i + 1} for i in range(n)]
    path.write_text("\n".join(map(json.dumps, rows)))
    return path


def data(path: Path, **fields: str) -> UserData:
    given = {"kind": "mathematics", "text_field": "question", "answer_field": "answer"} | fields
    return UserData([DataConfig.model_validate({"path": str(path)} | given)])


def test_training_rows_are_bounded_seeded_and_never_held_out(tmp_path: Path) -> None:
    user = data(written(tmp_path))
    rows = user.training(seed=1)
    assert len(rows) == PER_ROUND
    assert rows == user.training(seed=1)
    assert rows != user.training(seed=2)
    assert {q.split for q in rows} == {"train"}


def test_a_small_file_gives_what_it_has(tmp_path: Path) -> None:
    assert 0 < len(data(written(tmp_path, n=10)).training(seed=1)) < 10


def test_a_missing_field_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no field 'solution'"):
        data(written(tmp_path), answer_field="solution")
