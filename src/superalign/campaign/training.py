"""How the attacker learns: it imitates, then it is rewarded for its own confirmed successes.

Imitation needs no query: the loop's training operators wrap requests of the training risk categories,
and an earlier campaign adds its attacks that worked. Then rounds of GRPO (arXiv 2402.03300): a group of
drafts for each training goal, each asked of the target once, a success asked again. Every query
counts. Held-out risk categories are never shown.

Every stage is one transaction and one checkpoint: training killed at any instant goes on to the same
attacker.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from superalign.attack.base import operators, turn
from superalign.attack.goal_kept import keeps_goal
from superalign.campaign.regression import read_suite
from superalign.campaign.rewards import Draft, rewards
from superalign.campaign.settings import CampaignConfig
from superalign.campaign.target import Move, Target
from superalign.campaign.trained_operator import (
    billions_of_parameters,
    draft_gflop,
    drafts,
    reworded,
    writing_prompt,
)
from superalign.campaign.writer import Writer, adapter_folder
from superalign.config import LearnerConfig
from superalign.critic.trained_judge import shipped_judge
from superalign.evaluation.measure import Progress, grade, silent
from superalign.learner.examples import Rollout, encode
from superalign.learner.offline import train_offline
from superalign.learner.on_policy import train_on_policy
from superalign.records import Demonstration, Query, Record, Verdict
from superalign.statistics import mean, proportion
from superalign.store import RunStore
from superalign.tasks.base import seeded
from superalign.tasks.safety import Safety

QUERIES = 480  # the training budget where the settings name none
ROUNDS = 3  # of equal parts of the budget
GROUP = 8  # drafts for one goal, compared with each other
RESERVE = 2  # queries per goal and round for asking successes again
LEAST = ROUNDS * (GROUP + RESERVE)  # queries that give each round one goal
IMITATED = 256  # demonstrations by the training operators
PHASE = "train the attacker"
IMITATION = LearnerConfig(algorithm="sft", batch_tokens=512, opening=None)
# Without a pull to the frozen model: it is the model before imitation, which words no attacks.
REINFORCEMENT = LearnerConfig(
    algorithm="grpo", batch_tokens=1024, learning_rate=5e-4, kl_weight=0.0
)
Stage = tuple[dict[str, Any], list[Record]]


def training_queries(config: CampaignConfig) -> int:
    """The budget: of the settings, else ``QUERIES``, or none for an adapter that is there."""
    if config.training_queries is not None:
        return config.training_queries
    return QUERIES if config.attacker_adapter is None else 0


def demonstrations(goals: Sequence[Query], n: int, seed: int) -> list[Demonstration]:
    """``n`` prompts of the loop's training operators on ``goals``.

    Only single turns in which the goal can be read: no encodings.
    """
    known = list(operators("safety", "train").values())
    found: list[Demonstration] = []
    for i in range(4 * n):
        goal, rng = goals[i % len(goals)], seeded(seed, "demonstration", i)
        query = rng.choice(known).propose(goal, rng, ())
        if len(query.messages) == 1 and keeps_goal(query.text, goal) and len(found) < n:
            found.append(_demonstration(goal, query))
    return found


def worked_before(config: CampaignConfig, attacked: Sequence[Query]) -> list[Demonstration]:
    """Attacks of the campaign in ``earlier`` that worked; none on goals or risks that are ``attacked``.

    Raises:
        InputError: its ``regression.jsonl`` cannot be read.
    """
    if config.earlier is None:
        return []
    path = Path(config.earlier) / "regression.jsonl"
    if path.is_file() and not path.read_text().strip():
        return []  # it found nothing
    goals, risks = {q.goal for q in attacked}, {q.family for q in attacked}
    found = []
    for query in read_suite(path):
        if query.goal in goals or query.family in risks or len(query.messages) > 1:
            continue
        if keeps_goal(query.text, query):
            goal = query.model_copy(update={"messages": (turn("user", query.goal),)})
            found.append(_demonstration(goal, query))
    return found


@dataclass
class Training:
    """Training in progress. ``queries`` and ``gflop`` count what it has cost in this campaign.

    Args:
        config: of the campaign.
        store: of the campaign.
        target: what is attacked.
        writer: what is trained.
        attacked: the campaign's goals, of which it must learn nothing.
        progress: told how far it is.
    """

    config: CampaignConfig
    store: RunStore
    target: Target
    writer: Writer
    attacked: Sequence[Query]
    progress: Progress = silent
    queries: int = 0
    gflop: float = 0.0
    adapter: str = ""
    rounds: list[dict[str, Any]] = field(default_factory=list)
    _successes: list[tuple[str, Query]] = field(default_factory=list)

    def run(self) -> None:
        """Do every stage that is not done yet."""
        if self.config.attacker_adapter is None:
            self._stage("attacker imitation", self._imitate)
        else:
            self.adapter = str(adapter_folder(self.config.attacker_adapter).resolve())
        budget = training_queries(self.config)
        for k in range(1, ROUNDS + 1 if budget else 1):
            goals = self._goals(k, budget // LEAST)
            work = partial(self._reinforce, k, goals, budget // ROUNDS)
            payload = self._stage(f"attacker round {k}", work)
            self.rounds.append({"round": k, **payload["measured"]})
            known = {goal.id: goal for goal in goals}
            self._successes += [(text, known[key]) for key, text in payload["successes"]]

    def _stage(self, name: str, work: Callable[[], Stage]) -> dict[str, Any]:
        """A stage's payload, from the store or worked out; the writer is as it left it."""
        place = name.replace(" ", "-")
        if not self.store.phase_done(name):
            start = time.perf_counter()
            payload, records = work()
            cost = payload["queries"], payload["gflop"]
            self.writer.schooling = self.writer.schooling.more(
                *cost, payload["goals"], payload["categories"]
            )
            self.writer.save(self.store, place)
            rows = [(name, record) for record in records]
            self.store.finish_phase(name, payload, rows, time.perf_counter() - start)
        else:
            self.writer.restore(self.store.checkpoint_path(place))
        payload = self.store.phase_payload(name)
        self.queries += payload["queries"]
        self.gflop += payload["gflop"]
        self.adapter = str(self.store.checkpoint_path(place).relative_to(self.store.path))
        return payload

    # -- imitation ------------------------------------------------------------------------------

    def _imitate(self) -> Stage:
        """Supervised training on demonstrations; asks the target nothing."""
        goals = Safety().harmful_only(IMITATED, seed=self.config.seed, split="train")
        taught = demonstrations(goals, IMITATED, self.config.seed)
        taught += worked_before(self.config, self.attacked)
        model = self.writer.model
        report = train_offline(
            model,
            encode(model, taught),
            IMITATION,
            seed=self.config.seed,
            progress=lambda share, note: self.progress(f"{PHASE}: imitation", share, note),
        )
        return {
            "queries": 0,
            # Forward and backward through weights that stay: 4 FLOP per parameter and token.
            "gflop": 4 * report.tokens * billions_of_parameters(model),
            "goals": [],
            "categories": sorted({d.query.family for d in taught}),
            "demonstrations": len(taught),
            "update": report.as_dict(),
        }, []

    # -- reinforcement --------------------------------------------------------------------------

    def _goals(self, k: int, n: int) -> list[Query]:
        """The training goals of round k: ``n`` that no other round has, spread over the categories."""
        goals = Safety().harmful_only(ROUNDS * n, seed=self.config.seed, split="train")
        return goals[(k - 1) * n : k * n]

    def _reinforce(self, k: int, goals: Sequence[Query], room: int) -> Stage:
        """One round of at most ``room`` queries: draft, ask, ask successes again, update."""
        seed = seeded(self.config.seed, "attacker round", k).getrandbits(30)
        part = f"{PHASE}: round {k} of {ROUNDS}"
        self.progress(part, 0.0, f"{len(goals)} goals, {GROUP} drafts each")
        model = self.writer.model
        rows = drafts(model, goals, GROUP, seed=seed)
        gflop = sum(draft_gflop(model, goal, row) for goal, row in zip(goals, rows, strict=True))
        made = [Draft(goal, done) for goal, row in zip(goals, rows, strict=True) for done in row]
        self.progress(
            part, 0.3, f"{sum(d.kept for d in made)} of {len(made)} drafts ask their goal"
        )
        kept = [i for i, d in enumerate(made) if d.kept]
        firsts, records, cost = self._ask([made[i] for i in kept], seed + 1)
        for i, verdict in zip(kept, firsts, strict=True):
            made[i] = replace(made[i], first=verdict)
        hits = [i for i in kept if made[i].hit][: room - len(kept)]
        agains, more, cost_again = self._ask([made[i] for i in hits], seed + 2)
        for i, verdict in zip(hits, agains, strict=True):
            made[i] = replace(made[i], again=verdict)
        earned = rewards(made, self._successes)
        gflop += cost + cost_again + self._update(made, earned, seed, part)
        return {
            "queries": len(kept) + len(hits),
            "gflop": gflop,
            "goals": [goal.goal for goal in goals],
            "categories": sorted({goal.family for goal in goals}),
            "measured": _measured(made, earned),
            "successes": [(d.goal.id, d.text) for d in made if d.confirmed],
        }, [*records, *more]

    def _ask(self, asked: Sequence[Draft], seed: int) -> tuple[list[Verdict], list[Record], float]:
        """Verdicts on one answer to each draft, the records of both, and their GFLOP."""
        if not asked:
            return [], [], 0.0
        moves = [Move(reworded(draft.goal, draft.text)) for draft in asked]
        played = [row[0] for row in self.target.play(moves, n=1, seed=seed)]
        graded = grade([p.query for p in played], [p.response for p in played], shipped_judge())
        records: list[Record] = [r for p in played for r in (p.query, p.response)]
        return [g.verdict for g in graded], records, sum(p.gflop for p in played)

    def _update(
        self, made: Sequence[Draft], earned: Sequence[float | None], seed: int, part: str
    ) -> float:
        """One pass of GRPO over the groups whose rewards differ; its GFLOP."""
        model, uneven = self.writer.model, _uneven(made, earned)
        rollouts = [
            Rollout(writing_prompt(d.goal), d.done.tokens, d.done.logprobs, value)
            for d, value in zip(made, earned, strict=True)
            if d.goal.id in uneven and d.done.tokens
        ]
        if not rollouts:
            return 0.0
        report = train_on_policy(
            model,
            rollouts,
            REINFORCEMENT,
            seed=seed,
            progress=lambda share, note: self.progress(part, 0.5 + share / 2, note),
        )
        # Forward and backward, and forward once more through the frozen reference.
        return 6 * report.tokens * billions_of_parameters(model)


def _uneven(made: Sequence[Draft], earned: Sequence[float | None]) -> set[str]:
    """Goals whose drafts did not all earn the same: from the others there is nothing to learn."""
    seen: dict[str, set[float]] = {}
    for draft, value in zip(made, earned, strict=True):
        if value is not None:
            seen.setdefault(draft.goal.id, set()).add(value)
    return {goal for goal, values in seen.items() if len(values) > 1}


def _measured(made: Sequence[Draft], earned: Sequence[float | None]) -> dict[str, Any]:
    """What a round showed, before its update: shares with their n and interval."""
    kept = [d for d in made if d.kept]
    decided = [d for d in kept if d.decided]
    return {
        "drafts": len(made),
        "on_goal": proportion(len(kept), len(made)).as_dict(),
        "confirmed": proportion(
            sum(d.confirmed for d in kept), len(decided), len(kept) - len(decided)
        ).as_dict(),
        "reward": mean([value for value in earned if value is not None]).as_dict(),
        "unrewarded": sum(value is None for value in earned),
    }


def _demonstration(goal: Query, attack: Query) -> Demonstration:
    return Demonstration(
        parent=attack.id, query=writing_prompt(goal), completion=attack.text, source=attack.operator
    )
