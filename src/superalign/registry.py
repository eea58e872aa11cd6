"""The one hook file: every extension point, for built-ins and third parties alike.

A third party adds a class to the entry-point group ``superalign.<kind>`` or calls the decorator::

    @register_task("geography")
    class Geography: ...
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import entry_points
from typing import Any, TypeVar

from superalign.errors import InputError

T = TypeVar("T")
KINDS = ("task", "attack", "critic", "algorithm", "method")
_REGISTRIES: dict[str, dict[str, Any]] = {kind: {} for kind in KINDS}
_LOADED: set[str] = set()


def _register(kind: str, name: str) -> Callable[[T], T]:
    def decorate(item: T) -> T:
        known = _REGISTRIES[kind].get(name)
        if known is not None and known is not item:
            raise ValueError(f"{kind} '{name}' is registered twice")
        _REGISTRIES[kind][name] = item
        return item

    return decorate


def register_task(name: str) -> Callable[[T], T]:
    """Register a task class (see ``superalign.tasks.base.Task``)."""
    return _register("task", name)


def register_attack(name: str) -> Callable[[T], T]:
    """Register an attack operator (see ``superalign.attack.base.Operator``)."""
    return _register("attack", name)


def register_critic(name: str) -> Callable[[T], T]:
    """Register a critic member (see ``superalign.critic.base.Member``)."""
    return _register("critic", name)


def register_algorithm(name: str) -> Callable[[T], T]:
    """Register a learner algorithm (see ``superalign.learner.algorithms``)."""
    return _register("algorithm", name)


def register_method(name: str) -> Callable[[T], T]:
    """Register a weak-to-strong method (see ``superalign.weak_to_strong.method.Method``)."""
    return _register("method", name)


def registered(kind: str) -> dict[str, Any]:
    """All registered items of ``kind`` by name, sorted; entry points are loaded on first use."""
    if kind not in _LOADED:
        _LOADED.add(kind)
        for point in entry_points(group=f"superalign.{kind}"):
            _register(kind, point.name)(point.load())
    return dict(sorted(_REGISTRIES[kind].items()))


def lookup(kind: str, name: str) -> Any:
    """The item of ``kind`` called ``name``.

    Raises:
        InputError: no such item; the message lists what is allowed.
    """
    items = registered(kind)
    if name not in items:
        raise InputError(f"unknown {kind} '{name}'; allowed: {', '.join(items)}")
    return items[name]
