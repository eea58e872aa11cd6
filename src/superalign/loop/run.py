"""The loop itself: phases that are each done wholly or not at all, so that any run can be resumed."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from superalign.config import RunConfig, Sizes
from superalign.critic import Critic, Item, explain
from superalign.evaluation import measure as m
from superalign.learner.examples import Example, encode, raw_text_examples
from superalign.learner.offline import train_offline
from superalign.learner.on_policy import train_on_policy
from superalign.loop import ledger
from superalign.loop import queries as q
from superalign.loop.attacker import Attacker
from superalign.loop.criticism import criticise, new_critic, relearn
from superalign.loop.gate import Admitted, Examiner
from superalign.loop.human import MeteredHuman
from superalign.loop.lessons import rollouts, round_lessons
from superalign.loop.measurements import Graded, breakdown, changes, estimates, measure_sets
from superalign.loop.round_data import FROZEN, RoundData
from superalign.loop.summary import summarise
from superalign.loop.user_data import UserData
from superalign.models import Adapter, LocalModel
from superalign.models.names import parse_name
from superalign.records import Critique, Preference, Query, Record, Response
from superalign.store import RunStore
from superalign.tasks.neutral import NEUTRAL_TEXTS

OPENINGS = ("The", "In", "A", "Most", "When", "It", "Many", "One")
DEV = Sizes(safety=24, benign=24, mathematics=24, ethics=24)


@dataclass
class Loop:
    """A run in progress. All state that matters is in the store; the rest is rebuilt from it."""

    config: RunConfig
    store: RunStore
    model: LocalModel
    progress: m.Progress = m.silent
    adapter: Adapter = field(init=False)
    critic: Critic = field(init=False)
    kept: list[int] = field(init=False, default_factory=list)  # rounds that were not rolled back

    def __post_init__(self) -> None:
        self.adapter = self._fresh_adapter()
        self.held_out = q.evaluation_sets(
            self.config,
            self.config.evaluation.final,
            seed=self._seed("held out"),
            split="held_out",
        )
        self.dev = q.evaluation_sets(self.config, DEV, seed=self._seed("dev"), split="train")
        self.measured = {x.goal for sets in self._measured_sets() for x in sets.all()}
        self.learner = self.model.with_adapter(self.adapter, name="learner")
        self.critic = new_critic(self.config, self.model)
        self.examiner = Examiner(self.config, self.critic.seed_queries)
        self.attacker = Attacker(self.config)
        self.human = MeteredHuman(self.config, self.store)
        self.user_data = UserData(self.config.data)

    def _progress_sets(self, k: int) -> q.QuerySets:
        sizes, seed = self.config.evaluation.progress, self._seed("progress", k)
        return q.evaluation_sets(self.config, sizes, seed=seed, split="held_out")

    def _measured_sets(self) -> list[q.QuerySets]:
        """All held-out sets of the run: small families may draw one of their problems again."""
        return [self.held_out, *map(self._progress_sets, range(1, self.config.rounds + 1))]

    def _seed(self, *parts: object) -> int:
        return q.derived_seed(self.config.seed, *parts)

    def _fresh_adapter(self) -> Adapter:
        learner = self.config.learner
        return self.model.fresh_adapter(
            rank=learner.lora_rank,
            alpha=learner.lora_alpha,
            seed=self._seed("adapter"),
            first_layer=int(learner.first_layer * self.model.depth),
        )

    # -- phases ---------------------------------------------------------------------------------

    def phase(
        self,
        name: str,
        work: Callable[[], tuple[dict[str, Any], list[Record]]],
        round: int | None = None,
    ) -> dict[str, Any]:
        """The payload of phase ``name``: read from the store, or worked out and stored."""
        if self.store.phase_done(name):
            return self.store.phase_payload(name)
        self.progress(name, 0.0)
        self.store.log("phase", name=name)
        start = time.perf_counter()
        payload, records = work()
        rows = [(name, record) for record in records]
        seconds = time.perf_counter() - start
        payload = self.store.finish_phase(name, payload, rows, seconds, round=round)
        self.progress(name, 1.0)
        return payload

    def run(self) -> dict[str, Any]:
        """Do every phase that is not done yet; returns the summary."""
        before = self.phase("before", lambda: self._evaluate("before"))
        self.phase("dev before", self._dev_answers)
        self.phase("critic", self._fit_critic)
        self._ensure_critic()
        rounds = [self._round(k) for k in range(1, self.config.rounds + 1)]
        self._average()
        after = self.phase("after", lambda: self._evaluate("after"))
        folder = self._final_learner()
        return summarise(
            self.config,
            self.model,
            self.learner,
            folder,
            self.store.seconds(),
            before,
            after,
            rounds,
        )

    def _average(self) -> None:
        """Make the learner the mean of the last rounds: where one ends between refusing and helping
        is largely chance (docs/loop.md)."""
        last = self.kept[-self.config.learner.averaged_rounds :]
        if len(last) > 1:
            saved = [Adapter.load(self.store.checkpoint_path(f"round-{k}")) for k in last]
            self.adapter = Adapter.mean(saved)
            self.learner = self.model.with_adapter(self.adapter, name="learner")

    def _final_learner(self) -> Path:
        """The folder of the final adapter, written on first call."""
        folder = self.store.checkpoint_path("learner")
        if not folder.exists():
            with self.store.checkpoint("learner") as scratch:
                self.adapter.save(scratch, self._base_name())
        return folder

    def _fit_critic(self) -> tuple[dict[str, Any], list[Record]]:
        self.critic.fit()
        return {"seed_items": len(self.critic.seed_queries)}, []

    def _ensure_critic(self) -> None:
        """A resumed run has the phase behind it but no fitted classifiers in memory."""
        if not self.critic.fitted:
            self.critic.fit()

    def _round(self, k: int) -> dict[str, Any]:
        """One round: attack and answer, criticise, ask, update, judge oneself."""
        self.phase(f"round {k} answers", lambda: self._attack(k), k)
        critique = self.phase(f"round {k} critique", lambda: self._criticise(k), k)
        self._replay(critique)
        update = self.phase(f"round {k} update", lambda: self._update(k, critique["gate"]), k)
        self._load(k)  # a resumed run that finds the update done has an older adapter in memory
        judged = self.phase(f"round {k} judge", lambda: self._judge(k), k)
        self._apply(k, judged)
        return {
            "round": k,
            "attacks": critique["attacks"],
            "archive": critique["archive"],
            "critic": critique["critic"],
            "gate": critique["gate"],
            "human": critique["human"],
            "update": update,
            "progress": judged["progress"],
            "ledger": judged["ledger"],
        }

    # -- held-out and progress measurements -----------------------------------------------------

    def _evaluate(self, when: str) -> tuple[dict[str, Any], list[Record]]:
        graded = self._measure(self.held_out, when)
        payload: dict[str, Any] = {"estimates": estimates(graded)}
        payload["breakdown"] = breakdown(graded)
        if self.user_data.tasks:
            payload["estimates"]["data"] = self.user_data.evaluate(
                self.learner, self._seed("data"), self.config.evaluation.worked_tokens
            )
        payload["estimates"]["retention"] = {
            "perplexity": m.perplexity(self.learner, NEUTRAL_TEXTS).as_dict()
        }
        if when == "after":
            earlier = {
                name: self._stored("before", rows) for name, rows in self.held_out.named().items()
            }
            payload["changes"] = changes(earlier, graded)
            if graded.get("benign"):
                payload["estimates"]["retention"] |= m.compare_likelihood(
                    self.model, earlier["benign"], graded["benign"]
                )
        records: list[Record] = [
            r for rows in graded.values() for g in rows for r in (g.query, g.response)
        ]
        return payload, records

    def _stored(self, phase: str, queries: Sequence[Query]) -> list[m.Graded]:
        answers = {r.query: r for r in self.store.records(Response, phase)}
        return m.grade(queries, [answers[query.id] for query in queries])

    def _measure(self, sets: q.QuerySets, phase: str) -> Graded:
        return measure_sets(
            self.learner,
            sets,
            self.config.evaluation,
            lambda share, name: self.progress(phase, share, name),
        )

    def _dev_answers(self) -> tuple[dict[str, Any], list[Record]]:
        graded = self._measure(self.dev, "dev before")
        return {}, [r for rows in graded.values() for g in rows for r in (g.query, g.response)]

    # -- attack and answer ----------------------------------------------------------------------

    def _attack(self, k: int) -> tuple[dict[str, Any], list[Record]]:
        config, phase = self.config.attack, f"round {k} answers"
        asked = self.attacker.ask(k, self.user_data.training(self._seed("data", k)))
        queries = asked.attacks + asked.twins
        self.progress(phase, 0.1, f"{len(queries)} queries")
        worked = [x for x in queries if x.domain == "mathematics"]
        other = [x for x in queries if x.domain != "mathematics"]
        responses: list[Response] = []
        for part, tokens in ((worked, config.worked_tokens), (other, config.max_new_tokens)):
            rows = m.answer(
                self.learner,
                part,
                n=config.samples,
                max_new_tokens=tokens,
                temperature=config.temperature,
                seed=self._seed("sample", k),
            )
            responses += [r for row in rows for r in row]
        self.progress(phase, 0.7, "frozen reference")
        frozen = m.answer(
            self.model,
            asked.twins + asked.benign + asked.rehearsal,
            max_new_tokens=config.frozen_tokens,
            temperature=0.0,
            seed=self._seed("frozen", k),
        )
        anchors = [
            Response(**(row[0].model_dump() | {"id": "", "model": FROZEN})) for row in frozen
        ]
        records = [*queries, *asked.benign, *asked.rehearsal, *responses, *anchors]
        return {"arms": asked.arms}, records

    # -- criticise and ask ----------------------------------------------------------------------

    def _criticise(self, k: int) -> tuple[dict[str, Any], list[Record]]:
        data = RoundData.of(self.store, k)
        attacks, items = data.attacks, data.items
        found = criticise(k, items, self.critic, self.human, self.examiner)
        config = self.config.critic
        critiques = explain(
            self.model,
            items,
            found.critiques,
            n=config.explain_items if config.explain else 0,
            max_new_tokens=config.explain_tokens,
            seed=self._seed("explain", k),
        )
        graded = m.grade([i.query for i in items], [i.response for i in items])
        payload = {
            "attacks": self.attacker.learn(graded[: len(attacks)]),
            "archive": self.attacker.remember(graded[: len(attacks)]),
            "critic": ledger.reliability(ledger.columns(items, critiques)),
            "gate": found.gate.as_dict(self.config.domains),
            "human": self.human.report(k, found.labels),
            "asked": found.asked,
        }
        labels = [label for _, label in found.labels]
        return payload | self.attacker.state_dict(), [*critiques, *labels]

    def _replay(self, payload: dict[str, Any]) -> None:
        """Bring attacker and critic to the state after a critique phase (idempotent)."""
        self.attacker.load_state(payload)
        relearn(self.critic, payload["asked"])

    # -- update ---------------------------------------------------------------------------------

    def _update(self, k: int, gate: dict[str, Any]) -> tuple[dict[str, Any], list[Record]]:
        config, name = self.config.learner, f"round {k} update"
        data = RoundData.of(self.store, k)
        items = data.items
        critic = Admitted(self.critic, _may_label(gate))
        critiques = critic.critiques(items, self._critiques(k, items))

        def told(share: float, note: str) -> None:
            self.progress(name, share, note)

        if config.algorithm in ("ppo", "grpo", "rloo"):
            rows = [x for x in rollouts(items, critiques) if x.query.goal not in self.measured]
            report = train_on_policy(
                self.learner, rows, config, seed=self._seed("train", k), progress=told
            )
            counts: dict[str, Any] = {"rollouts": len(rows)}
            made: list[Record] = []
        else:
            found = round_lessons(data, critiques, critic, config, seed=self._seed("lessons", k))
            taught = [x for x in found if x.query.goal not in self.measured]
            report = train_offline(
                self.learner,
                [*encode(self.learner, taught, opening=config.opening), *self._raw_texts(k)],
                config,
                seed=self._seed("train", k),
                progress=told,
            )
            pairs = sum(isinstance(x, Preference) for x in taught)
            counts = {"demonstrations": len(taught) - pairs, "preferences": pairs}
            made = list(taught)
        with self.store.checkpoint(f"round-{k}") as folder:
            self.adapter.save(folder, self._base_name())
        return report.as_dict() | counts, made

    def _raw_texts(self, k: int) -> list[Example]:
        """The frozen model's own plain text, to be kept."""
        n = self.config.learner.raw_texts
        return raw_text_examples(self.model, OPENINGS, n, seed=self._seed("raw", k)) if n else []

    def _base_name(self) -> str:
        """The model's name, a file's or folder's made absolute: it is read from other folders too."""
        named = parse_name(self.config.model)
        if named.kind in ("folder", "gguf", "run"):
            named = replace(named, source=str(Path(named.source).resolve()))
        return str(named)

    def _critiques(self, k: int, items: Sequence[Item]) -> list[Critique]:
        stored = {c.response: c for c in self.store.records(Critique, f"round {k} critique")}
        return [stored[item.response.id] for item in items]

    # -- judge oneself --------------------------------------------------------------------------

    def _judge(self, k: int) -> tuple[dict[str, Any], list[Record]]:
        name = f"round {k} judge"
        held_out = estimates(self._measure(self._progress_sets(k), name))
        dev = self._measure(self.dev, name)
        now = [Item(g.query, g.response) for rows in dev.values() for g in rows]
        phase = f"round {self.kept[-1]} judge" if self.kept else "dev before"
        earlier = {r.query: r for r in self.store.records(Response, phase)}
        before = [Item(i.query, earlier[i.query.id]) for i in now]
        entries = ledger.judge(
            ledger.columns(before, self.critic.judge(before)),
            ledger.columns(now, self.critic.judge(now)),
        )
        records: list[Record] = [r for i in now for r in (i.query, i.response)]
        return {"progress": held_out, "ledger": entries}, records

    def _apply(self, k: int, judged: dict[str, Any]) -> None:
        """Keep round k's adapter, or load the last kept one where the ledger rolls back."""
        actions = {d: entry["action"] for d, entry in judged["ledger"].items()}
        going_on = [d for d in self.attacker.active if actions.get(d, "continue") == "continue"]
        self.attacker.active = going_on or self.attacker.active
        if "rolled back" not in actions.values():
            self.kept.append(k)
        self._load(self.kept[-1] if self.kept else 0)

    def _load(self, k: int) -> None:
        """The adapter as round k left it; 0: untrained."""
        saved = Adapter.load(self.store.checkpoint_path(f"round-{k}")) if k else None
        self.adapter.load_state((saved or self._fresh_adapter()).state())


def _may_label(gate: dict[str, Any]) -> bool:
    """Whether every judge that was examined may label."""
    return all(entry["decision"] == "label" for entry in gate.values())


def run_loop(
    config: RunConfig, store: RunStore, model: LocalModel, progress: m.Progress = m.silent
) -> dict[str, Any]:
    """Run or resume the loop in ``store``; writes and returns the summary.

    Raises:
        WaitingForHuman: labels of a real human are needed first.
    """
    random.seed(0)  # nothing here draws from the global generator; third-party code must not vary
    summary = Loop(config, store, model, progress).run()
    store.write_json("summary.json", summary)
    return summary
