"""``superalign w2s``."""

from __future__ import annotations

from typing import Annotated

import typer

from superalign.cli.folders import Resume, new_folder, resumed, run_folder
from superalign.cli.options import Config, Device, Json, Model, Out, Seed, Set, app
from superalign.cli.terminal import Reporter, print_json, print_table


@app.command()
def w2s(
    context: typer.Context,
    data: Annotated[
        list[str] | None,
        typer.Option(
            "--data", help="a task: JSONL, CSV, Parquet, hub:NAME[:SPLIT], task:NAME; repeat"
        ),
    ] = None,
    text_field: Annotated[str | None, typer.Option(help="field(s) of the text, a,b")] = None,
    label_field: Annotated[str | None, typer.Option(help="field of the true class")] = None,
    better_field: Annotated[str | None, typer.Option(help="pairs: field of the better")] = None,
    worse_field: Annotated[str | None, typer.Option(help="pairs: field of the worse")] = None,
    weak_field: Annotated[str | None, typer.Option(help="field of recorded weak labels")] = None,
    question: Annotated[str | None, typer.Option(help="question put after each text")] = None,
    supervisor: Annotated[
        list[str] | None, typer.Option("--supervisor", help="weak model, bow, noisy:SE,SP; repeat")
    ] = None,
    method: Annotated[
        list[str] | None, typer.Option("--method", help="method to compare (default: all); repeat")
    ] = None,
    seeds: Annotated[int | None, typer.Option(help="number of seeds (default 5)")] = None,
    rows: Annotated[int | None, typer.Option(help="most rows a task (default 1200)")] = None,
    model: Model = None,
    config: Config = None,
    set_: Set = None,
    out: Out = None,
    seed: Seed = None,
    device: Device = None,
    json_: Json = False,
    resume: Resume = None,
) -> None:
    """Weak-to-strong: how much of the gap a strong student recovers from a weak supervisor's labels."""
    from superalign.report.weak_to_strong import write_w2s_report
    from superalign.weak_to_strong.command import lines, settings
    from superalign.weak_to_strong.plan import Plan
    from superalign.weak_to_strong.run import run_w2s
    from superalign.weak_to_strong.settings import WeakToStrongConfig

    fields = {
        "text_field": text_field, "label_field": label_field, "better_field": better_field,
        "worse_field": worse_field, "weak_field": weak_field, "question": question,
    }  # fmt: skip
    given = {
        "student": model, "supervisors": supervisor, "methods": method, "seeds": seeds,
        "rows": rows, "seed": seed, "device": device,
    }  # fmt: skip
    progress = Reporter(json_)
    if resume is not None:
        chosen = resumed(context, resume, WeakToStrongConfig)
    else:
        chosen = settings(config, set_ or [], data or [], fields, given)
        new_folder("w2s", out)  # before data and models are read: it may be taken
    plan = Plan.of(chosen, progress)
    with run_folder("w2s", resume, out, chosen) as store:
        summary = run_w2s(plan, store, progress)
        page = write_w2s_report(summary, store.path / "report.html")
    if json_:
        print_json(summary)
    else:
        print_table(
            ("task < supervisor", "method", "weak", "student", "ceiling", "PGR"), lines(summary)
        )
        print(f"report: {page}")
