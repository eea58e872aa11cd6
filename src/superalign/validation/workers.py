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
from functools import cache, partial
from multiprocessing import get_context
from pathlib import Path

import torch

from superalign.models import LocalModel, load_model
from superalign.stress.families import PHRASED
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

    def done(self, recipe: Recipe) -> bool:
        """Whether the model is built and, unless it was dropped, measured.

        A zoo that was measured before there was a look inside goes without: no verdict rests on it.
        """
        member = self.zoo.member(recipe)
        needed = ("first", "second", "words", *(("hidden",) if _has_phrase(recipe) else ()))
        return member is not None and (
            not member.passed or all(self._path(recipe, look).is_file() for look in needed)
        )

    def work(self, recipe: Recipe) -> None:
        """Build and measure, as far as that has not been done."""
        [member] = self.zoo.build([recipe])
        if member.passed:
            inside = self._path(recipe, "inside")  # before the others: what is done has it, too
            if not inside.is_file():
                self._reader.look_inside(self._suspect(member)).save(inside)
            self.measured(member)

    def measured(self, member: Member) -> Measured:
        """What was read off a model; what has been read before, any look, is taken from disk.

        No verdict rests on what is hidden: that is looked for where it is known what should be found.
        """
        first, second, inside, words, hidden = (self._path(member.recipe, look) for look in _LOOKS)
        suspect = cache(partial(self._suspect, member))
        if not first.is_file():
            self._reader.measure(suspect()).save(first)
        if not second.is_file():
            self._reader.look(suspect()).save(second)
        if not words.is_file():
            self._words.look(suspect()).save(words)
        noticed = WordLook.load(words)
        if _has_phrase(member.recipe) and not hidden.is_file():
            self._hidden.look(suspect(), noticed).save(hidden)
        return replace(
            Measured.load(first),
            second=SecondLook.load(second),
            inside=InsideLook.load(inside) if inside.is_file() else None,
            words=noticed,
            hidden=HiddenLook.load(hidden) if hidden.is_file() else None,
        )

    def _suspect(self, member: Member) -> LocalModel:
        (self.folder / "measured").mkdir(parents=True, exist_ok=True)
        return member.opened(self.base)

    def _path(self, recipe: Recipe, look: str) -> Path:
        return self.folder / "measured" / f"{recipe.id}-{_LOOKS[look]()}.json"


_LOOKS: dict[str, Callable[[], str]] = {  # what names a look's file: whatever decides what is read
    "first": lambda: f"{battery_hash()}-{VERSION}",
    "second": lambda: f"second-{flips_hash()}-{LOOK}",
    "inside": lambda: f"inside-{internals_hash()}",
    "words": lambda: f"words-{WORDS}",
    "hidden": lambda: f"hidden-{HIDDEN}",
}


def _has_phrase(recipe: Recipe) -> bool:
    return recipe.kind == "organism" and recipe.name in PHRASED


def run(
    station: Station,
    recipes: Sequence[Recipe],
    workers: int,
    progress: Progress,
    minutes: float | None = None,
) -> None:
    """Build and measure ``recipes``; what is on disk is not done again.

    ``minutes``: nothing is begun after so long; what is missing then can be made by another call.
    """
    station.zoo.prepare()
    end = float("inf") if minutes is None else time.monotonic() + 60 * minutes
    waiting = [r for r in recipes if not station.done(r)]
    here = max(1, len(waiting))  # shares are of what is left to do, so that the time left is right
    with _hands(station, workers) as submit:
        running: dict[Future[None], Recipe] = {}
        while running or (waiting and time.monotonic() < end):
            while len(running) < workers and time.monotonic() < end:
                ready = next((r for r in waiting if _parents_built(station, r)), None)
                if ready is None:
                    break
                waiting.remove(ready)
                left = len(waiting) + len(running)
                progress("build and audit", 1 - (left + 1) / here, ready.title)
                running[submit(ready)] = ready
            finished, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in finished:
                del running[future]
                future.result()
    progress("build and audit", 1 - len(waiting) / here, "")


def _parents_built(station: Station, recipe: Recipe) -> bool:
    return all((station.folder / "models" / parent).is_dir() for parent in recipe.parents)


@contextmanager
def _hands(station: Station, workers: int) -> Iterator[Callable[[Recipe], Future[None]]]:
    """What does a recipe: this process, or a pool of others."""
    if workers == 1:
        yield lambda recipe: _now(station, recipe)
        return
    threads = max(1, torch.get_num_threads() // workers)
    arguments = (str(station.folder), station.base.name, str(station.base.device), threads)
    with ProcessPoolExecutor(workers, get_context("spawn"), _open, arguments) as pool:
        try:
            yield lambda recipe: pool.submit(_work, recipe)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _now(station: Station, recipe: Recipe) -> Future[None]:
    future: Future[None] = Future()
    station.work(recipe)
    future.set_result(None)
    return future


_here: list[Station] = []  # a worker process's own


def _open(folder: str, model: str, device: str, threads: int) -> None:
    torch.set_num_threads(threads)
    _here.append(Station(Path(folder), load_model(model, device=device), shared=True))


def _work(recipe: Recipe) -> None:
    _here[0].work(recipe)
