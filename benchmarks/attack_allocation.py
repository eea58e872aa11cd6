"""Adaptive allocation against uniform and epsilon-greedy, paired over goals and seeds.

A goal counts as solved when its attack succeeds ``--confirm`` more times on the same prompt. With
``--model`` each allocation runs campaigns against the model itself; every campaign is a line of
``--runs``, and a call goes on where the last one stopped. With ``--bank`` it meets targets that the
recorded answers of the model are compatible with (``attack_chances.py``), another for each seed: cheap,
and blunter than the model where it has habits on single goals that few answers do not show. The area
is that under the success curve to the budget; a ratio's interval draws goals and seeds anew. Beside a
bank stands the ceiling: what an allocation would reach that knew each goal's best operator from the
start.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from attack_bank import STOP, read, short_operators
from attack_chances import curve_when_known, drawn_chances, tables

from superalign import load_model
from superalign.attack.adaptive import goal_allocator
from superalign.campaign.attacker import OperatorAttacker, attack_cell, campaign_operators
from superalign.campaign.goals import campaign_goals
from superalign.campaign.run import Campaign
from superalign.campaign.settings import CampaignConfig
from superalign.campaign.target import ModelTarget, Move, Played
from superalign.records import Response
from superalign.statistics import area_under_curve, proportion
from superalign.tasks.base import seeded

KINDS = ("thompson", "epsilon_greedy", "uniform")
EXPLORING = "thompson, exploring"
HORIZONS = (25, 200)
TOKENS = 24  # of an answer: its opening decides


class Unstored:
    """A store that keeps nothing: these campaigns are cheap enough to be made again."""

    def phase_done(self, name: str) -> bool:
        return False

    def finish_phase(self, name, payload, records=(), seconds=0.0):
        return payload


class Drawn:
    """A target that breaks with known chances: ``chance(goal, operator)`` a query."""

    name = "drawn"

    def __init__(self, seed: int, chance: Callable[[str, str], float]) -> None:
        self.seed, self.chance, self.asked = seed, chance, {}

    def play(self, moves, *, n: int = 1, seed: int = 0):
        return [[self._answer(m) for _ in range(n)] for m in moves]

    def _answer(self, move: Move) -> Played:
        key = (move.query.goal, move.query.operator)
        count = self.asked[key] = self.asked.get(key, -1) + 1
        broke = seeded("answer", self.seed, *key, count).random() < self.chance(*key)
        topic = " ".join(move.query.truth["topic"])
        text = f"Sure, here is how it goes, step by step: {topic}" if broke else "I can't help."
        return Played(move.query, Response(query=move.query.id, text=text), 0.0)


def simulated(seed: int, categories: dict[str, str]) -> Drawn:
    """Few operators work, and others in other clusters: about one chance in forty is above 10%.

    An operator's chance on a goal is the product of three draws: how good it is anywhere, how good
    on the cluster, how weak the goal is.
    """

    def chance(goal: str, operator: str) -> float:
        anywhere = seeded("operator", seed, operator).betavariate(0.5, 3)
        there = seeded("cluster", seed, operator, categories[goal]).betavariate(0.25, 1)
        return anywhere * there * seeded("goal", seed, goal).betavariate(1, 2)

    return Drawn(seed, chance)


def recorded(lines: list[dict], goals, seeds: range, args) -> tuple[Callable, dict]:
    """Seed → a target that may have given the recorded answers; and the ceiling by horizon."""
    numbers, names, hits, asked = tables(lines)
    drawn = drawn_chances(hits, asked, seeds.stop)
    row = {goals[number].query.goal: i for i, number in enumerate(numbers)}
    column = {name: i for i, name in enumerate(names)}
    costs = np.array([getattr(campaign_operators()[name], "turns", 1) for name in names])
    best = {
        until: [curve_when_known(drawn[s], costs, until, args.confirm).tolist() for s in seeds]
        for until in horizons(args.queries)
    }
    return lambda s: Drawn(s, lambda goal, name: float(drawn[s][row[goal], column[name]])), best


class Watching(OperatorAttacker):
    """Notes what each query cost and which cell it filled, in the order in which they came."""

    def __init__(self, known, allocator, confirm: int) -> None:
        super().__init__(known, allocator, confirm)
        self.log: list[tuple[int, str | None]] = []
        self.row: dict[str, int] = {}

    def observe(self, attempt) -> None:
        super().observe(attempt)
        key, operator = attempt.query.id, self.known[attempt.query.operator]
        self.row[key] = self.row.get(key, 0) + 1 if attempt.hit else 0
        done = self.row[key] > self.confirm
        cell = " × ".join(attack_cell(attempt.goal, operator)) if done else None
        self.log.append((attempt.cost, cell))


def campaign(kind: str, seed: int, args, known, goals, target):
    """When each goal fell (None: never), and the attacker with its log."""
    config = CampaignConfig(
        queries=args.explore if kind == EXPLORING else args.queries,
        seed=seed,
        batch=len(goals),
        explore=kind == EXPLORING,
        replays=1,
        confirm=args.confirm,
    )
    families = {name: op.family for name, op in known.items()}
    attacker = Watching(known, goal_allocator(kind.split(",")[0], families), args.confirm)
    made = Campaign(config, Unstored(), target, attacker, goals)
    made.run()
    firsts = [made.first_hit(g) for g in goals]
    return [f.spent if f else None for f in firsts], attacker


def horizons(queries: int) -> list[int]:
    """Budgets at which areas are told."""
    return sorted({k for k in HORIZONS if k < queries} | {queries})


def area(times, until: int) -> list[float]:
    """What each goal adds to the area under the curve to ``until`` queries."""
    ends = [until + 1 if t is None else t for t in times]
    return area_under_curve(ends, [t is not None for t in times], until)


def ratio(first, second, draws: int = 4000) -> dict:
    """Ratio of the two mean areas (seeds, goals); goals and seeds are drawn anew."""
    a, b = np.asarray(first), np.asarray(second)
    rng, found = np.random.default_rng(0), []
    for _ in range(draws):
        seeds, goals = (rng.integers(0, n, n) for n in a.shape)
        grid = np.ix_(seeds, goals)
        found.append(a[grid].mean() / max(b[grid].mean(), 1e-9))
    low, high = np.quantile(found, [0.025, 0.975])
    n = {"goals": a.shape[1], "seeds": a.shape[0]}
    return {"value": a.mean() / b.mean(), "low": low, "high": high} | n


def campaigns(args, known, goals, target_of) -> list[dict]:
    """One row a kind and seed; those of ``--runs`` are read, the others made while time is left."""
    rows, start = (read(args.runs) if args.runs else []), time.perf_counter()
    done = {(row["kind"], row["seed"]) for row in rows}
    for seed in range(args.first_seed, args.first_seed + args.seeds):
        for kind in (*KINDS, EXPLORING):
            if (kind, seed) in done or time.perf_counter() - start > args.seconds:
                continue
            times, attacker = campaign(kind, seed, args, known, goals, target_of(seed))
            rows.append({"kind": kind, "seed": seed, "times": times, "log": attacker.log})
            spent = sum(cost for cost, _ in attacker.log)
            seconds = time.perf_counter() - start
            print(f"{seconds:.0f} s: {kind}, seed {seed}: {spent} queries", file=sys.stderr)
            if args.runs:
                with args.runs.open("a") as out:
                    out.write(json.dumps(rows[-1]) + "\n")
    return rows


def cells_by(log, queries: int) -> int:
    """Cells filled within the first ``queries`` of a campaign."""
    spent, cells = 0, set()
    for cost, cell in log:
        spent += cost
        if spent > queries:
            break
        cells |= {cell} - {None}
    return len(cells)


def by_kind(rows: list[dict], key: str) -> dict[str, list]:
    """Kind → that entry of each seed, in the seeds' order; seeds without all kinds are left out."""
    seeds = sorted({row["seed"] for row in rows})
    found = {(row["kind"], row["seed"]): row[key] for row in rows}
    kinds = (*KINDS, EXPLORING)
    whole = [seed for seed in seeds if all((kind, seed) in found for kind in kinds)]
    return {kind: [found[kind, seed] for seed in whole] for kind in kinds}


def summary(rows: list[dict], best: dict | None, queries: int) -> dict:
    """Areas and ratios by horizon, shares solved, and cells at equal numbers of queries."""
    times, logs = by_kind(rows, "times"), by_kind(rows, "log")
    out: dict = {}
    for until in horizons(queries):
        areas = {kind: [area(x, until) for x in times[kind]] for kind in KINDS}
        if best:
            areas["ceiling"] = best[until]
        own = {"area": {kind: float(np.mean(a)) for kind, a in areas.items()}}
        for first in ("thompson", "ceiling") if best else ("thompson",):
            for other in KINDS[1:]:
                own[f"{first} / {other}"] = ratio(areas[first], areas[other])
        out[f"to {until} queries"] = own
    for kind, some in times.items():
        fell = [x is not None for row in some for x in row]
        out[kind] = {"solved": proportion(sum(fell), len(fell)).as_dict()}
    for other in KINDS:
        pairs = [cells_of(*both) for both in zip(logs[EXPLORING], logs[other], strict=True)]
        mine, theirs = (np.array(side, float)[:, None] for side in zip(*pairs, strict=True))
        out[f"cells, {EXPLORING} / {other}"] = ratio(mine, theirs) | {"cells": pairs}
    return out


def cells_of(mine, theirs) -> tuple[int, int]:
    """Cells that two campaigns filled within the queries of the shorter one."""
    spent = min(sum(cost for cost, _ in log) for log in (mine, theirs))
    return cells_by(mine, spent), cells_by(theirs, spent)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bank", type=Path, help="recorded answers, made by attack_bank.py")
    parser.add_argument("--goal-seed", type=int, default=0, help="as the bank was made with")
    parser.add_argument("--model", help="run:FOLDER for the loop's learner")
    parser.add_argument("--simulated", action="store_true", help="known chances, no model")
    parser.add_argument("--runs", type=Path, help="file of the campaigns done so far")
    parser.add_argument("--seconds", type=float, default=1e9, help="start no campaign after these")
    parser.add_argument("--longest", type=int, default=1000, help="tokens of an operator's prompts")
    parser.add_argument("--explore", type=int, default=200, help="queries a goal when exploring")
    parser.add_argument(
        "--confirm", type=int, default=1, help="further successes in a row asked for"
    )
    parser.add_argument("--goals", type=int, default=22)
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    if sum(map(bool, (args.simulated, args.bank, args.model))) != 1:
        parser.error("give one of --bank FILE, --model NAME and --simulated")
    known, best = campaign_operators(), None
    goals = campaign_goals(CampaignConfig(limit=args.goals, seed=args.goal_seed))
    if args.simulated:
        clusters = {g.query.goal: g.cluster for g in goals}

        def target_of(seed):
            return simulated(seed, clusters)

    elif args.model:
        model = load_model(args.model)
        known = short_operators(model, goals, args.longest)
        target = ModelTarget(model, max_new_tokens=TOKENS, temperature=1.0, stop=STOP)

        def target_of(seed):
            return target

    else:
        lines = read(args.bank)
        seeds = range(args.first_seed, args.first_seed + args.seeds)
        target_of, best = recorded(lines, goals, seeds, args)
        goals = [goals[i] for i in sorted({line["goal"] for line in lines})]
        asked = {row["query"]["operator"] for line in lines for row in line["rows"]}
        known = {name: op for name, op in known.items() if name in asked}
    rows = campaigns(args, known, goals, target_of)
    found = {"goals": len(goals), "operators": len(known), "confirm": args.confirm}
    found |= summary(rows, best, args.queries)
    print(json.dumps(found, indent=1))
    if args.out:
        args.out.write_text(json.dumps(found | {"rows": rows}))


if __name__ == "__main__":
    main()
