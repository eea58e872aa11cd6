"""Plots as small inline SVG, drawn without matplotlib.

Own SVG because the page's colours follow the reader's light or dark scheme through CSS variables,
because a strict Content-Security-Policy forbids matplotlib's inline styles, and because a plot here
is 2–4 kB. Colours come from Okabe & Ito's palette (see ``style.html.j2``) and every series also
differs in the shape of its markers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup, escape

from superalign.report.numbers import Unit, number, sentence, write
from superalign.statistics import Estimate

WIDTH, HEIGHT = 320, 190
LEFT, RIGHT, TOP, BOTTOM = 44, 12, 10, 30
LABELS, LETTER = 132, 5.6  # pixels left of a forest plot, and of a letter there
HUGE = 1e12  # an axis goes no further; what lies beyond is drawn on the border
PERCENTS = [0.0, 0.25, 0.5, 0.75, 1.0]


@dataclass(frozen=True)
class Series:
    """One line of a plot: its name and its estimates by round."""

    name: str
    points: list[tuple[float, Estimate]]


@dataclass(frozen=True)
class Scale:
    """Data ranges mapped onto the plot's inner rectangle; ``log`` of the horizontal one above 0."""

    x: tuple[float, float]
    y: tuple[float, float]
    log: bool = False

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Pixel of a data point; what lies outside is drawn on the border."""
        across = _share(x, self.x)
        if self.log:
            across = _share(math.log(x), (math.log(self.x[0]), math.log(self.x[1])))
        return (
            LEFT + across * (WIDTH - LEFT - RIGHT),
            HEIGHT - BOTTOM - _share(y, self.y) * (HEIGHT - TOP - BOTTOM),
        )


def curve(
    series: Sequence[Series],
    title: str,
    unit: Unit = "rate",
    axis: str = "round",
    log: bool = False,
) -> Markup:
    """Estimates by round (or another ``axis``) as lines with bands; undefined points leave a gap.

    ``log``: the axis grows by factors; all its values are above 0.
    """
    shown = [Series(s.name, [p for p in s.points if p[1].value is not None]) for s in series]
    xs = [x for s in shown for x, _ in s.points] or [1.0 if log else 0.0]
    y_ticks = PERCENTS if unit == "rate" else nice_ticks(_extent(shown))
    span = (min(xs), max(xs))
    if max(xs) == min(xs):
        span = (xs[0] / 2, xs[0] * 2) if log else (xs[0] - 0.5, xs[0] + 0.5)
    scale = Scale(span, (y_ticks[0], y_ticks[-1]), log)
    body = grid(scale, y_ticks, unit, _round_ticks(xs), axis)
    for slot, one in enumerate(shown):
        body += _line(scale, one, slot, unit, axis)
    return svg(body, f"{title}. " + "; ".join(_spoken(s, unit, axis) for s in series))


def reliability(bins: Sequence[dict[str, Any]], title: str) -> Markup:
    """Observed share against predicted probability per bin, with the ideal diagonal."""
    scale = Scale((0.0, 1.0), (0.0, 1.0))
    body = grid(scale, PERCENTS, "rate", [(t, f"{t:g}") for t in PERCENTS], "predicted")
    body += tag("path", d=path([scale.at(0, 0), scale.at(1, 1)]), class_="ideal")
    spoken = []
    for row in bins:
        x, y, n = number(row.get("predicted")), number(row.get("observed")), number(row.get("n"))
        if x is None or y is None:
            continue
        found = _observed(row, y, int(n or 0))
        label = f"predicted {write(x)}, observed {sentence(found)}"
        body += _point(scale, x, found, 0, label, radius=2.5 + min(4.0, math.sqrt(n or 0) / 4))
        spoken.append(label)
    return svg(body, f"{title}. " + ("; ".join(spoken) or "no bins"))


def interval_bar(estimate: Estimate, before: Estimate | None = None) -> Markup:
    """A rate on a 0–100% track: interval as a bar, value as a dot; ``before`` hollow above it."""
    both = [(before, "was"), (estimate, "now")] if before is not None else [(estimate, "now")]
    body = Markup("")
    for i, (one, css) in enumerate(both):
        y = 8 if len(both) == 1 else 4.5 + 7 * i
        body += tag("path", d=f"M2 {y}H118", class_="track")
        if one.value is None:
            continue
        if one.low is not None and one.high is not None:
            low, high = (2 + 116 * _share(v, (0, 1)) for v in (one.low, one.high))
            body += tag("path", d=f"M{low:.1f} {y}H{high:.1f}", class_=f"range {css}")
        x = 2 + 116 * _share(one.value, (0, 1))
        body += tag("circle", cx=f"{x:.1f}", cy=y, r=3, class_=f"dot {css}")
    return tag("svg", body, viewBox="0 0 120 16", class_="bar", aria_hidden="true")


def forest(
    rows: Sequence[tuple[str, Estimate]],
    marks: Sequence[tuple[str, float]],
    title: str,
    unit: Unit = "rate",
) -> Markup:
    """One line per row, its value as a dot with its interval; ``marks`` are dashed verticals."""
    step, left = 15, max(LABELS, round(LETTER * max((len(n) for n, _ in rows), default=0)) + 10)
    width = WIDTH - LABELS + left
    height = TOP + step * len(rows) + BOTTOM
    found = [v for _, e in rows for v in (e.value, e.low, e.high) if v is not None]
    found += [v for _, v in marks] or [0.0]
    ticks = nice_ticks((min(found), max(found)))

    def across(value: float) -> float:
        return left + _share(value, (ticks[0], ticks[-1])) * (width - left - RIGHT)

    body = Markup("")
    for tick in ticks:
        x = f"{across(tick):.1f}"
        body += tag("path", d=f"M{x} {TOP}V{height - BOTTOM}", class_="grid")
        words = f"{100 * tick:.0f}%" if unit == "rate" else f"{tick:.4g}"
        body += tag("text", words, x=x, y=height - BOTTOM + 13, class_="x")
    for name, value in marks:
        x = f"{across(value):.1f}"
        line = tag("path", d=f"M{x} {TOP}V{height - BOTTOM + 2}", class_="ideal")
        body += line + tag("text", escape(name), x=x, y=height - 3, class_="x")
    for i, (name, one) in enumerate(rows):
        y = TOP + step * (i + 0.5)
        body += tag("text", escape(name), x=left - 6, y=f"{y + 3.5:.1f}", class_="y")
        if one.value is None:
            continue
        inside = tag("title", escape(f"{name}: {sentence(one, unit)}"))
        if one.low is not None and one.high is not None:
            d = f"M{across(one.low):.1f} {y:.1f}H{across(one.high):.1f}"
            inside += tag("path", d=d, class_="whisker s0")
        body += tag("g", inside + _marker(across(one.value), y, 0, 3.2))
    spoken = "; ".join(f"{name}: {sentence(e, unit)}" for name, e in rows)
    view = f"0 0 {width} {height}"
    return tag(
        "svg", body, viewBox=view, class_="plot", role="img", aria_label=f"{title}. {spoken}"
    )


def share_bar(share: float) -> Markup:
    """A plain bar for a share of the whole."""
    width = f"{200 * min(1.0, max(0.0, share)):.1f}"
    track = tag("rect", width=200, height=10, rx=2, class_="back")
    fill = tag("rect", width=width, height=10, rx=2, class_="fill")
    return tag(
        "svg",
        track + fill,
        viewBox="0 0 200 10",
        preserveAspectRatio="none",
        class_="share",
        aria_hidden="true",
    )


def swatch(slot: int) -> Markup:
    """The legend's mark for the series in ``slot``."""
    line = tag("path", d="M0 6H20", class_=f"line s{slot % 3}")
    mark = _marker(10, 6, slot, 3.5)
    return tag("svg", line + mark, viewBox="0 0 20 12", class_="swatch", aria_hidden="true")


def nice_ticks(extent: tuple[float, float], count: int = 4) -> list[float]:
    """Round axis values that enclose ``extent``."""
    low, high = extent
    if high - low <= 1e-9 * max(abs(low), abs(high), 1e-6):
        pad = abs(low) * 0.1 or 1.0
        low, high = low - pad, high + pad
    raw = (high - low) / count
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(m * power for m in (1, 2, 2.5, 5, 10) if m * power >= raw * 0.999)
    first, last = math.floor(low / step), math.ceil(high / step)
    return [i * step for i in range(first, last + 1)]


def _share(value: float, span: tuple[float, float]) -> float:
    return min(1.0, max(0.0, (value - span[0]) / ((span[1] - span[0]) or 1.0)))


def tag(name: str, content: Markup | str = "", **attributes: object) -> Markup:
    """An SVG element; attribute names take ``_`` for ``-`` (``class_`` for ``class``)."""
    pairs = Markup(" ").join(
        Markup('{}="{}"').format(k.rstrip("_").replace("_", "-"), v) for k, v in attributes.items()
    )
    return Markup("<{0} {1}>{2}</{0}>").format(name, pairs, content)


def svg(body: Markup, label: str) -> Markup:
    """A plot with its description for screen readers."""
    view = f"0 0 {WIDTH} {HEIGHT}"
    return tag("svg", body, viewBox=view, class_="plot", role="img", aria_label=label)


def path(points: Sequence[tuple[float, float]], close: bool = False) -> str:
    """The ``d`` attribute of a line through ``points`` (pixels)."""
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points) + ("Z" if close else "")


def _extent(series: Sequence[Series]) -> tuple[float, float]:
    values = [
        v for s in series for _, e in s.points for v in (e.value, e.low, e.high) if v is not None
    ]
    values = [min(HUGE, max(-HUGE, v)) for v in values]
    return (min(values), max(values)) if values else (0.0, 1.0)


def _round_ticks(xs: Sequence[float]) -> list[tuple[float, str]]:
    found = sorted(set(xs))
    step = math.ceil(len(found) / 8)
    return [(x, f"{x:.4g}") for x in found[::step]]


def grid(
    scale: Scale, ys: Sequence[float], unit: Unit, xs: Sequence[tuple[float, str]], label: str
) -> Markup:
    """Horizontal lines with their values, ticks below and the horizontal axis's ``label``."""
    body = Markup("")
    for y in ys:
        _, py = scale.at(scale.x[0], y)
        body += tag("path", d=f"M{LEFT} {py:.1f}H{WIDTH - RIGHT}", class_="grid")
        words = f"{100 * y:.0f}%" if unit == "rate" else f"{y:.4g}"
        body += tag("text", escape(words), x=LEFT - 6, y=f"{py + 3.5:.1f}", class_="y")
    for x, words in xs:
        px, _ = scale.at(x, scale.y[0])
        body += tag("text", escape(words), x=f"{px:.1f}", y=HEIGHT - BOTTOM + 14, class_="x")
    middle = (LEFT + WIDTH - RIGHT) / 2
    return body + tag("text", escape(label), x=middle, y=HEIGHT - 3, class_="x name")


def _line(scale: Scale, series: Series, slot: int, unit: Unit, axis: str) -> Markup:
    points = [(x, e, e.value) for x, e in series.points if e.value is not None]
    banded = [(x, e.low, e.high) for x, e, _ in points if e.low is not None and e.high is not None]
    body = Markup("")
    if len(banded) > 1:
        edge = [scale.at(x, high) for x, _, high in banded]
        edge += [scale.at(x, low) for x, low, _ in reversed(banded)]
        body += tag("path", d=path(edge, close=True), class_=f"band s{slot % 3}")
    if len(points) > 1:
        d = path([scale.at(x, v) for x, _, v in points])
        body += tag("path", d=d, class_=f"line s{slot % 3}")
    for x, estimate, _ in points:
        label = f"{series.name}, {axis} {x:g}: {sentence(estimate, unit)}"
        body += _point(scale, x, estimate, slot, label)
    return body


def _observed(row: dict[str, Any], value: float, n: int) -> Estimate:
    low = number(row.get("observed_low"))
    high = number(row.get("observed_high"))
    return Estimate(value, None if high is None else low, None if low is None else high, n)


def _point(
    scale: Scale, x: float, estimate: Estimate, slot: int, label: str, radius: float = 3.5
) -> Markup:
    """Whisker, marker, and a wide invisible target that carries the tooltip."""
    px, py = scale.at(x, estimate.value or 0.0)
    body = tag("title", escape(label))
    if estimate.low is not None and estimate.high is not None:
        top, bottom = scale.at(x, estimate.high)[1], scale.at(x, estimate.low)[1]
        body += tag("path", d=f"M{px:.1f} {top:.1f}V{bottom:.1f}", class_=f"whisker s{slot % 3}")
    body += _marker(px, py, slot, radius)
    return tag("g", body + tag("circle", cx=f"{px:.1f}", cy=f"{py:.1f}", r=11, class_="hit"))


def _marker(x: float, y: float, slot: int, r: float) -> Markup:
    css = f"dot s{slot % 3}"
    if slot % 3 == 0:
        return tag("circle", cx=f"{x:.1f}", cy=f"{y:.1f}", r=f"{r:.1f}", class_=css)
    if slot % 3 == 1:
        corner = {"x": f"{x - r:.1f}", "y": f"{y - r:.1f}"}
        return tag("rect", **corner, width=2 * r, height=2 * r, class_=css)
    corners = [(x, y - 1.2 * r), (x + 1.2 * r, y + r), (x - 1.2 * r, y + r)]
    return tag("path", d=path(corners, close=True), class_=css)


def _spoken(series: Series, unit: Unit, axis: str) -> str:
    values = ", ".join(f"{axis} {x:g} {sentence(e, unit)}" for x, e in series.points)
    return f"{series.name}: {values or 'nothing measured'}"
