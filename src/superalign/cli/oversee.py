"""``superalign oversee``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from superalign.cli.folders import Resume, resumed, run_folder
from superalign.cli.options import Config, Device, Json, Model, Out, Seed, Set, app
from superalign.cli.terminal import Reporter, print_json


@app.command()
def oversee(
    context: typer.Context,
    judge: Annotated[
        str | None,
        typer.Option("--judge", help="exact (J0), learned (J1), noisy (J2), person (J3)"),
    ] = None,
    critic: Annotated[
        str | None,
        typer.Option(
            "--critic", help="gold, planted, random, calculator, trained, generative, ensemble"
        ),
    ] = None,
    items: Annotated[int | None, typer.Option(help="traces that are judged (default 4000)")] = None,
    steps: Annotated[int | None, typer.Option(help="steps of each trace (default 8)")] = None,
    score: Annotated[
        Path | None,
        typer.Option("--score", help="score a step critic on this file instead (ProcessBench)"),
    ] = None,
    learn: Annotated[
        list[Path] | None, typer.Option("--learn", help="solutions it learns from; repeatable")
    ] = None,
    reward_models: Annotated[
        bool, typer.Option("--reward-models", help="train and over-optimise reward models instead")
    ] = False,
    model: Model = None,
    config: Config = None,
    set_: Set = None,
    out: Out = None,
    seed: Seed = None,
    device: Device = None,
    json_: Json = False,
    resume: Resume = None,
) -> None:
    """Scalable oversight: which help lets a weak judge judge right, against ground truth."""
    from superalign.oversight import command
    from superalign.oversight.run import run_oversee
    from superalign.oversight.settings import OverseeConfig
    from superalign.report.oversight import write_figures, write_oversight_report

    if resume is not None:
        chosen = resumed(context, resume, OverseeConfig)
    else:
        given = {"model": model, "items": items, "steps": steps, "seed": seed, "device": device}
        chosen = command.settings(
            config, set_ or [], judge, critic, score, learn or [], reward_models, given
        )
    with run_folder("oversee", resume, out, chosen) as store:
        summary = run_oversee(chosen, store, Reporter(json_), command.ask)
        page = write_oversight_report(summary, store.path / "report.html")
        write_figures(summary, store.path / "figures")
    if json_:
        print_json(summary)
    else:
        command.show(summary)
        print(f"report: {page}")
