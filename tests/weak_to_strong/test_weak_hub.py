"""Data sets of the hub: names, class numbers, and one line for what cannot be had."""

import sys
from types import SimpleNamespace
from typing import Any

import pytest
import weak_toy

from superalign.errors import InputError
from superalign.weak_to_strong.hub import MOST_ROWS, hub_parts, hub_rows
from superalign.weak_to_strong.settings import TaskSource
from superalign.weak_to_strong.tasks import load_task


class FakeSet(list[dict[str, Any]]):
    """What ``load_dataset`` gives: rows with features, of which ``label`` has class names."""

    @property
    def features(self) -> dict[str, Any]:
        return {"text": SimpleNamespace(), "label": SimpleNamespace(names=["bad", "good"])}

    def shuffle(self, seed: int) -> "FakeSet":
        assert seed == 0
        return FakeSet(self[::-1])

    def select(self, rows: range) -> "FakeSet":
        return FakeSet(self[i] for i in rows)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """The library replaced by 200 reviews of the toy world; gives the calls made."""
    calls: list[tuple[Any, ...]] = []

    def load_dataset(name: str, configuration: str | None, **rest: Any) -> FakeSet:
        calls.append((name, configuration, rest["split"], rest["revision"]))
        return FakeSet(weak_toy.reviews(200))

    monkeypatch.setitem(sys.modules, "datasets", SimpleNamespace(load_dataset=load_dataset))
    return calls


@pytest.mark.parametrize(
    ("path", "parts"),
    [
        ("hub:imdb", ("imdb", None, None, "train")),
        ("hub:owner/set:test", ("owner/set", None, None, "test")),
        ("hub:owner/set@v2:sst2:validation", ("owner/set", "v2", "sst2", "validation")),
    ],
)
def test_a_name_may_carry_revision_configuration_and_split(
    path: str, parts: tuple[str, ...]
) -> None:
    assert hub_parts(path) == parts


@pytest.mark.parametrize("path", ["hub:", "hub:a:b:c:d", "hub:a:", "hub:a@:test"])
def test_another_form_is_one_line(path: str) -> None:
    with pytest.raises(InputError, match=r"allowed: hub:NAME\[@REVISION\]\[:SPLIT\]"):
        hub_parts(path)


def test_a_task_comes_from_the_hub_with_named_classes(asked: list[tuple[Any, ...]]) -> None:
    task = load_task(TaskSource(path="hub:owner/films:test"), 100)
    assert asked == [("owner/films", None, "test", None)]
    assert (task.name, task.n, task.classes) == ("films", 100, ("bad", "good"))
    assert load_task(TaskSource(path="hub:glue:sst2:train"), 100).name == "sst2"


def test_a_withheld_label_is_missing_and_a_large_set_is_drawn_from(
    asked: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = FakeSet({"text": f"t {i}", "label": (-1, 1)[i % 2]} for i in range(MOST_ROWS + 10))
    monkeypatch.setattr(sys.modules["datasets"], "load_dataset", lambda *_, **__: rows)
    found = hub_rows("hub:large")
    assert len(found) == MOST_ROWS
    assert found[0] == {"text": f"t {MOST_ROWS + 9}", "label": "good"}
    assert found[1]["label"] is None


@pytest.mark.parametrize(
    "error",
    [
        ConnectionError("Couldn't reach 'owner/films' on the Hub\nmore"),
        ValueError("Unknown split"),
        RuntimeError("Dataset scripts are no longer supported"),
    ],
)
def test_what_cannot_be_loaded_is_one_line(
    asked: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(sys.modules["datasets"], "load_dataset", fail)
    with pytest.raises(InputError, match="hub:owner/films: cannot be loaded") as caught:
        hub_rows("hub:owner/films")
    assert str(error).splitlines()[0] in str(caught.value)
    assert "\n" not in str(caught.value)


def test_without_the_library_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(InputError, match=r"install the extra superalign\[hub\]"):
        hub_rows("hub:owner/films")


def test_the_real_library_offline_gives_one_line() -> None:
    pytest.importorskip("datasets")
    with pytest.raises(InputError, match="cannot be loaded") as caught:
        hub_rows("hub:superalign-tests/no-such-set")
    assert "\n" not in str(caught.value)
