"""Settings of ``superalign w2s``: everything that decides the result."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from superalign.config import Section


class TaskSource(Section):
    """Where a task's rows are and which fields to read; what is null is found from the rows."""

    path: str = Field(
        min_length=1,
        description="JSON lines, CSV or Parquet file, also .gz; hub:NAME[:SPLIT]; task:ethics, "
        "task:safety; or, answered in writing, task:mathematics[:FAMILY,…]",
    )
    name: str = Field("", description="name in the results; empty: that of the file")
    text_field: str | None = Field(
        None, description="field of the text, or several, comma-separated; null finds them"
    )
    label_field: str | None = Field(None, description="field of the true class; null: label")
    better_field: str | None = Field(None, description="pairs: field of the better text")
    worse_field: str | None = Field(None, description="pairs: field of the worse text")
    group_field: str | None = Field(
        None, description="rows that share it stay on one side; null: the first text field"
    )
    weak_field: str | None = Field(
        None, description="field of recorded weak labels, for the supervisor 'recorded'"
    )
    question: str | None = Field(
        None, description="put after each text; null: general cues only, no task knowledge"
    )


class WeakToStrongConfig(Section):
    """Everything that decides a weak-to-strong run's result."""

    student: str = Field("smollm2", min_length=1, description="the strong model")
    supervisors: tuple[str, ...] = Field(
        ("smollm2@layers=2",),
        min_length=1,
        description="weak ones: a model's name, bow, noisy:SENSITIVITY,SPECIFICITY or recorded",
    )
    data: tuple[TaskSource, ...] = Field(min_length=1, description="the tasks, one per file")
    methods: tuple[str, ...] = Field((), description="methods to compare; empty: all of them")
    transfer: tuple[str, ...] = Field(
        (), description="pairs of task names FROM>TO: students of FROM are also tested on TO"
    )
    generative_tuning: bool = Field(
        False, description="also read a student tuned on each task's texts without labels (slow)"
    )
    fine_tuning: Literal["lora", "full"] | None = Field(
        None,
        description="also fine-tune students, one a seed and loss (slow): lora, or every matrix; "
        "null: frozen features only",
    )
    seeds: int = Field(5, ge=2, description="number of seeds (splits of the training rows)")
    seed: int = Field(0, ge=0, lt=2**32, description="first seed")
    rows: int = Field(
        1200, ge=60, description="most rows a task; a third is the test set, a third each trains"
    )
    problems: int = Field(
        360, ge=60, description="most problems of a generative task; a third each, as rows"
    )
    max_tokens: int = Field(96, ge=8, description="longest text, in tokens; its end is kept")
    device: str | None = Field(None, description="torch device; null chooses for the machine")
    dtype: Literal["float32", "bfloat16", "float16"] | None = Field(
        None, description="number format of the weights; null chooses for the machine"
    )

    @field_validator("supervisors", "methods")
    @classmethod
    def _distinct(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(names)) < len(names):
            raise ValueError("a name appears twice")
        return names
