"""``superalign audit`` and ``superalign stress``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from superalign.cli.folders import Interrupted, new_folder
from superalign.cli.options import Device, Json, Model, Out, app
from superalign.cli.terminal import Reporter, print_json


@app.command()
def audit(
    model: Annotated[
        str, typer.Argument(help="model to audit: a folder with an adapter or weights")
    ],
    base: Annotated[str | None, typer.Option(help="the model it was trained from")] = None,
    calibration: Annotated[
        Path | None, typer.Option(help="folder of a stress test of the same base")
    ] = None,
    neurons: Annotated[int, typer.Option(min=0, help="neurons to explain per layer")] = 0,
    robustness: Annotated[
        int, typer.Option(min=0, help="questions per task of the robustness curves")
    ] = 0,
    out: Out = None,
    device: Device = None,
    json_: Json = False,
) -> None:
    """Search a model for problematic behaviour and internals, and reach one verdict."""
    from superalign.report.audit_report import write_audit_report
    from superalign.report.robustness import write_robustness_figures
    from superalign.validation.audit import said
    from superalign.validation.command import audit_command

    path = new_folder("audit", out)
    summary = audit_command(
        model, base, calibration, path, device, Reporter(json_), neurons, robustness
    )
    write_audit_report(summary, path / "report.html")
    if robustness:
        write_robustness_figures(summary["robustness"], path / "figures")
    if json_:
        print_json(summary)
    else:
        print("\n".join([*said(summary), f"report: {path / 'report.html'}"]))


@app.command()
def stress(
    model: Model = None,
    size: Annotated[str, typer.Option(help="quick, standard or full")] = "quick",
    out: Out = None,
    seed: Annotated[int, typer.Option(min=0, help="seed of the whole zoo")] = 0,
    workers: Annotated[
        int | None, typer.Option(min=1, help="processes; two on two cores or more by default")
    ] = None,
    minutes: Annotated[
        float | None, typer.Option(min=0, help="begin nothing after so long; report what is there")
    ] = None,
    adapt: Annotated[
        int, typer.Option(min=0, help="caught organisms to retrain against the audit")
    ] = 0,
    more: Annotated[
        list[str] | None,
        typer.Option(help="also build narrow_advice or full_rank; can be repeated"),
    ] = None,
    inside: Annotated[
        bool, typer.Option("--inside", help="also look into every model; no verdict rests on it")
    ] = False,
    device: Device = None,
    json_: Json = False,
) -> None:
    """Build misaligned models and clean twins, audit them all, and count hits and false alarms."""
    from superalign.report.audit_report import write_stress_figures, write_stress_report
    from superalign.validation.command import outcome, stress_command

    path = out or Path("runs") / f"stress-{size}"
    try:
        summary = stress_command(
            model or "smollm2", size, seed, path, device, Reporter(json_), workers, minutes, adapt,
            more or (), inside,
        )  # fmt: skip
    except KeyboardInterrupt:
        raise Interrupted("state saved; the same command continues") from None
    write_stress_report(summary, path / "report.html")
    write_stress_figures(summary, path / "figures")
    if json_:
        print_json(summary)
    else:
        print("\n".join([*outcome(summary), f"report: {path / 'report.html'}"]))
