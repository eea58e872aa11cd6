"""What ``superalign explain`` prints, and ``report.html`` of directions, features or a sample of neurons."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from superalign.files import write_atomic
from superalign.report.numbers import read
from superalign.report.run_report import environment, render_page

FIRES = 6  # tenths of a unit's largest activation from which a token is marked


def write_explain_report(summary: dict[str, Any], path: Path) -> None:
    """The page of explained directions, features or a sample of neurons.

    Raises:
        StoreError: the file could not be written.
    """
    environment().filters["read"] = read
    write_atomic(path, render_page("explain.html.j2", s=summary))


def said(summary: dict[str, Any]) -> list[str]:
    """The result in a few lines, for a terminal."""
    if "directions" in summary:
        return [
            f"{d['name']} (layer {d['layer']}, correlation {_score(d)}): {d['explanation']}"
            for d in summary["directions"]
        ]
    if "features" in summary:
        made = summary["reconstruction"]
        return [
            f"{made['features']} features, {made['variance_explained']:.2f} of the variance explained, "
            f"L0 {made['l0']:.1f}, {made['silent']} never fire (n = {made['tokens']} unseen tokens)",
            _scores(f"{len(summary['features'])} explained", summary["means"]),
        ]
    lines = [_scores(f"block {row['layer']}", row) for row in summary["by_layer"]]
    return [*lines, f"{summary['neurons_per_minute']:,.0f} neurons per minute"]


def _scores(name: str, row: dict[str, Any]) -> str:
    return (
        f"{name}: correlation {_estimate(row['natural'])}, "
        f"token lookup {_estimate(row['token_lookup'])}, shuffled {_estimate(row['null'])}"
    )


def _score(row: dict[str, Any]) -> str:
    value = row["scored"]["natural"]
    return "undefined" if value is None else f"{value:.2f}"


def _estimate(e: dict[str, Any]) -> str:
    if e["value"] is None:
        return "undefined"
    span = "" if e["low"] is None else f" [{e['low']:.2f}, {e['high']:.2f}]"
    return f"{e['value']:.2f}{span} (n = {e['n']})"


def marked(excerpt: dict[str, Any]) -> str:
    """An excerpt on one line, the tokens at which a unit fires in «quotation marks»."""
    parts = []
    for word, tenths in zip(excerpt["tokens"], excerpt["tenths"], strict=True):
        bare = word.strip()
        fires = tenths >= FIRES and bare
        parts.append(word.replace(bare, f"«{bare}»") if fires else word)
    return " ".join("".join(parts).split())
