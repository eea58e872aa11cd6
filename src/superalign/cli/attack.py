"""``superalign attack``."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Annotated, Any

import typer

from superalign.cli.folders import Resume, new_folder, resumed, run_folder
from superalign.cli.options import Config, Device, Json, Out, Seed, Set, app
from superalign.cli.terminal import Reporter, cell, print_json, print_table
from superalign.errors import InputError

if TYPE_CHECKING:
    from superalign.campaign.settings import CampaignConfig
    from superalign.models import LanguageModel
    from superalign.store import RunStore

Summary = dict[str, Any]


@app.command()
def attack(
    context: typer.Context,
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
    feedback: Annotated[
        str | None, typer.Option(help="text (default), logprobs, activations or weights")
    ] = None,
    labels: Annotated[
        str | None, typer.Option(help="human-labelled answers that calibrate the judge")
    ] = None,
    regression: Annotated[
        str | None, typer.Option(help="regression.jsonl of an earlier campaign: ask it again")
    ] = None,
    transfer: Annotated[
        str | None, typer.Option(help="finished run: each round's attacks on each round's learner")
    ] = None,
    config: Config = None,
    set_: Set = None,
    out: Out = None,
    seed: Seed = None,
    device: Device = None,
    json_: Json = False,
    resume: Resume = None,
) -> None:
    """Find how a model fails, at a known budget of queries and compute, honestly counted."""
    from superalign.campaign.command import check, open_target, rows, settings
    from superalign.campaign.settings import CampaignConfig
    from superalign.report.campaign import write_campaign_report

    given = {
        "target": target, "goals": goals, "text_field": text_field, "limit": limit,
        "category_field": category_field, "queries": queries, "allocation": allocation,
        "feedback": feedback, "labels": labels, "regression": regression, "transfer": transfer,
        "seed": seed, "device": device,
    }  # fmt: skip
    if resume is not None:
        chosen = resumed(context, resume, CampaignConfig)
    elif target is None and config is None and transfer is None:
        raise InputError("no model; allowed: superalign attack MODEL, or --resume FOLDER")
    else:
        chosen = settings(config, set_ or [], given)
        new_folder("attack", out)  # before files and models are read: it may be taken
    check(chosen)
    # Opened before a folder is made: a name may be wrong.
    model = open_target(chosen) if chosen.transfer is None else None
    with run_folder("attack", resume, out, chosen) as store:
        summary = _work(chosen, store, model, Reporter(json_))
        whole = chosen.regression is None and chosen.transfer is None
        page = write_campaign_report(store, summary) if whole else None
    if json_:
        print_json(summary)
    elif chosen.transfer is not None:
        _print_matrix(summary["matrix"])
    elif page is None:
        found = summary["success"]
        count = f"n={found['n']}, missing {found.get('missing', 0)}"
        print(f"attacks asked again: {summary['attacks']}")
        print(f"share that still succeeds: {cell(found)} ({count})")
    else:
        for name, value in rows(summary):
            print(f"{name}: {value}")
        print(f"report: {page}")


def _work(
    chosen: CampaignConfig, store: RunStore, model: LanguageModel | None, progress: Reporter
) -> Summary:
    """The campaign, the regression suite or, without a model of its own, the transfer matrix."""
    from superalign.campaign.command import run_campaign
    from superalign.campaign.regression import run_regression
    from superalign.campaign.transfer import run_transfer
    from superalign.models import load_model

    if model is None:
        load = functools.lru_cache(1)(
            functools.partial(load_model, device=chosen.device, dtype=chosen.dtype)
        )
        return run_transfer(chosen, store, load, progress)
    work = run_campaign if chosen.regression is None else run_regression
    return work(chosen, store, model, progress)


def _print_matrix(cells: list[Summary]) -> None:
    targets = sorted({c["target_round"] for c in cells})
    found = {(c["domain"], c["attack_round"], c["target_round"]): c for c in cells}
    print_table(
        ("domain", "attacks of round", *(f"learner {t}" for t in targets)),
        [
            (domain, str(k), *(cell(found[domain, k, t]) for t in targets))
            for domain, k in sorted({(c["domain"], c["attack_round"]) for c in cells})
        ],
    )
