"""The closed loop: attack, answer, criticise, ask a human, update, judge oneself, aim again."""

from superalign.loop.run import run_loop

__all__ = ["run_loop"]
