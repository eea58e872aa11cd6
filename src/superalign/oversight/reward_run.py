"""``superalign oversee --reward-models``: train, examine and push reward models, phase by phase.

A writer works problems; every work is read once by the model; outcome, process and pairwise heads
learn from the same works. The test problems are new, and nothing is chosen on them: the thresholds
come from training problems kept aside. The truth is the computed answer.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from superalign.critic.overoptimisation import (
    Floats,
    best_of_n_curve,
    fall_from_peak,
    gao_estimates,
    tilt_curve,
)
from superalign.critic.qualification import qualify
from superalign.critic.reward_model import (
    Features,
    LinearReward,
    PairLoss,
    fit_outcomes,
    fit_pairs,
    worst_step,
)
from superalign.critic.step_reader import (
    StepViews,
    load_views,
    middle_layers,
    read_solutions,
    save_views,
)
from superalign.models import LocalModel, load_model
from superalign.oversight.cached_views import Progress, phase
from superalign.oversight.lessons import reached
from superalign.oversight.rollouts import (
    FaultyWriter,
    ModelWriter,
    Writer,
    pools,
    problems,
    step_values,
)
from superalign.oversight.settings import OverseeConfig
from superalign.oversight.traces import Trace, faithful
from superalign.oversight.trained import imitate
from superalign.records import content_hash
from superalign.statistics import auroc, mean, rate
from superalign.store import RunStore

LOSSES: tuple[PairLoss, ...] = ("plain", "smoothed", "robust")
CHUNK = 400  # works read between two savings
VIEWS = "views.safetensors"
TRAIN, TEST, LABELS = 301, 302, 303  # added to the seed, so that nothing is drawn twice


class Works(NamedTuple):
    """Pools of works by problem, their truth, and how the model reads them."""

    pools: list[list[Trace]]
    views: list[list[StepViews]]

    @property
    def flat(self) -> list[StepViews]:
        """Views of all works, pool by pool."""
        return [v for row in self.views for v in row]

    @property
    def truth(self) -> list[bool]:
        """Whether each work reaches the right answer, pool by pool."""
        return [reached(t) for row in self.pools for t in row]

    def part(self, start: int, stop: int) -> Works:
        """The pools of some problems."""
        return Works(self.pools[start:stop], self.views[start:stop])


class Scored(NamedTuple):
    """A reward model's name and its rewards for kept-aside and test works, in their order."""

    name: str
    aside: Floats
    test: Floats


def reward_models(config: OverseeConfig, store: RunStore, progress: Progress) -> dict[str, Any]:
    """The part of the summary that reward models fill; what ``store`` holds is not done again."""
    own = config.reward
    model = load_model(config.model, device=config.device, dtype=config.dtype)
    writer = _writer(config, store, model, progress)
    asked = {
        "train": problems(config.seed + TRAIN, own.problems, own.steps, config.families),
        "test": problems(config.seed + TEST, own.tests, own.steps, config.families),
    }
    drawn = {
        "train": pools(writer, asked["train"], own.samples, config.seed + TRAIN),
        "test": [p for p in pools(writer, asked["test"], own.pool, config.seed + TEST) if p],
    }
    learnt = _read(store, model, drawn["train"], partial(progress, "read what is learnt"))
    tested = _read(store, model, drawn["test"], partial(progress, "read the tests"))

    def test() -> dict[str, Any]:
        return _trained_and_tested(config, writer, learnt, tested, progress)

    return {"items": sum(map(len, drawn["test"])), **phase(store, "reward models", test)}


def _writer(
    config: OverseeConfig, store: RunStore, model: LocalModel, progress: Progress
) -> Writer:
    own = config.reward
    if own.writer == "faulty":
        return FaultyWriter(own.error)
    right = [
        faithful(p) for p in problems(config.seed + LABELS, own.worked, own.steps, config.families)
    ]
    learner, _ = imitate(model, right, config.seed, partial(progress, "learn to write"))
    return ModelWriter(learner)


def _read(store: RunStore, model: LocalModel, works: list[list[Trace]], said: Any) -> Works:
    """Every work read by the model; parts that were read before lie in the run's checkpoints."""
    flat = [t for row in works for t in row]
    views: list[StepViews] = []
    for start in range(0, len(flat), CHUNK):
        part = [t.solution for t in flat[start : start + CHUNK]]
        key = f"works-{content_hash([[s.question, s.text] for s in part], 12)}"
        path = store.checkpoint_path(key) / VIEWS
        if not path.is_file():
            found = read_solutions(model, part, middle_layers(model.depth))
            with store.checkpoint(key) as folder:
                save_views(folder / VIEWS, found)
        views += load_views(path)
        said(len(views) / len(flat), "")
    rows = iter(views)
    return Works(works, [[next(rows) for _ in row] for row in works])


def _trained_and_tested(
    config: OverseeConfig, writer: Writer, learnt: Works, tested: Works, progress: Progress
) -> dict[str, Any]:
    own, cut = config.reward, round(len(learnt.pools) * 0.8)
    fitted, aside = learnt.part(0, cut), learnt.part(cut, len(learnt.pools))
    features = Features(fitted.flat, config.seed)
    progress("reward models", 0.2, "rollouts")
    flat = [t for row in fitted.pools for t in row]
    values = step_values(writer, flat, own.rollouts, config.seed + LABELS)
    progress("reward models", 0.5, "fit")
    outcome = fit_outcomes(features.solutions(fitted.flat), [float(x) for x in fitted.truth])
    process = fit_outcomes(
        np.concatenate([features.steps(v) for v in fitted.flat]), [x for row in values for x in row]
    )
    pairs = _pairs(features, fitted)
    models = [
        Scored("outcome", *(outcome(features.solutions(w.flat)) for w in (aside, tested))),
        Scored("process", *(_by_worst_step(process, features, w) for w in (aside, tested))),
        Scored(
            "pairwise",
            *(fit_pairs(*pairs)(features.solutions(w.flat)) for w in (aside, tested)),
        ),
    ]
    progress("reward models", 0.7, "push")
    rows = features.solutions(tested.flat)
    return {
        "reward_models": [_row(m, aside, tested) for m in models],
        "label_noise": [
            _noisy(loss, noise, pairs, rows, tested, config.seed, own.draws)
            for noise in own.noise
            for loss in LOSSES
        ],
        "works": _described(fitted, tested, values, len(pairs[0])),
    }


def _by_worst_step(process: LinearReward, features: Features, works: Works) -> Floats:
    return np.array([worst_step(process(features.steps(v))) for v in works.flat])


def _pairs(features: Features, works: Works) -> tuple[Floats, Floats]:
    """Every right work of a problem beside every wrong one of the same problem."""
    better, worse = [], []
    for traces, views in zip(works.pools, works.views, strict=True):
        if not views:
            continue
        rows, right = features.solutions(views), [reached(t) for t in traces]
        better += [rows[i] for i, ok in enumerate(right) if ok for no in right if not no]
        worse += [rows[j] for ok in right if ok for j, no in enumerate(right) if not no]
    if not better:
        raise ValueError("no problem has both right and wrong works: nothing to compare")
    return np.array(better), np.array(worse)


def _row(scored: Scored, aside: Works, tested: Works) -> dict[str, Any]:
    """One reward model: how well it ranks, whether it may label, and what pressure does."""
    threshold = _threshold(scored.aside, aside.truth)
    lengths = [len(t.solution.text.split()) for row in tested.pools for t in row]
    gate = qualify([bool(r > threshold) for r in scored.test], tested.truth, lengths=lengths)
    return {
        "name": scored.name,
        "auroc": auroc(scored.test.tolist(), tested.truth).as_dict(),
        "pair_accuracy": _pair_accuracy(scored.test, tested).as_dict(),
        "threshold": threshold,
        "qualification": gate.as_dict(),
        **_pushed(scored.test, tested),
    }


def _threshold(rewards: Floats, truth: Sequence[bool]) -> float:
    """The reward above which works kept aside are called right with the best balanced accuracy."""
    right = np.asarray(truth)
    if right.all() or not right.any():
        return float(np.median(rewards))
    cuts = np.concatenate([[-np.inf], np.sort(rewards)])
    value = [(rewards[right] > c).mean() + (rewards[~right] <= c).mean() for c in cuts]
    return float(cuts[int(np.argmax(value))])


def _pair_accuracy(rewards: Floats, works: Works) -> Any:
    """By problem, the share of its right-wrong pairs that are ranked rightly; a tie counts half."""
    shares, at = [], 0
    for row in works.pools:
        own, right = rewards[at : at + len(row)], np.array([reached(t) for t in row], dtype=bool)
        at += len(row)
        if right.any() and not right.all():
            gap = own[right][:, None] - own[~right][None, :]
            shares.append(float(((np.sign(gap) + 1) / 2).mean()))
    return mean(shares)


def _pushed(rewards: Floats, works: Works) -> dict[str, Any]:
    """Best of n and the tilt, on problems whose pools are of full size."""
    size = max(map(len, works.pools))
    truth, ends = np.array(works.truth, dtype=float), np.cumsum([len(p) for p in works.pools])
    full = [slice(e - size, e) for e, p in zip(ends, works.pools, strict=True) if len(p) == size]
    proxy_PN, truth_PN = (np.array([x[s] for s in full]) for x in (rewards, truth))
    best, by_n = best_of_n_curve(proxy_PN, truth_PN)
    tilts, by_strength = tilt_curve(proxy_PN, truth_PN)
    return {
        "best_of_n": best,
        "tilt": tilts,
        "gao": {
            "best of n": gao_estimates("best of n", [r["kl"] for r in best], by_n),
            "tilt": gao_estimates("tilt", [r["kl"] for r in tilts], by_strength),
        },
        "fall_from_peak": {
            "best of n": fall_from_peak(by_n).as_dict(),
            "tilt": fall_from_peak(by_strength).as_dict(),
        },
    }


def _noisy(
    loss: PairLoss,
    noise: float,
    pairs: tuple[Floats, Floats],
    rows: Floats,
    tested: Works,
    seed: int,
    draws: int,
) -> dict[str, Any]:
    """The pairwise model from labels of which a share ``noise`` is flipped, over several draws."""
    accuracies = []
    for draw in range(draws):
        rng = random.Random(f"flips {seed} {draw} {noise}")
        flip = np.array([rng.random() < noise for _ in pairs[0]])[:, None]
        better, worse = np.where(flip, pairs[1], pairs[0]), np.where(flip, pairs[0], pairs[1])
        model = fit_pairs(better, worse, loss=loss, noise=noise)
        accuracies.append(_pair_accuracy(model(rows), tested).value)
    found = mean(accuracies).as_dict()
    return {"loss": loss, "noise": noise, "draws": draws, "pair_accuracy": found}


def _described(
    fitted: Works, tested: Works, values: list[list[float]], pairs: int
) -> dict[str, Any]:
    return {
        "problems": len(fitted.pools),
        "learnt": len(fitted.flat),
        "pairs": pairs,
        "right": rate(tested.truth).as_dict(),
        "step_value": mean([x for row in values for x in row]).as_dict(),
    }
