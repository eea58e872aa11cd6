"""Settings of the prover–verifier game and of recursive reward modelling in ``superalign oversee``."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from superalign.config import Section


class ProverConfig(Section):
    """Rounds of a helpful and a sneaky prover against a verifier that learns."""

    rounds: int = Field(0, ge=0, description="rounds of the prover-verifier game; 0: not run")
    verifier: Literal["inspector", "reader"] = Field(
        "inspector", description="exact looks with learnt attention, or a classifier on the text"
    )
    drafts: int = Field(16, ge=1, description="drafts that each prover chooses from")
    problems: int = Field(60, ge=5, description="problems that the verifier learns from, a round")
    tests: int = Field(100, ge=5, description="problems on which the provers are measured")
    steps: int = Field(5, ge=2, description="steps of all of these")
    looks: int = Field(1, ge=1, description="inspector: looks at each work")
    learns: bool = Field(True, description="inspector: moves its attention to where flaws were")


class RecursiveConfig(Section):
    """Evaluators assisted by evaluators of half the reach."""

    levels: int = Field(0, ge=0, description="levels above the first evaluator; 0: not run")
    depth: int = Field(3, ge=2, description="steps that the evaluator of level 0 judges")
    items: int = Field(1000, ge=20, description="flawed works, and as many right ones, per level")
    sensitivity: float = Field(0.9, ge=0, le=1, description="level 0: chance to see the flaw")
    false: float = Field(0.1, ge=0, le=1, description="level 0: chance of a false claim")
    upholds_true: float = Field(0.95, gt=0, le=1, description="checker: true claims upheld")
    upholds_false: float = Field(0.4, gt=0, le=1, description="checker: false claims upheld")
    keeps: float = Field(1.0, ge=0, le=1, description="share of evaluations that distilling keeps")
