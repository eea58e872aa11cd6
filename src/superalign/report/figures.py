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
CAPTION = 22  # pixels above each of several plots


def write_figure(plot: Markup, title: str, legend: Sequence[str], path: Path) -> Path:
    """Write ``plot`` (of ``plots.curve``) with a title and at most three legend entries to ``path``.

    Raises:
        StoreError: the file could not be written.
    """
    write_atomic(path, figure(plot, title, legend))
    return path


def write_panels(panels: Sequence[tuple[str, Markup]], path: Path, columns: int = 3) -> Path:
    """Write several small plots, each under its title, as one SVG file to ``path``.

    Raises:
        StoreError: the file could not be written.
    """
    columns = max(1, min(columns, len(panels)))
    width, height = columns * WIDTH, -(-len(panels) // columns) * (HEIGHT + CAPTION)
    body = tag("style", Markup(asset("colours") + asset("plot_style")))
    body += tag("rect", width=width, height=height, style="fill: var(--card)")
    for i, (title, plot) in enumerate(panels):
        x, y = i % columns * WIDTH, i // columns * (HEIGHT + CAPTION)
        style = "fill: var(--ink); font-weight: 600"
        body += tag("text", escape(title), x=x + 8, y=y + 15, style=style)
        place = f'<svg x="{x}" y="{y + CAPTION}" width="{WIDTH}" height="{HEIGHT}"'
        body += Markup(str(plot).replace("<svg", place, 1))
    whole = tag("svg", body, xmlns="http://www.w3.org/2000/svg", viewBox=f"0 0 {width} {height}")
    write_atomic(path, f"{whole}\n")
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
