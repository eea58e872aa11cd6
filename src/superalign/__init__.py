"""superalign: align and check a model on noisy, weak, scalable feedback."""

from superalign.models import load_model, open_model

__version__ = "0.1.0"
__all__ = ["__version__", "load_model", "open_model"]
