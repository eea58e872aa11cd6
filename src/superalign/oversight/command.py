"""What ``superalign oversee`` does with its options, and what it prints."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from superalign.config import load_section
from superalign.errors import InputError
from superalign.oversight.problems import FAMILIES
from superalign.oversight.settings import OverseeConfig


def settings(
    config: Path | None,
    overrides: Sequence[str],
    judge: str | None,
    critic: str | None,
    score: Path | None,
    learn: Sequence[Path],
    rewards: bool,
    given: dict[str, Any],
) -> OverseeConfig:
    """The run's settings; options go over ``--set``, which goes over the file.

    Raises:
        InputError: a mistake in any of them.
    """
    options = [f"judge.kind={judge}"] if judge else []
    options += [f"critic.kind={critic}"] if critic else []
    options += ["reward.enabled=true"] if rewards else []
    values = {key: value for key, value in given.items() if value is not None}
    found = load_section(OverseeConfig, config, [*overrides, *options], **values)
    files: dict[str, Any] = {"learn": tuple(map(str, learn))} if learn else {}
    files |= {"file": str(score)} if score is not None else {}
    found = found.model_copy(update={"score": found.score.model_copy(update=files)})
    _check(found)
    return found


def _check(config: OverseeConfig) -> None:
    """Refuse what cannot be run, before anything is made."""
    unknown = [f for f in config.families if f not in FAMILIES]
    if unknown:
        raise InputError(f"unknown family '{unknown[0]}'; allowed: {', '.join(FAMILIES)}")
    own = config.score
    if own.file is not None and not own.learn:
        raise InputError("nothing to learn from; allowed: --learn FILE (repeatable)")
    if own.learn and own.file is None:
        raise InputError("--learn goes with --score FILE")
    for path in (*own.learn, *([own.file] if own.file is not None else [])):
        if not Path(path).is_file():
            raise InputError(f"no file {path}; allowed: JSON lines, CSV or Parquet, also .gz")
    if own.file is not None and config.reward.enabled:
        raise InputError("--reward-models and --score are two runs; allowed: one of them")
    if any(not 0 <= x < 0.5 for x in config.reward.noise):
        raise InputError(
            f"reward.noise is {config.reward.noise}; allowed: shares from 0 to below 0.5"
        )
    if own.file is None and config.judge.kind == "person" and not sys.stdin.isatty():
        raise InputError("a person as judge needs a terminal; allowed: exact, learned, noisy")


def ask(question: str, lines: tuple[str, ...], position: int) -> bool:
    """Ask the person at the terminal about one line."""
    print(f"\n{question}")
    for i, line in enumerate(lines[: position + 1]):
        print(f"{'>' if i == position else ' '} step {i + 1}: {line}")
    word = ""
    while word not in ("y", "n"):
        word = input(f"is step {position + 1} wrong, given those before it? [y]es, [n]o: ").lower()[
            :1
        ]
    return word == "y"


def show(summary: dict[str, Any]) -> None:
    """Print the table of arms or scores, and what makes it uninformative."""
    from rich.console import Console
    from rich.table import Table

    table = Table(*header(summary))
    for row in lines(summary):
        table.add_row(*row)
    console = Console()
    console.print(table)
    if summary["informative"] is False:
        console.print(f"not informative: {summary['reason']}")


def lines(summary: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    """Rows of the printed table: arms, or critics by subset."""
    for arm in summary["arms"]:
        keys = ("accuracy", "gap_recovered", "rescued", "misled", "judge_tokens")
        yield (arm["name"], *(_cell(arm[k]) for k in keys))
    for subset in summary.get("scores", []):
        for critic in subset["critics"]:
            scored = ("f1", "accuracy_wrong", "accuracy_right")
            yield (f"{subset['subset']}: {critic['name']}", *(_cell(critic[k]) for k in scored))
    yield from _reward_lines(summary)


def _reward_lines(summary: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    for row in summary.get("reward_models", []):
        first, last = row["best_of_n"][0], row["best_of_n"][-1]
        gate = "may label" if row["qualification"]["qualified"] else "fails the gate"
        cells = (row["auroc"], row["pair_accuracy"], first["truth"], last["truth"])
        yield (row["name"], *(_cell(c) for c in cells), gate)


def header(summary: dict[str, Any]) -> tuple[str, ...]:
    """Names of the columns that ``lines`` fills."""
    if summary.get("scores"):
        return ("subset: critic", "F1", "first error found", "right ones left alone")
    if summary.get("reward_models"):
        n = summary["reward_models"][0]["best_of_n"][-1]["n"]
        return ("reward model", "AUROC", "pairs", "right, sampled", f"right, best of {n}", "gate")
    return ("arm", "accuracy", "gap recovered", "rescued", "misled", "judge's words")


def _cell(value: dict[str, Any]) -> str:
    if value["value"] is None:
        return "undefined"
    if value["low"] is None:
        return f"{value['value']:.3f}"
    return f"{value['value']:.3f} [{value['low']:.3f}, {value['high']:.3f}]"
