"""What decides a campaign's result."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from superalign.config import Section
from superalign.models.remote_settings import RemoteConfig


class CampaignConfig(Section):
    """Settings of ``superalign attack``."""

    target: str = Field("smollm2", description="name of the model that is attacked")
    goals: str | None = Field(
        None, description="file of harmful requests; null: those of the safety task"
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
    feedback: Literal["text", "logprobs", "activations"] = Field(
        "text",
        description="what the attacker sees: answers, also their log-probabilities, or also the "
        "model's hidden states",
    )
    rewriter: str | None = Field(
        None,
        description="name of a model that rewrites the attacks on a goal that failed, for half of the "
        "moves; null: none",
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
    temperature: float = Field(1.0, ge=0, description="of the attacked model's answers")
    seed: int = Field(0, ge=0, lt=2**32, description="seed of every random choice")
    device: str | None = Field(None, description="torch device; null: chosen for the machine")
    dtype: str | None = Field(None, description="number type; null: chosen for the machine")
    remote: RemoteConfig = Field(RemoteConfig(), description="how a remote model is asked")
