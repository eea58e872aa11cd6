"""The attacker: operators that rewrite queries, allocation over them, and an archive of successes.

Importing this package registers the built-in operators.
"""

from superalign.attack import (
    conversation,
    converters,
    evolution,
    operators_bias,
    operators_disguise,
    operators_ethics,
    operators_framing,
    operators_mathematics,
    operators_pressure,
    operators_truthfulness,
)
from superalign.attack.allocation import (
    Allocator,
    Arm,
    EpsilonGreedyAllocator,
    ThompsonAllocator,
    UniformAllocator,
    tally,
)
from superalign.attack.archive import Archive, Cell, Entry
from superalign.attack.base import Assertion, Framing, Operator, Wrapper, operator_family, operators

BUILT_INS = (
    operators_pressure,
    operators_disguise,
    operators_mathematics,
    operators_ethics,
    operators_truthfulness,
    operators_bias,
    operators_framing,
    conversation,
    converters,
    evolution,
)
"""The modules whose import registers the built-in operators."""

__all__ = [
    "BUILT_INS",
    "Allocator",
    "Archive",
    "Arm",
    "Assertion",
    "Cell",
    "Entry",
    "EpsilonGreedyAllocator",
    "Framing",
    "Operator",
    "ThompsonAllocator",
    "UniformAllocator",
    "Wrapper",
    "operator_family",
    "operators",
    "tally",
]
