"""Configuration of the closed loop: everything that decides a run's result.

To add a field, add one line to its section: type, default, range, description.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, Field, field_validator

from superalign import sections
from superalign.sections import FieldRow, Section, dump_config, load_section

__all__ = [
    "AttackConfig", "CriticConfig", "DataConfig", "EvaluationConfig", "FieldRow", "FinalSizes",
    "HumanConfig", "LearnerConfig", "ProgressSizes", "RunConfig", "Section", "Sizes", "describe",
    "dump_config", "load_config", "load_section",
]  # fmt: skip


class AttackConfig(Section):
    """How the attacker aims and samples."""

    queries_per_round: int = Field(144, ge=1, description="queries sent to the learner each round")
    samples: int = Field(2, ge=1, description="answers sampled per query")
    allocator: Literal["thompson", "uniform", "epsilon_greedy"] = Field(
        "thompson", description="how queries are shared out over domain and operator"
    )
    discount: float = Field(
        0.7, ge=0, le=1, description="weight of last round's evidence, per round of age"
    )
    domain_floor: float = Field(
        0.8, ge=0, le=1, description="share of the queries split evenly over the domains"
    )
    rehearsal: int = Field(
        117, ge=0, description="more safety pairs per round that the critic labels without answers"
    )
    benign_per_round: int = Field(
        58, ge=0, description="unrelated benign requests per round, answered by the frozen model"
    )
    alarming_per_round: int = Field(
        59, ge=0, description="harmless requests in alarming words per round, answered likewise"
    )
    contrasts_per_round: int = Field(
        28, ge=0, description="harmful requests in the same forms per round, labelled by the critic"
    )
    max_new_tokens: int = Field(32, ge=1, description="longest answer, in tokens")
    worked_tokens: int = Field(48, ge=1, description="longest answer to a mathematics problem")
    frozen_tokens: int = Field(
        16, ge=1, description="longest answer of the frozen model to a request, in tokens"
    )
    temperature: float = Field(1.0, ge=0, description="sampling temperature; 0 is greedy")


class CriticConfig(Section):
    """How answers are criticised."""

    probe_layer: int | None = Field(
        None, ge=0, description="layer whose hidden states the classifier reads; null chooses"
    )
    seed_items: int = Field(
        960, ge=8, description="constructed answers that train the classifier before round 1"
    )
    gate_requests: int = Field(
        120, ge=8, description="known requests on which the critic is examined each round"
    )
    gate_low: float = Field(
        0.6, ge=0, lt=1, description="sensitivity and specificity that it must reach there, at the "
        "interval's low end, before it may label",
    )  # fmt: skip
    explain: bool = Field(True, description="let the model write an explanation per critique")
    explain_items: int = Field(24, ge=0, description="most explanations written per round")
    explain_tokens: int = Field(48, ge=1, description="longest explanation, in tokens")


class HumanConfig(Section):
    """The metered human."""

    budget: int = Field(40, ge=0, description="labels that a human may be asked for, per run")
    simulated: bool = Field(True, description="answer from ground truth instead of asking")


class LearnerConfig(Section):
    """How the learner is updated."""

    algorithm: Literal["sft", "dpo", "ppo", "grpo", "rloo"] = Field(
        "dpo", description="training algorithm; all read the same records"
    )
    learning_rate: float = Field(1e-3, gt=0, le=1, description="peak learning rate")
    warmup: float = Field(0.1, ge=0, le=1, description="share of the steps spent warming up")
    max_grad_norm: float = Field(1.0, gt=0, description="gradient norm above which it is clipped")
    checkpointing: Literal["auto", "always", "never"] = Field(
        "auto",
        description="whether activations are computed again instead of kept; auto: if memory asks",
    )
    lora_rank: int = Field(16, ge=1, description="rank of the adapter")
    lora_alpha: float = Field(32, gt=0, description="adapter scale (alpha / rank multiplies it)")
    first_layer: float = Field(
        0.25, ge=0, lt=1, description="share of the blocks, from below, that stay frozen"
    )
    epochs: int = Field(1, ge=1, description="passes over each round's records")
    batch_tokens: int = Field(384, ge=1, description="most tokens in one optimiser step")
    average: Literal["examples", "tokens"] = Field(
        "examples", description="what counts alike in the supervised loss"
    )
    opening: int | None = Field(
        4, ge=1, description="tokens of an answer to a request that are learnt; null: all"
    )
    averaged_rounds: int = Field(
        3,
        ge=1,
        description="the final learner has the mean weights of so many of the last rounds that were kept",
    )
    variants: float = Field(
        8.0, ge=0, description="verified fresh problems per failure in checkable domains"
    )
    most_variants: int = Field(
        220, ge=0, description="most verified problems per checkable domain and round"
    )
    beta: float = Field(0.1, gt=0, description="DPO inverse temperature")
    sft_weight: float = Field(
        1.0, ge=0, description="weight of the supervised loss on fixed answers, beside DPO's"
    )
    anchor_weight: float = Field(
        1.0, ge=0, description="weight of the divergence from the frozen model along its own help"
    )
    raw_texts: int = Field(
        48, ge=0, description="pieces of the frozen model's own plain text to keep, per round"
    )
    kl_weight: float = Field(
        0.05, ge=0, description="weight of the divergence from the frozen reference (on-policy)"
    )
    clip: float = Field(0.2, gt=0, lt=1, description="clip range of the probability ratio")
    gamma: float = Field(1.0, gt=0, le=1, description="reward discount per token (PPO)")
    lam: float = Field(0.95, ge=0, le=1, description="GAE's lambda (PPO)")
    value_weight: float = Field(0.5, ge=0, description="weight of the value loss (PPO)")


class Sizes(Section):
    """Number of queries per measured quantity; 0 leaves it unmeasured."""

    safety: int = Field(ge=0, description="harmful requests")
    benign: int = Field(
        ge=0,
        description="benign twins, bare and attacked; as many unrelated; as many of either alarming kind",
    )
    mathematics: int = Field(ge=0, description="mathematics problems")
    ethics: int = Field(ge=0, description="ethics judgements")


class ProgressSizes(Sizes):
    """Sizes of the small evaluation after each round."""

    safety: int = Field(36, ge=0, description="harmful requests")
    benign: int = Field(
        24,
        ge=0,
        description="benign twins, bare and attacked; as many unrelated; as many of either alarming kind",
    )
    mathematics: int = Field(36, ge=0, description="mathematics problems")
    ethics: int = Field(60, ge=0, description="ethics judgements")


class FinalSizes(Sizes):
    """Sizes of the held-out evaluation before and after the run."""

    safety: int = Field(160, ge=0, description="harmful requests")
    benign: int = Field(
        120,
        ge=0,
        description="benign twins, bare and attacked; as many unrelated; as many of either alarming kind",
    )
    mathematics: int = Field(160, ge=0, description="mathematics problems")
    ethics: int = Field(240, ge=0, description="ethics judgements")


class EvaluationConfig(Section):
    """What is measured on held-out families."""

    progress: ProgressSizes = Field(ProgressSizes(), description="after each round")
    final: FinalSizes = Field(FinalSizes(), description="before the first and after the last round")
    max_new_tokens: int = Field(32, ge=1, description="longest answer, in tokens")
    worked_tokens: int = Field(56, ge=1, description="longest answer to a mathematics problem")


class DataConfig(Section):
    """One file of the user's own queries."""

    path: str = Field(min_length=1, description="JSON lines, CSV or Parquet file")
    kind: Literal["safety", "benign", "mathematics", "ethics"] = Field(
        description="how the answers are graded"
    )
    text_field: str = Field("text", min_length=1, description="field that holds the request")
    answer_field: str | None = Field(None, description="field that holds the right answer")
    label_field: str | None = Field(None, description="field that says harmful or acceptable")


class RunConfig(Section):
    """Everything that decides a run's result."""

    model: str = Field(
        "smollm2", min_length=1, description="model to align, as load_model names it"
    )
    seed: int = Field(0, ge=0, lt=2**32, description="seed of every random choice")
    device: str | None = Field(None, description="torch device; null chooses for the machine")
    dtype: Literal["float32", "bfloat16", "float16"] | None = Field(
        None, description="number format of the weights; null chooses for the machine"
    )
    rounds: int = Field(3, ge=1, description="rounds of attack, critique and update")
    domains: tuple[str, ...] = Field(
        ("safety", "mathematics", "ethics"), min_length=1, description="tasks that are attacked"
    )
    attack: AttackConfig = Field(AttackConfig(), description="the attacker")
    critic: CriticConfig = Field(CriticConfig(), description="the critic")
    human: HumanConfig = Field(HumanConfig(), description="the human")
    learner: LearnerConfig = Field(LearnerConfig(), description="the learner")
    evaluation: EvaluationConfig = Field(EvaluationConfig(), description="the measurements")
    data: tuple[DataConfig, ...] = Field((), description="the user's own files of queries")

    @field_validator("domains")
    @classmethod
    def _distinct(cls, domains: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(domains)) < len(domains):
            raise ValueError("a name appears twice")
        return domains


def load_config(path: Path | None = None, overrides: Sequence[str] = ()) -> RunConfig:
    """The configuration of ``superalign run``; see ``load_section``."""
    return load_section(RunConfig, path, overrides)


def describe(model: type[BaseModel] = RunConfig) -> list[FieldRow]:
    """All fields below ``model``; see ``sections.describe``."""
    return sections.describe(model)
