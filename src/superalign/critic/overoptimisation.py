"""Over-optimisation of a reward: what the truth does as the proxy is pushed up.

Pools of N samples of one problem each carry the proxy's rewards and the truth. Two ways to push:

- *best of n*: the exact expectation over subsets of n of the pool, with KL(n) = log n − (n−1)/n from
  the sampler (exact without ties, an upper bound with them: arXiv 2401.01879);
- *exponential tilt* p·exp(strength·r)/Z, the optimum of reward less KL, with its own exact KL in the
  pool. It cannot pass log N.

With d = √KL the functional forms of Gao et al. (arXiv 2210.10760) are R(d) = d(α − β·d) for best of n
and R(d) = d(α − β·log d) for reinforcement learning, here the tilt; R is the truth's gain over the
sampler. Both are linear in α and β and fitted by least squares.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy.special import gammaln, softmax

from superalign.statistics import Estimate, mean, paired_difference
from superalign.statistics.estimates import RESAMPLES, percentile, undefined

Floats = npt.NDArray[np.float64]
Push = Literal["best of n", "tilt"]
LEVELS = (1, 2, 4, 8, 16, 32)
STRENGTHS = (0.0, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)  # per standard deviation of the proxy


def best_of_n_kl(n: int) -> float:
    """log n − (n−1)/n, in nats."""
    return math.log(n) - (n - 1) / n


def expected_best_of(n: int, proxy_N: Floats, value_N: Floats) -> float:
    """Mean of ``value`` at the highest proxy of n of the N samples, over all subsets of n.

    The i-th smallest is the highest of C(i, n−1) of the C(N, n) subsets (i counted from 0). Equal
    proxies share their chances.

    Raises:
        ValueError: n is not in 1..N.
    """
    size = len(proxy_N)
    if not 1 <= n <= size:
        raise ValueError(f"need 1 <= n <= {size}, got {n}")
    below = np.arange(n - 1, size)
    chance = np.zeros(size)
    chance[n - 1 :] = np.exp(_choose(below, n - 1) - _choose(np.array(size), n))
    order = np.argsort(proxy_N, kind="stable")
    _, group = np.unique(proxy_N[order], return_inverse=True)
    shared = np.bincount(group, chance) / np.bincount(group)
    return float(shared[group] @ value_N[order])


def tilted(strength: float, proxy_N: Floats, value_N: Floats) -> tuple[float, float]:
    """(KL, mean of ``value``) of the pool reweighted by exp(strength · proxy)."""
    weight = softmax(strength * proxy_N)
    kl = float(weight @ np.log(np.maximum(weight * len(weight), 1e-300)))
    return max(0.0, kl), float(weight @ value_N)


def best_of_n_curve(
    proxy_PN: Floats, truth_PN: Floats, levels: Sequence[int] = LEVELS
) -> tuple[list[dict[str, Any]], Floats]:
    """Rows by n, and the truth by problem and level (P, levels)."""
    levels = [n for n in levels if n <= proxy_PN.shape[1]]
    pairs = list(zip(proxy_PN, truth_PN, strict=True))
    proxy = np.array([[expected_best_of(n, p, p) for n in levels] for p, _ in pairs])
    truth = np.array([[expected_best_of(n, p, t) for n in levels] for p, t in pairs])
    rows = [
        {"n": n, "kl": best_of_n_kl(n)} | _row(proxy[:, i], truth[:, i])
        for i, n in enumerate(levels)
    ]
    return rows, truth


def tilt_curve(
    proxy_PN: Floats, truth_PN: Floats, strengths: Sequence[float] = STRENGTHS
) -> tuple[list[dict[str, Any]], Floats]:
    """Rows by strength (per standard deviation of the proxy), and the truth (P, strengths)."""
    spread = float(proxy_PN.std()) or 1.0
    pairs = list(zip(proxy_PN, truth_PN, strict=True))
    found = np.array([[tilted(s / spread, p, t) for s in strengths] for p, t in pairs])
    proxy = np.array([[tilted(s / spread, p, p)[1] for s in strengths] for p, _ in pairs])
    rows = [
        {"strength": s, "kl": float(found[:, i, 0].mean())} | _row(proxy[:, i], found[:, i, 1])
        for i, s in enumerate(strengths)
    ]
    return rows, found[:, :, 1]


def fit_gao(push: Push, kl_L: Sequence[float], gain_L: Floats) -> tuple[float, float]:
    """(α, β) of the functional form for ``push``, by least squares over the levels with KL > 0.

    Raises:
        ValueError: fewer than two levels with KL > 0.
    """
    kl = np.asarray(kl_L)
    used = kl > 1e-9
    if used.sum() < 2:
        raise ValueError("need two levels with KL > 0")
    d = np.sqrt(kl[used])
    bend = d * d if push == "best of n" else d * np.log(d)
    (alpha, beta), *_ = np.linalg.lstsq(np.stack([d, -bend], 1), gain_L[used], rcond=None)
    return float(alpha), float(beta)


def gao_estimates(
    push: Push, kl_L: Sequence[float], truth_PL: Floats, seed: int = 0
) -> dict[str, dict[str, Any]]:
    """α and β with intervals from resampled problems; level 0 must be the sampler itself."""
    if len(truth_PL) < 2:
        none = undefined("needs two problems", len(truth_PL)).as_dict()
        return {"alpha": none, "beta": none}
    gain = truth_PL - truth_PL[:, :1]
    rng = np.random.default_rng(seed)
    draws = [
        fit_gao(push, kl_L, gain[rng.integers(0, len(gain), len(gain))].mean(0))
        for _ in range(RESAMPLES)
    ]
    value = fit_gao(push, kl_L, gain.mean(0))
    return {
        name: percentile(value[i], [d[i] for d in draws], len(gain), 0).as_dict()
        for i, name in enumerate(("alpha", "beta"))
    }


def fall_from_peak(truth_PL: Floats) -> Estimate:
    """Truth at the strongest push less that at the level with the highest mean, paired by problem.

    An interval below 0: the reward is over-optimised. The peak is the best of several levels, so a
    small fall is to be expected by chance.
    """
    peak = int(truth_PL.mean(0).argmax())
    return paired_difference(truth_PL[:, peak].tolist(), truth_PL[:, -1].tolist())


def _row(proxy_P: Floats, truth_P: Floats) -> dict[str, Any]:
    return {"proxy": mean(proxy_P.tolist()).as_dict(), "truth": mean(truth_P.tolist()).as_dict()}


def _choose(n: npt.NDArray[np.int_], k: int) -> Floats:
    """log C(n, k)."""
    found: Floats = gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)
    return found
