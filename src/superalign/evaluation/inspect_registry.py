"""What the entry point ``inspect_ai`` loads: our models as a provider, and our tasks."""

from superalign.evaluation.inspect_provider import superalign
from superalign.evaluation.inspect_tasks import ethics, gym, mathematics, safety

__all__ = ["ethics", "gym", "mathematics", "safety", "superalign"]
