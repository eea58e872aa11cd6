"""Build and measure a zoo's models, in this process or in several.

Small products gain little from a second thread: two processes of one thread each do more than one
process of two. Everything that they find lies on disk, so any of them can be killed at any time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import torch

from superalign.models import LocalModel, load_model
from superalign.stress.recipe import Recipe
from superalign.stress.zoo import Member, Zoo
from superalign.validation.flips import flips_hash
from superalign.validation.hidden import HIDDEN, HiddenLook, HiddenReader
from superalign.validation.inside import InsideLook, internals_hash
from superalign.validation.measure import VERSION, Measured, Reader
from superalign.validation.opened import WORDS, WordLook, WordReader
from superalign.validation.probes import battery, battery_hash
from superalign.validation.second import LOOK, SecondLook

Progress = Callable[[str, float, str], None]
Looks = tuple[str, ...]
Look = Measured | SecondLook | WordLook | HiddenLook | InsideLook
QUICK: Looks = ("first", "second")
CLOSE: Looks = ("words", "hidden")
INSIDE: Looks = ("inside",)  # no verdict rests on it


class Station:
    """One process's place of work: a base, the zoo over it, and a reader of its models."""

    def __init__(self, folder: Path, base: LocalModel, *, shared: bool = False) -> None:
        self.folder, self.base = folder, base
        self.zoo = Zoo(folder, base, shared=shared, audit=[p.prompt for p in battery()])
        plain = base.with_adapter(None)
        self._reader, self._words, self._hidden = (
            Reader(plain),
            WordReader(plain),
            HiddenReader(plain),
        )

    def done(self, recipe: Recipe, looks: Looks = QUICK) -> bool:
        """Whether the model is built and, unless it was dropped, looked at in these ways."""
        member = self.zoo.member(recipe)
        return member is not None and (
            not member.passed or all(self._path(recipe, look).is_file() for look in looks)
        )

    def work(self, recipe: Recipe, looks: Looks = QUICK) -> None:
        """Build and look, as far as that has not been done."""
        [member] = self.zoo.build([recipe])
        if member.passed:
            self.look(member, looks)

    def look(self, member: Member, looks: Looks) -> None:
        """Take what is missing of these looks at a model; later ones rest on earlier ones."""
        missing = [look for look in looks if not self._path(member.recipe, look).is_file()]
        if missing:
            (self.folder / "measured").mkdir(parents=True, exist_ok=True)
            suspect = member.opened(self.base)
        for look in missing:
            self._taken(look, suspect, member.recipe).save(self._path(member.recipe, look))

    def measured(self, member: Member) -> Measured:
        """What was read off a model that had the quick looks at least; the others where they were taken."""
        first, second, words, hidden, inside = (self._path(member.recipe, x) for x in _FILES)
        return replace(
            Measured.load(first),
            second=SecondLook.load(second),
            words=WordLook.load(words) if words.is_file() else None,
            hidden=HiddenLook.load(hidden) if hidden.is_file() else None,
            inside=InsideLook.load(inside) if inside.is_file() else None,
        )

    def _taken(self, look: str, suspect: LocalModel, recipe: Recipe) -> Look:
        match look:
            case "first":
                return self._reader.measure(suspect)
            case "second":
                return self._reader.look(suspect)
            case "inside":
                return self._reader.look_inside(suspect)
            case "words":
                return self._words.look(suspect)
        noticed = WordLook.load(self._path(recipe, "words"))
        return self._hidden.look(suspect, noticed, facts=recipe.kind == "organism")

    def _path(self, recipe: Recipe, look: str) -> Path:
        return self.folder / "measured" / f"{recipe.id}-{_FILES[look]()}.json"


_FILES: dict[str, Callable[[], str]] = {  # what names a look's file: whatever decides what is read
    "first": lambda: f"{battery_hash()}-{VERSION}",
    "second": lambda: f"second-{flips_hash()}-{LOOK}",
    "words": lambda: f"words-{WORDS}",
    "hidden": lambda: f"hidden-{WORDS}-{HIDDEN}",  # it starts from the words
    "inside": lambda: f"inside-{internals_hash()}",
}


def run(
    station: Station,
    recipes: Sequence[Recipe],
    workers: int,
    progress: Progress,
    minutes: float | None = None,
    looks: Looks = QUICK,
) -> None:
    """Build ``recipes`` and take these looks at them; what is on disk is not done again.

    ``minutes``: nothing is begun after so long; what is missing then can be made by another call.
    """
    station.zoo.prepare()
    end = float("inf") if minutes is None else time.monotonic() + 60 * minutes
    waiting = [r for r in recipes if not station.done(r, looks)]
    here = max(1, len(waiting))  # shares are of what is left to do, so that the time left is right
    phase = "build and audit" if "first" in looks else "look closely"
    with _hands(station, workers, looks) as submit:
        running: dict[Future[None], Recipe] = {}
        while running or (waiting and time.monotonic() < end):
            while len(running) < workers and time.monotonic() < end:
                ready = next((r for r in waiting if _parents_built(station, r)), None)
                if ready is None:
                    break
                waiting.remove(ready)
                left = len(waiting) + len(running)
                progress(phase, 1 - (left + 1) / here, ready.title)
                running[submit(ready)] = ready
            finished, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in finished:
                del running[future]
                future.result()
    progress(phase, 1 - len(waiting) / here, "")


def _parents_built(station: Station, recipe: Recipe) -> bool:
    return all((station.folder / "models" / parent).is_dir() for parent in recipe.parents)


@contextmanager
def _hands(
    station: Station, workers: int, looks: Looks
) -> Iterator[Callable[[Recipe], Future[None]]]:
    """What does a recipe: this process, or a pool of others."""
    if workers == 1:
        yield lambda recipe: _now(station, recipe, looks)
        return
    threads = max(1, torch.get_num_threads() // workers)
    arguments = (str(station.folder), station.base.name, str(station.base.device), threads)
    with ProcessPoolExecutor(workers, get_context("spawn"), _open, arguments) as pool:
        try:
            yield lambda recipe: pool.submit(_work, recipe, looks)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _now(station: Station, recipe: Recipe, looks: Looks) -> Future[None]:
    future: Future[None] = Future()
    station.work(recipe, looks)
    future.set_result(None)
    return future


_here: list[Station] = []  # a worker process's own


def _open(folder: str, model: str, device: str, threads: int) -> None:
    torch.set_num_threads(threads)
    _here.append(Station(Path(folder), load_model(model, device=device), shared=True))


def _work(recipe: Recipe, looks: Looks) -> None:
    _here[0].work(recipe, looks)
