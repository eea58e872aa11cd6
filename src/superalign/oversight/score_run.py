"""A step critic on a file of labelled solutions, phase by phase, so that a long run resumes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any

from superalign.critic.step_head import StepHead
from superalign.critic.steps import Solution
from superalign.models import LocalModel, load_model
from superalign.oversight.cached_views import CachedViews, Progress, phase
from superalign.oversight.settings import OverseeConfig
from superalign.oversight.step_files import read_learned, read_scored
from superalign.oversight.step_scores import claim_rate, fit_head, head_row, rule_rows
from superalign.oversight.worked_solutions import question_key
from superalign.store import RunStore

MATCHED = "trained, matched rate"  # its threshold is read off the unlabelled scores of the set
HEAD = "step_head.safetensors"


def score_file(config: OverseeConfig, store: RunStore, progress: Progress) -> dict[str, Any]:
    """Learn from ``config.score.learn``, then score every subset of ``config.score.file``.

    Raises:
        InputError: a file cannot be read.
    """
    own = config.score
    subsets = read_scored(Path(own.file or ""), own.limit)
    unseen = {question_key(s.question) for rows in subsets.values() for s in rows}

    @cache
    def model() -> LocalModel:
        return load_model(config.model, device=config.device, dtype=config.dtype)

    views_of = CachedViews(model, config.model, store, progress)

    def learn() -> dict[str, Any]:
        learned, counts = read_learned([Path(p) for p in own.learn], unseen, own.items, config.seed)
        views = views_of("what is learnt", learned)
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
        views = views_of(name, solutions)
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
