"""The trained critic of traces, and the learned judge: a local model that has read planted flaws.

The critic is a LoRA on faithful traces (what a right step looks like), then a head over that model's
reading of traces with planted flaws, as CriticGPT learnt from inserted bugs (arXiv 2407.00215). What
it says is a typed claim by construction, so every output parses; its fix is the step that the
adapted model would have written, with the sum worked out by the calculator.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import logit

from superalign.config import LearnerConfig
from superalign.critic.step_head import Finding, StepHead
from superalign.critic.step_reader import (
    StepViews,
    middle_layers,
    question_prompt,
    read_solutions,
)
from superalign.critic.steps import Solution, location
from superalign.learner.examples import Example
from superalign.learner.offline import train_offline
from superalign.learner.optimisation import TrainingReport
from superalign.models.local import LocalModel
from superalign.models.packing import Tree
from superalign.oversight.flaws import make_trace
from superalign.oversight.judges import identity
from superalign.oversight.problems import FAMILIES
from superalign.oversight.settings import JudgeConfig
from superalign.oversight.traces import Problem, Trace, apply, read_line, show
from superalign.records import Claim

Progress = Callable[[str, float, str], None]
DECOYS = 0.15
HARMLESS = 0.3  # decoys in what the adapter learns to write: what does no harm must not surprise it
RIGHT = 101  # added to the seed of the adapter's traces, so that the head's are none of them
FIX_TOKENS = 32
LEARNING = LearnerConfig(
    algorithm="sft", learning_rate=1.5e-3, lora_rank=16, batch_tokens=512, average="tokens"
)


def planted_traces(
    seed: int,
    count: int,
    steps: Sequence[int],
    families: Sequence[str] = (),
    clean: float = 0.5,
    decoys: float = DECOYS,
) -> list[Trace]:
    """Traces with 0 to 3 flaws of every kind and decoys; a share ``clean`` of them has no flaw."""
    rng = random.Random(f"planted {seed}")
    allowed = list(families) or sorted(FAMILIES)
    return [
        make_trace(
            rng,
            rng.choice(list(steps)),
            flaws=0 if rng.random() < clean else rng.choice((1, 1, 1, 2, 3)),
            family=allowed[i % len(allowed)],
            decoys=decoys,
        )
        for i in range(count)
    ]


def right_traces(
    seed: int, count: int, steps: Sequence[int], families: Sequence[str] = ()
) -> list[Trace]:
    """What the critic's adapter learns to write: right traces, none of which its head sees.

    What it has seen surprises it less, and the head would expect that of every right line.
    """
    return planted_traces(seed + RIGHT, count, steps, families, clean=1.0, decoys=HARMLESS)


@dataclass
class TrainedCritic:
    """A model view (adapter on), how it reads solutions, and the head."""

    model: LocalModel
    views: Callable[[str, Sequence[Solution]], list[StepViews]]
    head: StepHead
    name: str = "trained"

    def findings(self, name: str, traces: Sequence[Trace]) -> list[Finding]:
        """What the head makes of each trace; ``name`` is what progress calls them."""
        return self.head.findings(self.views(name, [t.solution for t in traces]))

    def claims(self, traces: Sequence[Trace], found: Sequence[Finding]) -> dict[str, list[Claim]]:
        """Claims by trace identity from the findings: the likeliest first error, if likely enough."""
        steps = [f.claimed(self.head.threshold) for f in found]
        flagged = [(t, s, f) for t, s, f in zip(traces, steps, found, strict=True) if s is not None]
        fixes = self._fixes([(t, s) for t, s, _ in flagged])
        made: dict[str, list[Claim]] = {identity(t): [] for t in traces}
        for (trace, step, finding), fix in zip(flagged, fixes, strict=True):
            reading = read_line(trace.lines[step].text)
            slip = reading is not None and not reading.adds_up
            made[identity(trace)] = [
                Claim(
                    kind="slip" if slip else "wrong step",
                    location=location(step),
                    severity=round(finding.sure, 4),
                    fix=fix,
                    check="re-execute the step from the lines before it",
                    source=self.name,
                )
            ]
        return made

    def _fixes(self, wanted: Sequence[tuple[Trace, int]]) -> list[str | None]:
        """The line that the model would have written, its sum computed; None if it cannot be read."""
        if not wanted:
            return []
        prompts = [
            question_prompt(t.problem.question) + "".join(f"{x.text}\n" for x in t.lines[:step])
            for t, step in wanted
        ]
        outs = self.model.generate(
            prompts, max_new_tokens=FIX_TOKENS, temperature=0.0, stop=("\n",), raw=True
        )
        return [
            worked_out(out[0].text, t.problem) for out, (t, _) in zip(outs, wanted, strict=True)
        ]


def worked_out(line: str, problem: Problem) -> str | None:
    """``line`` with the result that its own sum gives; None where it holds no sum."""
    reading = read_line(line.strip())
    if reading is None:
        return None
    said = show(apply(reading.operation, reading.values), problem.logical)
    return f"{line.strip().rpartition(' = ')[0]} = {said}"


def learned_ratios(
    model: LocalModel,
    config: JudgeConfig,
    traces: Sequence[Trace],
    *,
    seed: int,
    progress: Progress | None = None,
) -> dict[str, list[float]]:
    """What the judge J1 sees in each line, by trace identity: a head on ``model``, without an
    adapter, fitted to short and easy traces.

    A look's ratio is the head's log-odds less the log-odds of a wrong line among those it learnt
    from.
    """
    say = progress or (lambda *_: None)
    easy = planted_traces(seed + 2, config.items, (config.steps,))
    layers = middle_layers(model.depth)
    views = read_solutions(model, [t.solution for t in easy], layers)
    truth = [t.first_error for t in easy]
    head = StepHead.fit(views, truth, seed=seed)
    shown = sum(len(t) if f is None else f + 1 for t, f in zip(easy, truth, strict=True))
    base = logit(sum(f is not None for f in truth) / shown)
    own = read_solutions(
        model, [t.solution for t in traces], layers, lambda s: say("judge: read", s, "")
    )
    return {
        identity(t): [float(x) for x in np.asarray(logit(f.hazards)) - base]
        for t, f in zip(traces, head.findings(own), strict=True)
    }


def imitate(
    base: LocalModel,
    traces: Sequence[Trace],
    seed: int,
    progress: Callable[[float, str], None] | None = None,
    *,
    end: bool = False,
    batch_tokens: int = LEARNING.batch_tokens,
) -> tuple[LocalModel, TrainingReport]:
    """A view of ``base`` with a fresh adapter trained to write ``traces``, and what that took.

    With ``end`` it also learns to stop after the last line. ``batch_tokens`` is the size of an update.
    """
    fresh = base.fresh_adapter(
        rank=LEARNING.lora_rank,
        alpha=LEARNING.lora_alpha,
        seed=seed,
        first_layer=int(base.depth * LEARNING.first_layer),
    )
    model = base.with_adapter(fresh, f"{base.name} critic")
    examples = []
    for trace in traces:
        prompt = model.encode(question_prompt(trace.problem.question), raw=True)
        lines = sum((model.encode_completion(f"{x.text}\n") for x in trace.lines), ())
        lines += model.encode_completion("", end=True) if end else ()
        examples.append(Example(Tree(prompt, (lines,)), 1.0, 1.0))
    settings = LEARNING.model_copy(update={"batch_tokens": batch_tokens})
    return model, train_offline(model, examples, settings, seed=seed, progress=progress)
