"""``superalign monitor``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from superalign.cli.models import prompt_of
from superalign.cli.options import Device, Json, app
from superalign.cli.terminal import Reporter, cell, print_json
from superalign.errors import InputError


@app.command()
def monitor(
    model: Annotated[str, typer.Argument(help="model whose activations are read")],
    source: Annotated[
        Path,
        typer.Option("--in", help="JSON lines with 'prompt' or 'messages', and 'text' if answered"),
    ],
    out: Annotated[Path, typer.Option("--out", help="JSON lines with the verdicts added")],
    text_field: Annotated[
        str | None, typer.Option(help="field of the request, instead of 'prompt' or 'messages'")
    ] = None,
    answer_field: Annotated[
        str | None, typer.Option(help="field of the answer (default 'text', without --text-field)")
    ] = None,
    folder: Annotated[
        Path | None,
        typer.Option(
            "--monitor", help="folder of a saved monitor, or a new one; default: the user's cache"
        ),
    ] = None,
    false_positive_rate: Annotated[
        float, typer.Option(help="share of harmless texts that may be escalated or blocked")
    ] = 0.05,
    block_rate: Annotated[
        float | None,
        typer.Option(help="share that may be blocked; default: a fifth, if that can be kept"),
    ] = None,
    pairs: Annotated[
        int, typer.Option(min=40, help="generated pairs a new one is fitted to")
    ] = 480,
    seed: Annotated[int, typer.Option(min=0, help="seed of a new one's pairs")] = 0,
    device: Device = None,
    json_: Json = False,
) -> None:
    """Watch requests and answers for high risk: score, threshold, action, domain, latency."""
    from superalign.critic.monitor_store import cached_monitor
    from superalign.critic.screening import screen, screened
    from superalign.files import write_atomic
    from superalign.models import load_model
    from superalign.tasks.files import read_rows

    if out.is_dir() or not out.parent.is_dir():
        raise InputError(f"--out {out}; allowed: a file in a folder that exists")
    chosen = false_positive_rate if block_rate is None else block_rate
    if not 0 < chosen <= false_positive_rate < 1:
        raise InputError(
            f"--false-positive-rate {false_positive_rate}, --block-rate {block_rate}; "
            "allowed: 0 < block rate <= false positive rate < 1"
        )
    rows = list(read_rows(source))
    answers = answer_field or ("text" if text_field is None else None)
    texts = [
        _exchange(row, f"{source}, row {i + 1}", text_field, answers) for i, row in enumerate(rows)
    ]
    loaded = load_model(model, device=device)
    watch = cached_monitor(
        loaded, folder, pairs=pairs, seed=seed,
        told=lambda line: None if json_ else print(line, file=sys.stderr),
    )  # fmt: skip
    least = 1 / (len(watch.calibration) + 1)  # what the calibration can tell from none
    block = block_rate or min(false_positive_rate, max(least, false_positive_rate / 5))
    if block < least:
        raise InputError(
            f"a rate of {block:.2g} with {len(watch.calibration)} calibration texts; "
            f"allowed: at least {least:.2g}, or a new monitor with more --pairs"
        )
    limits = watch.choose_rates(escalate=false_positive_rate, block=block)
    reporter = Reporter(json_)
    verdicts = screen(watch, texts, lambda share: reporter("texts", share))
    lines = [
        json.dumps(row | {"monitor": verdict}, ensure_ascii=False)
        for row, verdict in zip(rows, verdicts, strict=True)
    ]
    write_atomic(out, "".join(f"{line}\n" for line in lines))
    summary = {
        "schema": "superalign.monitor-verdicts/1",
        "command": "monitor",
        "model": loaded.name,
        "weight_hash": loaded.weight_hash,
        "data": str(source),
        "false_positive_rate": false_positive_rate,
        "block_rate": block,
        "thresholds": vars(limits),
        "calibration_texts": len(watch.calibration),
        **screened(verdicts),
    }
    print_json(summary) if json_ else _print(summary, out)


def _exchange(
    row: dict[str, Any], where: str, request: str | None, answer: str | None
) -> tuple[str, str | None]:
    """The last user turn, which is what the monitor reads of a conversation, and the answer."""
    prompt = prompt_of(row, where) if request is None else row.get(request)
    if isinstance(prompt, list):
        prompt = next((t["content"] for t in reversed(prompt) if t["role"] == "user"), None)
    answered = row.get(answer) if answer is not None else None
    if not isinstance(prompt, str) or not isinstance(answered, str | None):
        raise InputError(f"{where}: the request or the answer is no text; it has {', '.join(row)}")
    return prompt, answered


def _print(summary: dict[str, Any], out: Path) -> None:
    for part in ("query", "response"):
        found = summary[part]
        n = found["seconds"]["n"]
        if n:
            shares = ", ".join(f"{k} {cell(v)}" for k, v in found["actions"].items())
            milliseconds = 1000 * found["median_seconds"]
            print(f"{part}: {shares} (n={n}; median {milliseconds:.0f} ms a text)")
    print(f"verdicts: {out}")
