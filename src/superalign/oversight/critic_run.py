"""The trained critic of a run, phase by phase: adapter, head, tests; gap, learner. Each resumes."""

from __future__ import annotations

from functools import cached_property, partial
from typing import Any

from superalign.critic.step_head import StepHead, fit_crossed
from superalign.models import LocalModel, load_model
from superalign.models.adapters import Adapter
from superalign.oversight.cached_views import CachedViews, Progress, phase
from superalign.oversight.critic_tests import best_of_n, dial, quality_table
from superalign.oversight.critics import Critic, Planted, Rewriting, Written
from superalign.oversight.gap import gap_at
from superalign.oversight.lessons import Work, comparison, lessons, works
from superalign.oversight.settings import OverseeConfig
from superalign.oversight.traces import Trace
from superalign.oversight.trained import TrainedCritic, imitate, planted_traces, right_traces
from superalign.records import Claim
from superalign.store import RunStore

TESTED, WORKED = 17, 29  # added to the seed, so that these traces are none of the trained ones
APART = 10_000  # between the learner's seeds
UPDATE = 128  # tokens of a learner's update: it has little to learn from and needs many
HEAD = "step_head.safetensors"


def run_critic(
    config: OverseeConfig, store: RunStore, progress: Progress, traces: list[Trace]
) -> tuple[Critic, dict[str, Any]]:
    """The critic's word on ``traces``, what its training took, and its tests."""
    made = _Made(config, store, progress)
    training = {
        **phase(store, "critic adapter", made.adapt),
        **phase(store, "critic head", made.learn),
    }
    seconds = store.seconds()
    training["seconds"] = round(seconds["critic adapter"] + seconds["critic head"], 1)
    tests = phase(store, "critic tests", lambda: _tests(made, traces))
    claims = {k: [Claim(**c) for c in v] for k, v in tests.pop("claims").items()}
    return Written(claims), {"training": training, **tests, "gap": [], "learner": []}


def critic_worth(config: OverseeConfig, store: RunStore, progress: Progress) -> dict[str, Any]:
    """The gap by steps and the learner's gain, where the configuration asks for them."""
    made = _Made(config, store, progress)
    found = {}
    if config.gap:
        found["gap"] = [phase(store, f"gap {k}", partial(_gap, made, k)) for k in config.gap]
    if config.learner.items:
        found["learner"] = _learner(made)
    return found


class _Made:
    """The critic as far as it is made; models are loaded when they are first needed."""

    def __init__(self, config: OverseeConfig, store: RunStore, progress: Progress) -> None:
        self.config, self.store, self.progress = config, store, progress
        self.views = CachedViews(lambda: self.model, "critic", store, progress)

    @cached_property
    def base(self) -> LocalModel:
        return load_model(self.config.model, device=self.config.device, dtype=self.config.dtype)

    @cached_property
    def model(self) -> LocalModel:
        adapter = Adapter.load(self.store.checkpoint_path("critic"))
        return self.base.with_adapter(adapter.to(self.base.device), f"{self.base.name} critic")

    @cached_property
    def critic(self) -> TrainedCritic:
        head = StepHead.load(self.store.checkpoint_path("critic head") / HEAD)
        return TrainedCritic(self.model, self.views, head)

    def adapt(self) -> dict[str, Any]:
        """Teach the adapter to write right traces."""
        own, config = self.config.critic, self.config
        right = right_traces(config.seed, own.worked, own.steps, config.families)
        model, report = imitate(
            self.base, right, config.seed, lambda s, note: self.progress("critic: adapt", s, note)
        )
        assert model.adapter is not None
        with self.store.checkpoint("critic") as folder:
            model.adapter.save(folder, config.model)
        return {"worked": len(right), "adapter": report.as_dict()}

    def learn(self) -> dict[str, Any]:
        """Fit the head to planted flaws: tools and surprise, which mean the same at every length."""
        own, config = self.config.critic, self.config
        traces = planted_traces(config.seed + 1, own.items, own.steps, config.families)
        views = self.views("planted flaws", [t.solution for t in traces])
        truth = [t.first_error for t in traces]
        head = fit_crossed(
            views,
            truth,
            seed=config.seed,
            false_claims=own.false_claims,
            use=("tools", "surprise"),
            per_step=True,
        )
        with self.store.checkpoint("critic head") as folder:
            head.save(folder / HEAD)
        return {"traces": len(traces), "threshold": head.threshold}


def _tests(made: _Made, traces: list[Trace]) -> dict[str, Any]:
    """First errors, repairs and best-of-n on new traces; the claims about ``traces`` too."""
    config, critic = made.config, made.critic
    steps = config.critic.steps
    lengths = {"trained length": steps, "twice the length": tuple(2 * k for k in steps)}
    new = {
        name: planted_traces(config.seed + TESTED + i, config.tests, ks, config.families)
        for i, (name, ks) in enumerate(lengths.items())
    }
    sets = {**new, "judged": traces}
    found = {name: critic.findings(name, ts) for name, ts in sets.items()}
    everything = [t for ts in sets.values() for t in ts]
    joined = [f for fs in found.values() for f in fs]
    claims = critic.claims(everything, joined)
    return {
        "tests": quality_table(new, claims, config.seed),
        "dial": dial(new["trained length"], found["trained length"]),
        "best_of_n": best_of_n(everything, joined, seed=config.seed),
        "claims": {k: [c.model_dump() for c in v] for k, v in claims.items()},
    }


def _gap(made: _Made, k: int) -> dict[str, Any]:
    config = made.config
    return gap_at(made.critic, k, config.tests // 2, seed=config.seed, families=config.families)


def _learner(made: _Made) -> list[dict[str, Any]]:
    """The learner's gain by critic over all seeds, each on its own work and its own new problems."""
    seeds = [made.config.seed + WORKED + APART * i for i in range(made.config.learner.seeds)]
    before: list[list[Work]] = []
    outcomes: dict[str, list[list[Work]]] = {}
    for seed in seeds:
        tests = _problems(made, seed)
        start = phase(made.store, f"learner {seed}", partial(_worked, made.base, tests))
        before.append(_works(start))
        for name, taught in _lessons(made, seed).items():
            after = phase(
                made.store,
                f"learner {seed} {name}",
                partial(_taught, made, taught, tests, seed, name),
            )
            outcomes.setdefault(name, []).append(_works(after))
    return comparison(outcomes, before)


def _worked(model: LocalModel, tests: list[Trace]) -> dict[str, Any]:
    return {"works": works(model, tests)}


def _works(payload: dict[str, Any]) -> list[Work]:
    return [Work(bool(right), float(due)) for right, due in payload["works"]]


def _problems(made: _Made, seed: int) -> list[Trace]:
    own = made.config.learner
    return planted_traces(seed + 1, own.tests, (own.steps,), made.config.families, clean=1.0)


def _lessons(made: _Made, seed: int) -> dict[str, list[Trace]]:
    """What each arm learns from: work that is flawed two times in three, as its critic revises it."""
    own = made.config.learner
    work = planted_traces(seed, own.items, (own.steps,), made.config.families, 1 / 3)
    found = made.critic.findings("the learner's work", work)
    claims = phase(
        made.store,
        f"learner {seed} claims",
        lambda: {
            k: [c.model_dump() for c in v] for k, v in made.critic.claims(work, found).items()
        },
    )
    critics: dict[str, Critic] = {
        "random critic": Rewriting(seed=seed),
        "trained critic": Written({k: [Claim(**c) for c in v] for k, v in claims.items()}),
        "gold critique": Planted(seed=seed),
    }
    return lessons(work, critics, seed)


def _taught(
    made: _Made, taught: list[Trace], tests: list[Trace], seed: int, name: str
) -> dict[str, Any]:
    model, _ = imitate(
        made.base,
        taught,
        seed,
        lambda s, note: made.progress(f"learner: {name}", s, note),
        end=True,
        batch_tokens=UPDATE,
    )
    return _worked(model, tests)
