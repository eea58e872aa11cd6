"""One way through the house: an import may only point to an earlier room (lazy imports too)."""

import ast
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parent.parent / "src" / "superalign"

# The order of design.md. Rooms on one floor may not import each other, but for the OPEN floors.
# The package itself (``from superalign import load_model``) is what the cli and the web see.
FLOORS: list[set[str]] = [
    {"records", "errors", "registry", "files"},
    {"sections", "config", "store", "statistics"},
    {"models"},
    {"tasks"},
    {"learner"},
    {"attack", "critic"},
    {"oversight"},
    {"signals", "weak_to_strong"},
    {"evaluation"},
    {"campaign"},
    {"stress"},
    {"explaining"},
    {"validation"},
    {"loop"},
    {"researcher"},
    {"report"},
    {"__init__"},
    {"doctor"},
    {"cli", "web"},
    {"__main__"},
]
OPEN = {0, 1}
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}


def room_of(file: Path, source: Path) -> str:
    return file.relative_to(source).parts[0].removesuffix(".py")


def imported(file: Path, source: Path) -> Iterator[tuple[int, str]]:
    """Line and dotted module of each import of superalign's own, wherever in ``file`` it stands."""
    package = ["superalign", *file.relative_to(source).parent.parts]
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        for module in modules_of(node, package):
            if module.split(".")[0] == "superalign":
                yield getattr(node, "lineno", 0), module


def modules_of(node: ast.AST, package: list[str]) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        base = package[: len(package) - node.level + 1] if node.level else []
        origin = ".".join([*base, *([node.module] if node.module else [])])
        if origin != "superalign":
            return [origin]
        return [f"superalign.{a.name}" if a.name in FLOOR else origin for a in node.names]
    if isinstance(node, ast.Call) and node.args:
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        target = getattr(node.args[0], "value", None)
        if name in ("import_module", "__import__") and isinstance(target, str):
            return [".".join(package) + target if target.startswith(".") else target]
    return []


def violations(source: Path) -> list[str]:
    found = []
    for file in sorted(source.rglob("*.py")):
        here = room_of(file, source)
        if here not in FLOOR:
            found.append(f"{file.relative_to(source)}: room '{here}' is not in the order")
            continue
        for line, module in imported(file, source):
            there = [*module.split("."), "__init__"][1]
            if not may_import(here, there):
                found.append(f"{file.relative_to(source)}:{line}: {here} imports {there}")
    return found


def may_import(here: str, there: str) -> bool:
    if here == there:
        return True
    if there not in FLOOR:
        return False
    same = FLOOR[here] == FLOOR[there]
    return (same and FLOOR[here] in OPEN) or FLOOR[there] < FLOOR[here]


def test_imports_point_to_earlier_rooms() -> None:
    assert violations(SOURCE) == []


def test_the_learner_sees_no_judge_audit_or_stress_test() -> None:
    for there in ("validation", "stress", "critic", "oversight", "evaluation", "attack", "loop"):
        assert not may_import("learner", there)


@pytest.mark.parametrize(
    ("here", "there"), [("cli", "web"), ("web", "cli"), ("attack", "critic"), ("loop", "report")]
)
def test_rooms_that_never_meet(here: str, there: str) -> None:
    assert not may_import(here, there)


PLANTED = {
    "plain": "import superalign.stress\n",
    "from": "from superalign.validation.probes import Probe\n",
    "from the package": "from superalign import stress\n",
    "the package itself": "from superalign import load_model\n",
    "relative": "from ..critic import base\n",
    "relative to the package": "from .. import critic\n",
    "lazy": "def f():\n    from superalign.loop import run\n    return run\n",
    "for types": "if TYPE_CHECKING:\n    from superalign.report import html\n",
    "import_module": "import importlib\nimportlib.import_module('superalign.web')\n",
    "unknown room": "import superalign.attic\n",
}


@pytest.mark.parametrize("code", PLANTED.values(), ids=PLANTED.keys())
def test_a_planted_violation_is_caught(tmp_path: Path, code: str) -> None:
    (tmp_path / "learner").mkdir()
    (tmp_path / "learner" / "losses.py").write_text(code)
    assert len(violations(tmp_path)) == 1


def test_what_is_allowed_is_not_reported(tmp_path: Path) -> None:
    (tmp_path / "learner").mkdir()
    (tmp_path / "learner" / "losses.py").write_text(
        "import torch\nfrom superalign import records\nfrom superalign.models.base import M\n"
        "from . import adapters\nfrom .adapters import A\nfrom superalign.learner import b\n"
    )
    (tmp_path / "store.py").write_text("from superalign.config import RunConfig\n")
    (tmp_path / "cli.py").write_text("from superalign import load_model\n")
    assert violations(tmp_path) == []


def test_a_room_outside_the_order_is_reported(tmp_path: Path) -> None:
    (tmp_path / "attic.py").write_text("")
    assert violations(tmp_path) == ["attic.py: room 'attic' is not in the order"]


def test_tests_cannot_leave_the_machine() -> None:
    with socket.socket() as sock, pytest.raises(AssertionError, match="tried to connect"):
        sock.connect(("192.0.2.1", 80))
