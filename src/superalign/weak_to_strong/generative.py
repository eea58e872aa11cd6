"""The protocol where answers are written: sampled by the weak, taught to the strong, checked.

A supervisor learns the true answers of its half and samples answers to the other half. Students
(low-rank adapters) learn what a rule makes of the samples; the ceiling learns the true answers of
the same rows in as many visits. All are asked the same test problems, greedily, and a verifier
reads and checks what they say.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from superalign.config import LearnerConfig
from superalign.learner.examples import encode
from superalign.learner.offline import train_offline
from superalign.models.local import LocalModel
from superalign.models.packing import Tree
from superalign.records import Demonstration, Query
from superalign.weak_to_strong.answers import AnswerMethod, Evidence, Taught, beliefs, votes
from superalign.weak_to_strong.outcomes import DIGITS, Answers, Outcome, Student
from superalign.weak_to_strong.problems import Problems
from superalign.weak_to_strong.splits import split

Said = list[tuple[str | None, bool]]  # per problem: the answer read, and whether it is right
Told = Callable[[float, str], None]
EPOCHS, SAMPLES, TEMPERATURE, MOST_TOKENS = 3, 8, 0.7, 10
TRAINING = LearnerConfig(algorithm="sft", learning_rate=1e-3, batch_tokens=128, lora_rank=16)


@dataclass(frozen=True)
class _Rows:
    """Queries of one part of the split."""

    problems: Problems
    queries: list[Query]

    def ask(self, model: LocalModel) -> tuple[Said, list[float]]:
        """Greedy answers, and how sure the model is of each: its log-probability."""
        made = model.generate(
            [q.chat for q in self.queries], max_new_tokens=MOST_TOKENS, temperature=0
        )
        said = [
            self.problems.grade(q, row[0].text) for q, row in zip(self.queries, made, strict=True)
        ]
        return said, [sum(row[0].logprobs) for row in made]

    def samples(self, model: LocalModel, seed: int) -> list[dict[str, float]]:
        """How ``SAMPLES`` answers to each problem fall."""
        made = model.generate(
            [q.chat for q in self.queries],
            n=SAMPLES,
            max_new_tokens=MOST_TOKENS,
            temperature=TEMPERATURE,
            seed=seed,
        )
        return [
            votes([self.problems.grade(q, c.text)[0] for c in row])
            for q, row in zip(self.queries, made, strict=True)
        ]

    def own(self, model: LocalModel, candidates: Sequence[Sequence[str]]) -> list[dict[str, float]]:
        """The model's belief in each candidate as the whole answer (with the end of its turn)."""
        rows = [i for i, row in enumerate(candidates) if row]
        trees = [
            Tree(
                model.encode(self.queries[i].chat),
                tuple(model.encode_completion(a, end=True) for a in candidates[i]),
            )
            for i in rows
        ]
        found: list[dict[str, float]] = [{} for _ in candidates]
        for i, scores in zip(rows, model.tree_logprobs(trees) if trees else [], strict=True):
            found[i] = beliefs(
                {a: float(s.sum()) for a, s in zip(candidates[i], scores, strict=True)}
            )
        return found

    def truth(self) -> list[Taught]:
        """The true answers."""
        return [Taught(str(q.truth["answer"]), 1.0) for q in self.queries]


def taught(
    model: LocalModel, queries: Sequence[Query], labels: Sequence[Taught | None], seed: int
) -> LocalModel:
    """``model`` under an adapter that has learnt ``labels`` in ``EPOCHS`` × rows visits.

    Rows without a label are left out and the others visited more often, so that every student takes
    as many visits; without any label the model stays as it is.
    """
    records = [
        Demonstration(query=q, completion=t.answer, source="weak", weight=t.weight)
        for q, t in zip(queries, labels, strict=True)
        if t is not None and t.weight > 0
    ]
    if not records:
        return model
    config = TRAINING
    first = int(config.first_layer * model.depth)
    adapter = model.fresh_adapter(
        rank=config.lora_rank, alpha=config.lora_alpha, seed=seed, first_layer=first
    )
    view = model.with_adapter(adapter)
    examples = encode(view, records)
    visits = EPOCHS * len(queries)
    many = [examples[i % len(examples)] for i in range(visits)]
    train_offline(view, many, config, seed=seed)
    return view


def run_seed(
    problems: Problems,
    student: LocalModel,
    supervisors: Mapping[str, LocalModel],
    methods: Mapping[str, AnswerMethod],
    seed: int,
    told: Told,
) -> dict[str, Any]:
    """One seed under every supervisor, as plain values for the run's store.

    Answers are numbered within a problem, 0 for the right one, so that equal wrong answers agree.
    """
    cut = split(problems, seed)
    strong, test, weak_half = (
        _Rows(problems, [problems.queries[i] for i in rows])
        for rows in (cut.student, cut.test, cut.supervisor)
    )
    total, done = 1 + len(supervisors) * (1 + len(methods)), 0

    def step(what: str) -> None:
        nonlocal done
        done += 1
        told(done / total, what)

    said: dict[str, Said] = {}
    ceiling = taught(student, strong.queries, strong.truth(), seed)
    said["ceiling"], _ = test.ask(ceiling)
    step("ceiling")
    facts: dict[str, Any] = {}
    for name, model in supervisors.items():
        weak = taught(model, weak_half.queries, weak_half.truth(), seed)
        said[name], sure = test.ask(weak)
        evidence = _evidence(strong, weak, student, seed)
        step(name)
        facts[name] = {"sure": sure, "methods": {}}
        for method, item in methods.items():
            labels = item.rule(evidence)
            said[f"{name} {method}"], _ = test.ask(taught(student, strong.queries, labels, seed))
            facts[name]["methods"][method] = _labels(strong, labels)
            step(f"{name}, {method}")
    return {"answers": numbered(said), "supervisors": facts}


def _evidence(rows: _Rows, weak: LocalModel, student: LocalModel, seed: int) -> list[Evidence]:
    first, _ = rows.ask(weak)
    sampled = rows.samples(weak, seed)
    own = rows.own(student, [list(row) for row in sampled])
    return [Evidence(f, v, o) for (f, _), v, o in zip(first, sampled, own, strict=True)]


def _labels(rows: _Rows, labels: Sequence[Taught | None]) -> dict[str, Any]:
    """How many labels a rule gave and which weighted share is right: told after, never used."""
    kept = [(q, t) for q, t in zip(rows.queries, labels, strict=True) if t is not None]
    right = sum(t.weight * rows.problems.grade(q, t.answer)[1] for q, t in kept)
    total = sum(t.weight for _, t in kept)
    return {"used": len(kept), "right": right / total if total else None}


def numbered(said: Mapping[str, Said]) -> dict[str, str]:
    """Answers as one digit a problem: 0 right, then each distinct wrong one (none is one, too)."""
    m = len(next(iter(said.values())))
    known: list[dict[str | None, int]] = [{} for _ in range(m)]
    out = {}
    for name, answers in said.items():
        digits = []
        for seen, (answer, right) in zip(known, answers, strict=True):
            number = 0 if right else seen.setdefault(answer, len(seen) + 1)
            digits.append(DIGITS[min(number, len(DIGITS) - 1)])
        out[name] = "".join(digits)
    return out


def outcomes(
    problems: Problems,
    supervisors: Sequence[str],
    methods: Sequence[str],
    seeds: Sequence[int],
    payloads: Sequence[dict[str, Any]],
) -> list[Outcome]:
    """One outcome per supervisor from the seeds' payloads: right or wrong in place of classes."""
    cut = split(problems, seeds[0])

    def answers(name: str) -> Answers:
        rows = [p["answers"][name] for p in payloads]
        return np.array([[DIGITS.index(c) for c in row] for row in rows], dtype=np.int64)

    made = []
    for name in supervisors:
        facts = [p["supervisors"][name] for p in payloads]
        sure = [np.array(f["sure"]) for f in facts]
        students = {}
        for method in methods:
            labels = [f["methods"][method] for f in facts]
            students[method] = Student(
                answers=answers(f"{name} {method}"),
                calibration=[],
                labels=float(np.mean([x["used"] for x in labels])),
                notes=[{"labels right": x["right"]} for x in labels if x["right"] is not None],
            )
        made.append(
            Outcome(
                task=problems.name,
                supervisor=name,
                kind="generative",
                classes=("right", "wrong"),
                sizes={
                    "supervisor": len(cut.supervisor),
                    "student": len(cut.student),
                    "test": len(cut.test),
                    "missing": 0,
                    "true_labels": len(cut.supervisor),
                },
                truth=np.zeros(len(cut.test), dtype=np.int64),
                groups=[problems.groups[i] for i in cut.test],
                weak=answers(name),
                sure=np.stack([s > np.median(s) for s in sure]),
                ceiling=answers("ceiling"),
                plain_ceiling=answers("ceiling"),
                students=students,
                skipped={},
            )
        )
    return made
