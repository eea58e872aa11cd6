"""Building and measuring a zoo: in pieces, in other processes, and never twice."""

from dataclasses import replace
from pathlib import Path

import pytest

from superalign.models import LocalModel
from superalign.stress.recipe import Recipe
from superalign.validation.hidden import HiddenLook
from superalign.validation.workers import CLOSE, INSIDE, QUICK, Station, run


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


def test_looks_are_taken_once_and_each_alone(base: LocalModel, tmp_path: Path) -> None:
    station, [recipe] = Station(tmp_path, base), recipes(base)[1:]
    station.work(recipe)
    member = station.zoo.member(recipe)
    assert member is not None
    assert (station.done(recipe), station.done(recipe, CLOSE)) == (True, False)
    measured = station.measured(member)
    assert (measured.words, measured.hidden, measured.inside) == (None, None, None)

    read = {p: p.stat().st_mtime_ns for p in (tmp_path / "measured").iterdir()}
    run(station, [recipe], 1, lambda *_: None, looks=(*CLOSE, *INSIDE))
    assert station.done(recipe, (*QUICK, *CLOSE, *INSIDE))
    assert {p: p.stat().st_mtime_ns for p in read} == read
    measured = station.measured(member)
    assert measured.words is not None
    assert measured.hidden is not None
    assert measured.hidden.unlocked is None  # a twin: no verdict rests on facts that come back
    assert measured.inside is not None

    [hidden] = (tmp_path / "measured").glob("*-hidden-*")
    hidden.unlink()
    assert not station.done(recipe, CLOSE)
    assert station.done(recipe, INSIDE)
    station.look(replace(member, recipe=replace(recipe, kind="organism")), CLOSE)
    made = {*(tmp_path / "measured").iterdir()} - {*read}
    organism = next(p for p in made if "hidden" in p.name)
    assert HiddenLook.load(organism).unlocked is not None


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
