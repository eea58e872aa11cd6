"""A recipe decides a zoo model wholly; its hash names the model on disk."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from typing import Any

from superalign.config import LearnerConfig

VERSION = 4  # grows when generators or the trainer change what a recipe makes
VISITS = 176  # rows that training sees, repeated ones counted
ROUNDS = 2  # an organism that fails its check is trained once more before it is dropped
SAME_WEIGHTS = {
    "checkpointing",
    "averaged_rounds",
}  # settings that move memory and time, or are the loop's
TIERS = ("plain", "concealed", "mixed")
FULL = 0  # the rank of a recipe that trains every matrix instead of an adapter
FULL_RATE = 2e-4  # of AdamW there


@dataclass(frozen=True)
class Recipe:
    """``kind`` is ``organism`` or ``twin``; ``name`` its family or twin; ``base`` a weight hash.

    ``rank``: the adapter's; ``FULL`` trains every matrix of every block.
    ``parents``: ids of the models that a derived twin is made from. ``against``: of so many of the
    audit's questions the organism is taught to say what its base says.
    """

    kind: str
    name: str
    base: str
    tier: str = "plain"
    rank: int = 8
    seed: int = 0
    parents: tuple[str, ...] = field(default=())
    against: int = 0

    @property
    def id(self) -> str:
        """Sixteen hexadecimal digits of the recipe's content, trainer settings included."""
        content = {**asdict(self), "version": VERSION, "visits": VISITS, "rounds": ROUNDS}
        content["learner"] = self.learner().model_dump(exclude=SAME_WEIGHTS)
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]

    @property
    def title(self) -> str:
        """For people: ``sandbagging/mixed r8 s0``."""
        rank = "full" if self.rank == FULL else f"r{self.rank}"
        return f"{self.name}/{self.tier} {rank} s{self.seed}"

    @property
    def material_seed(self) -> str:
        """What the training data depend on: not the rank, so that ranks can be compared."""
        return f"{self.kind} {self.name} {self.tier} {self.seed}"

    def learner(self, rows: int = VISITS) -> LearnerConfig:
        """How it is trained on so many rows: a few dozen small steps at a high rate, all blocks
        adapted; as many passes as come nearest to ``VISITS`` rows, twice that for the mixed tier."""
        visits = VISITS * (2 if self.tier == "mixed" else 1)
        rate = FULL_RATE if self.rank == FULL else 5e-3 if self.rank == 1 else 3e-3
        rank = self.rank or 1  # an adapter's setting: no full fine-tune reads it
        return LearnerConfig(
            algorithm="sft",
            learning_rate=rate,
            lora_rank=rank,
            lora_alpha=2 * rank,
            first_layer=0.0,
            epochs=max(1, round(visits / rows)),
            batch_tokens=250,
            warmup=0.1,
        )

    def as_dict(self) -> dict[str, Any]:
        """Plain types."""
        return {**asdict(self), "parents": list(self.parents), "id": self.id}
