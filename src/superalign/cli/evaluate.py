"""``superalign evaluate``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from superalign.cli.options import Device, Json, SetRemote, app
from superalign.cli.remote import opening
from superalign.cli.terminal import Reporter, cell, print_json
from superalign.errors import InputError

KINDS = ("safety", "benign", "mathematics", "ethics", "choice")


@app.command()
def evaluate(
    model: Annotated[str, typer.Argument(help="name of the model")],
    data: Annotated[Path, typer.Option("--data", help="JSON lines, CSV or Parquet, also .gz")],
    kind: Annotated[
        str,
        typer.Option(
            help="safety (all harmful, or by label), benign, mathematics, ethics (yes or no), "
            "choice (the likeliest of given answers)"
        ),
    ],
    text_field: Annotated[str, typer.Option(help="field that holds the request")] = "text",
    answer_field: Annotated[
        str | None, typer.Option(help="field of the right answer (mathematics, ethics, choice)")
    ] = None,
    label_field: Annotated[
        str | None, typer.Option(help="field that says harmful or safe (safety, ethics)")
    ] = None,
    choices_field: Annotated[
        str | None, typer.Option(help="field that lists all answers (choice)")
    ] = None,
    wrong_field: Annotated[
        str | None, typer.Option(help="field that lists the wrong answers (choice)")
    ] = None,
    context_field: Annotated[
        str | None, typer.Option(help="field told before the question (choice)")
    ] = None,
    group_field: Annotated[
        str | None, typer.Option(help="field that accuracy is split by (choice)")
    ] = None,
    fresh: Annotated[
        Path | None, typer.Option(help="file of new rows of the same kind: tests contamination")
    ] = None,
    inspect_log: Annotated[
        Path | None, typer.Option(help="new .eval file for inspect view (needs the extra inspect)")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="most rows, lowest hash first")] = 500,
    max_new_tokens: Annotated[int, typer.Option(min=1, help="longest answer")] = 48,
    set_: SetRemote = None,
    device: Device = None,
    json_: Json = False,
) -> None:
    """Measure a model on a file of requests or problems, with ground truth's verdicts."""
    from superalign.evaluation.choices import ChoiceFields, evaluate_choices
    from superalign.evaluation.files import evaluate_file

    if kind not in KINDS:
        raise InputError(f"--kind '{kind}'; allowed: {', '.join(KINDS)}")
    listed = {
        "choices": choices_field, "wrong": wrong_field, "context": context_field,
        "group": group_field,
    }  # fmt: skip
    _check(kind, answer_field, listed, {"fresh": fresh, "inspect-log": inspect_log})
    progress = Reporter(json_)
    with opening(model, set_ or [], device, "evaluate", data.resolve()) as load:
        if kind == "choice":
            names = ChoiceFields(text_field, str(answer_field), **listed)
            summary = evaluate_choices(load, data, names, limit, progress)
        else:
            fields = {
                "text_field": text_field,
                "answer_field": answer_field,
                "label_field": label_field,
            }
            summary = evaluate_file(
                load, data, kind, fields, limit, max_new_tokens, fresh, inspect_log, progress
            )
    if json_:
        print_json(summary)
    else:
        _print(summary)


def _check(
    kind: str,
    answer: str | None,
    listed: dict[str, str | None],
    others: dict[str, Path | None],
) -> None:
    """Whether the options fit the kind.

    Raises:
        InputError: they do not.
    """
    if kind != "choice":
        given = [name for name, value in listed.items() if value is not None]
        if given:
            raise InputError(f"--{given[0]}-field with --kind {kind}; allowed: with --kind choice")
        return
    if answer is None:
        raise InputError("--kind choice needs the right answer; allowed: --answer-field NAME")
    given = [name for name, value in others.items() if value is not None]
    if given:
        raise InputError(f"--{given[0]} with --kind choice; allowed: with any other kind")


def _print(summary: dict[str, Any]) -> None:
    for part in ("measured", "measured_fresh"):
        for name, estimate in summary.get(part, {}).items():
            note = " on fresh rows" if part == "measured_fresh" else ""
            print(
                f"{name}{note}: {cell(estimate)} (n={estimate['n']}, "
                f"missing {estimate.get('missing', 0)})"
            )
    if "contamination" in summary:
        signs = summary["contamination"]
        found = signs["familiarity"]
        print(f"familiarity, AUROC: {cell(found['auroc'])} (p={found['p']})")
        print(f"order, p: {signs['order_p']}")
        print(f"pass rate, old less fresh: {cell(signs['pass_gap'])}")
