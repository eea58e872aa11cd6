"""Language models: a protocol, a fake, and the local torch engine."""

from superalign.models.adapters import Adapter
from superalign.models.base import Completion, LanguageModel, Prompt, Score
from superalign.models.fake import FakeModel
from superalign.models.loading import load_model
from superalign.models.local import LocalModel

__all__ = [
    "Adapter",
    "Completion",
    "FakeModel",
    "LanguageModel",
    "LocalModel",
    "Prompt",
    "Score",
    "load_model",
]
