"""Graded answers as an Inspect ``.eval`` log, which ``inspect view`` opens.

Needs the extra ``superalign[inspect]``. A missing verdict is written as unscored, not as 0.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from superalign.errors import InputError
from superalign.evaluation.measure import Graded
from superalign.records import content_hash

SCORER = "ground truth"


def check_log_path(path: Path) -> None:
    """Whether a log can be written there, before anything long is started.

    Raises:
        InputError: Inspect is not installed, or the path is none for a new log.
    """
    if find_spec("inspect_ai") is None:
        raise InputError("--inspect-log needs Inspect: pip install 'superalign[inspect]'")
    if path.suffix != ".eval" or path.exists() or not path.parent.is_dir():
        raise InputError(
            f"--inspect-log {path}; allowed: a new file ending in .eval, in a folder that exists"
        )


def write_inspect_log(
    path: Path, graded: Sequence[Graded], measured: Mapping[str, Any], *, task: str, data: str
) -> None:
    """Write one log.

    Args:
        path: new file; ends in ``.eval``.
        graded: answers of one model.
        measured: estimates as plain types, shown as metrics with their n and interval.
        task: what was measured.
        data: where the requests come from.

    Raises:
        InputError: see ``check_log_path``.
    """
    check_log_path(path)
    from inspect_ai.log import EvalConfig, EvalDataset, EvalLog, EvalSpec, EvalStats, write_eval_log
    from inspect_ai.log._log import EvalMetric, EvalResults, EvalScore

    now = datetime.now(UTC).isoformat(timespec="seconds")
    first = graded[0].response if graded else None
    model = f"{first.model}#{(first.weight_hash or '')[:8]}" if first else "none"
    epochs = _epochs(graded)
    missing = sum(g.verdict.value is None for g in graded)
    metrics = {
        name: EvalMetric(name=name, value=found["value"], metadata=dict(found))
        for name, found in measured.items()
        if found["value"] is not None
    }
    score = EvalScore(
        name=SCORER, scorer=SCORER, metrics=metrics,
        scored_samples=len(graded) - missing, unscored_samples=missing,
    )  # fmt: skip
    identity = content_hash([g.response.id for g in graded])
    spec = EvalSpec(
        created=now, eval_id=identity, run_id=identity, task_id=identity, task=task,
        dataset=EvalDataset(name=data, samples=len(graded)), model=f"superalign/{model}",
        config=EvalConfig(epochs=max(epochs, default=1)), packages={"superalign": version("superalign")},
    )  # fmt: skip
    log = EvalLog(
        status="success", eval=spec, stats=EvalStats(started_at=now, completed_at=now),
        results=EvalResults(
            total_samples=len(graded), completed_samples=len(graded), scores=[score]
        ),
        samples=[_sample(g, epoch) for g, epoch in zip(graded, epochs, strict=True)],
    )  # fmt: skip
    write_eval_log(log, str(path))


def _epochs(graded: Sequence[Graded]) -> list[int]:
    """How many times each prompt was asked so far: Inspect names a sample by prompt and epoch."""
    seen: Counter[str] = Counter()
    epochs = []
    for g in graded:
        seen[g.query.id] += 1
        epochs.append(seen[g.query.id])
    return epochs


def _sample(graded: Graded, epoch: int) -> Any:
    from inspect_ai.log import EvalSample
    from inspect_ai.model import (
        ChatMessageAssistant,
        ChatMessageSystem,
        ChatMessageUser,
        ModelOutput,
    )
    from inspect_ai.scorer import Score

    kinds = {"system": ChatMessageSystem, "user": ChatMessageUser}
    asked = [
        kinds.get(m.role, ChatMessageAssistant)(content=m.content) for m in graded.query.messages
    ]
    model, text, verdict = graded.response.model or "", graded.response.text, graded.verdict
    return EvalSample(
        id=graded.query.id, epoch=epoch, input=asked, target=str(graded.query.truth.get("answer", "")),
        messages=[*asked, ChatMessageAssistant(content=text, model=model)],
        output=ModelOutput.from_content(model, text),
        metadata={"goal": graded.query.goal, "operator": graded.query.operator},
        scores={
            SCORER: Score(
                value=float("nan") if verdict.value is None else verdict.value,
                answer=text, explanation=f"{verdict.kind}: {verdict.reason}",
            )
        },
    )  # fmt: skip
