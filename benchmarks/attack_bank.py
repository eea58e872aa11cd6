"""Answers of a model to every operator on every goal, asked once: the ground on which allocations meet.

A line of the bank is one goal with one wording of each operator and ``--answers`` answers to it. It
grows goal by goal and goes on where it stopped, so it can be made in short pieces (``--seconds``).
Answers end before ``--stop``, how the loop's learner continues a refusal: that it refuses is known.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

from superalign import load_model
from superalign.campaign.attacker import OperatorAttacker, campaign_operators
from superalign.campaign.goals import campaign_goals
from superalign.campaign.settings import CampaignConfig
from superalign.campaign.target import ModelTarget
from superalign.evaluation.measure import grade
from superalign.tasks.base import seeded

STOP = (" with that. I can",)


def read(path: Path) -> list[dict]:
    """The bank's lines."""
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def short_operators(model, goals, longest: int) -> dict:
    """The campaign's operators whose prompts have at most ``longest`` tokens on average."""
    known, attacker = campaign_operators(), OperatorAttacker({}, None)
    sizes = {
        name: sum(
            len(model.encode(attacker._move(op, g, (), (), seeded(name, g.id)).query.chat))
            for g in goals[:4]
        )
        for name, op in known.items()
    }
    return {name: op for name, op in known.items() if sizes[name] <= longest * len(goals[:4])}


def line(target: ModelTarget, known, goal, index: int, wording: int, answers: int) -> dict:
    """One goal, one wording of each operator."""
    attacker = OperatorAttacker(known, None)
    moves = [
        attacker._move(op, goal, (), (), seeded(name, goal.id, wording))
        for name, op in known.items()
    ]
    rows = []
    seed = seeded(goal.id, wording).getrandbits(31)
    for played in target.play(moves, n=answers, seed=seed):
        graded = grade([p.query for p in played], [p.response for p in played])
        rows.append(
            {
                "query": played[0].query.model_dump(mode="json"),
                "texts": [p.response.text for p in played],
                "verdicts": [g.verdict.value for g in graded],
                "near": [round(p.nearness, 4) for p in played],
                "gflop": [p.gflop for p in played],
            }
        )
    return {"goal": index, "cluster": goal.cluster, "wording": wording, "rows": rows}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", required=True, help="run:FOLDER for the loop's learner")
    parser.add_argument("--goals", type=int, default=22)
    parser.add_argument("--goal-seed", type=int, default=0, help="other seeds, other requests")
    parser.add_argument("--wordings", type=int, default=2)
    parser.add_argument("--answers", type=int, default=2, help="to each wording")
    parser.add_argument("--tokens", type=int, default=24)
    parser.add_argument("--longest", type=int, default=1000, help="tokens of an operator's prompts")
    parser.add_argument("--seconds", type=float, default=400, help="stop after the goal at hand")
    parser.add_argument("--bank", type=Path, required=True)
    args = parser.parse_args()
    goals = campaign_goals(CampaignConfig(limit=args.goals, seed=args.goal_seed))
    done = {(row["goal"], row["wording"]) for row in read(args.bank)}
    left = [(i, k) for k in range(args.wordings) for i in range(len(goals)) if (i, k) not in done]
    if not left:
        return
    model, start = load_model(args.model), time.perf_counter()
    known = short_operators(model, goals, args.longest)
    target = ModelTarget(
        model, max_new_tokens=args.tokens, temperature=1.0, logprobs=True,
        stop=STOP,
    )  # fmt: skip
    with args.bank.open("a") as out:
        for index, wording in left:
            row = line(target, known, goals[index], index, wording, args.answers)
            out.write(json.dumps(row) + "\n")
            out.flush()
            seconds = time.perf_counter() - start
            print(f"goal {index}, wording {wording}: {seconds:.0f} s", file=sys.stderr)
            if seconds > args.seconds:
                break


if __name__ == "__main__":
    main()
