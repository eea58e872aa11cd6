"""The exact member: answers that a computation or a rule's construction decides."""

from __future__ import annotations

from collections.abc import Sequence

from superalign.critic.base import Item, Opinion
from superalign.records import Claim, Verdict
from superalign.registry import lookup, register_critic
from superalign.tasks.mathematics import verify_steps

SEVERITY = {"wrong answer": 0.8, "unparsed": 0.5, "degenerate": 0.6}


@register_critic("verifier")
class Verifier:
    """Checks answers of the given domains with their task's grader; silent on all others.

    An answer from which nothing can be read is a failure to the learner (it must be fixed) but
    stays *missing* for ground truth; the claim says so.
    """

    name = "verifier"

    def __init__(self, domains: Sequence[str]) -> None:
        self.domains = frozenset(domains)

    def judge(self, items: Sequence[Item]) -> list[Opinion | None]:
        """Exact opinions on checkable answers, None elsewhere."""
        return [self._one(item) if item.query.domain in self.domains else None for item in items]

    def _one(self, item: Item) -> Opinion:
        verdict: Verdict = lookup("task", item.query.domain)().grade(item.query, item.response.text)
        if verdict.value is not None and verdict.value >= 0.5:
            return Opinion(1.0, (Claim(kind="ok", source=self.name),), exact=True)
        claim = Claim(
            kind=verdict.kind,
            location=self._location(item, verdict),
            fix=item.query.fix,
            severity=SEVERITY.get(verdict.kind, 0.7),
            check=self._check(item, verdict),
            source=self.name,
        )
        return Opinion(0.0, (claim,), exact=True)

    @staticmethod
    def _location(item: Item, verdict: Verdict) -> str:
        """The first false equation of a worked answer, else the answer that was read."""
        if item.query.domain == "mathematics":
            false = [step for step in verify_steps(item.response.text) if not step[2]]
            if false:
                return f"step '{false[0][0]}'"
        return f"answer '{verdict.parsed}'" if verdict.parsed else "the whole answer"

    @staticmethod
    def _check(item: Item, verdict: Verdict) -> str:
        false = (
            [step for step in verify_steps(item.response.text) if not step[2]]
            if item.query.domain == "mathematics"
            else []
        )
        if false:
            return f"recomputed: {false[0][0]} gives {false[0][1]}"
        return verdict.reason
