"""Weak labels averaged over each row's neighbours in the student's feature space."""

from __future__ import annotations

import numpy as np

from superalign.registry import register_method
from superalign.weak_to_strong.heads import fit
from superalign.weak_to_strong.losses import Array
from superalign.weak_to_strong.method import Prediction, Setting

NEIGHBOURS = 15
SPREAD = 0.8


def smoothed(
    similarity_nn: Array,
    y_nK: Array,
    w_n: Array,
    neighbours: int = NEIGHBOURS,
    spread: float = SPREAD,
) -> Array:
    """Labels after spreading: F = (1 − a)(I − a S)⁻¹ (w · Y), rows normalised (n, K).

    S = D^−½ W D^−½ over the symmetric graph of each row's nearest neighbours by cosine similarity.
    Source: Zhou et al. (2003), Learning with local and global consistency.
    """
    n = len(similarity_nn)
    near = similarity_nn - 3 * np.eye(n)
    k = min(neighbours, n - 1)
    cut = np.partition(near, n - k, axis=1)[:, n - k : n - k + 1]
    graph = np.where(near >= cut, np.maximum(similarity_nn, 0), 0)
    graph = np.maximum(graph, graph.T)
    root = 1 / np.sqrt(np.maximum(graph.sum(1), 1e-12))
    operator = np.eye(n) - spread * (root[:, None] * graph * root)
    f = np.maximum((1 - spread) * np.linalg.solve(operator, w_n[:, None] * y_nK), 1e-12)
    result: Array = f / f.sum(1, keepdims=True)
    return result


@register_method("graph_smoothing")
class GraphSmoothing:
    """Train on labels spread over the nearest-neighbour graph."""

    family = "denoising"
    source = "Zhou et al. (2003); for weak-to-strong arXiv 2511.14166"

    def predict(self, setting: Setting) -> Prediction:
        """Fifteen neighbours, spread 0.8. A pair's space is symmetric about 0, so -x is near x."""
        weak, space = setting.weak, setting.plain
        target = smoothed(space.similarity, weak.probability, weak.weight)
        head = fit(space, target, weak.weight)
        known, test = (head.probabilities(x) for x in (space.train, space.others[0]))
        return Prediction(setting.with_class_shares(known, test), weak.used)
