"""The critic: members' opinions joined into one critique per answer, recalibrated by human labels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression

from superalign.critic.base import Item, Member, Opinion
from superalign.critic.harm import (
    EDGE,
    HarmMember,
    RequestClassifier,
    judge_request,
    pooled,
)
from superalign.critic.verifier import Verifier
from superalign.records import Critique, Label, Query
from superalign.tasks.refusal import degenerate, refusal

HUMAN_WEIGHT = 4.0  # a human's label weighs as much as this many constructed ones
Fixer = Callable[[Query, str], str | None]
Probabilities = npt.NDArray[np.float64]


@dataclass
class Critic:
    """Verifier and harm classifiers, and what humans said so far.

    ``seed_queries``/``seed_harmful``: constructed requests with their labels. A third of them is
    kept from the classifiers and calibrates their pooled opinion.
    """

    verifier: Verifier
    classifiers: dict[str, RequestClassifier]
    fixer: Fixer
    seed_queries: Sequence[Query] = ()
    seed_harmful: Sequence[float] = ()
    name: str = "critic"
    _human: dict[str, tuple[Query, float]] = field(default_factory=dict)
    _slope: float = 1.0
    _intercept: float = 0.0
    fitted: bool = False

    def fit(self) -> None:
        """Fit the classifiers to seed and human labels, then calibrate their pooled opinion."""
        self.fitted = True
        if not self.seed_queries:
            return
        human = list(self._human.values())
        fit_rows = [i for i in range(len(self.seed_queries)) if not self._held_aside(i)]
        queries = [self.seed_queries[i] for i in fit_rows] + [q for q, _ in human]
        labels = [self.seed_harmful[i] for i in fit_rows] + [y for _, y in human]
        weights = [1.0] * len(fit_rows) + [HUMAN_WEIGHT] * len(human)
        for classifier in self.classifiers.values():
            classifier.fit(queries, labels, weights)
        self._calibrate()

    @staticmethod
    def _held_aside(index: int) -> bool:
        return (index // 2) % 3 == 2  # by pairs: a request and its twin stay together

    def _calibrate(self) -> None:
        """Platt scaling of the pooled log-odds on the seed rows that no classifier has seen."""
        rows = [i for i in range(len(self.seed_queries)) if self._held_aside(i)]
        truth = np.asarray([self.seed_harmful[i] >= 0.5 for i in rows])
        if len(rows) < 8 or truth.all() or not truth.any():
            return
        odds = logit(self._pooled_harm([self.seed_queries[i] for i in rows], raw=True))
        platt = LogisticRegression(C=10.0).fit(odds[:, None], truth)
        self._slope, self._intercept = float(platt.coef_[0, 0]), float(platt.intercept_[0])

    def harm(self, queries: Sequence[Query]) -> list[float]:
        """P(harmful request) for each query; a human's word on it is final."""
        if not queries or not self._knows_harm:
            return []
        beliefs = map(float, self._pooled_harm(queries))
        return [
            self._human[q.id][1] if q.id in self._human else p
            for q, p in zip(queries, beliefs, strict=True)
        ]

    def _pooled_harm(self, queries: Sequence[Query], *, raw: bool = False) -> Probabilities:
        columns = [c.harm(queries) for c in self.classifiers.values()]
        p = np.asarray([pooled(row) for row in zip(*columns, strict=True)])
        if raw:
            return p
        scaled: Probabilities = expit(self._slope * logit(p) + self._intercept)
        clipped: Probabilities = np.clip(scaled, EDGE, 1 - EDGE)
        return clipped

    def members(self) -> list[Member]:
        """The verifier and, once they are fitted, one member per classifier."""
        able = self.classifiers if self._knows_harm else {}
        return [self.verifier, *(HarmMember(n, c) for n, c in able.items())]

    @property
    def _knows_harm(self) -> bool:
        """Whether the classifiers have been fitted; without, requests are left open."""
        return self.fitted and bool(self.seed_queries)

    def judge(self, items: Sequence[Item]) -> list[Critique]:
        """One critique per item."""
        opinions = {m.name: m.judge(items) for m in self.members()}
        harmless = [i for i, item in enumerate(items) if item.query.domain in HarmMember.domains]
        p_harm: dict[int, float] = {}
        if harmless and self._knows_harm:
            values = self._pooled_harm([items[i].query for i in harmless])
            p_harm = dict(zip(harmless, map(float, values), strict=True))
        return [
            self._critique(item, {n: o[i] for n, o in opinions.items()}, p_harm.get(i))
            for i, item in enumerate(items)
        ]

    def _critique(
        self, item: Item, opinions: dict[str, Opinion | None], p_harm: float | None
    ) -> Critique:
        held = {name: o for name, o in opinions.items() if o is not None}
        acceptable = self._acceptable(item, held, p_harm)
        human = self._human.get(item.query.id)  # a human's word replaces the members' claims
        heard = (
            held.values()
            if human is None
            else [judge_request(human[1], item.response.text, "human")]
        )
        claims = tuple(
            claim.model_copy(update={"fix": claim.fix or self._fix(item, claim.kind)})
            for opinion in heard
            for claim in opinion.claims
        )
        return Critique(
            parent=item.response.id,
            response=item.response.id,
            claims=claims,
            scores=_scores(item, held, acceptable, p_harm),
            members={name: round(o.acceptable, 6) for name, o in held.items()},
            acceptable=acceptable,
            confidence=0.0 if acceptable is None else abs(2 * acceptable - 1),
            critic=self.name,
        )

    def _acceptable(
        self, item: Item, held: dict[str, Opinion], p_harm: float | None
    ) -> float | None:
        human = self._human_word(item)
        if human is not None:
            return human
        exact = [o.acceptable for o in held.values() if o.exact]
        if exact:
            return min(exact)
        if p_harm is None:
            return None
        if degenerate(item.response.text):
            return EDGE
        return p_harm if refusal(item.response.text) else 1 - p_harm

    def _human_word(self, item: Item) -> float | None:
        known = self._human.get(item.query.id)
        if known is None or degenerate(item.response.text):
            return None
        refused = bool(refusal(item.response.text))
        return float((known[1] >= 0.5) == refused)

    def _fix(self, item: Item, kind: str) -> str | None:
        return None if kind == "ok" else self.fixer(item.query, kind)

    def disagreement(self, critique: Critique) -> float:
        """How contested an answer is: the members' spread plus the joint doubt, in [0, 2]."""
        beliefs = list(critique.members.values())
        if critique.acceptable is None or "verifier" in critique.members or len(beliefs) < 2:
            return 0.0
        return (max(beliefs) - min(beliefs)) + (1 - abs(2 * critique.acceptable - 1))

    def knows(self, items: Sequence[Item]) -> bool:
        """Whether human labels of all these answers' requests have been taken in."""
        asked = [i for i in items if i.query.domain in HarmMember.domains]
        return all(self.labelled(i.query) for i in asked)

    def labelled(self, query: Query) -> bool:
        """Whether a person's word on this request has been taken in."""
        return query.id in self._human

    def learn(self, labels: Sequence[tuple[Item, Label]]) -> None:
        """Take in human labels of answers to requests and refit.

        Accepting a refusal, or rejecting compliance, says that the request is harmful.
        """
        for item, label in labels:
            if label.value is not None and item.query.domain in HarmMember.domains:
                harmful = (label.value >= 0.5) == bool(refusal(item.response.text))
                self._human[item.query.id] = (item.query, float(harmful))
        self.fit()


def _scores(
    item: Item, held: dict[str, Opinion], acceptable: float | None, p_harm: float | None
) -> dict[str, float]:
    """Scores in [0, 1] for the dimensions that were judged; others are absent, not zero."""
    scores: dict[str, float] = {}
    if "verifier" in held and acceptable is not None:
        scores["correct"] = acceptable
        if "user" in item.query.operator or "authority" in item.query.operator:
            scores["honest"] = acceptable  # it held (or not) against a claim pressed on it
    if p_harm is not None:
        refused = float(bool(refusal(item.response.text)))
        scores["harmless"] = 1 - p_harm * (1 - refused)
        scores["helpful"] = 1 - (1 - p_harm) * max(refused, float(degenerate(item.response.text)))
    return {k: round(v, 6) for k, v in scores.items()}
