"""A step critic on a file of labelled solutions, phase by phase, so that a long run resumes."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from superalign.critic.step_head import StepHead
from superalign.critic.step_reader import (
    StepViews,
    load_views,
    middle_layers,
    read_solutions,
    save_views,
)
from superalign.critic.steps import Solution
from superalign.models import LocalModel, load_model
from superalign.oversight.settings import OverseeConfig
from superalign.oversight.step_files import read_learned, read_scored
from superalign.oversight.step_scores import claim_rate, fit_head, head_row, rule_rows
from superalign.oversight.worked_solutions import question_key
from superalign.records import content_hash
from superalign.store import RunStore

Progress = Callable[[str, float, str], None]
MATCHED = "trained, matched rate"  # its threshold is read off the unlabelled scores of the set
HEAD, VIEWS = "step_head.safetensors", "views.safetensors"


def score_file(config: OverseeConfig, store: RunStore, progress: Progress) -> dict[str, Any]:
    """Learn from ``config.score.learn``, then score every subset of ``config.score.file``.

    Raises:
        InputError: a file cannot be read.
    """
    own = config.score
    subsets = read_scored(Path(own.file or ""), own.limit)
    unseen = {question_key(s.question) for rows in subsets.values() for s in rows}
    reader = _Reader(config, store, progress)

    def learn() -> dict[str, Any]:
        learned, counts = read_learned([Path(p) for p in own.learn], unseen, own.items, config.seed)
        views = reader.views("what is learnt", learned)
        head, dev = fit_head(learned, views, seed=config.seed)
        with store.checkpoint("critic") as folder:
            head.save(folder / HEAD)
        held, seen = [learned[i] for i in dev], [views[i] for i in dev]
        return {
            "name": "trained",
            "learnt": len(learned) - len(dev),
            "from": counts,
            "threshold": head.threshold,
            "claim_rate": claim_rate(head, seen),
            "own_data": [head_row("trained", head, held, seen), *rule_rows(held)],
        }

    critic = phase(store, "learn", learn)
    head = StepHead.load(store.checkpoint_path("critic") / HEAD)

    def score(name: str, solutions: Sequence[Solution]) -> dict[str, Any]:
        views = reader.views(name, solutions)
        matched = head_row(MATCHED, head, solutions, views, critic["claim_rate"])
        return {
            "subset": name,
            "n": len(solutions),
            "wrong": sum(s.first_error is not None for s in solutions),
            "critics": [
                head_row("trained", head, solutions, views),
                matched,
                *rule_rows(solutions),
            ],
        }

    scores = [
        phase(store, f"score {name}", partial(score, name, rows)) for name, rows in subsets.items()
    ]
    return {"critic": critic, "scores": scores}


class _Reader:
    """Reads solutions once; what was read lies in the run's checkpoints."""

    def __init__(self, config: OverseeConfig, store: RunStore, progress: Progress) -> None:
        self.config, self.store, self.progress = config, store, progress

    @cached_property
    def model(self) -> LocalModel:
        """Loaded when something is left to read."""
        return load_model(self.config.model, device=self.config.device, dtype=self.config.dtype)

    def views(self, name: str, solutions: Sequence[Solution]) -> list[StepViews]:
        """Views of ``solutions``, read now if they were not read before."""
        key = f"views-{content_hash([name, [s.text for s in solutions]], 12)}"
        path = self.store.checkpoint_path(key) / VIEWS
        if not path.is_file():
            layers = middle_layers(self.model.depth)
            read = read_solutions(
                self.model, solutions, layers, lambda s: self.progress(f"read {name}", s, "")
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
