import errno
import json
import os
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import event

from superalign import files
from superalign.errors import InputError, StoreError
from superalign.records import Label, Message, Query, Response
from superalign.store import RunStore

CONFIG = "seed: 0\n"


def query(i: int = 0) -> Query:
    turn = Message(role="user", content=f"What is {i} + 1?\u2028 ½ 好")
    return Query(
        domain="mathematics",
        family="sum",
        split="train",
        messages=(turn,),
        truth={"answer": str(i + 1), "list": [1, 2]},
    )


def label(response: str = "r", value: float | None = 1.0) -> Label:
    return Label(response=response, value=value, source="simulated human", parent=response)


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    return RunStore.create(tmp_path / "run", CONFIG)


# Making and opening


def test_a_new_run_has_its_parts(store: RunStore) -> None:
    names = {path.name for path in store.path.iterdir()}
    assert {"config.yaml", "records.sqlite", "log.jsonl", "checkpoints"} <= names
    assert store.config_yaml == CONFIG
    assert [path.name for path in store.path.parent.iterdir()] == ["run"]


def test_an_empty_folder_a_deep_path_and_odd_names_are_fine(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for name in ("empty", "a/b/c", "50% off?#1 ü"):
        with RunStore.create(tmp_path / name, CONFIG) as store:
            store.finish_phase("a", {"x": 1})
            assert (tmp_path / name / "records.sqlite").is_file()


def test_a_taken_folder_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("precious")
    with pytest.raises(InputError, match="not a run"):
        RunStore.create(tmp_path, CONFIG)
    with pytest.raises(InputError, match=r"thesis\.tex is taken"):
        RunStore.create(tmp_path / "thesis.tex", CONFIG)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_an_existing_run_needs_resume_and_the_same_configuration(store: RunStore) -> None:
    store.finish_phase("a", {"x": 1})
    store.close()
    with pytest.raises(InputError, match="--resume"):
        RunStore.create(store.path, CONFIG)
    with pytest.raises(InputError, match="another configuration"):
        RunStore.create(store.path, "seed: 1\n", resume=True)
    with RunStore.create(store.path, CONFIG, resume=True) as again:
        assert again.phase_payload("a") == {"x": 1}


def test_what_is_no_run_cannot_be_opened(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none"):
        with pytest.raises(InputError, match="is not a run"):
            RunStore.open(path)


def test_another_schema_is_refused(store: RunStore) -> None:
    store.close()
    with sqlite3.connect(store.path / "records.sqlite") as connection:
        connection.execute("PRAGMA user_version=99")
    with pytest.raises(InputError, match="schema 99"):
        RunStore.open(store.path)


def test_a_broken_database_is_one_line(store: RunStore) -> None:
    store.close()
    (store.path / "records.sqlite").write_bytes(b"not a database at all" * 99)
    with pytest.raises(StoreError, match="file is not a database") as caught:
        RunStore.open(store.path)
    assert "\n" not in str(caught.value)


def test_the_current_folder_cannot_become_a_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="current folder"):
        RunStore.create(Path(), CONFIG)


# Phases and records


def test_a_phase_is_there_with_all_its_parts(store: RunStore) -> None:
    assert not store.phase_done("round 1/attack")
    pairs = [("queries", query(1)), ("queries", query(2)), ("labels", label())]
    given = {"n": 2, "pair": (1, 2)}
    kept = store.finish_phase("round 1/attack", given, pairs, 1.5, round=1)
    assert store.phase_done("round 1/attack")
    assert store.phase_payload("round 1/attack") == kept == {"n": 2, "pair": [1, 2]}
    assert store.records(Query) == [query(1), query(2)]
    assert store.records(Query, "queries")[0].messages[0].content == query(1).messages[0].content
    assert store.records(Query, "elsewhere") == []
    assert store.records(Label) == [label()]


def test_records_keep_their_number_their_order_and_their_floats(store: RunStore) -> None:
    answer = Response(query="q", text="x", tokens=(3, 1), logprobs=(-0.1 - 0.2, float("-inf")))
    store.finish_phase("a", {}, [("a", answer), ("a", answer)])
    assert store.records(Response) == [answer, answer]


def test_finishing_again_replaces(store: RunStore) -> None:
    store.finish_phase("a", {"x": 1}, [("q", query(1)), ("q", query(2))], 1.0)
    store.finish_phase("b", {}, [("q", query(3))], 2.0)
    store.finish_phase("a", {"x": 2}, [("q", query(4))], 3.0)
    assert store.records(Query) == [query(3), query(4)]
    assert store.phase_payload("a") == {"x": 2}
    assert store.seconds() == {"b": 2.0, "a": 3.0}


def test_phases_are_in_order_of_finishing(store: RunStore) -> None:
    for i, name in enumerate(["z", "m", "a"]):
        store.finish_phase(name, {"i": i}, seconds=i, round=i)
    assert [(p.name, p.round, p.payload["i"]) for p in store.phases()] == [
        ("z", 0, 0),
        ("m", 1, 1),
        ("a", 2, 2),
    ]


def test_an_unfinished_phase_has_no_payload(store: RunStore) -> None:
    with pytest.raises(StoreError, match="'a' is not finished"):
        store.phase_payload("a")


def test_a_phase_that_cannot_be_written_leaves_nothing(store: RunStore) -> None:
    with pytest.raises(TypeError):
        store.finish_phase("a", {"x": object()}, [("q", query())])
    bad = query().model_copy(update={"truth": {"x": object()}})
    with pytest.raises(TypeError):
        store.finish_phase("a", {}, [("q", query()), ("q", bad)])
    assert not store.phase_done("a")
    assert store.records(Query) == []


def test_labels_are_appended_at_once_and_survive_phases(store: RunStore) -> None:
    store.add_labels([label("r1")])
    store.add_labels([])
    store.finish_phase("a", {}, [("a", label("r2"))])
    store.finish_phase("a", {}, [("a", label("r2"))])
    assert [kept.response for kept in store.records(Label)] == ["r1", "r2"]
    assert store.records(Label, "labels") == [label("r1")]


# Readers and writers


def test_readers_need_no_lock_but_cannot_write(store: RunStore) -> None:
    store.finish_phase("a", {"x": 1})
    with RunStore.open(store.path) as reader:
        assert reader.phase_payload("a") == {"x": 1}
        store.finish_phase("b", {})
        assert reader.phase_done("b")
        with pytest.raises(StoreError, match="reading only"):
            reader.add_labels([label()])


def test_only_one_writer_and_the_message_names_it(store: RunStore) -> None:
    with pytest.raises(StoreError, match=f"in use by process {os.getpid()};"):
        RunStore.open(store.path, write=True)
    store.close()
    RunStore.open(store.path, write=True).close()


def test_a_closed_run_is_one_database_file(store: RunStore) -> None:
    store.finish_phase("a", {}, [("q", query())])
    store.close()
    assert [path.name for path in store.path.glob("records.sqlite*")] == ["records.sqlite"]


# Files


def test_files_appear_whole(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    store.write_json("summary.json", {"x": None})
    monkeypatch.setattr(os, "fsync", _full_disk)
    with pytest.raises(StoreError, match="disk full"):
        store.write_json("summary.json", {"x": 2})
    assert json.loads((store.path / "summary.json").read_text()) == {"x": None}
    assert not list(store.path.glob(".*.part"))


def test_json_is_strict(store: RunStore) -> None:
    with pytest.raises(StoreError, match=r"summary\.json: .*nan"):
        store.write_json("summary.json", {"x": float("nan")})
    with pytest.raises(StoreError, match="not JSON serializable"):
        store.write_json("summary.json", {"x": object()})


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".lock", "/x"])
def test_names_stay_in_the_folder(store: RunStore, name: str) -> None:
    with pytest.raises(ValueError, match="plain file name"):
        store.write_text(name, "")
    with pytest.raises(ValueError, match="plain file name"):
        store.checkpoint_path(name)


def test_the_log_is_one_line_per_event(store: RunStore) -> None:
    store.log("begin", path=store.path, note="two\nlines")
    (store.path / "log.jsonl").open("a").write('{"cut sho')
    store.close()
    with RunStore.open(store.path, write=True) as again:
        again.log("resumed")
    lines = (store.path / "log.jsonl").read_text().splitlines()
    assert [json.loads(lines[i])["event"] for i in (0, 2)] == ["begin", "resumed"]


def fill_and_fail(store: RunStore, message: str) -> None:
    with store.checkpoint("round-1") as folder:
        (folder / "w.safetensors").write_text("three")
        raise RuntimeError(message)


def test_a_checkpoint_appears_whole_and_is_replaced(store: RunStore) -> None:
    for weights in ("one", "two"):
        with store.checkpoint("round-1") as folder:
            (folder / "w.safetensors").write_text(weights)
            assert folder != store.checkpoint_path("round-1")
    with pytest.raises(RuntimeError, match="mine"):
        fill_and_fail(store, "mine")
    assert (store.checkpoint_path("round-1") / "w.safetensors").read_text() == "two"
    assert [path.name for path in (store.path / "checkpoints").iterdir()] == ["round-1"]


@pytest.mark.parametrize("arrived", [True, False])
def test_a_checkpoint_cut_off_between_renames_comes_back(store: RunStore, arrived: bool) -> None:
    folder = store.path / "checkpoints"
    store.close()
    for name in [".a.old", ".b.new", *(["a"] if arrived else [])]:
        (folder / name).mkdir()
        (folder / name / "w").write_text(name)
    RunStore.open(store.path, write=True).close()
    assert [path.name for path in folder.iterdir()] == ["a"]
    assert (folder / "a" / "w").read_text() == ("a" if arrived else ".a.old")


# A full disk


def _full_disk(*_: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_disk_is_refused_before_anything_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files.require_space, "__defaults__", (2**80,))
    with pytest.raises(InputError, match=r"disk full at .* MB free; a run needs at least"):
        RunStore.create(tmp_path / "run", CONFIG)
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_fills_while_a_run_is_made_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "fsync", _full_disk)
    with pytest.raises(StoreError, match="disk full while writing"):
        RunStore.create(tmp_path / "run", CONFIG)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_in_a_checkpoint_is_one_line(store: RunStore) -> None:
    with pytest.raises(StoreError, match="disk full while writing") as caught:
        fill_and_fail(store, "Error while serializing: No space left on device (os error 28)")
    assert "\n" not in str(caught.value)
    assert list((store.path / "checkpoints").iterdir()) == []


def test_a_database_on_a_full_disk_keeps_the_last_phase(store: RunStore) -> None:
    store.finish_phase("a", {"x": 1}, [("q", query())])
    with store._engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()

    def limit(connection: sqlite3.Connection, _: object) -> None:
        connection.execute(f"PRAGMA max_page_count={pages + 2}")  # SQLite's own 'disk is full'

    event.listen(store._engine, "connect", limit)
    with pytest.raises(StoreError, match="disk full while writing"):
        store.finish_phase("b", {}, [("q", query(i)) for i in range(500)])
    event.remove(store._engine, "connect", limit)
    assert not store.phase_done("b")
    assert store.records(Query) == [query()]


def test_an_unwritable_place_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(InputError, match=r"cannot create a run at .*: Permission denied"):
        RunStore.create(tmp_path / "run", CONFIG)
