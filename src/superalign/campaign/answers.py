"""A campaign's answers as its store holds them: those of the search, and those to its finds asked again."""

from __future__ import annotations

from superalign.evaluation.measure import Graded
from superalign.records import Query, Response, Verdict
from superalign.store import RunStore


def attempts(store: RunStore) -> list[Graded]:
    """Every attack of the search with its answer and verdict, in the order in which it was asked."""
    waves = [phase.name for phase in store.phases() if phase.name.startswith("wave ")]
    return [graded for name in waves for graded in _answers(store, name)]


def replays(store: RunStore) -> list[list[Graded]]:
    """Per attack found, the fresh answers to it; none before the campaign has come so far."""
    found: dict[str, list[Graded]] = {}
    for graded in _answers(store, "replay") if store.phase_done("replay") else []:
        found.setdefault(graded.query.id, []).append(graded)
    return list(found.values())


def _answers(store: RunStore, phase: str) -> list[Graded]:
    rows = zip(
        store.records(Query, phase),
        store.records(Response, phase),
        store.phase_payload(phase)["played"],
        strict=True,
    )
    return [Graded(q, r, Verdict(**row["verdict"])) for q, r, row in rows]
