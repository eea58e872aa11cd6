"""What the entry point ``inspect_ai`` loads: our models as a provider, and our tasks."""

from superalign.evaluation.inspect_provider import superalign
from superalign.evaluation.inspect_tasks import (
    bias,
    ethics,
    gym,
    mathematics,
    safety,
    truthfulness,
)

__all__ = ["bias", "ethics", "gym", "mathematics", "safety", "superalign", "truthfulness"]
