"""The closed loop: run it, answer its questions, write its report again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from superalign.cli.folders import Resume, new_folder, resumed, run_folder
from superalign.cli.options import Config, Device, Json, Model, Out, Seed, Set, app
from superalign.cli.terminal import Reporter, cell, print_json
from superalign.config import RunConfig, load_config
from superalign.errors import InputError


@app.command()
def run(
    context: typer.Context,
    model: Model = None,
    config: Config = None,
    set_: Set = None,
    out: Out = None,
    seed: Seed = None,
    device: Device = None,
    json_: Json = False,
    resume: Resume = None,
) -> None:
    """The closed loop: attack, criticise, improve and measure a model over several rounds."""
    from superalign.loop import run_loop
    from superalign.models import load_model
    from superalign.report.collect import write_run_report

    if resume is not None:
        settings = resumed(context, resume, RunConfig)
    else:
        settings = _settings(model, config, set_, seed, device)
        _check_domains(settings)
        new_folder("run", out)  # before a model is loaded: it may be taken
    loaded = load_model(settings.model, device=settings.device, dtype=settings.dtype)
    loaded.check_whole()
    with run_folder("run", resume, out, settings) as store:
        summary = run_loop(settings, store, loaded, Reporter(json_))
        write_run_report(store, summary)
    if json_:
        print_json(summary)
    else:
        _print_run(summary, store.path)


@app.command()
def label(folder: Annotated[Path, typer.Argument(help="a run that waits for labels")]) -> None:
    """Answer the questions of a run that asks a real person (human.simulated=false)."""
    from superalign.records import Label
    from superalign.store import RunStore

    with RunStore.open(folder, write=True) as store:
        path = store.path / "questions.json"
        if not path.is_file():
            raise InputError(f"{folder} asks nothing: there is no questions.json")
        known = {x.response for x in store.records(Label)}
        questions = [x for x in json.loads(path.read_text()) if x["response_id"] not in known]
        for i, question in enumerate(questions):
            print(f"\n--- {i + 1} of {len(questions)} ({question['domain']}) ---")
            for message in question["prompt"]:
                print(f"{message['role']}: {message['content']}")
            print(f"answer: {question['response']}")
            word = ""
            while word not in ("y", "n", "s", "q"):
                word = input("acceptable? [y]es, [n]o, [s]kip (cannot tell), [q]uit: ").lower()[:1]
            if word == "q":
                break
            value = {"y": 1.0, "n": 0.0, "s": None}[word]
            store.add_labels(
                [Label(response=question["response_id"], value=value, source="human")],
                round=question["round"],
            )
        print(f"saved; continue with: superalign run --resume {folder}")


@app.command()
def report(folder: Annotated[Path, typer.Argument(help="a finished run")]) -> None:
    """Write a finished run's report.html again."""
    from superalign.report.campaign import write_campaign_report
    from superalign.report.collect import write_run_report
    from superalign.store import RunStore

    with RunStore.open(folder) as store:
        path = store.path / "summary.json"
        if not path.is_file():
            raise InputError(f"{folder} is not finished: it has no summary.json")
        summary = json.loads(path.read_text())
        campaign = summary.get("schema", "").startswith("superalign.attack/")
        print((write_campaign_report if campaign else write_run_report)(store, summary))


def _settings(
    model: str | None,
    config: Path | None,
    set_: list[str] | None,
    seed: int | None,
    device: str | None,
) -> RunConfig:
    flags = {"model": model, "seed": seed, "device": device}
    settings = load_config(config, list(set_ or []))
    given = {key: value for key, value in flags.items() if value is not None}
    if "seed" in given and not 0 <= int(given["seed"]) < 2**32:
        raise InputError(f"--seed {seed}: allowed are 0 to 4294967295")
    return settings.model_copy(update=given)


def _check_domains(settings: RunConfig) -> None:
    allowed = ("safety", "mathematics", "ethics")
    wrong = [d for d in settings.domains if d not in allowed]
    if wrong:
        raise InputError(f"unknown domain '{wrong[0]}' in domains; allowed: {', '.join(allowed)}")


def _print_run(summary: dict[str, Any], path: Path) -> None:
    """The held-out table, before and after, on standard output."""
    from rich.console import Console
    from rich.table import Table

    table = Table("held out", "before", "after", "n")
    for domain, sides in summary["held_out"].items():
        for name in sides["after"] or {}:
            before = (sides["before"] or {}).get(name)
            after = sides["after"][name]
            table.add_row(f"{domain}: {name}", cell(before), cell(after), str(after["n"]))
    console = Console()
    console.print(table)
    human = summary["human_labels"]
    kind = "simulated " if human["simulated"] else ""
    console.print(
        f"{human['used']} of {human['budget']} {kind}human labels, "
        f"{summary['seconds'] / 60:.1f} minutes"
    )
    console.print(f"report: {path / 'report.html'}\nlearner: run:{path}", soft_wrap=True)
