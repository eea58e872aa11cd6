"""superalign: align and check a model on noisy, weak, scalable feedback."""

import os

# A worker thread that spins at a barrier while another process needs its core makes small products
# ten times slower; one that soon sleeps costs microseconds. Must be set before torch is loaded.
os.environ.setdefault("GOMP_SPINCOUNT", "10000")

from superalign.models import load_model

__version__ = "0.1.0"
__all__ = ["__version__", "load_model"]
