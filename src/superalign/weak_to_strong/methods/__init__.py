"""The methods: one file an idea, each registered under its name."""

from superalign.weak_to_strong.methods import (
    auxiliary_confidence,
    bootstrapping,
    co_supervision,
    default,
    easy_to_hard,
    elicitation,
    generalized_cross_entropy,
    generative_tuning,
    graph_smoothing,
    log_confidence,
    naive,
    noise_correction,
    product,
    reverse_kl,
    selective,
    strong_to_strong,
)

__all__ = [
    "auxiliary_confidence",
    "bootstrapping",
    "co_supervision",
    "default",
    "easy_to_hard",
    "elicitation",
    "generalized_cross_entropy",
    "generative_tuning",
    "graph_smoothing",
    "log_confidence",
    "naive",
    "noise_correction",
    "product",
    "reverse_kl",
    "selective",
    "strong_to_strong",
]
