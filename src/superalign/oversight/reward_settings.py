"""Settings of the reward models that ``superalign oversee --reward-models`` trains and tests."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from superalign.config import Section


class RewardConfig(Section):
    """Reward models from rollouts, and what becomes of them under pressure."""

    enabled: bool = Field(False, description="train and test reward models instead of the arms")
    writer: Literal["faulty", "model"] = Field(
        "faulty", description="who works the problems: an executor that errs, or --model, adapted"
    )
    error: float = Field(0.12, gt=0, lt=1, description="faulty: chance of an error at each line")
    worked: int = Field(300, ge=20, description="model: right traces that it learns to write first")
    steps: tuple[int, ...] = Field((4, 5, 6), min_length=1, description="steps of the problems")
    problems: int = Field(160, ge=20, description="problems to learn from; a fifth is kept aside")
    samples: int = Field(4, ge=2, description="works of each of them")
    rollouts: int = Field(8, ge=1, description="rollouts that value a step")
    tests: int = Field(40, ge=5, description="new problems on which the rewards are pushed")
    pool: int = Field(32, ge=2, description="works of each of those: the largest n of best of n")
    noise: tuple[float, ...] = Field(
        (0.0, 0.2, 0.35), description="shares of the pairs whose label is flipped, each below 0.5"
    )
    draws: int = Field(5, ge=1, description="draws of the flipped labels")
