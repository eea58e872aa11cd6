"""Does a judge favour its own answers? Measured among answers whose right or wrong is computed.

A judge that likes good answers likes its own if they are good. So judge and rival answer the same
generated problems, a grader decides, and only pairs that are both right or both wrong are judged. Style
still differs; what of it any judge would like is told by the rival, who judges the same pairs.

Source of the question: Panickssery et al. (2024), LLM evaluators recognize and favor their own
generations, arXiv 2404.13076.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from superalign.evaluation.measure import Graded, Progress, measure, silent
from superalign.evaluation.model_judge import Judged, Pair, judge_pairs, length_controlled
from superalign.models import LanguageModel
from superalign.records import Query
from superalign.registry import lookup
from superalign.statistics import mean

TASKS = ("mathematics", "ethics")


def self_preference(
    judge: LanguageModel,
    rival: LanguageModel,
    n: int,
    *,
    seed: int = 0,
    critique_tokens: int = 0,
    max_new_tokens: int = 48,
    progress: Progress = silent,
) -> dict[str, Any]:
    """How much ``judge`` prefers its own answers to ``rival``'s among equally good ones.

    Args:
        judge: the model that is tested; also answers.
        rival: answers too, and judges the same pairs.
        n: generated problems, half of mathematics and half of ethics, held-out families.
        seed: of the problems.
        critique_tokens: see ``judge_pairs``.
        max_new_tokens: longest answer.
        progress: told what is done.

    Returns:
        ``own``: mean probability for its own answer (0.5: no preference); ``own, both right`` and
        ``own, both wrong``; ``own_at_equal_length``; ``rival_says``: the rival's probability for the
        judge's answer, on the same pairs; ``excess``: mean of own - rival_says by pair, which holds
        the self-preference of both. ``problems`` were asked, ``pairs`` could be judged.
    """
    problems = _problems(n, seed)
    own = measure(judge, problems, max_new_tokens=max_new_tokens, progress=progress)
    others = measure(rival, problems, max_new_tokens=max_new_tokens, progress=progress)
    pairs, right = equal_pairs(own, others)
    judged = judge_pairs(judge, pairs, critique_tokens=critique_tokens, progress=progress)
    crossed = judge_pairs(rival, pairs, critique_tokens=critique_tokens, progress=progress)
    return {"problems": len(problems), "pairs": len(pairs)} | _said(judged, crossed, right)


def equal_pairs(own: Sequence[Graded], others: Sequence[Graded]) -> tuple[list[Pair], list[bool]]:
    """Different answers of equal verdicts, and whether both are right; an undecided one is left out."""
    pairs, right = [], []
    for a, b in zip(own, others, strict=True):
        decided = a.verdict.value is not None and b.verdict.value is not None
        same = a.response.text == b.response.text
        if decided and a.verdict.failed == b.verdict.failed and not same:
            pairs.append(Pair(a.query.text, a.response.text, b.response.text, 0.5))
            right.append(not a.verdict.failed)
    return pairs, right


def _said(
    judged: Sequence[Judged], crossed: Sequence[Judged], right: Sequence[bool]
) -> dict[str, Any]:
    own = [j.preference for j in judged]
    rival = [j.preference for j in crossed]
    found = {
        "own": mean(own),
        "own, both right": mean([p for p, r in zip(own, right, strict=True) if r]),
        "own, both wrong": mean([p for p, r in zip(own, right, strict=True) if not r]),
        "own_at_equal_length": length_controlled(judged),
        "rival_says": mean(rival),
        "excess": mean([a - b for a, b in zip(own, rival, strict=True)]),
    }
    return {name: estimate.as_dict() for name, estimate in found.items()}


def _problems(n: int, seed: int) -> list[Query]:
    share = -(-n // len(TASKS))
    return [
        query
        for name in TASKS
        for query in lookup("task", name)().generate(share, seed=seed, split="held_out")
    ][:n]
