"""How well simulated activations agree with true ones, for many units at once.

Correlation and average precision are those that a comparison of such measures found sound (arXiv
2506.05774). Columns are units, rows tokens; what cannot be computed is NaN.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt

from superalign.explaining.recording import Array, Texts

ACTIVE = 0.5  # of the largest activation: what counts as firing, for average precision
TOP = 5  # texts with the highest activation, and as many random ones, in the top-and-random score


@dataclass(frozen=True)
class Score:
    """Agreement of simulated and true activations; None where one of them does not vary.

    ``natural``: Pearson over all tokens; ``top_and_random``: over the texts with the highest
    activations and as many random ones; ``precision``: average precision for firing tokens, with
    ``base_rate`` what chance gives.
    """

    natural: float | None
    top_and_random: float | None
    precision: float | None
    base_rate: float

    def as_dict(self) -> dict[str, float | None]:
        """For JSON."""
        return asdict(self)


def score(predicted_TN: Array, activation_TN: Array, texts: Texts, seed: int = 0) -> list[Score]:
    """The scores of N units on ``texts``, which their explanations must not have seen."""
    natural = correlations(predicted_TN, activation_TN)
    fires = firing(activation_TN)
    precision = average_precisions(predicted_TN, fires)
    rates = fires.mean(0)
    found = []
    for n, rate in enumerate(rates):
        true, guess = activation_TN[:, n], predicted_TN[:, n]
        chosen = _top_and_random(texts, true, seed)
        found.append(
            Score(
                _known(natural[n]),
                pearson(guess[chosen], true[chosen]),
                _known(precision[n]),
                float(rate),
            )
        )
    return found


def _known(x: float) -> float | None:
    return float(x) if np.isfinite(x) else None


def firing(activation_TN: Array) -> npt.NDArray[np.bool_]:
    """Where a unit is above ``ACTIVE`` of its largest activation; nowhere if it never is above 0."""
    peak = activation_TN.max(0)
    found: npt.NDArray[np.bool_] = (activation_TN > ACTIVE * peak) & (peak > 0)
    return found


def correlations(x_TN: Array, y_TN: Array) -> Array:
    """Pearson correlation of each pair of columns (N,); NaN where either does not vary."""
    varied = (np.ptp(x_TN, 0) > 0) & (np.ptp(y_TN, 0) > 0)
    x, y = x_TN - x_TN.mean(0), y_TN - y_TN.mean(0)
    products = np.einsum("tn,tn->n", x, y)
    scale = np.sqrt(np.einsum("tn,tn->n", x, x) * np.einsum("tn,tn->n", y, y))
    return np.where(varied & (scale > 0), products / np.where(scale > 0, scale, 1), np.nan)


def pearson(x: Array, y: Array) -> float | None:
    """Correlation of two series; None where either does not vary."""
    return _known(correlations(x[:, None], y[:, None])[0]) if len(x) > 1 else None


def average_precisions(predicted_TN: Array, fires_TN: npt.NDArray[np.bool_]) -> Array:
    """Average precision of each column (N,), equal predictions as one threshold; NaN without both
    firing and silent tokens."""
    order = np.argsort(-predicted_TN, axis=0, kind="stable")
    ranked = np.take_along_axis(predicted_TN, order, 0)
    hits = np.cumsum(np.take_along_axis(fires_TN, order, 0), axis=0)
    last = np.ones_like(ranked, dtype=bool)  # of its group of equal predictions
    last[:-1] = ranked[1:] != ranked[:-1]
    counted = np.where(last, hits, 0)
    before = np.vstack([np.zeros_like(counted[:1]), np.maximum.accumulate(counted, 0)[:-1]])
    gained = np.where(last, hits - before, 0)
    precision = hits / np.arange(1, len(hits) + 1)[:, None]
    total = hits[-1]
    varied = (total > 0) & (total < len(hits))
    return np.where(varied, (gained * precision).sum(0) / np.maximum(total, 1), np.nan)


def _top_and_random(texts: Texts, activation: Array, seed: int) -> npt.NDArray[np.bool_]:
    ends = np.cumsum([len(w) for w in texts.words])
    peaks = [float(x.max()) if len(x) else 0.0 for x in np.split(activation, ends[:-1])]
    order = np.argsort(peaks)[::-1]
    rest = np.random.default_rng(seed).permutation(order[TOP:])[:TOP]
    wanted = {*order[:TOP].tolist(), *rest.tolist()}
    return np.repeat([i in wanted for i in range(len(texts.words))], [len(w) for w in texts.words])
