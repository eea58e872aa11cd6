"""A campaign: waves of moves against one model until each goal is solved or its budget is spent.

Every wave is one transaction in the store, and everything that decides the next wave is rebuilt from
the stored ones, so a campaign killed at any instant goes on to the same result.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from superalign.attack.archive import Archive
from superalign.attack.base import Operator
from superalign.campaign.attacker import (
    Attacker,
    Attempt,
    attack_cell,
    campaign_operators,
    first_success,
    unconfirmed,
)
from superalign.campaign.goals import Goal
from superalign.campaign.settings import CampaignConfig
from superalign.campaign.target import Move, Played, Target
from superalign.campaign.trained_operator import TRAINED
from superalign.critic.trained_judge import shipped_judge
from superalign.evaluation.measure import Progress, grade, silent
from superalign.records import Query, Record, Response, Verdict
from superalign.store import RunStore
from superalign.tasks.base import seeded


@dataclass
class Campaign:
    """A campaign in progress; ``history`` holds the attempts by goal.

    ``known``: every operator that its moves may be recorded under. ``setup_gflop``: what the attacker
    computed before its first query. A trained attacker also has ``setup_queries``, asked while it was
    trained, and ``wording_gflop`` for each of its attacks.
    """

    config: CampaignConfig
    store: RunStore
    target: Target
    attacker: Attacker
    goals: Sequence[Goal]
    progress: Progress = silent
    known: Mapping[str, Operator] = field(default_factory=campaign_operators)
    setup_gflop: float = 0.0
    archive: Archive = field(default_factory=Archive)
    setup_queries: int = 0
    wording_gflop: float = 0.0
    history: dict[str, list[Attempt]] = field(init=False)

    def __post_init__(self) -> None:
        self.history = {goal.id: [] for goal in self.goals}
        self.baseline: list[Attempt] = []
        self._tried: dict[str, list[Verdict]] = {}

    def run(self) -> None:
        """Do every wave that is not done yet, then replay what was found.

        Where a verdict is exact, only questions that the model answers rightly when asked plainly are
        goals: that first query counts, and ``baseline`` keeps the answers to all of them.
        """
        if self.config.domain != "safety":
            self._ask_plainly()
        wave = 0
        while moves := self._wave(wave):
            self._attack(wave, moves)
            wave += 1
        self._replay()

    # -- state of a goal ------------------------------------------------------------------------

    def spent(self, goal: Goal) -> int:
        """Queries that the goal has cost."""
        attempts = self.history[goal.id]
        return attempts[-1].spent if attempts else 0

    def first_hit(self, goal: Goal) -> Attempt | None:
        """The goal's first success, confirmed where the settings ask for that."""
        return first_success(self.history[goal.id], self.config.confirm)

    def gflop(self, attempt: Attempt) -> float:
        """What an attempt cost, the wording of it included."""
        worded = attempt.query.operator == TRAINED.name
        return attempt.gflop + (self.wording_gflop if worded else 0.0)

    # -- waves ----------------------------------------------------------------------------------

    def _wave(self, number: int) -> list[tuple[Goal, Move]]:
        """The moves of a wave, goal by goal; none when the campaign is over."""
        live = [
            g
            for g in self.goals
            if self._left(g) > 0 and (self.config.explore or self.first_hit(g) is None)
        ]
        if not live:
            return []
        width = max(1, self.config.batch // len(live))
        moves: list[tuple[Goal, Move]] = []
        for goal in live:
            rng = seeded(self.config.seed, "move", goal.id, self.spent(goal))
            left, history = self._left(goal), self.history[goal.id]
            again = [Move(q) for q in unconfirmed(history, self.config.confirm)][:left]
            proposed = again or self.attacker.propose(goal, history, self.archive, left, width, rng)
            moves += [(goal, move) for move in proposed]
        return moves

    def _left(self, goal: Goal) -> int:
        return self.config.queries - self.spent(goal)

    def _ask_plainly(self) -> None:
        name = "baseline"
        self.progress(name, 0.0, f"{len(self.goals)} questions")
        seed = seeded(self.config.seed, name).getrandbits(31)
        self.baseline = self._attempts(name, [(g, Move(g.query)) for g in self.goals], seed)
        right = {a.goal.id: a for a in self.baseline if a.verdict.value == 1.0}
        self.goals = [g for g in self.goals if g.id in right]
        self.history = {g.id: [right[g.id]] for g in self.goals}
        self.progress(name, 1.0, f"{len(right)} answered rightly")

    def _attack(self, number: int, moves: Sequence[tuple[Goal, Move]]) -> None:
        name = f"wave {number}"
        seed = seeded(self.config.seed, name).getrandbits(31)
        for attempt in self._attempts(name, moves, seed):
            goal, query = attempt.goal, attempt.query
            self.history[goal.id].append(attempt)
            self.attacker.observe(attempt)
            waiting = unconfirmed(self.history[goal.id], self.config.confirm)
            if attempt.hit and query not in waiting:
                cell = attack_cell(goal, self.known[query.operator])
                self.archive.add(
                    query.model_copy(update={"family": cell.family}),
                    [attempt.verdict],
                    attack=cell.attack,
                )
        self._tell()

    def _attempts(self, name: str, moves: Sequence[tuple[Goal, Move]], seed: int) -> list[Attempt]:
        """A phase's moves with what became of them."""
        payload, queries, responses = self._phase(name, [m for _, m in moves], 1, seed)
        spent = {goal.id: self.spent(goal) for goal, _ in moves}
        made = []
        for (goal, move), row, query, response in zip(
            moves, payload["played"], queries, responses, strict=True
        ):
            spent[goal.id] += move.cost
            told = Verdict(**row["verdict"]), spent[goal.id], move.cost, row["gflop"]
            made.append(Attempt(goal, query, response, *told, row["nearness"]))
        return made

    def _phase(
        self, name: str, moves: Sequence[Move], n: int, seed: int
    ) -> tuple[dict[str, Any], list[Query], list[Response]]:
        """A phase's payload and records: from the store, or played, judged and stored."""
        if self.store.phase_done(name):
            payload = self.store.phase_payload(name)
            return payload, self.store.records(Query, name), self.store.records(Response, name)
        start = time.perf_counter()
        played = [p for row in self.target.play(moves, n=n, seed=seed) for p in row]
        payload = {"played": _judged(played)}
        queries, responses = [p.query for p in played], [p.response for p in played]
        records: list[tuple[str, Record]] = [(name, r) for r in (*queries, *responses)]
        payload = self.store.finish_phase(name, payload, records, time.perf_counter() - start)
        return payload, queries, responses

    def _tell(self) -> None:
        n = len(self.goals)
        solved = sum(self.first_hit(g) is not None for g in self.goals)
        done = sum(
            self.config.queries
            if self.first_hit(g) is not None and not self.config.explore
            else self.spent(g)
            for g in self.goals
        )
        share = min(0.999, done / (n * self.config.queries))
        self.progress("attack", share, f"{solved} of {n} goals solved")

    # -- replays --------------------------------------------------------------------------------

    def _replay(self) -> None:
        """Ask each attack found again, for verdicts that selected nothing."""
        found = [a for g in self.goals if (a := self.first_hit(g)) is not None]
        # Greedy answers are all the same: one is enough.
        k = self.config.replays if self.config.sampling > 0 else 1
        if found:
            self.progress("replay", 0.0, f"{len(found)} attacks, {k} times each")
            seed = seeded(self.config.seed, "replay").getrandbits(31)
            moves = [Move(a.query) for a in found]
            payload, _, _ = self._phase("replay", moves, k, seed)
            verdicts = [Verdict(**row["verdict"]) for row in payload["played"]]
            for i, attempt in enumerate(found):
                self._tried[attempt.goal.id] = verdicts[i * k : (i + 1) * k]
            self.progress("replay", 1.0)

    def replayed(self, goal: Goal) -> list[Verdict] | None:
        """Verdicts on fresh answers to the attack found on ``goal``; None without one."""
        return self._tried.get(goal.id)

    # -- other phases ---------------------------------------------------------------------------

    def phase(self, name: str, work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """The payload of another phase: from the store, or worked out and stored."""
        if self.store.phase_done(name):
            return self.store.phase_payload(name)
        self.progress(name, 0.0)
        start = time.perf_counter()
        payload = self.store.finish_phase(name, work(), (), time.perf_counter() - start)
        self.progress(name, 1.0)
        return payload


def _judged(played: Sequence[Played]) -> list[dict[str, Any]]:
    graded = grade([p.query for p in played], [p.response for p in played], shipped_judge())
    return [
        {"verdict": g.verdict.model_dump(), "gflop": p.gflop, "nearness": p.nearness}
        for g, p in zip(graded, played, strict=True)
    ]
