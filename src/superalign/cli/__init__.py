"""The command line: parses, calls, prints. Exit codes: 0 done, 1 failed, 2 bad input, 130 interrupted.

One file per group of commands; importing it adds them to the application, in this order.
"""

from __future__ import annotations

import logging
import os
import sys
from typing import Any

import typer

# isort: off
from superalign.cli import (
    run,
    weak_to_strong,
    oversee,
    attack,
    audit,
    explain,
    evaluate,
    monitor,
    models,
)

# isort: on
from superalign.cli.options import app
from superalign.errors import InputError, ModelError, StoreError, SuperalignError

__all__ = [
    "app",
    "attack",
    "audit",
    "evaluate",
    "explain",
    "main",
    "models",
    "monitor",
    "oversee",
    "run",
    "weak_to_strong",
]

CommandLineError: type[Exception] = typer.BadParameter.__mro__[
    2
]  # click's base, wherever typer keeps click


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
