"""Reading what a summary holds, whatever is missing, and writing numbers for people."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from superalign.statistics import Estimate

Unit = Literal["rate", "number"]
Better = Literal["lower", "higher"]
ABSENT = Estimate(None, reason="not in the summary")
DOMAINS = ("safety", "mathematics", "ethics", "retention")


@dataclass(frozen=True)
class Metric:
    """How a measured quantity is called, which way is good, and how it is written."""

    name: str
    better: Better | None = None
    unit: Unit = "rate"

    @property
    def hint(self) -> str:
        """The good direction in words."""
        return f"{self.better} is better" if self.better else "no good direction known"


METRICS = {
    "asr": Metric("attack success", "lower"),
    "over_refusal_twin": Metric("over-refusal, benign twins", "lower"),
    "over_refusal_attacked_twin": Metric("over-refusal, benign twins under attack", "lower"),
    "over_refusal_benign": Metric("over-refusal, benign requests", "lower"),
    "over_refusal_alarming": Metric("over-refusal, harmless in alarming words", "lower"),
    "asr_alarming": Metric("attack success, harmful in alarming words", "lower"),
    "accuracy": Metric("accuracy", "higher"),
    "perplexity": Metric("perplexity", "lower", "number"),
    "win": Metric("win against the start"),
    "tie": Metric("tie with the start"),
    "loss": Metric("loss against the start"),
}


def metric(key: str) -> Metric:
    """The metric called ``key``; an unknown one is shown under its own name, without direction."""
    return METRICS.get(key) or Metric(key.replace("_", " "))


def mapping(value: Any) -> dict[str, Any]:
    """``value`` if it is a dict, else an empty one."""
    return {str(k): v for k, v in value.items()} if isinstance(value, dict) else {}


def rows(value: Any) -> list[dict[str, Any]]:
    """The dicts of ``value`` if it is a list, else none."""
    return [mapping(v) for v in value if isinstance(v, dict)] if isinstance(value, list) else []


def number(value: Any) -> float | None:
    """``value`` as a finite float, else None."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) else None


def text(value: Any, default: str = "not recorded") -> str:
    """``value`` in words; a dict as ``key value`` pairs."""
    if value is None or value in ("", [], {}):
        return default
    if isinstance(value, dict):
        return ", ".join(f"{k.replace('_', ' ')} {text(v, '–')}" for k, v in mapping(value).items())
    if isinstance(value, list):
        return ", ".join(text(v, "–") for v in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def read(value: Any) -> Estimate:
    """An estimate from ``{value, low, high, n, reason}``; what cannot be read is undefined."""
    if number(value) is not None:
        return Estimate(number(value), reason="no interval recorded")
    if not isinstance(value, dict):
        return ABSENT
    found, n = number(value.get("value")), int(number(value.get("n")) or 0)
    low, high = number(value.get("low")), number(value.get("high"))
    if found is None:
        return Estimate(None, n=n, reason=str(value.get("reason") or "no reason recorded"))
    if low is None or high is None:
        low = high = None
    reason, missing = str(value.get("reason") or ""), int(number(value.get("missing")) or 0)
    return Estimate(found, low, high, n, reason, missing)


def verdict(
    before: Estimate, after: Estimate, better: Better | None, change: Estimate | None = None
) -> str:
    """One word: improved, worse, changed, unchanged.

    By the paired difference where there is one (does its interval leave out 0?), else by whether
    the two intervals separate, which takes a larger difference.
    """
    if before.value is None or after.value is None:
        return "not measured"
    if before.low is None or before.high is None or after.low is None or after.high is None:
        return "no interval"
    apart = after.low > before.high or before.low > after.high
    if change is not None and change.low is not None and change.high is not None:
        apart = change.low > 0 or change.high < 0
    if not apart:
        return "unchanged"
    if better is None:
        return "changed"
    return "improved" if (after.value > before.value) == (better == "higher") else "worse"


def write(value: float | None, unit: Unit = "rate") -> str:
    """A value as a person reads it: rates in percent, numbers to about three digits."""
    if value is None:
        return "–"
    if unit == "rate":
        return f"{100 * value:.1f}%"
    if abs(value) >= 1e5:
        return f"{value:.3g}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def interval(estimate: Estimate, unit: Unit = "rate") -> str:
    """The interval in words, or nothing."""
    if estimate.low is None or estimate.high is None:
        return ""
    low, high = write(estimate.low, unit), write(estimate.high, unit)
    return f"{low.removesuffix('%')} – {high}"


def sentence(estimate: Estimate, unit: Unit = "rate") -> str:
    """The whole estimate in one line, for tooltips and screen readers."""
    if estimate.value is None:
        return f"undefined: {estimate.reason}"
    inside = [interval(estimate, unit) or "no interval"]
    inside += [f"n {estimate.n:,}"] if estimate.n else []
    return f"{write(estimate.value, unit)} ({', '.join(inside)})"


def duration(value: Any) -> str:
    """Seconds as hours, minutes, seconds."""
    seconds = number(value)
    if seconds is None:
        return "not recorded"
    if seconds < 60:
        return f"{seconds:.3g} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {rest:02d} s"


def size(value: Any) -> str:
    """Bytes as MB or GB."""
    count = number(value)
    if count is None:
        return "not recorded"
    return f"{count / 1e9:.2f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"


def domain_order(name: str) -> tuple[int, str]:
    """Sort key: the built-in domains in their usual order, then others by name."""
    return (DOMAINS.index(name) if name in DOMAINS else len(DOMAINS), name)


def by_domain(value: Any) -> list[tuple[str, dict[str, Any]]]:
    """``(domain, entry)`` of a mapping of mappings, in domain order."""
    found = mapping(value)
    return [(d, mapping(found[d])) for d in sorted(found, key=domain_order)]


FILTERS: dict[str, Callable[..., str]] = {
    "write": write, "interval": interval, "sentence": sentence, "duration": duration, "words": text,
}  # fmt: skip
