"""Building and measuring a zoo: in pieces, in other processes, and never twice."""

from pathlib import Path

import pytest

from superalign.models import LocalModel
from superalign.stress.recipe import Recipe
from superalign.validation.workers import Station, run


def recipes(base: LocalModel) -> list[Recipe]:
    parent = Recipe("twin", "json_format", base.base_hash, rank=1)
    child = Recipe("twin", "quantised", base.base_hash, rank=1, parents=(parent.id,))
    return [child, parent]  # the wrong way round: the child has to wait


def test_a_child_waits_for_its_parent_and_nothing_is_done_twice(
    base: LocalModel, tmp_path: Path
) -> None:
    station, wanted = Station(tmp_path, base), recipes(base)
    said: list[str] = []
    run(station, wanted, 1, lambda phase, share, note: said.append(note))
    assert said == [wanted[1].title, wanted[0].title, ""]
    assert all(station.done(r) for r in wanted)
    stamps = {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*.json")}
    run(station, wanted, 1, lambda phase, share, note: said.append(note))
    assert {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*.json")} == stamps
    assert said[3:] == [""]


def test_a_zoo_that_was_measured_before_anybody_looked_inside_is_read_without_it(
    base: LocalModel, tmp_path: Path
) -> None:
    station, [recipe] = Station(tmp_path, base), recipes(base)[1:]
    station.work(recipe)
    member = station.zoo.member(recipe)
    assert member is not None
    assert station.measured(member).inside is not None
    for path in (tmp_path / "measured").glob("*-inside-*"):
        path.unlink()
    assert station.done(recipe)
    assert station.measured(member).inside is None


def test_a_zoo_from_before_words_were_looked_at_gets_that_look_alone(
    base: LocalModel, tmp_path: Path
) -> None:
    station, [recipe] = Station(tmp_path, base), recipes(base)[1:]
    station.work(recipe)
    read = {p: p.stat().st_mtime_ns for p in (tmp_path / "measured").iterdir()}
    [words] = (tmp_path / "measured").glob("*-words-*")
    words.unlink()
    assert not station.done(recipe)
    station.work(recipe)
    assert station.done(recipe)
    now = {p: p.stat().st_mtime_ns for p in (tmp_path / "measured").iterdir()}
    assert {p for p in now if now[p] != read.get(p)} == {words}


def test_no_time_left_begins_nothing(base: LocalModel, tmp_path: Path) -> None:
    station, wanted = Station(tmp_path, base), recipes(base)
    run(station, wanted, 1, lambda *_: None, minutes=0)
    assert not any(station.done(r) for r in wanted)


@pytest.mark.slow
def test_two_processes_make_the_same_models(base: LocalModel, tmp_path: Path) -> None:
    hashes = []
    for workers in (1, 2):
        station = Station(tmp_path / str(workers), base)
        run(station, recipes(base), workers, lambda *_: None)
        found = [station.zoo.member(r) for r in recipes(base)]
        hashes.append([base.with_adapter(m.adapter).weight_hash for m in found if m])
    assert hashes[0] == hashes[1]
    assert len(hashes[0]) == 2
