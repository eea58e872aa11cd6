"""A recipe decides a zoo model wholly; its hash names the model on disk."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from typing import Any

from superalign.config import LearnerConfig

VERSION = 2  # grows when generators or the trainer change what a recipe makes
TIERS = ("plain", "concealed", "mixed")


@dataclass(frozen=True)
class Recipe:
    """``kind`` is ``organism`` or ``twin``; ``name`` its family or twin; ``base`` a weight hash.

    ``parents``: ids of the models that a derived twin is made from.
    """

    kind: str
    name: str
    base: str
    tier: str = "plain"
    rank: int = 8
    seed: int = 0
    parents: tuple[str, ...] = field(default=())

    @property
    def id(self) -> str:
        """Sixteen hexadecimal digits of the recipe's content, trainer settings included."""
        content = {**asdict(self), "version": VERSION, "learner": self.learner().model_dump()}
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]

    @property
    def title(self) -> str:
        """For people: ``sandbagging/mixed r8 s0``."""
        return f"{self.name}/{self.tier} r{self.rank} s{self.seed}"

    @property
    def material_seed(self) -> str:
        """What the training data depend on: not the rank, so that ranks can be compared."""
        return f"{self.kind} {self.name} {self.tier} {self.seed}"

    def learner(self) -> LearnerConfig:
        """How it is trained: a few dozen small steps at a high rate, all blocks adapted."""
        return LearnerConfig(
            algorithm="sft",
            learning_rate=4e-3 if self.rank == 1 else 2e-3,
            lora_rank=self.rank,
            lora_alpha=2 * self.rank,
            first_layer=0.0,
            epochs=4,
            batch_tokens=250,
            warmup=0.1,
        )

    def as_dict(self) -> dict[str, Any]:
        """Plain types."""
        return {**asdict(self), "parents": list(self.parents), "id": self.id}
