"""ROC curves as small inline SVG."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from superalign.report import plots


def roc(positive: Sequence[float], negative: Sequence[float], title: str) -> Markup:
    """Share of ``positive`` caught against share of ``negative`` accused, at every threshold."""
    scale = plots.Scale((0.0, 1.0), (0.0, 1.0))
    ticks = [(t, f"{t:g}") for t in plots.PERCENTS]
    body = plots.grid(scale, plots.PERCENTS, "rate", ticks, "false alarms")
    points = roc_points(positive, negative)
    body += plots.tag("path", d=plots.path([scale.at(0, 0), scale.at(1, 1)]), class_="ideal")
    body += plots.tag("path", d=plots.path([scale.at(x, y) for x, y in points]), class_="line s0")
    return plots.svg(body, f"{title}: ROC curve with {len(points)} points")


def roc_points(positive: Sequence[float], negative: Sequence[float]) -> list[tuple[float, float]]:
    """(false alarms, hits) from (0, 0) to (1, 1), thresholds falling; ties move both at once."""
    points = [(0.0, 0.0)]
    for threshold in sorted({*positive, *negative}, reverse=True):
        points.append(
            (
                sum(x >= threshold for x in negative) / max(1, len(negative)),
                sum(x >= threshold for x in positive) / max(1, len(positive)),
            )
        )
    return points
