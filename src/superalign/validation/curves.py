"""Curves of a share over levels, and the area under them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from superalign.statistics import Estimate, bootstrap


def points(xs: Sequence[float], estimates: Sequence[Estimate]) -> list[dict[str, Any]]:
    """``{x, value, low, high, n}`` for each level."""
    return [{"x": x} | e.as_dict() for x, e in zip(xs, estimates, strict=True)]


def relative_area(xs: Sequence[float], hits_LN: npt.NDArray[np.float64]) -> Estimate:
    """Trapezoid under the means of ``hits_LN`` (levels, questions), divided by that of their first.

    1 where nothing is lost. Percentile bootstrap over the questions, each with all its levels.
    """

    def of(numbers: npt.NDArray[np.float64]) -> float:
        shares = hits_LN[:, numbers.astype(int)].mean(1)
        if shares[0] == 0:
            return float("nan")
        return float(np.trapezoid(shares, xs) / (shares[0] * (xs[-1] - xs[0])))

    return bootstrap(np.arange(hits_LN.shape[1], dtype=np.float64), of)
