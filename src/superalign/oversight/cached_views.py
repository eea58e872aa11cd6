"""Solutions read once: what a model made of them lies in the run's checkpoints."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from superalign.critic.step_reader import (
    StepViews,
    load_views,
    middle_layers,
    read_solutions,
    save_views,
)
from superalign.critic.steps import Solution
from superalign.models import LocalModel
from superalign.records import content_hash
from superalign.store import RunStore

Progress = Callable[[str, float, str], None]
VIEWS = "views.safetensors"
BLOCK = 128  # solutions; what a kill loses at most


class CachedViews:
    """``model`` is called when something is left to read; ``reader`` names it among others."""

    def __init__(
        self, model: Callable[[], LocalModel], reader: str, store: RunStore, progress: Progress
    ) -> None:
        self.model, self.reader, self.store, self.progress = model, reader, store, progress

    def __call__(self, name: str, solutions: Sequence[Solution]) -> list[StepViews]:
        """Views of ``solutions``; blocks that were not read before are read now."""
        found: list[StepViews] = []
        for start in range(0, len(solutions), BLOCK):
            block = solutions[start : start + BLOCK]
            found += self._block(
                block, lambda s: self.progress(f"read {name}", s, ""), start, len(solutions)
            )
        return found

    def _block(
        self, block: Sequence[Solution], say: Callable[[float], None], start: int, count: int
    ) -> list[StepViews]:
        asked = [[s.question, list(s.steps)] for s in block]
        key = f"views-{content_hash([self.reader, asked], 12)}"
        path = self.store.checkpoint_path(key) / VIEWS
        if not path.is_file():
            model = self.model()
            read = read_solutions(
                model,
                block,
                middle_layers(model.depth),
                lambda share: say((start + share * len(block)) / count),
            )
            with self.store.checkpoint(key) as folder:
                save_views(folder / VIEWS, read)
        return load_views(path)


def phase(store: RunStore, name: str, work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What a phase left, done now if it was not done before."""
    if not store.phase_done(name):
        start = time.monotonic()
        store.finish_phase(name, work(), seconds=time.monotonic() - start)
    return store.phase_payload(name)
