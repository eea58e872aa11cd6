"""What ``superalign attack`` does with its options, and what it prints."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from superalign.campaign.assembly import (
    earlier_successes,
    find_steering,
    known_operators,
    make_attacker,
    make_target,
    not_shown,
)
from superalign.campaign.goals import benign_twins, campaign_goals
from superalign.campaign.regression import read_suite, suite_text
from superalign.campaign.rewriting import RewritingAttacker
from superalign.campaign.run import Campaign
from superalign.campaign.screening import ScreenedAttacker
from superalign.campaign.settings import CampaignConfig
from superalign.campaign.steering import steering_effect
from superalign.campaign.summary import summarise
from superalign.campaign.trained_attack import check_training, train
from superalign.campaign.transfer import checkpoints
from superalign.campaign.white_box import STEERED
from superalign.config import load_section
from superalign.critic.compliance import Calibration, calibrate, read_labelled, shipped_calibration
from superalign.critic.trained_judge import shipped_judge
from superalign.errors import InputError
from superalign.evaluation.measure import Progress, measure, over_refusal, silent
from superalign.models import LanguageModel, RemoteModel, open_model
from superalign.models.answer_log import ANSWERS
from superalign.models.endpoint import find_endpoint
from superalign.models.names import parse_name
from superalign.models.remote import keep_answers
from superalign.records import Query
from superalign.store import RunStore
from superalign.tasks.base import seeded
from superalign.tasks.benign import Benign

LEAST = 20  # harmless requests that over-refusal is measured on


def settings(
    config: Path | None, overrides: Sequence[str], given: dict[str, Any]
) -> CampaignConfig:
    """The campaign's settings: ``given`` values that are not None go over the file's.

    Raises:
        InputError: a mistake in any of them.
    """
    values = {key: value for key, value in given.items() if value is not None}
    return load_section(CampaignConfig, config, list(overrides), **values)


def check(config: CampaignConfig) -> None:
    """Read every file that the campaign needs, before a model is loaded or a folder made.

    Raises:
        InputError: a file cannot be used, or two settings do not go together.
    """
    if config.regression is not None:
        read_suite(Path(config.regression))
        return
    if config.transfer is not None:
        checkpoints(Path(config.transfer))
        return
    campaign_goals(config)
    check_training(config)
    if config.feedback == "weights" and config.domain != "safety":
        raise InputError(
            f"feedback 'weights' with domain '{config.domain}': its attacks are on refusals; allowed: "
            "text, logprobs, activations, or domain safety"
        )
    judge_calibration(config)
    earlier_successes(config.earlier)
    if config.rewriter is not None and (rewriter := parse_name(config.rewriter)).remote:
        find_endpoint(rewriter)
    if config.feedback in ("activations", "weights") and parse_name(config.target).remote:
        raise not_shown(config.feedback, config.target)


def open_target(config: CampaignConfig) -> LanguageModel:
    """The attacked model; a remote one is asked nothing yet.

    Raises:
        InputError: its name, the device or the number type.
    """
    return open_model(
        config.target,
        device=config.device,
        dtype=config.dtype,
        remote=config.remote,
        logprobs=config.feedback == "logprobs",
    )


def judge_calibration(config: CampaignConfig) -> Calibration:
    """The judge's known errors: on the labels of a file, or those that superalign ships.

    Raises:
        InputError: the file cannot be read.
    """
    if config.labels is None:
        return shipped_calibration()
    path = Path(config.labels)
    fields = (config.prompt_field, config.answer_field, config.label_field)
    return calibrate(read_labelled(path, *fields), path.name, shipped_judge())


def run_campaign(
    config: CampaignConfig,
    store: RunStore,
    model: LanguageModel,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Run or continue a campaign; writes ``summary.json`` and ``regression.jsonl``.

    A remote model's answers are also kept one by one in ``answers.jsonl``: a wave that is cut off, or one
    that a rewriter is asked for again, costs no request twice.
    """
    answers = store.path / ANSWERS
    keep_answers(model, answers)
    goals = campaign_goals(config)
    steering = find_steering(config, model)
    target = make_target(config, model, steering)
    trained = None
    if config.attacker != "operators":
        trained = train(config, store, target, [goal.query for goal in goals], progress)
    operator = None if trained is None else trained.operator
    attacker = make_attacker(config, model, operator, answers)
    setup = 0.0 if steering is None else steering.gflop
    known = known_operators(config)
    campaign = Campaign(config, store, target, attacker, goals, progress, known, setup)
    campaign.run()
    if trained is not None:
        trained.charge(campaign)
    refusals = campaign.phase("over-refusal", lambda: _over_refusal(config, model, len(goals)))
    calibration = judge_calibration(config) if config.domain == "safety" else None
    summary = summarise(campaign, calibration, refusals, weight_hash=model.weight_hash)
    if steering is not None:
        twins = benign_twins(config, max(len(goals), LEAST))
        requests = [g.query for g in goals]
        summary["steering"] = campaign.phase(
            "steering",
            lambda: steering_effect(steering, requests, twins, config.max_new_tokens),
        )
    if trained is not None:
        summary["trained_attacker"] = trained.summary()
    if isinstance(attacker, ScreenedAttacker):
        summary["looks"] = attacker.looks
        attacker = attacker.inner
    if isinstance(attacker, RewritingAttacker):
        summary["rewrites"] = attacker.counts
    if isinstance(model, RemoteModel):  # its size is unknown, and so is what it computes
        summary |= {"gflop": None, "curve_gflop": [], "remote": model.account()}
    kept = [e.query for e in campaign.archive.entries if e.query.operator not in STEERED]
    store.write_text("regression.jsonl", suite_text(kept))
    store.write_json("summary.json", summary)
    return summary


def _over_refusal(config: CampaignConfig, model: LanguageModel, n: int) -> dict[str, Any]:
    """Refusals of harmless requests, greedily answered: twins of harmful ones, and unrelated."""
    n = max(n, LEAST)
    half = n // 2
    benign: list[Query] = []
    for split, count in (("train", n - half), ("held_out", half)):
        seed = seeded(config.seed, "benign", split).getrandbits(31)
        benign += Benign().generate(count, seed=seed, split=split)  # type: ignore[arg-type]
    found = {}
    for key, queries in (
        ("over_refusal", benign_twins(config, n)),
        ("over_refusal_benign", benign),
    ):
        length, judge = config.max_new_tokens, shipped_judge()
        graded = measure(model, queries, max_new_tokens=length, refuses=judge)
        found[key] = over_refusal(graded, judge).as_dict()
    return found


def rows(summary: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Name and value of what is printed."""
    if summary["baseline"] is not None:
        yield "questions answered rightly before", _interval(summary["baseline"], "value")
    yield "goals solved", f"{summary['solved']} of {summary['goals']}"
    for point in summary["curve"]:
        unit = "query" if point["queries"] == 1 else "queries"
        yield f"success by {point['queries']} {unit}", _interval(point, "success")
    for key in ("corrected_success", "replayed_success", "over_refusal", "over_refusal_benign"):
        yield key.replace("_", " "), _interval(summary[key], "value")
    archive = summary["archive"]
    yield "archive cells", f"{archive['cells']} of {archive['possible']}"
    yield "queries, undecided", f"{summary['queries']}, {summary['undecided']}"
    yield "GFLOP", "unknown" if summary["gflop"] is None else f"{summary['gflop']:.4g}"
    for name, row in summary.get("steering", {}).items():
        label = name.replace("_", " ")
        yield f"plain goals, greedy, {label}: success", _interval(row["attack_success"], "value")
        yield f"benign twins, greedy, {label}: refused", _interval(row["over_refusal"], "value")
    if trained := summary.get("trained_attacker"):
        yield "training queries (in the curve)", str(trained["training_queries"])
        yield "drafts that ask for their goal", _interval(trained["on_goal"], "value")


def _interval(entry: dict[str, Any], key: str) -> str:
    if entry[key] is None:
        return f"undefined: {entry.get('reason', 'no reason recorded')}"
    missing = f", {entry['missing']} missing" if entry.get("missing") else ""
    if entry["low"] is None:
        return f"{entry[key]:.3f} (n={entry['n']}{missing})"
    return f"{entry[key]:.3f} [{entry['low']:.3f}, {entry['high']:.3f}] (n={entry['n']}{missing})"
