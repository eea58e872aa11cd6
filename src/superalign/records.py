"""What flows through superalign: frozen, typed records with stable identities.

Every record carries an ``id`` derived from its content, the id of what it came from (``parent``)
and, where a model made it, that model's name and weight hash and the seed. The same record serves
as evidence, training data, reward and audit entry, so nothing here depends on any other room.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Split = Literal["train", "held_out"]
Role = Literal["system", "user", "assistant"]
LabelSource = Literal["human", "simulated human", "verifier", "critic", "construction"]
ClaimKind = Literal[
    "correct", "wrong answer", "unparsed", "complied with harm", "over-refusal", "degenerate", "ok",
    "wrong step", "slip", "wrong copy", "dropped step", "non-sequitur",
]  # fmt: skip


def content_hash(value: Any, length: int = 16) -> str:
    """Hex digest of ``value``'s canonical JSON; equal content gives equal identity on any machine."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:length]


class Record(BaseModel):
    """A frozen record. ``id`` is computed from all other fields when it is not given."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field("", description="stable identity, derived from the content")
    parent: str | None = Field(None, description="id of the record this one came from")

    @model_validator(mode="after")
    def _derive_id(self) -> Record:
        if not self.id:
            object.__setattr__(self, "id", content_hash(self.model_dump(exclude={"id"})))
        return self


class Message(BaseModel):
    """One turn of a conversation."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    role: Role
    content: str


class Query(Record):
    """A prompt whose right treatment is known by construction or computation.

    ``truth`` holds what the task's grader needs and is opaque elsewhere, e.g. ``{"answer": "42"}``
    or ``{"harmful": true}``. ``operator`` names the attack operator that rewrote it (``"plain"``:
    none), whose family decides the split together with the task family.
    """

    domain: str = Field(description="task that generated it: mathematics, ethics, safety, ...")
    family: str = Field(description="unit of the split: task family, rule or risk category")
    split: Split
    messages: tuple[Message, ...]
    truth: dict[str, Any] = Field(default_factory=dict)
    goal: str = Field("", description="the plain request or question before any operator")
    fix: str | None = Field(None, description="a right answer written out, where one is computable")
    operator: str = "plain"
    twin: str | None = Field(None, description="id of the benign (or harmful) twin, if any")
    seed: int = 0

    @property
    def chat(self) -> list[dict[str, str]]:
        """Messages in the form that chat templates take."""
        return [{"role": m.role, "content": m.content} for m in self.messages]

    @property
    def text(self) -> str:
        """The last user turn."""
        return next(m.content for m in reversed(self.messages) if m.role == "user")


class Response(Record):
    """One sampled answer; ``logprobs`` are under the sampling distribution's model (nats).

    ``finished`` says whether it ended by itself; None means that a remote model gave no answer.
    """

    query: str
    text: str
    tokens: tuple[int, ...] = ()
    logprobs: tuple[float, ...] = ()
    finished: bool | None = True
    model: str = ""
    weight_hash: str = ""
    seed: int = 0

    @property
    def missing(self) -> bool:
        """Whether no answer came: neither a refusal nor an empty answer."""
        return self.finished is None


class Verdict(BaseModel):
    """Ground truth's word on one response. ``value`` is None when it cannot be decided (missing).

    ``value`` 1.0 is right treatment, 0.0 a confirmed failure. Missing is never a pass nor a hit.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    value: float | None = Field(ge=0.0, le=1.0)
    kind: ClaimKind
    reason: str = ""
    parsed: str | None = Field(None, description="the answer that was read out of the text")

    @property
    def failed(self) -> bool:
        """A failure that ground truth confirms."""
        return self.value is not None and self.value < 0.5


class Claim(BaseModel):
    """One located, checkable statement of a critique."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    kind: ClaimKind
    location: str = Field("", description="the step or span of the response that is meant")
    severity: float = Field(0.0, ge=0.0, le=1.0)
    fix: str | None = Field(None, description="what the response should have said")
    check: str | None = Field(None, description="the computation that decides the claim, if any")
    source: str = Field("", description="critic member that makes the claim")


class Critique(Record):
    """What a critic says of one response: claims, a score per dimension in [0, 1], a confidence.

    ``members`` keeps each critic member's probability that the response is acceptable;
    ``acceptable`` is their calibrated combination, None when the critic abstains.
    """

    response: str
    claims: tuple[Claim, ...] = ()
    scores: dict[str, float] = Field(default_factory=dict)
    members: dict[str, float] = Field(default_factory=dict)
    acceptable: float | None = Field(None, ge=0.0, le=1.0)
    confidence: float = Field(0.0, ge=0.0, le=1.0)
    explanation: str = ""
    critic: str = ""
    seed: int = 0


class Label(Record):
    """A judgement of one response with its provenance."""

    response: str
    dimension: str = "acceptable"
    value: float | None = Field(ge=0.0, le=1.0)
    source: LabelSource
    confidence: float = Field(1.0, ge=0.0, le=1.0)
    weight: float = Field(1.0, ge=0.0)
    note: str = ""


class Demonstration(Record):
    """A completion to imitate, with the source of its authority and a weight.

    ``keeps``: it is the frozen model's own, and the learner's distribution along it is to stay.
    """

    query: Query
    completion: str
    source: str
    weight: float = Field(1.0, ge=0.0)
    probability: float = Field(1.0, ge=0.0, le=1.0, description="belief that it is right")
    keeps: bool = False


class Preference(Record):
    """``chosen`` preferred over ``rejected`` with probability ``probability`` (soft label).

    ``keeps``: ``chosen`` is the frozen model's own, to be kept rather than imitated.
    """

    query: Query
    chosen: str
    rejected: str
    source: str
    weight: float = Field(1.0, ge=0.0)
    probability: float = Field(1.0, ge=0.0, le=1.0)
    keeps: bool = False
