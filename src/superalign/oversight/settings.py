"""Settings of ``superalign oversee``: everything that decides the result."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from superalign.config import Section
from superalign.oversight.game_settings import ProverConfig, RecursiveConfig
from superalign.oversight.reward_settings import RewardConfig


class JudgeConfig(Section):
    """The weak judge."""

    kind: Literal["exact", "learned", "noisy", "person"] = Field(
        "exact", description="J0 checks exactly, J1 a small model, J2 a noisy oracle, J3 asks you"
    )
    looks: int = Field(2, ge=1, description="lines that it may look at, in every arm")
    sensitivity: float = Field(
        0.9, gt=0, lt=1, description="noisy or person: chance to see a flaw in a flawed line"
    )
    specificity: float = Field(
        0.9, gt=0, lt=1, description="noisy or person: chance to see none in a right line"
    )
    model: str = Field("smollm2@layers=10", min_length=1, description="learned: the small model")
    items: int = Field(400, ge=20, description="learned: short, easy traces that it is fitted to")
    steps: int = Field(3, ge=2, description="learned: steps of those traces")


class CriticConfig(Section):
    """The critic that helps the judge."""

    kind: Literal[
        "gold", "planted", "random", "calculator", "trained", "generative", "ensemble"
    ] = Field(
        "planted", description="who points at the lines; 'trained' fits the model named by 'model', "
        "'generative' asks it, 'ensemble' adds the calculator",
    )  # fmt: skip
    answers: Literal["choose", "say"] = Field(
        "choose",
        description="generative: score the allowed answers, or sample answers and read them",
    )
    votes: int = Field(1, ge=1, le=2, description="ensemble: members that must claim a line")
    recall: float = Field(0.8, ge=0, le=1, description="planted: chance to point at the flaw")
    false: float = Field(
        0.0, ge=0, le=1, description="planted: chance of a false claim where it saw nothing"
    )
    worked: int = Field(
        1000, ge=20, description="trained: right traces its adapter learns to write"
    )
    items: int = Field(800, ge=50, description="trained: planted traces its head is fitted to")
    steps: tuple[int, ...] = Field((4, 5, 6), min_length=1, description="trained: steps of those")
    false_claims: float = Field(
        0.04, gt=0, lt=1, description="trained: false claims per right trace where it is tuned"
    )


class LearnerConfig(Section):
    """What the critic is worth to a learner (needs the trained critic)."""

    items: int = Field(0, ge=0, description="worked problems it learns from, per arm; 0: not run")
    tests: int = Field(200, ge=20, description="new problems it is tested on")
    steps: int = Field(4, ge=2, description="steps of both")
    seeds: int = Field(
        2, ge=1, description="times that it is done, each with new work and problems"
    )


class ScoreConfig(Section):
    """A step critic on a file of labelled solutions, such as ProcessBench."""

    file: str | None = Field(
        None, description="file to score: question, steps, label (first wrong step or -1), subset"
    )
    learn: tuple[str, ...] = Field(
        (), description="files to learn from: question, solution with <<sums>>, answer"
    )
    items: int = Field(2400, ge=50, description="solutions to learn from, over all files")
    limit: int | None = Field(None, ge=1, description="most rows scored per subset; null: all")


class OverseeConfig(Section):
    """Everything that decides an oversight run's result."""

    model: str = Field("smollm2", min_length=1, description="the model that the critic is made of")
    items: int = Field(4000, ge=20, description="traces that are judged, half of them flawed")
    steps: int = Field(8, ge=2, description="steps k of each trace")
    families: tuple[str, ...] = Field((), description="task families; empty: all")
    pressure: tuple[int, ...] = Field(
        (1, 4, 16), description="best of so many for every side of consultancy and debate"
    )
    judge: JudgeConfig = JudgeConfig()
    critic: CriticConfig = CriticConfig()
    tests: int = Field(
        300, ge=20, description="trained critic: new traces it is tested on, per length"
    )
    gap: tuple[int, ...] = Field(
        (), description="trained critic: steps k at which generator, discriminator and critique "
        "are compared; empty: not run",
    )  # fmt: skip
    learner: LearnerConfig = LearnerConfig()
    score: ScoreConfig = ScoreConfig()
    reward: RewardConfig = RewardConfig()
    provers: ProverConfig = ProverConfig()
    recursive: RecursiveConfig = RecursiveConfig()
    seed: int = Field(0, ge=0, lt=2**32, description="seed of every random choice")
    device: str | None = Field(None, description="torch device; null chooses")
    dtype: str | None = Field(None, description="floating-point type; null chooses")
