"""Language models: a protocol, a fake, the local torch engine, and remote endpoints."""

from superalign.models.adapters import Adapter
from superalign.models.base import Completion, LanguageModel, Prompt, Score
from superalign.models.fake import FakeModel
from superalign.models.loading import load_model, open_model
from superalign.models.local import LocalModel
from superalign.models.remote import RemoteModel

__all__ = [
    "Adapter",
    "Completion",
    "FakeModel",
    "LanguageModel",
    "LocalModel",
    "Prompt",
    "RemoteModel",
    "Score",
    "load_model",
    "open_model",
]
