"""Errors, each naming its boundary.

SuperalignError
├── InputError      what the user gave is wrong: exit code 2, one line (what, where, what is allowed)
├── ModelError      a model could not be loaded or run
│   └── EndpointError   a remote model's endpoint gave up, or its request budget is spent
└── StoreError      the run's folder could not be read or written
"""

from __future__ import annotations


class SuperalignError(Exception):
    """Base of all errors that superalign raises on purpose."""


class InputError(SuperalignError):
    """Bad input. The message is one line: what is wrong, where, and what is allowed."""


class ModelError(SuperalignError):
    """A model could not be loaded or run."""


class EndpointError(ModelError):
    """A remote model's endpoint cannot be used any further; the answers it gave are kept."""


class StoreError(SuperalignError):
    """A run's folder or database could not be read or written."""
