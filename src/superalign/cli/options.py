"""The application, and the options that its commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Align and check a language model on noisy, weak, scalable feedback.",
)

Model = Annotated[
    str | None,
    typer.Option(
        "--model",
        help="smollm2, a folder, hf:ORG/NAME, gguf:FILE, run:FOLDER; @layers=K, @weights=int8",
    ),
]
Config = Annotated[Path | None, typer.Option("--config", help="YAML file of settings")]
Set = Annotated[list[str] | None, typer.Option("--set", help="one setting, e.g. rounds=2")]
SetRemote = Annotated[
    list[str] | None,
    typer.Option(
        "--set", help="one setting for a remote model, e.g. remote.requests_per_minute=60"
    ),
]
Out = Annotated[Path | None, typer.Option("--out", help="folder of the run")]
Seed = Annotated[int | None, typer.Option("--seed", help="seed of every random choice")]
Device = Annotated[str | None, typer.Option("--device", help="torch device, e.g. cpu or cuda:0")]
Json = Annotated[bool, typer.Option("--json", help="print the summary as JSON, nothing else")]
