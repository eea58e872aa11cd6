"""How different the attacks are that worked."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer


def vendi_score(texts: Sequence[str]) -> float | None:
    """Effective number of different texts: exp of the entropy of the kernel's eigenvalues.

    The kernel is the cosine of TF-IDF vectors over character 3- to 5-grams, so the score lies in
    [1, n]: 1 when all are alike, n when no two share anything. None for no texts.

    Source: Friedman & Dieng (2023), TMLR, arXiv 2210.02410.
    """
    if not texts:
        return None
    table = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5))
    rows = table.fit_transform([t if t.strip() else "empty" for t in texts])
    values = np.linalg.eigvalsh((rows @ rows.T).toarray() / len(texts))
    values = values[values > 1e-12]
    return float(np.exp(-(values * np.log(values)).sum()))
