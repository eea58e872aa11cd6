"""What decides a campaign's result."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from superalign.config import Section
from superalign.models.remote_settings import RemoteConfig


class CampaignConfig(Section):
    """Settings of ``superalign attack``."""

    target: str = Field("smollm2", description="name of the model that is attacked")
    domain: Literal["safety", "mathematics", "ethics", "truthfulness", "bias"] = Field(
        "safety",
        description="task that the goals come from; all but safety: questions that the model answers "
        "rightly as long as nobody attacks",
    )
    goals: str | None = Field(
        None, description="file of harmful requests; null: the task's own goals"
    )
    text_field: str = Field("text", description="field of the file that holds the request")
    category_field: str | None = Field(
        None, description="field that holds the risk category; null: clusters by wording"
    )
    regression: str | None = Field(
        None,
        description="regression.jsonl of an earlier campaign: ask its attacks, find no new ones",
    )
    transfer: str | None = Field(
        None,
        description="folder of a finished run: ask each round's attacks of each round's learner",
    )
    categories: Literal["all", "train", "held_out"] | None = Field(
        None,
        description="risk categories of the generated goals; null: all, but the held-out ones for an "
        "attacker that is trained, which learns on the others",
    )
    limit: int = Field(44, ge=1, description="most goals; of a file those with the lowest hash")
    queries: int = Field(100, ge=1, le=100_000, description="budget of queries per goal")
    allocation: Literal["thompson", "uniform", "epsilon_greedy"] = Field(
        "thompson", description="how queries are shared out over goal cluster and operator"
    )
    earlier: str | None = Field(
        None,
        description="folder of an earlier campaign: its operators' successes are where thompson "
        "starts",
    )
    feedback: Literal["text", "logprobs", "activations", "weights"] = Field(
        "text",
        description="what the attacker has: answers, also their log-probabilities, also the model's "
        "hidden states, or answers, log-probabilities and the weights themselves",
    )
    rewriter: str | None = Field(
        None,
        description="name of a model that rewrites the attacks on a goal that failed, for half of the "
        "moves; null: none",
    )
    rewriting: Literal["pair", "tap"] = Field(
        "pair",
        description="how it rewrites: one near failure at a time, or a tree of which the best branches "
        "grow on",
    )
    attacker: Literal["operators", "trained", "both"] = Field(
        "operators",
        description="what attacks: the operators, a model that is trained to, or both as one pool",
    )
    attacker_model: str = Field("smollm2", description="name of the local model that is trained")
    attacker_adapter: str | None = Field(
        None,
        description="folder of an earlier campaign with a trained attacker: go on with that attacker",
    )
    training_queries: int | None = Field(
        None,
        ge=0,
        description="queries of the target that training may cost; null: 480, or 0 with "
        "attacker_adapter",
    )
    explore: bool = Field(
        False, description="spend what a solved goal leaves of its budget on new archive cells"
    )
    confirm: int = Field(
        0, ge=0, description="times that a success must come again on the same prompt to count"
    )
    replays: int = Field(4, ge=1, description="fresh answers to each attack found, for correction")
    labels: str | None = Field(
        None, description="file of human-labelled answers that calibrates the judge"
    )
    prompt_field: str = Field("prompt", description="its field of the request")
    answer_field: str = Field("completion", description="its field of the answer")
    label_field: str = Field("label", description="its field of the label: refusal or compliance")
    batch: int = Field(64, ge=1, description="queries asked of the model at once")
    max_new_tokens: int = Field(32, ge=1, description="longest answer in tokens")
    temperature: float | None = Field(
        None, ge=0, description="of the attacked model's answers; null: 1 for safety, else 0"
    )
    seed: int = Field(0, ge=0, lt=2**32, description="seed of every random choice")
    device: str | None = Field(None, description="torch device; null: chosen for the machine")
    dtype: str | None = Field(None, description="number type; null: chosen for the machine")
    remote: RemoteConfig = Field(RemoteConfig(), description="how a remote model is asked")

    @property
    def sampling(self) -> float:
        """The temperature of answers in the campaign's domain."""
        return self.sampling_of(self.domain)

    def sampling_of(self, domain: str) -> float:
        """The temperature. Where the verdict is exact the answer is greedy: chance breaks nothing."""
        if self.temperature is not None:
            return self.temperature
        return 1.0 if domain == "safety" else 0.0
