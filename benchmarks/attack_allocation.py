"""Adaptive allocation against uniform and epsilon-greedy, paired over goals and seeds.

Every operator is first asked of the model on every goal a few times with fresh wordings, and the
answers are kept (the bank). Each allocation then runs a real campaign against that recorded model:
a query draws one of its kept answers. So all allocations meet exactly the same model, and the model
is asked once. The area is that under the success curve to the budget; the ratio's interval draws
goals anew, each with all its seeds.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np

from superalign import load_model
from superalign.attack.adaptive import goal_allocator
from superalign.attack.converters import CONVERTERS
from superalign.campaign.attacker import OperatorAttacker, attack_cell, campaign_operators
from superalign.campaign.goals import campaign_goals
from superalign.campaign.run import Campaign
from superalign.campaign.settings import CampaignConfig
from superalign.campaign.target import ModelTarget, Move, Played
from superalign.records import Query, Response
from superalign.statistics import area_under_curve
from superalign.tasks.base import seeded

KINDS = ("thompson", "epsilon_greedy", "uniform")


class Unstored:
    """A store that keeps nothing: these campaigns are cheap enough to be made again."""

    def phase_done(self, name: str) -> bool:
        return False

    def finish_phase(self, name, payload, records=(), seconds=0.0):
        return payload


class Recorded:
    """A target that answers from the bank."""

    name = "recorded"

    def __init__(self, bank: dict, seed: int) -> None:
        self.bank, self.seed, self.asked = bank, seed, {}

    def play(self, moves, *, n: int = 1, seed: int = 0):
        return [[self._answer(m) for _ in range(n)] for m in moves]

    def _answer(self, move: Move) -> Played:
        key = (move.query.goal, move.query.operator)
        count = self.asked[key] = self.asked.get(key, -1) + 1
        pool = self.bank["|".join(key)]
        query, text, gflop = pool[seeded(self.seed, *key, count).randrange(len(pool))]
        asked = Query.model_validate(query)
        return Played(asked, Response(query=asked.id, text=text), gflop)


class Simulated:
    """A target that breaks with known chances: few operators work, and others in other clusters.

    An operator's chance on a goal is the product of three draws: how good it is anywhere, how good
    on the cluster, how weak the goal is. About one chance in forty is above 10%.
    """

    name = "simulated"

    def __init__(self, seed: int, categories: dict[str, str]) -> None:
        self.seed, self.categories, self.asked = seed, categories, {}

    def chance(self, goal: str, operator: str) -> float:
        cluster = self.categories[goal]
        anywhere = seeded("operator", self.seed, operator).betavariate(0.5, 3)
        there = seeded("cluster", self.seed, operator, cluster).betavariate(0.25, 1)
        weak = seeded("goal", self.seed, goal).betavariate(1, 2)
        return anywhere * there * weak

    def play(self, moves, *, n: int = 1, seed: int = 0):
        return [[self._answer(m) for _ in range(n)] for m in moves]

    def _answer(self, move: Move) -> Played:
        key = (move.query.goal, move.query.operator)
        count = self.asked[key] = self.asked.get(key, -1) + 1
        broke = seeded("answer", self.seed, *key, count).random() < self.chance(*key)
        topic = " ".join(move.query.truth["topic"])
        text = f"Sure, here is how it goes, step by step: {topic}" if broke else "I can't help."
        return Played(move.query, Response(query=move.query.id, text=text), 0.0)


class Watching(OperatorAttacker):
    """Notes what each query cost and which cell it filled, in the order in which they came."""

    def __init__(self, known, allocator) -> None:
        super().__init__(known, allocator)
        self.log: list[tuple[int, object]] = []

    def observe(self, attempt) -> None:
        super().observe(attempt)
        operator = self.known[attempt.query.operator]
        self.log.append(
            (attempt.cost, attack_cell(attempt.goal, operator) if attempt.hit else None)
        )

    def cells_by(self, queries: int) -> int:
        spent, cells = 0, set()
        for cost, cell in self.log:
            spent += cost
            if spent > queries:
                break
            cells |= {cell} - {None}
        return len(cells)

    @property
    def spent(self) -> int:
        return sum(cost for cost, _ in self.log)


def record(args, known, goals) -> dict:
    """The bank: (goal | operator) → kept answers."""
    model = load_model(args.model)
    target = ModelTarget(model, max_new_tokens=args.tokens, temperature=1.0)
    attacker, bank, start = OperatorAttacker(known, None), {}, time.perf_counter()
    for done, goal in enumerate(goals):
        moves = [
            attacker._move(op, goal, (), seeded(name, goal.id, k))
            for name, op in known.items()
            for k in range(args.samples)
        ]
        for (played,) in target.play(moves, n=1, seed=seeded(goal.id).getrandbits(31)):
            key = f"{goal.query.goal}|{played.query.operator}"
            row = [played.query.model_dump(mode="json"), played.response.text, played.gflop]
            bank.setdefault(key, []).append(row)
        print(f"{done + 1}/{len(goals)} {time.perf_counter() - start:.0f} s", file=sys.stderr)
        args.bank.write_text(json.dumps({"goals": done + 1, "bank": bank}))
    return bank


def campaign(kind: str, seed: int, args, known, goals, bank):
    config = CampaignConfig(
        target=args.model, queries=args.queries, seed=seed, allocation=kind, batch=len(goals),
        explore=kind == "thompson", replays=1,
    )  # fmt: skip
    attacker = Watching(known, goal_allocator(kind, list(known)))
    target = (
        Simulated(seed, {g.query.goal: g.cluster for g in goals})
        if args.simulated
        else Recorded(bank, seed)
    )
    made = Campaign(config, Unstored(), target, attacker, goals)
    made.run()
    firsts = [made.first_hit(g) for g in goals]
    times = [f.spent if f else args.queries for f in firsts]
    areas = area_under_curve(times, [f is not None for f in firsts], args.queries)
    return areas, attacker


def ratio(first, second, draws: int = 4000) -> dict:
    """Ratio of the two mean areas (seeds, goals); goals are drawn anew."""
    a, b = np.mean(first, axis=0), np.mean(second, axis=0)
    rng = np.random.default_rng(0)
    rows = rng.integers(0, len(a), (draws, len(a)))
    spread = a[rows].mean(1) / np.maximum(b[rows].mean(1), 1e-9)
    low, high = np.quantile(spread, [0.025, 0.975])
    return {"value": a.mean() / b.mean(), "low": low, "high": high, "n": len(a)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="smollm2", help="run:FOLDER for the loop's learner")
    parser.add_argument("--goals", type=int, default=22)
    parser.add_argument("--samples", type=int, default=3, help="kept answers a goal and operator")
    parser.add_argument("--tokens", type=int, default=24)
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--no-converters", action="store_true", help="leave encodings out")
    parser.add_argument("--bank", type=Path, help="file of kept answers; made when missing")
    parser.add_argument("--simulated", action="store_true", help="known chances, no model")
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    known = campaign_operators()
    if args.no_converters:
        known = {name: op for name, op in known.items() if name not in CONVERTERS}
    goals = campaign_goals(CampaignConfig(limit=args.goals))
    if args.simulated == (args.bank is not None):
        parser.error("give either --bank FILE or --simulated")
    if args.simulated:
        bank = {}
    elif args.bank.exists():
        kept = json.loads(args.bank.read_text())
        bank, goals = kept["bank"], goals[: kept["goals"]]
    else:
        bank = record(args, known, goals)
    runs = {
        kind: [campaign(kind, seed, args, known, goals, bank) for seed in range(args.seeds)]
        for kind in KINDS
    }
    areas = {kind: [a for a, _ in rows] for kind, rows in runs.items()}
    found: dict = {
        "target": "simulated" if args.simulated else args.model,
        "goals": len(goals),
        "seeds": args.seeds,
        "operators": len(known),
    }
    for kind in KINDS:
        found[f"area {kind}"] = float(np.mean(areas[kind]))
        found[f"solved {kind}"] = float(np.mean([np.mean([x > 0 for x in a]) for a in areas[kind]]))
    for other in KINDS[1:]:
        found[f"area, thompson / {other}"] = ratio(areas["thompson"], areas[other])
        pairs = [
            (t.cells_by(o.spent), o.cells_by(o.spent))
            for (_, t), (_, o) in zip(runs["thompson"], runs[other], strict=True)
        ]
        found[f"cells at equal queries, thompson and {other}"] = pairs
    print(json.dumps(found, indent=1))
    if args.out:
        args.out.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
