"""How soon something happens when not everything is followed to its end."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy import stats

from superalign.statistics.estimates import LEVEL, Array, Estimate, undefined


def event_curve(
    times: Sequence[float], happened: Sequence[bool], at: Sequence[float]
) -> list[Estimate]:
    """Share of cases with an event by each time in ``at``: one minus Kaplan and Meier's estimate.

    Args:
        times: when a case's event came, or until when it was followed (censored).
        happened: whether the event came.
        at: the times asked for.

    The interval is Wilson's with the effective sample size p(1 - p) / variance, the variance by
    Greenwood's formula; without censoring that is Wilson's interval itself. Where no case was
    followed so long and not all had their event, the share is undefined.

    Raises:
        ValueError: different lengths, or a time that is negative or not finite.

    Sources: Kaplan & Meier (1958), JASA 53:457; Greenwood (1926); the effective sample size:
        Cutler & Ederer (1958), J. Chronic Diseases 8:699; with Wilson's: Rothman (1978), 31:557.
    """
    t = np.asarray(times, dtype=np.float64)
    event = np.asarray(happened, dtype=bool)
    if t.shape != event.shape:
        raise ValueError(f"{t.size} times but {event.size} events")
    if not np.isfinite(t).all() or (t < 0).any():
        raise ValueError("times must be finite and not negative")
    return [_share_by(t, event, float(k)) for k in at]


def area_under_curve(times: Sequence[float], happened: Sequence[bool], until: int) -> list[float]:
    """What each case adds to the mean of the event curve over 1, 2, ..., ``until``.

    A case with its event at time k counts from k on: (until - k + 1) / until; later or never is 0.
    The mean over cases is the normalised area under the curve when none is censored before
    ``until``.

    Raises:
        ValueError: a case was censored before ``until``, so its part is unknown.
    """
    parts = []
    for t, event in zip(times, happened, strict=True):
        if not event and t < until:
            raise ValueError(f"a case was followed until {t:g} only, not until {until}")
        parts.append(max(0.0, until - t + 1) / until if event else 0.0)
    return parts


def _share_by(t: Array, event: npt.NDArray[np.bool_], k: float) -> Estimate:
    n = len(t)
    if n == 0:
        return undefined("no cases")
    survival, greenwood = 1.0, 0.0
    for moment in np.unique(t[event & (t <= k)]):
        at_risk = int((t >= moment).sum())
        events = int((event & (t == moment)).sum())
        survival *= 1 - events / at_risk
        greenwood += events / (at_risk * (at_risk - events)) if at_risk > events else math.inf
    if survival > 0 and not (t >= k).any():
        return undefined(f"no case was followed until {k:g}", n)
    share = 1 - survival
    followed = int(((t >= k) | (event & (t <= k))).sum())
    variance = survival**2 * greenwood if 0 < survival < 1 else 0.0
    effective = share * survival / variance if variance > 0 else float(followed)
    low, high = _wilson(share, effective)
    return Estimate(share, low, high, n, missing=n - followed)


def _wilson(p: float, n: float) -> tuple[float, float]:
    """Wilson's score interval for a share and a sample size that need not be whole."""
    z2 = float(stats.norm.ppf((1 + LEVEL) / 2)) ** 2
    middle = (p + z2 / (2 * n)) / (1 + z2 / n)
    half = math.sqrt(z2 * (p * (1 - p) / n + z2 / (4 * n * n))) / (1 + z2 / n)
    return max(0.0, min(middle - half, p)), min(1.0, max(middle + half, p))
