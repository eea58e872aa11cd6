"""A page's plots as files of their own: SVG with title, legend, colours and both schemes inside."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from markupsafe import Markup, escape

from superalign.files import write_atomic
from superalign.report.plots import HEIGHT, WIDTH, swatch, tag
from superalign.report.run_report import asset

HEAD = 40  # pixels above the plot, for title and legend
SPACING = 104


def write_figure(plot: Markup, title: str, legend: Sequence[str], path: Path) -> Path:
    """Write ``plot`` (of ``plots.curve``) with a title and at most three legend entries to ``path``.

    Raises:
        StoreError: the file could not be written.
    """
    write_atomic(path, figure(plot, title, legend))
    return path


def figure(plot: Markup, title: str, legend: Sequence[str]) -> str:
    """The file's text."""
    style = tag("style", Markup(asset("colours") + asset("plot_style")))
    body = style + tag("rect", width=WIDTH, height=HEIGHT + HEAD, style="fill: var(--card)")
    body += tag("text", escape(title), x=8, y=15, style="fill: var(--ink); font-weight: 600")
    for slot, name in enumerate(legend):
        x = 8 + SPACING * slot
        mark = str(swatch(slot)).replace("<svg", f'<svg x="{x}" y="23" width="20" height="12"', 1)
        body += Markup(mark) + tag("text", escape(name), x=x + 24, y=33)
    inner = str(plot).replace("<svg", f'<svg y="{HEAD}" width="{WIDTH}" height="{HEIGHT}"', 1)
    whole = tag(
        "svg",
        body + Markup(inner),
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {WIDTH} {HEIGHT + HEAD}",
    )
    return f"{whole}\n"
