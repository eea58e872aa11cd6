"""What a run's report shows, gathered from its folder: transcripts, claims, human questions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from superalign.evaluation.measure import grade
from superalign.records import Critique, Query, Response
from superalign.report.run_report import write_report
from superalign.store import RunStore

PER_GROUP = 6  # transcripts shown per phase, domain and outcome
FROZEN = "frozen"


def write_run_report(store: RunStore, summary: dict[str, Any]) -> Path:
    """Write ``report.html`` of a finished run; returns its path."""
    path = store.path / "report.html"
    write_report(summary, list(transcripts(store)), list(questions(store)), path)
    return path


def transcripts(store: RunStore) -> Iterator[dict[str, Any]]:
    """A sample of answers: the same held-out prompts before and after, and each round's attacks."""
    for phase in ("before", "after"):
        yield from _sample(store, phase, phase, None, {})
    for name in (p.name for p in store.phases() if p.name.endswith("answers")):
        number = int(name.split()[1])
        critiques = {c.response: c for c in store.records(Critique, f"round {number} critique")}
        yield from _sample(store, name, "train", number, critiques)


def _sample(
    store: RunStore, phase: str, kind: str, number: int | None, critiques: dict[str, Critique]
) -> Iterator[dict[str, Any]]:
    known = {q.id: q for q in store.records(Query, phase)}
    answers = [r for r in store.records(Response, phase) if r.model != FROZEN]
    shown: dict[tuple[str, str, str], int] = {}
    for g in grade([known[r.query] for r in answers], answers):
        # Held-out prompts are chosen by prompt, so that before and after show the same ones.
        outcome = "" if number is None else g.verdict.kind
        group = (g.query.domain, g.query.operator if number is None else "", outcome)
        if shown.setdefault(group, 0) >= (3 if number is None else PER_GROUP):
            continue
        shown[group] += 1
        critique = critiques.get(g.response.id)
        yield {
            "round": number,
            "phase": kind,
            "domain": g.query.domain,
            "family": g.query.family,
            "operator": g.query.operator,
            "prompt": g.query.chat,
            "response": g.response.text,
            "verdict": g.verdict.model_dump(),
            "critique": critique.model_dump(mode="json") if critique else None,
        }


def questions(store: RunStore) -> Iterator[dict[str, Any]]:
    """What humans (real or simulated) were asked, round by round."""
    for name in (p.name for p in store.phases() if p.name.endswith("critique")):
        asked: Iterable[dict[str, Any]] = store.phase_payload(name)["asked"]
        for row in asked:
            query = Query(**row["query"])
            yield {
                "round": int(name.split()[1]),
                "domain": query.domain,
                "prompt": query.chat,
                "response": row["response"]["text"],
                "members": row["members"],
                "answer": row["label"]["value"],
                "source": row["label"]["source"],
                "reason": row["label"]["note"],
            }
