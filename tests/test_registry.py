"""The one hook file: built-ins and third parties register alike."""

from typing import Any

import pytest

from superalign import registry
from superalign.errors import InputError
from superalign.registry import (
    lookup,
    register_algorithm,
    register_attack,
    register_critic,
    register_method,
    register_task,
    registered,
)

REGISTER = {
    "task": register_task,
    "attack": register_attack,
    "critic": register_critic,
    "algorithm": register_algorithm,
    "method": register_method,
}
KINDS = pytest.mark.parametrize("kind", registry.KINDS)


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a test registers is forgotten after it."""
    kept = {kind: dict(items) for kind, items in registry._REGISTRIES.items()}
    monkeypatch.setattr(registry, "_REGISTRIES", kept)
    monkeypatch.setattr(registry, "_LOADED", set(registry._LOADED))


@KINDS
def test_what_is_registered_is_found_and_returned_unchanged(kind: str) -> None:
    class Mine:
        pass

    assert REGISTER[kind]("mine")(Mine) is Mine
    assert lookup(kind, "mine") is Mine
    assert registered(kind)["mine"] is Mine


@KINDS
def test_a_name_taken_is_refused_and_the_first_stays(kind: str) -> None:
    first, second = object(), object()
    REGISTER[kind]("mine")(first)
    with pytest.raises(ValueError, match=f"{kind} 'mine' is registered twice"):
        REGISTER[kind]("mine")(second)
    assert lookup(kind, "mine") is first
    REGISTER[kind]("mine")(first)  # the same once more, as when a module is loaded again


def test_kinds_are_apart() -> None:
    one, other = object(), object()
    register_task("mine")(one)
    register_critic("mine")(other)
    assert (lookup("task", "mine"), lookup("critic", "mine")) == (one, other)


def test_an_unknown_name_lists_what_is_allowed() -> None:
    import superalign.loop  # noqa: F401  (registers the built-ins)

    with pytest.raises(InputError) as error:
        lookup("task", "chess")
    assert str(error.value) == (
        "unknown task 'chess'; allowed: benign, bias, ethics, gym, mathematics, safety, truthfulness"
    )


def test_what_is_registered_is_sorted_and_a_copy() -> None:
    register_critic("zzz")(object())
    register_critic("aaa")(object())
    found = registered("critic")
    assert list(found) == sorted(found)
    found.clear()
    assert "zzz" in registered("critic")


def test_third_parties_come_by_entry_points_once(monkeypatch: pytest.MonkeyPatch) -> None:
    loads: list[str] = []

    class Point:
        name = "geography"

        def load(self) -> Any:
            loads.append(self.name)
            return Point

    monkeypatch.setattr(
        registry, "entry_points", lambda group: [Point()] if group == "superalign.task" else []
    )
    registry._LOADED.clear()
    assert lookup("task", "geography") is Point
    assert lookup("task", "geography") is Point
    assert loads == ["geography"]
