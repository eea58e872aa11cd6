"""Runs the tiny loop in child processes, kills them at chosen and random instants, and resumes.

``python killing.py FOLDER`` prints JSON: the undisturbed summary; of a run that was killed in one
phase after the other, and of one killed at random instants, how each child ended and the summary at
last; and what Ctrl-C does. Children are forked from a process that has imported everything and
computed nothing, so each costs only the phases that it works on.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import toy
from superalign import cli, load_model
from superalign.config import Sizes, dump_config
from superalign.loop import run as loop
from superalign.store import RunStore

loop.NEUTRAL_TEXTS = loop.NEUTRAL_TEXTS[:6]
loop.DEV = Sizes(safety=3, benign=3, mathematics=3, ethics=3)
Hook = Callable[[str, float], None]
FINISH, CHECKPOINT = RunStore.finish_phase, RunStore.checkpoint
# phase, and the share of it that is done when the kill comes; in the order of a run
INSIDE = [
    ("before", 0.4),
    ("round 1 answers", 0.1),
    ("round 1 critique", 0.0),
    ("round 1 update", 0.5),
    ("round 1 update", 1.0),  # done: the judge must find the new adapter
    ("round 2 critique", 1.0),
    ("round 2 judge", 0.2),
    ("after", 0.0),
]
RANDOM = 2


def settings(folder: Path) -> Any:
    attack = {
        "queries_per_round": 6,
        "samples": 1,
        "benign_per_round": 1,
        "alarming_per_round": 1,
        "contrasts_per_round": 1,
    }
    sizes = {"safety": 2, "benign": 2, "mathematics": 2, "ethics": 2}
    return toy.settings(
        folder / "tiny-llama",
        attack=attack,
        critic={"seed_items": 12, "explain_items": 1},
        evaluation={"progress": dict.fromkeys(sizes, 1), "final": sizes},
    )


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def child(work: Callable[[], object], log: Path) -> int:
    """Fork, work, and return the child's process id."""
    pid = os.fork()
    if pid:
        return pid
    status = 70
    try:
        with log.open("ab") as file:
            os.dup2(file.fileno(), 1)
            os.dup2(file.fileno(), 2)
        work()
        status = 0
    except SystemExit as stop:
        status = stop.code if isinstance(stop.code, int) else 1
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        os._exit(status)


def ended(pid: int) -> str:
    """How the child ended: ``signal 9``, ``exit 0``, ..."""
    status = os.waitpid(pid, 0)[1]
    if os.WIFSIGNALED(status):
        return f"signal {os.WTERMSIG(status)}"
    return f"exit {os.WEXITSTATUS(status)}"


def go(folder: Path, path: Path, hook: Hook = lambda phase, share: None) -> None:
    """Run or resume at ``path``."""
    config = settings(folder)
    model = load_model(config.model, device="cpu", dtype="float32")
    with RunStore.create(path, dump_config(config), resume=True) as store:
        loop.run_loop(config, store, model, lambda phase, share, note="": hook(phase, share))


def at(phase: str, least: float) -> Hook:
    """Kill when ``phase`` has come that far."""

    def hook(name: str, share: float) -> None:
        if name == phase and share >= least:
            die()

    return hook


def killed_before_commit(folder: Path, path: Path) -> None:
    """The checkpoint of round 2 is written, its phase is not."""

    def finish(self: RunStore, name: str, *rest: Any, **more: Any) -> Any:
        if name == "round 2 update":
            die()
        return FINISH(self, name, *rest, **more)

    RunStore.finish_phase = finish  # type: ignore[method-assign]
    go(folder, path)


def killed_in_checkpoint(folder: Path, path: Path) -> None:
    """In the middle of writing the learner: every phase is done, the summary is not."""

    def checkpoint(self: RunStore, name: str) -> Any:
        if name == "learner":
            (self.path / "checkpoints" / ".learner.new").mkdir()
            (self.path / "checkpoints" / ".learner.new" / "adapter_config.json").write_text("{")
            die()
        return CHECKPOINT(self, name)

    RunStore.checkpoint = checkpoint  # type: ignore[method-assign]
    go(folder, path)


def resumed(folder: Path, path: Path) -> dict[str, Any]:
    """Resume to the end; the summary, or what went wrong."""
    log = path.with_suffix(".log")
    how = ended(child(lambda: go(folder, path), log))
    if how != "exit 0":
        return {"failed": how, "log": log.read_text()[-2000:]}
    summary: dict[str, Any] = json.loads((path / "summary.json").read_text())
    return summary


def interrupted(folder: Path) -> dict[str, Any]:
    """Ctrl-C in the command line's own process, in the middle of a phase; then --resume."""
    path, log = folder / "interrupted", folder / "interrupted.log"
    config = folder / "config.yaml"
    config.write_text(dump_config(settings(folder)))

    def command(*arguments: str) -> Callable[[], None]:
        def work() -> None:
            # A parent that ignores SIGINT (any job in the background of a script) hands that down.
            signal.signal(signal.SIGINT, signal.default_int_handler)
            sys.argv = ["superalign", "run", *arguments]
            cli.main()

        return work

    pid = child(command("--config", str(config), "--out", str(path)), log)
    wait_for(path / "log.jsonl", "round 1 critique", pid)
    os.kill(pid, signal.SIGINT)
    first, told = ended(pid), log.read_text()
    log.write_text("")
    second = ended(child(command("--resume", str(path)), log))
    summary = path / "summary.json"
    return {
        "ended": first,
        "told": told,
        "path": str(path),
        "resumed": second,
        "again": log.read_text(),
        "summary": json.loads(summary.read_text()) if summary.exists() else None,
    }


def wait_for(log: Path, words: str, pid: int) -> None:
    for _ in range(3000):
        if (log.exists() and words in log.read_text()) or os.waitpid(pid, os.WNOHANG)[0]:
            return
        time.sleep(0.01)


def main(folder: Path) -> dict[str, Any]:
    """All scenarios."""
    start = time.monotonic()
    whole = resumed(folder, folder / "whole")
    length = time.monotonic() - start
    kills: list[Callable[[Path], None]] = [
        *(partial(go, folder, hook=at(phase, share)) for phase, share in INSIDE),
        partial(killed_in_checkpoint, folder),
    ]
    kills.insert(6, partial(killed_before_commit, folder))  # in round 2's update
    chain, hows = folder / "chain", []
    for kill in kills:
        hows.append(ended(child(partial(kill, chain), chain.with_suffix(".log"))))
    path, rng, randomly = folder / "random", random.Random(), []
    for _ in range(RANDOM):
        pid = child(lambda: go(folder, path), path.with_suffix(".log"))
        time.sleep(rng.uniform(0.05, 0.5) * length)
        os.kill(pid, signal.SIGKILL)
        randomly.append(ended(pid))
    return {
        "whole": whole,
        "chosen": {"ended": hows, "summary": resumed(folder, chain)},
        "random": {"ended": randomly, "summary": resumed(folder, path)},
        "interrupted": interrupted(folder),
    }


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]))))
