"""How a remote model is asked."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from superalign.sections import Section

Omitted = Literal["seed", "temperature", "top_p", "stop"]


class RemoteConfig(Section):
    """Limits and manners towards a remote model's endpoint; local models have no use for them."""

    concurrency: int = Field(8, ge=1, le=256, description="requests under way at once")
    requests_per_minute: float | None = Field(
        None, gt=0, description="most requests begun per minute; null: no limit"
    )
    requests: int | None = Field(
        None,
        ge=1,
        description="most requests in one sitting, repeated ones counted; null: no limit",
    )
    retries: int = Field(
        6, ge=0, description="times that a request is repeated after a passing failure"
    )
    backoff: float = Field(
        1.0,
        ge=0,
        description="seconds before the first repetition; each later one waits twice as long",
    )
    longest_wait: float = Field(
        300.0, ge=0, description="longest wait that an endpoint may ask for, in seconds"
    )
    timeout: float = Field(120.0, gt=0, description="seconds without a sign of an answer")
    length_field: Literal["max_tokens", "max_completion_tokens"] = Field(
        "max_tokens", description="what the endpoint calls the longest answer"
    )
    omit: tuple[Omitted, ...] = Field(
        (), description="fields of a request that the endpoint refuses and that are not sent"
    )


class RemoteSettings(Section):
    """The settings of commands that have no others, so that ``--set remote.…`` is the same everywhere."""

    remote: RemoteConfig = Field(RemoteConfig(), description="how a remote model is asked")
