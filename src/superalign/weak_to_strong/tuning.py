"""Unsupervised generative tuning: next-token prediction on a task's texts before any label is seen.

arXiv 2312.09390, section 5.2.2, where it is the remedy for reward models: the data's wording is made
salient, so that a head finds its meaning with fewer labels.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from superalign.config import LearnerConfig
from superalign.learner.examples import Example
from superalign.learner.offline import train_offline
from superalign.models import Adapter, LocalModel
from superalign.models.embedded import cache_folder
from superalign.models.packing import Tree
from superalign.records import content_hash
from superalign.weak_to_strong.features import Progress, tokens_of
from superalign.weak_to_strong.splits import split
from superalign.weak_to_strong.tasks import Task

RECIPE = LearnerConfig(
    algorithm="sft",
    learning_rate=3e-4,
    lora_rank=8,
    lora_alpha=16,
    first_layer=0.0,
    batch_tokens=1024,
    average="tokens",
)
SEED = 0


def tuned(
    model: LocalModel,
    task: Task,
    max_tokens: int,
    cache: Path | None = None,
    progress: Progress | None = None,
) -> LocalModel:
    """A view of ``model`` after one pass over the task's texts, test rows left out.

    The adapter is kept in the cache, under the hash of weights, token ids and recipe.
    """
    tested = set(split(task, SEED).test.tolist())
    per_row = len(task.texts[0])
    texts = [t for i, t in enumerate(task.flat) if i // per_row not in tested]
    ids = [tokens_of(model, t, max_tokens) for t in texts]
    key = content_hash([model.weight_hash, ids, RECIPE.model_dump(mode="json")], 32)
    folder = (cache or cache_folder()) / "adapters" / key
    if (folder / "adapter_config.json").is_file():
        return model.with_adapter(Adapter.load(folder).to(model.device))
    adapter = model.fresh_adapter(rank=RECIPE.lora_rank, alpha=RECIPE.lora_alpha, seed=SEED)
    view = model.with_adapter(adapter)
    examples = [Example(Tree(t[:1], (t[1:],)), 1.0, 1.0) for t in ids if len(t) > 1]

    def told(share: float, note: str) -> None:
        if progress is not None:
            progress(f"tuning on the texts of {task.name}", share, note)

    train_offline(view, examples, RECIPE, seed=SEED, progress=told)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        adapter.save(Path(scratch) / "made", model.name)
        shutil.rmtree(folder, ignore_errors=True)
        (Path(scratch) / "made").rename(folder)
    return view
