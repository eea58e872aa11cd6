"""The command line: parses, calls, prints. Exit codes: 0 done, 1 failed, 2 bad input, 130 interrupted."""

from __future__ import annotations

import json
import logging
import os
import sys
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from superalign.config import RunConfig, dump_config, load_config
from superalign.errors import InputError, ModelError, StoreError, SuperalignError

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Align and check a language model on noisy, weak, scalable feedback.",
)

Model = Annotated[
    str | None,
    typer.Option(
        "--model", help="smollm2, a folder, hf:ORG/NAME, gguf:FILE, run:FOLDER; @layers=K cuts it"
    ),
]
Config = Annotated[Path | None, typer.Option("--config", help="YAML file of settings")]
Set = Annotated[list[str] | None, typer.Option("--set", help="one setting, e.g. rounds=2")]
Out = Annotated[Path | None, typer.Option("--out", help="folder of the run")]
Seed = Annotated[int | None, typer.Option("--seed", help="seed of every random choice")]
Device = Annotated[str | None, typer.Option("--device", help="torch device, e.g. cpu or cuda:0")]
Json = Annotated[bool, typer.Option("--json", help="print the summary as JSON, nothing else")]


CommandLineError: type[Exception] = typer.BadParameter.__mro__[
    2
]  # click's base, wherever typer keeps click


class _Reporter:
    """Progress lines on standard error with an estimate of what is left of the phase."""

    def __init__(self, quiet: bool) -> None:
        self.quiet, self.start, self.phase = quiet, time.monotonic(), ""
        self.phase_start, self.last = self.start, 0.0

    def __call__(self, phase: str, share: float, note: str = "") -> None:
        now = time.monotonic()
        if phase != self.phase:
            self.phase, self.phase_start = phase, now
        if self.quiet or (now - self.last < 5 and share not in (0.0, 1.0)):
            return
        self.last = now
        spent = now - self.phase_start
        left = f", about {spent * (1 - share) / share:.0f} s left" if 0.05 < share < 1 else ""
        clock = f"[{(now - self.start) / 60:5.1f} min]"
        print(f"{clock} {phase}: {100 * share:.0f}%{left} {note}".rstrip(), file=sys.stderr)


@app.command()
def run(
    model: Model = None,
    config: Config = None,
    set_: Set = None,
    out: Out = None,
    seed: Seed = None,
    device: Device = None,
    json_: Json = False,
    resume: Annotated[Path | None, typer.Option("--resume", help="continue this run")] = None,
) -> None:
    """The closed loop: attack, criticise, improve and measure a model over several rounds."""
    from superalign.loop import run_loop
    from superalign.models import load_model
    from superalign.report.collect import write_run_report
    from superalign.store import RunStore

    if resume is not None:
        given = {"--model": model, "--config": config, "--set": set_, "--out": out, "--seed": seed}
        extra = [name for name, value in given.items() if value not in (None, [])]
        if extra:
            raise InputError(f"--resume takes the run's own settings; drop {', '.join(extra)}")
        store = RunStore.open(resume, write=True)
        settings = load_config(resume / "config.yaml", [])
        loaded = load_model(settings.model, device=device or settings.device, dtype=settings.dtype)
    else:
        settings = _settings(model, config, set_, seed, device)
        _check_domains(settings)
        path = out or _free_folder(Path("runs") / "run")
        if path.exists() and (not path.is_dir() or any(path.iterdir())):
            hint = f"continue it with --resume {path}" if (path / "config.yaml").is_file() else ""
            raise InputError(f"--out {path} exists and is not empty; {hint or 'name a new folder'}")
        loaded = load_model(settings.model, device=settings.device, dtype=settings.dtype)
        store = RunStore.create(path, dump_config(settings))
    with store:
        try:
            summary = run_loop(settings, store, loaded, _Reporter(json_))
        except KeyboardInterrupt:
            raise _Interrupted(
                f"state saved; continue with: superalign run --resume {store.path}"
            ) from None
        write_run_report(store, summary)
        if json_:
            _print_json(summary)
        else:
            _print_run(summary, store.path)


class _Interrupted(SuperalignError):
    """Ctrl-C, with the line that says how to go on."""


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


def _free_folder(stem: Path) -> Path:
    n = 1
    while (path := stem.with_name(f"{stem.name}-{n}")).exists():
        n += 1
    return path


def _print_json(value: Any) -> None:
    print(json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False))


def _print_run(summary: dict[str, Any], path: Path) -> None:
    """The held-out table, before and after, on standard output."""
    from rich.console import Console
    from rich.table import Table

    table = Table("held out", "before", "after", "n")
    for domain, sides in summary["held_out"].items():
        for name in sides["after"] or {}:
            before = (sides["before"] or {}).get(name)
            after = sides["after"][name]
            table.add_row(f"{domain}: {name}", _cell(before), _cell(after), str(after["n"]))
    console = Console()
    console.print(table)
    human = summary["human_labels"]
    kind = "simulated " if human["simulated"] else ""
    console.print(
        f"{human['used']} of {human['budget']} {kind}human labels, "
        f"{summary['seconds'] / 60:.1f} minutes"
    )
    console.print(f"report: {path / 'report.html'}\nlearner: run:{path}", soft_wrap=True)


def _cell(estimate: dict[str, Any] | None) -> str:
    if not estimate or estimate["value"] is None:
        return "undefined"
    low, high = estimate["low"], estimate["high"]
    interval = f" [{low:.3g}, {high:.3g}]" if low is not None else ""
    return f"{estimate['value']:.3g}{interval}"


@app.command()
def generate(
    source: Annotated[Path, typer.Option("--in", help="JSON lines with 'prompt' or 'messages'")],
    out: Annotated[Path, typer.Option("--out", help="JSON lines with 'text' added")],
    model: Model = None,
    device: Device = None,
    seed: Annotated[int, typer.Option(help="seed of the sampling")] = 0,
    n: Annotated[int, typer.Option(min=1, help="answers per prompt")] = 1,
    max_new_tokens: Annotated[int, typer.Option(min=1, help="longest answer")] = 128,
    temperature: Annotated[float, typer.Option(min=0.0, help="0 is greedy")] = 0.0,
) -> None:
    """Plain batch inference over a file of prompts."""
    from superalign.files import write_atomic
    from superalign.models import load_model
    from superalign.tasks.files import read_rows

    if out.is_dir() or not out.parent.is_dir():
        raise InputError(f"--out {out}; allowed: a file in a folder that exists")
    rows = list(read_rows(source))
    prompts = [_prompt(row, i, source) for i, row in enumerate(rows)]
    outs = load_model(model or "smollm2", device=device).generate(
        prompts, n=n, max_new_tokens=max_new_tokens, temperature=temperature, seed=seed
    )
    lines = [
        json.dumps(row | {"text": done.text, "finish": done.finish}, ensure_ascii=False)
        for row, several in zip(rows, outs, strict=True)
        for done in several
    ]
    write_atomic(out, "\n".join(lines) + "\n")


def _prompt(row: dict[str, Any], index: int, source: Path) -> str | list[dict[str, str]]:
    where = f"{source}, row {index + 1}"
    if row.get("messages"):
        turns = row["messages"]
        if not isinstance(turns, list) or not all(map(_is_turn, turns)):
            raise InputError(
                f"{where}: 'messages' cannot be read; allowed: a list of objects with 'role' "
                "(system, user or assistant) and 'content' (text)"
            )
        return turns
    if not row.get("prompt"):
        present = ", ".join(row) or "nothing"
        raise InputError(f"{where}: neither 'prompt' nor 'messages'; it has {present}")
    if not isinstance(row["prompt"], str):
        raise InputError(f"{where}: 'prompt' is no text; for several turns use 'messages'")
    return row["prompt"]


def _is_turn(turn: Any) -> bool:
    known = isinstance(turn, dict) and turn.get("role") in ("system", "user", "assistant")
    return known and isinstance(turn.get("content"), str)


@app.command()
def evaluate(
    model: Annotated[str, typer.Argument(help="name of the model")],
    data: Annotated[Path, typer.Option("--data", help="JSON lines, CSV or Parquet, also .gz")],
    kind: Annotated[
        str, typer.Option(help="safety (all harmful, or by label), benign, mathematics")
    ],
    text_field: Annotated[str, typer.Option(help="field that holds the request")] = "text",
    answer_field: Annotated[
        str | None, typer.Option(help="field that holds the right answer (mathematics)")
    ] = None,
    label_field: Annotated[
        str | None, typer.Option(help="field that says harmful or safe (safety)")
    ] = None,
    fresh: Annotated[
        Path | None, typer.Option(help="file of new rows of the same kind: tests contamination")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="most rows, lowest hash first")] = 500,
    max_new_tokens: Annotated[int, typer.Option(min=1, help="longest answer")] = 48,
    device: Device = None,
    json_: Json = False,
) -> None:
    """Measure a model on a file of requests or problems, with ground truth's verdicts."""
    from superalign.evaluation.files import evaluate_file
    from superalign.models import load_model

    if kind not in ("safety", "benign", "mathematics"):
        raise InputError(f"--kind '{kind}'; allowed: safety, benign, mathematics")
    fields = {"text_field": text_field, "answer_field": answer_field, "label_field": label_field}
    summary = evaluate_file(
        lambda: load_model(model, device=device), data, kind, fields, limit, max_new_tokens, fresh
    )
    if json_:
        _print_json(summary)
    else:
        for part in ("measured", "measured_fresh"):
            for name, estimate in summary.get(part, {}).items():
                note = " on fresh rows" if part == "measured_fresh" else ""
                print(
                    f"{name}{note}: {_cell(estimate)} (n={estimate['n']}, "
                    f"missing {estimate.get('missing', 0)})"
                )
        if fresh is not None:
            signs = summary["contamination"]
            found = signs["familiarity"]
            print(f"familiarity, AUROC: {_cell(found['auroc'])} (p={found['p']})")
            print(f"order, p: {signs['order_p']}")
            print(f"pass rate, old less fresh: {_cell(signs['pass_gap'])}")


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
        store = RunStore.create(out or _free_folder(Path("runs") / "attack"), dump_config(chosen))
    with store:
        try:
            work = run_campaign if chosen.regression is None else run_regression
            summary = work(chosen, store, loaded, _Reporter(json_))
        except KeyboardInterrupt:
            raise _Interrupted(
                f"state saved; continue with: superalign attack --resume {store.path}"
            ) from None
        page = None if chosen.regression else write_campaign_report(store, summary)
    if json_:
        _print_json(summary)
    elif page is None:
        print(f"{summary['attacks']} attacks still succeed: {_cell(summary['success'])}")
    else:
        for name, value in rows(summary):
            print(f"{name}: {value}")
        print(f"report: {page}")


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


@app.command()
def export(
    source: Annotated[str, typer.Argument(help="model to export, e.g. run:FOLDER")],
    out: Annotated[Path, typer.Option("--out", help="new folder for the full model")],
) -> None:
    """Write a model, adapter merged, as a folder that transformers loads."""
    from superalign.models.export import export_merged

    if out.exists():
        raise InputError(f"--out {out} exists; name a new folder")
    print(export_merged(source, out))


@app.command()
def doctor(json_: Json = False) -> None:
    """Report device, type, cores, model cache, and what missing extras cost."""
    from superalign.doctor import diagnose, lines

    facts = diagnose()
    if json_:
        _print_json(facts)
    else:
        print("\n".join(lines(facts)))


def main() -> None:
    """Entry point: turns every error into one line and an exit code."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ.setdefault("TRANSFORMERS_NO_ADVISORY_WARNINGS", "1")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    logging.getLogger("sqlalchemy.pool").setLevel(logging.CRITICAL)  # Ctrl-C inside: no traceback
    try:
        code = app(standalone_mode=False)
    except CommandLineError as error:
        _fail(_usage(error), 2)
    except (InputError, ModelError, StoreError) as error:
        _fail(str(error), 2)
    except (KeyboardInterrupt, typer.Abort):
        _fail("interrupted", 130)
    except SuperalignError as error:
        _fail(str(error), 130)
    except OSError as error:
        _fail(f"{error.filename or 'file'}: {error.strerror or error}", 2)
    raise SystemExit(code if isinstance(code, int) else 0)


def _usage(error: Any) -> str:
    context = getattr(error, "ctx", None)
    message = " ".join(error.format_message().split())
    if context is None:
        return message
    options = [o for p in context.command.params for o in p.opts if o.startswith("--")]
    names = list(getattr(context.command, "commands", options))
    return f"{message}; allowed for '{context.command_path}': {', '.join(names)}"


def _fail(message: str, code: int) -> None:
    print(f"superalign: {' '.join(message.split())}", file=sys.stderr)
    raise SystemExit(code)


if __name__ == "__main__":
    main()
