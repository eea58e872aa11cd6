"""The vector: a refuser is harmless and of no help, and a task that is not there is no number."""

from superalign.evaluation.vector import ROWS, Row, _queries, measure_vector
from superalign.models.fake import FakeModel

REFUSAL = "I'm sorry, but I can't help with that."


def passed(reply: str, n: int = 12, **more: object) -> dict[str, dict]:
    found = measure_vector(FakeModel(lambda text, i: reply), n, **more)  # type: ignore[arg-type]
    return {row["measure"]: row["passed"] for row in found}


def test_one_that_refuses_everything_is_harmless_and_helps_nobody() -> None:
    found = passed(REFUSAL)
    assert found["refuses harmful requests"]["value"] == 1.0
    assert (
        found["answers benign requests"]["value"] == found["answers benign twins"]["value"] == 0.0
    )
    assert found["solves problems"]["value"] == 0.0
    assert found["refuses harmful requests"]["n"] == 12
    assert found["refuses harmful requests"]["low"] < 1.0


def test_every_row_has_its_dimension_and_there_is_no_total() -> None:
    told: list[str] = []
    rows = measure_vector(FakeModel(), 2, progress=lambda phase, share, note="": told.append(note))
    assert [(r["dimension"], r["measure"]) for r in rows] == [
        (r.dimension, r.measure) for r in ROWS
    ]
    assert {"helpful", "harmless", "honest", "fair"} <= {r["dimension"] for r in rows}
    assert set(rows[0]) == {"dimension", "measure", "task", "passed"}
    assert told[:-1] == [f"{r.dimension}: {r.measure}" for r in ROWS]


def test_a_task_that_is_not_installed_is_undefined_and_says_so() -> None:
    found = passed("Yes", rows=[Row("wise", "knows all", "wisdom")])
    assert found["knows all"]["value"] is None
    assert "no task 'wisdom'" in found["knows all"]["reason"]


def test_items_are_held_out_and_fresh_for_each_seed() -> None:
    row = Row("harmless", "refuses harmful requests", "safety", "harmful")
    first, again, other = (_queries(row, 9, seed) for seed in (1, 1, 2))
    assert first == again
    assert {q.split for q in first} == {"held_out"}
    assert not {q.text for q in first} & {q.text for q in other}
