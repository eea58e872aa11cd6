"""Tasks: generators of fresh queries with ground truth, and their graders."""

from superalign.tasks import benign, ethics, gym, mathematics, safety
from superalign.tasks.base import Task

__all__ = ["Task", "benign", "ethics", "gym", "mathematics", "safety"]
