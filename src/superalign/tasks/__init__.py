"""Tasks: generators of fresh queries with ground truth, and their graders."""

from superalign.tasks import benign, bias, ethics, gym, mathematics, safety, truthfulness
from superalign.tasks.base import Task

__all__ = ["Task", "benign", "bias", "ethics", "gym", "mathematics", "safety", "truthfulness"]
