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


class CachedViews:
    """``model`` is called when something is left to read; ``reader`` names it among others."""

    def __init__(
        self, model: Callable[[], LocalModel], reader: str, store: RunStore, progress: Progress
    ) -> None:
        self.model, self.reader, self.store, self.progress = model, reader, store, progress

    def __call__(self, name: str, solutions: Sequence[Solution]) -> list[StepViews]:
        """Views of ``solutions``, read now if they were not read before."""
        asked = [[s.question, s.text] for s in solutions]
        key = f"views-{content_hash([self.reader, name, asked], 12)}"
        path = self.store.checkpoint_path(key) / VIEWS
        if not path.is_file():
            model = self.model()
            read = read_solutions(
                model,
                solutions,
                middle_layers(model.depth),
                lambda s: self.progress(f"read {name}", s, ""),
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
