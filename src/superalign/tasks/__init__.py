"""Tasks: generators of fresh queries with ground truth, and their graders."""

from superalign.tasks import benign, ethics, mathematics, safety
from superalign.tasks.base import Task

__all__ = ["Task", "benign", "ethics", "mathematics", "safety"]
