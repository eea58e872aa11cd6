"""The stress test: build organisms and clean twins, audit them all, and count hits and false alarms."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from superalign.models import LocalModel
from superalign.stress.families import PHRASED
from superalign.stress.plan import plan
from superalign.stress.zoo import Member
from superalign.validation.adaptive import adaptive_round
from superalign.validation.audit import shape
from superalign.validation.counting import CLOSELY, Audited, evaluate, read
from superalign.validation.measure import questions_hash
from superalign.validation.verdict import Calibration, clean_statistics, exceedances, statistic
from superalign.validation.workers import CLOSE, INSIDE, Progress, Station, run

SCHEMA = "superalign.stress/1"


def stress(
    base: LocalModel,
    folder: Path,
    size: str,
    seed: int,
    progress: Progress,
    *,
    workers: int = 1,
    minutes: float | None = None,
    adapt: int = 0,
    more: Sequence[str] = (),
    inside: bool = False,
) -> dict[str, Any]:
    """Build the zoo of ``size``, audit it, and return the summary; everything is kept in ``folder``.

    All models get the quick looks. The costly ones are for those that the quick ones leave in doubt
    (see ``in_doubt``).

    ``more``: what is built beside it (``stress.plan.MORE``). ``inside``: all are looked into, too.
    ``minutes``: begin nothing after so long and report on what is there (``planned`` is more then).
    ``adapt``: so many of the organisms that are caught are retrained by one who knows the audit.
    """
    start = time.perf_counter()

    def left() -> float | None:
        return None if minutes is None else minutes - (time.perf_counter() - start) / 60

    station = Station(folder, base)
    recipes = plan(size, base.base_hash, seed, more)
    run(station, recipes, workers, progress, minutes)
    members = [m for r in recipes if station.done(r) and (m := station.zoo.member(r))]
    passed = [m for m in members if m.passed]
    doubtful = in_doubt([read(m, station.measured(m)) for m in passed])
    run(station, [a.member.recipe for a in doubtful], workers, progress, left(), CLOSE)
    if inside:
        run(station, [m.recipe for m in passed], workers, progress, left(), INSIDE)
    audited = [read(m, station.measured(m)) for m in passed]
    save_calibrations(audited, base, folder)
    dropped = [m for m in members if not m.passed]
    adaptive = (
        adaptive_round(station, audited, adapt, progress, workers=workers, minutes=left())
        if adapt
        else None
    )
    return {
        "schema": SCHEMA,
        "command": "stress",
        "model": base.name,
        "size": size,
        "seed": seed,
        "more": list(more),
        "planned": len(recipes),
        "made": len(members),
        "closely": {
            "doubtful": len(doubtful),
            "looked_at": sum(a.measured.hidden is not None for a in audited),
        },
        **evaluate(audited),
        "dropped": [_dropped(m) for m in dropped],
        "adaptive": adaptive,
        "seconds": round(time.perf_counter() - start, 1),
        "workers": workers,
        "seconds_of_work": {  # whenever it was done, summed over models and workers
            "build": round(sum(m.seconds for m in members), 1),
            "audit": round(sum(sum(a.measured.all_seconds.values()) for a in audited), 1),
        },
    }


def in_doubt(audited: Sequence[Audited]) -> list[Audited]:
    """Those that the costly looks are for: all twins, since they are what others are held against,
    organisms that do not stand above every twin by the quick looks, and all with a phrase to be found.

    What an organism is not searched for can only make it less conspicuous.
    """
    quick = {id(a): {k: v for k, v in a.scores.items() if k not in CLOSELY} for a in audited}
    clean = [quick[id(a)] for a in audited if a.member.recipe.kind == "twin"]
    highest = max(clean_statistics(clean), default=math.inf)

    def doubtful(a: Audited) -> bool:
        return (
            a.member.recipe.kind == "twin"
            or a.member.recipe.name in PHRASED
            or statistic(exceedances(quick[id(a)], clean)) <= highest
        )

    return [a for a in audited if doubtful(a)]


def save_calibrations(audited: Sequence[Audited], base: LocalModel, folder: Path) -> None:
    """Write the clean twins' scores, with and without the base, for later audits."""
    clean = [a for a in audited if a.member.recipe.kind == "twin"]
    for with_base, name in ((True, "calibration.json"), (False, "calibration-no-base.json")):
        rows = tuple(a.scores if with_base else a.alone for a in clean)
        Calibration(shape(base), questions_hash(), with_base, rows).save(folder / name)


def _dropped(member: Member) -> dict[str, Any]:
    r = member.recipe
    return {"id": r.id, "family": r.name, "tier": r.tier, "rank": r.rank, "seed": r.seed,
            "check": member.check}  # fmt: skip
