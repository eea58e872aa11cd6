"""Commands on one model: generate and export; and what this machine has."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from superalign.cli.options import Device, Json, Model, SetRemote, app
from superalign.cli.remote import opening
from superalign.cli.terminal import Reporter, print_json
from superalign.errors import InputError

if TYPE_CHECKING:
    from superalign.models import Completion


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
    set_: SetRemote = None,
) -> None:
    """Plain batch inference over a file of prompts."""
    from superalign.files import write_atomic
    from superalign.models import RemoteModel
    from superalign.tasks.files import read_rows

    if out.is_dir() or not out.parent.is_dir():
        raise InputError(f"--out {out}; allowed: a file in a folder that exists")
    rows = list(read_rows(source))
    prompts = [prompt_of(row, f"{source}, row {i + 1}") for i, row in enumerate(rows)]
    name = model or "smollm2"
    with opening(set_ or [], device, "generate", name, source.resolve(), out.resolve()) as load:
        loaded = load(name)
        if isinstance(loaded, RemoteModel):
            loaded.progress = partial(Reporter(False), "answers")
        outs = loaded.generate(
            prompts, n=n, max_new_tokens=max_new_tokens, temperature=temperature, seed=seed
        )
        lines = [
            json.dumps(row | _told(done), ensure_ascii=False)
            for row, several in zip(rows, outs, strict=True)
            for done in several
        ]
        write_atomic(out, "\n".join(lines) + "\n")


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
        print_json(facts)
    else:
        print("\n".join(lines(facts)))


def _told(done: Completion) -> dict[str, Any]:
    """What a row gains; no text where a remote model gave none."""
    return {"text": None if done.finished is None else done.text, "finish": done.finish}


def prompt_of(row: dict[str, Any], where: str) -> str | list[dict[str, str]]:
    """The prompt of a row of a file, as a text or as messages.

    Raises:
        InputError: it has neither, or they cannot be read.
    """
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
