"""Where a command's run goes: into a new folder, or on in the one that it continues."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from superalign.errors import EndpointError, InputError, SuperalignError
from superalign.sections import Section, dump_config, load_section

if TYPE_CHECKING:
    from superalign.store import RunStore

S = TypeVar("S", bound=Section)

Resume = Annotated[Path | None, typer.Option("--resume", help="continue this run")]
BESIDE_RESUME = ("resume", "device", "json_")


class Interrupted(SuperalignError):
    """Ctrl-C, with the line that says how to go on."""


def resumed(context: typer.Context, folder: Path, kind: type[S]) -> S:
    """The settings that the run in ``folder`` was started with; a ``--device`` given now goes first.

    Raises:
        InputError: there is no run, or other options were given beside ``--resume``.
    """
    from superalign.store import RunStore

    extra = [
        p.opts[0] if p.param_type_name == "option" else (p.name or "").upper()
        for p in context.command.params
        if p.name not in BESIDE_RESUME and _typed(context, p.name or "")
    ]
    if extra:
        raise InputError(f"--resume takes the run's own settings; drop {', '.join(extra)}")
    RunStore.open(folder, write=True).close()  # who else writes there is said before models load
    settings = load_section(kind, folder / "config.yaml")
    device = context.params.get("device")
    return settings if device is None else settings.model_copy(update={"device": device})


def _typed(context: typer.Context, name: str) -> bool:
    """Whether a parameter stood on the command line."""
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def new_folder(command: str, out: Path | None) -> Path:
    """``out``, or the first free ``runs/COMMAND-N``.

    Raises:
        InputError: ``out`` is taken.
    """
    if out is None:
        n = 1
        while (path := Path("runs") / f"{command}-{n}").exists():
            n += 1
        return path
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        hint = f"continue it with --resume {out}" if (out / "config.yaml").is_file() else ""
        raise InputError(f"--out {out} exists and is not empty; {hint or 'name a new folder'}")
    return out


@contextmanager
def run_folder(
    command: str, resume: Path | None, out: Path | None, settings: Section
) -> Iterator[RunStore]:
    """The store of the run that continues, or of a new one; Ctrl-C and an endpoint that gives up
    become the line that says how to go on.

    Raises:
        InputError: the folder cannot be used.
        Interrupted: Ctrl-C.
        EndpointError: a remote model cannot be asked any further.
    """
    from superalign.store import RunStore

    if resume is not None:
        store = RunStore.open(resume, write=True)
    else:
        store = RunStore.create(new_folder(command, out), dump_config(settings))
    with store:
        hint = f"state saved; continue with: superalign {command} --resume {store.path}"
        try:
            yield store
        except KeyboardInterrupt:
            raise Interrupted(hint) from None
        except EndpointError as error:
            raise EndpointError(f"{error}; {hint}") from None
