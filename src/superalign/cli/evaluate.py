"""``superalign evaluate``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from superalign.cli.folders import new_folder
from superalign.cli.options import Device, Json, Out, Seed, SetRemote, app
from superalign.cli.remote import opening
from superalign.cli.terminal import Reporter, cell, print_json


@app.command()
def evaluate(
    model: Annotated[str, typer.Argument(help="name of the model")],
    kind: Annotated[
        str,
        typer.Option(
            help="vector (fresh items of every task, without a file), safety (all harmful, or by "
            "label; also a campaign's suite), benign, mathematics, ethics (yes or no), choice (the "
            "likeliest of given answers), pair (the likelier of two texts), blank (what is likeliest "
            "in a blank), judge (the model as judge of labelled pairs), win_rate (against --rival, by "
            "--judge), values (our statements, in two languages)"
        ),
    ] = "vector",
    data: Annotated[
        Path | None, typer.Option("--data", help="JSON lines, CSV or Parquet, also .gz")
    ] = None,
    text_field: Annotated[
        str | None, typer.Option(help="field that holds the request (default text)")
    ] = None,
    answer_field: Annotated[
        str | None, typer.Option(help="field of the right answer (mathematics, ethics, choice)")
    ] = None,
    label_field: Annotated[
        str | None, typer.Option(help="field that says harmful or safe (safety, ethics)")
    ] = None,
    choices_field: Annotated[
        str | None, typer.Option(help="field that lists all answers (choice) or fillings (blank)")
    ] = None,
    wrong_field: Annotated[
        str | None, typer.Option(help="field of the wrong answer or answers (choice)")
    ] = None,
    choices: Annotated[
        str | None, typer.Option(help="answers of every question, e.g. No,Yes (choice)")
    ] = None,
    context_field: Annotated[
        str | None, typer.Option(help="field told before the question (choice)")
    ] = None,
    group_field: Annotated[
        str | None, typer.Option(help="field that results are split by (choice, pair)")
    ] = None,
    other_field: Annotated[str | None, typer.Option(help="field of the other text (pair)")] = None,
    number_field: Annotated[
        str | None, typer.Option(help="field of a number that fillings may follow (blank)")
    ] = None,
    fresh: Annotated[
        Path | None, typer.Option(help="file of new rows of the same kind: tests contamination")
    ] = None,
    inspect_log: Annotated[
        Path | None, typer.Option(help="new .eval file for inspect view (needs the extra inspect)")
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(
            min=1, help="most rows, lowest hash first (default 500; vector: items a row, 100)"
        ),
    ] = None,
    max_new_tokens: Annotated[
        int | None, typer.Option(min=1, help="longest answer (default 48)")
    ] = None,
    rival: Annotated[
        str | None,
        typer.Option(help="model to compare with (win_rate; judge: measures self-preference)"),
    ] = None,
    judge: Annotated[str | None, typer.Option(help="model that judges (win_rate)")] = None,
    critique_tokens: Annotated[
        int | None,
        typer.Option(min=1, help="longest critique written before a verdict (judge, win_rate)"),
    ] = None,
    set_: SetRemote = None,
    out: Out = None,
    seed: Seed = None,
    device: Device = None,
    json_: Json = False,
) -> None:
    """Measure a model on fresh items of every task, or on a file; always a vector of numbers."""
    from superalign.evaluation import command
    from superalign.report.evaluation import write_evaluation

    options = command.Options(
        data=data, text_field=text_field, answer_field=answer_field, label_field=label_field,
        choices_field=choices_field, wrong_field=wrong_field, choices=choices,
        context_field=context_field, group_field=group_field, other_field=other_field,
        number_field=number_field, fresh=fresh, inspect_log=inspect_log, limit=limit,
        max_new_tokens=max_new_tokens, rival=rival, judge=judge, critique_tokens=critique_tokens,
        seed=seed,
    )  # fmt: skip
    if out is not None:
        new_folder("evaluate", out)  # before anything is computed: it may be taken
    work = ("evaluate", model, kind, None if data is None else data.resolve())
    with opening(set_ or [], device, *work) as load:
        summary = command.evaluate(load, model, kind, options, Reporter(json_))
    if out is not None:
        given = {"model": model, "kind": kind}
        given |= {name: getattr(options, name) for name in options.given}
        plain = {k: v if isinstance(v, int) else str(v) for k, v in given.items()}
        page = write_evaluation(summary, plain, out)
    if json_:
        print_json(summary)
    else:
        _print(summary)
        if out is not None:
            print(f"report: {page}")


def _print(summary: dict[str, Any]) -> None:
    for part in ("measured", "measured_fresh"):
        for name, estimate in summary.get(part, {}).items():
            note = " on fresh rows" if part == "measured_fresh" else ""
            print(f"{name}{note}: {_counted(estimate)}")
    for row in summary.get("vector", []):
        print(f"{row['dimension']}: {row['measure']}: {_counted(row['passed'])}")
    for row in summary.get("profile", []):
        print(f"{row['dimension']}, {row['language']} ({row['high']}): {_counted(row['leaning'])}")
    for language, found in summary.get("languages", {}).items():
        for name, estimate in found.items():
            print(f"{name}, {language}: {_counted(estimate)}")
    for name, estimate in (summary.get("between_languages") or {}).items():
        print(f"{name} between languages: {_counted(estimate)}")
    for line in summary.get("warnings", []):
        print(f"warning: {line}")
    for name, estimate in summary.get("self_preference", {}).items():
        said = _counted(estimate) if isinstance(estimate, dict) else estimate
        print(f"self-preference, {name}: {said}")
    for row in summary.get("bias", []):
        where = ", ".join(filter(None, (row["condition"], row["category"])))
        for name in ("accuracy", "unknown", "bias_score"):
            print(f"{name}, {where}: {_counted(row[name])}")
    if "contamination" in summary:
        signs = summary["contamination"]
        found = signs["familiarity"]
        print(f"familiarity, AUROC: {cell(found['auroc'])} (p={found['p']})")
        print(f"order, p: {signs['order_p']}")
        print(f"pass rate, old less fresh: {cell(signs['pass_gap'])}")


def _counted(estimate: dict[str, Any]) -> str:
    return f"{cell(estimate)} (n={estimate['n']}, missing {estimate.get('missing', 0)})"
