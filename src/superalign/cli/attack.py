"""``superalign attack``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from superalign.cli.options import Config, Device, Json, Out, Seed, Set, app
from superalign.cli.terminal import Interrupted, Reporter, cell, free_folder, print_json
from superalign.config import dump_config
from superalign.errors import InputError


@app.command()
def attack(
    target: Annotated[str | None, typer.Argument(help="name of the model that is attacked")] = None,
    goals: Annotated[
        str | None, typer.Option("--goals", help="file of harmful requests; default: our own")
    ] = None,
    text_field: Annotated[str | None, typer.Option(help="its field of the request")] = None,
    category_field: Annotated[str | None, typer.Option(help="its field of the category")] = None,
    limit: Annotated[int | None, typer.Option(help="most goals (default 44)")] = None,
    queries: Annotated[int | None, typer.Option(help="budget per goal (default 100)")] = None,
    allocation: Annotated[
        str | None, typer.Option(help="thompson (default), uniform or epsilon_greedy")
    ] = None,
    feedback: Annotated[str | None, typer.Option(help="text (default) or logprobs")] = None,
    labels: Annotated[
        str | None, typer.Option(help="human-labelled answers that calibrate the judge")
    ] = None,
    regression: Annotated[
        str | None, typer.Option(help="regression.jsonl of an earlier campaign: ask it again")
    ] = None,
    config: Config = None,
    set_: Set = None,
    out: Out = None,
    seed: Seed = None,
    device: Device = None,
    json_: Json = False,
    resume: Annotated[Path | None, typer.Option("--resume", help="continue this run")] = None,
) -> None:
    """Find how a model fails, at a known budget of queries and compute, honestly counted."""
    from superalign.campaign.command import check, resumed, rows, run_campaign, settings
    from superalign.campaign.regression import run_regression
    from superalign.models import load_model
    from superalign.report.campaign import write_campaign_report
    from superalign.store import RunStore

    given = {
        "target": target, "goals": goals, "text_field": text_field, "limit": limit,
        "category_field": category_field, "queries": queries, "allocation": allocation,
        "feedback": feedback, "labels": labels, "regression": regression, "seed": seed,
        "device": device,
    }  # fmt: skip
    if resume is not None:
        chosen = resumed(resume, [config, set_, out, *given.values()])
    elif target is None and config is None:
        raise InputError("no model; allowed: superalign attack MODEL, or --resume FOLDER")
    else:
        chosen = settings(config, set_ or [], given)
    check(chosen, out)
    loaded = load_model(chosen.target, device=chosen.device, dtype=chosen.dtype)
    if resume is not None:
        store = RunStore.open(resume, write=True)
    else:
        store = RunStore.create(out or free_folder(Path("runs") / "attack"), dump_config(chosen))
    with store:
        try:
            work = run_campaign if chosen.regression is None else run_regression
            summary = work(chosen, store, loaded, Reporter(json_))
        except KeyboardInterrupt:
            raise Interrupted(
                f"state saved; continue with: superalign attack --resume {store.path}"
            ) from None
        page = None if chosen.regression else write_campaign_report(store, summary)
    if json_:
        print_json(summary)
    elif page is None:
        print(f"{summary['attacks']} attacks still succeed: {cell(summary['success'])}")
    else:
        for name, value in rows(summary):
            print(f"{name}: {value}")
        print(f"report: {page}")
