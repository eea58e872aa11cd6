"""Has a model seen a benchmark? Four tests, each with what it needs and where it is blind.

None of them is proof on its own: a test's number is to be read against its number on models that
are known to be clean and known to be contaminated (docs/evaluation.md has ours).
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from superalign.models import LanguageModel, LocalModel
from superalign.models.token_statistics import TokenStatistics, token_statistics
from superalign.statistics import Estimate, auroc

LEAST = 0.2  # share of a text's least likely tokens that Min-K%++ looks at
FLOOR = 1e-3  # nats; a deviation below it says that the model is certain


def min_k_plus_plus(rows: Sequence[TokenStatistics], share: float = LEAST) -> list[float | None]:
    """Min-K%++ of each text: mean normalised log-probability of its least likely tokens.

    Higher is more familiar. A token's log-probability is put in deviations from the mean that the
    model's own distribution has at that place. None for a text without a second token.

    Source: Zhang et al. (2024), arXiv 2404.02936.
    """
    return [_least_likely(row, share) for row in rows]


def _least_likely(row: TokenStatistics, share: float) -> float | None:
    if not len(row.logprob):
        return None
    scores = (row.logprob - row.expected) / np.maximum(row.deviation, FLOOR)
    count = max(1, math.ceil(share * len(scores)))
    return float(np.sort(scores)[:count].mean())


@dataclass(frozen=True)
class Familiarity:
    """How much more familiar suspected texts are than fresh ones of the same kind.

    Attributes:
        auroc: probability that a suspected text scores above a fresh one; 0.5 is no sign.
        p: one-sided p-value of the rank test that suspected texts are no more familiar.
    """

    auroc: Estimate
    p: float | None

    def as_dict(self) -> dict[str, Any]:
        """Plain types."""
        return {"auroc": self.auroc.as_dict(), "p": self.p}


def familiarity(model: LocalModel, suspected: Sequence[str], fresh: Sequence[str]) -> Familiarity:
    """Min-K%++ of suspected texts against fresh ones (a new seed of the same generator).

    Blind where the two differ in anything but having been seen: length, style, difficulty.
    """
    scores = [
        [x for x in min_k_plus_plus(token_statistics(model, texts)) if x is not None]
        for texts in (suspected, fresh)
    ]
    both = scores[0] + scores[1]
    found = auroc(both, [1.0] * len(scores[0]) + [0.0] * len(scores[1]))
    if not all(scores):
        return Familiarity(found, None)
    p = float(stats.mannwhitneyu(*scores, alternative="greater").pvalue)
    return Familiarity(found, p)


def order_test(
    model: LanguageModel,
    texts: Sequence[str],
    *,
    shard: int = 5,
    permutations: int = 8,
    seed: int = 0,
) -> float | None:
    """One-sided p-value that the texts' published order is no likelier than a shuffled one.

    The texts are cut into shards; in each the log-probability of the published order is compared
    with the mean over shuffled ones, and a t-test is made over shards. A model that never saw the
    file has no reason to prefer its order, whatever the texts are, so the test needs no fresh data;
    it is blind where the training shuffled them. None with fewer than two whole shards.

    Source: Oren et al. (2023), arXiv 2310.17623.
    """
    rng = random.Random(f"order {seed}")
    shards = [texts[i : i + shard] for i in range(0, len(texts) - shard + 1, shard)]
    if len(shards) < 2 or shard < 2:
        return None
    prompts: list[str] = []
    for rows in shards:
        orders = [list(rows)] + [_shuffled(rows, rng) for _ in range(permutations)]
        prompts += ["\n\n".join(order) for order in orders]
    heads = [p.split(" ", 1)[0] for p in prompts]
    tails = [p[len(h) :] or " " for p, h in zip(prompts, heads, strict=True)]
    scores = [s.logprob for s in model.score(heads, tails, raw=True)]
    table = np.array(scores).reshape(len(shards), permutations + 1)
    return float(
        stats.ttest_1samp(table[:, 0] - table[:, 1:].mean(1), 0, alternative="greater").pvalue
    )


def _shuffled(rows: Sequence[str], rng: random.Random) -> list[str]:
    """Another order of ``rows`` than theirs."""
    order = list(range(len(rows)))
    while order == list(range(len(rows))):
        rng.shuffle(order)
    return [rows[i] for i in order]


def ngram_overlap(texts: Sequence[str], corpus: Sequence[str], n: int = 8) -> list[float | None]:
    """Share of each text's word n-grams that stand in the corpus too; None for a shorter text.

    Needs the training data, and is blind to paraphrase and translation.
    """
    known = {gram for text in corpus for gram in _grams(text, n)}
    shares = []
    for text in texts:
        own = _grams(text, n)
        shares.append(sum(g in known for g in own) / len(own) if own else None)
    return shares


def _grams(text: str, n: int) -> list[tuple[str, ...]]:
    words = "".join(c if c.isalnum() else " " for c in text.lower()).split()
    return [tuple(words[i : i + n]) for i in range(len(words) - n + 1)]


def canary(seed: int, digits: int = 9) -> str:
    """A sentence with a random number, to be planted in data that must not be trained on."""
    number = random.Random(f"canary {seed}").randrange(10**digits)
    return f"The superalign canary number is {number:0{digits}d}."


def exposure(model: LanguageModel, planted: str, *, others: int = 255, digits: int = 9) -> float:
    """How far a planted canary stands out, in bits: log2(candidates) less log2 of its rank.

    0 to log2(others + 1); about 1.4 on average for a number that was never seen.

    Source: Carlini et al. (2019), USENIX Security, arXiv 1802.08232.
    """
    rng = random.Random(f"exposure {planted}")
    head = planted[: planted.rindex(" ")]
    tails = [planted[len(head) :]]
    tails += [f" {rng.randrange(10**digits):0{digits}d}." for _ in range(others)]
    scores = [s.logprob for s in model.choose([head], [tails], raw=True)[0]]
    rank = 1 + sum(s > scores[0] for s in scores[1:])
    return math.log2(len(scores)) - math.log2(rank)
