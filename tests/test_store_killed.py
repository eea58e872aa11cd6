"""A process that writes a run and is killed: what it leaves is whole."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from superalign import files
from superalign.records import Label
from superalign.store import RunStore

WRITER = """
    import os, signal, sys
    from pathlib import Path
    from superalign import store as module
    from superalign.records import Label
    store = module.RunStore.create(Path(sys.argv[1]), "seed: 0\\n", resume=True)
    labels = lambda i: [("l", Label(response=f"{i}.{j}", value=1.0, source="verifier"))
                        for j in range(50)]
    start = len(store.phases())
    print("ready", flush=True)
"""
FOREVER = """
    for i in range(start, 10**6):
        with store.checkpoint("last") as folder:
            (folder / "i").write_text(str(i))
        store.finish_phase(f"p{i}", {"i": i}, labels(i), 0.5)
        store.write_json("summary.json", {"i": i})
        store.log("phase", i=i)
"""
INSIDE = """
    from sqlalchemy import event
    def die(connection, cursor, statement, *rest):
        if statement.startswith(sys.argv[2]):
            os.kill(os.getpid(), signal.SIGKILL)
    store.finish_phase("p0", {"i": 0}, labels(0), 0.5)
    event.listen(store._engine, "after_cursor_execute", die)
    store.finish_phase("p1", {"i": 1}, labels(1), 0.5)
"""


def start(body: str, *args: object) -> subprocess.Popen[str]:
    code = textwrap.dedent(WRITER) + textwrap.dedent(body)
    environment = {**os.environ, "PYTHONPATH": str(Path(files.__file__).parents[1])}
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, args)],
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    )


def consistent(path: Path) -> int:
    """Open for writing, check that every phase is whole, and count them."""
    with RunStore.open(path, write=True) as store:
        phases = store.phases()
        assert [p.payload["i"] for p in phases] == list(range(len(phases)))
        expected = [f"{i}.{j}" for i in range(len(phases)) for j in range(50)]
        assert [kept.response for kept in store.records(Label)] == expected
        assert sum(store.seconds().values()) == 0.5 * len(phases)
        return len(phases)


@pytest.mark.parametrize("statement", ["INSERT INTO records", "INSERT INTO phases", "DELETE"])
def test_killed_inside_a_phase(tmp_path: Path, statement: str) -> None:
    child = start(INSIDE, tmp_path / "run", statement)
    assert child.wait(timeout=60) == -signal.SIGKILL
    assert consistent(tmp_path / "run") == 1


def test_killed_at_any_moment_and_resumed(tmp_path: Path) -> None:
    path, done = tmp_path / "run", 0
    summary, said = path / "summary.json", -1
    for delay in (0.02, 0.05, 0.11, 0.17):
        child = start(FOREVER, path)
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        time.sleep(delay)
        child.kill()
        child.wait(timeout=60)
        before, done = done, consistent(path)
        assert done >= before
        if done:
            assert int((path / "checkpoints/last/i").read_text()) in (done - 1, done)
        # Written last in a phase and before the next one begins: a child killed within the first
        # phase it finishes leaves what the one before it said.
        told, said = said, json.loads(summary.read_text())["i"] if summary.exists() else -1
        assert said in (done - 1, done - 2 if done - before > 1 else told)
    assert done > 0
