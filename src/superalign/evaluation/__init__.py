"""Evaluation: what a model does on given queries, with ground truth's verdicts and intervals."""
