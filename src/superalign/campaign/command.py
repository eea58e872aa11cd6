"""What ``superalign attack`` does with its options, and what it prints."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from superalign.attack.adaptive import goal_allocator
from superalign.attack.base import Operator
from superalign.campaign.attacker import Attacker, OperatorAttacker, campaign_operators
from superalign.campaign.goals import benign_twins, campaign_goals
from superalign.campaign.regression import read_suite, suite_text
from superalign.campaign.rewriting import RewritingAttacker
from superalign.campaign.run import Campaign
from superalign.campaign.screening import RefusalDirection, ScreenedAttacker
from superalign.campaign.settings import CampaignConfig
from superalign.campaign.summary import summarise
from superalign.campaign.target import ModelTarget
from superalign.campaign.trained_attack import check_training, train
from superalign.campaign.trained_operator import TRAINED, pool
from superalign.campaign.transfer import checkpoints
from superalign.config import load_section
from superalign.critic.compliance import Calibration, calibrate, read_labelled, shipped_calibration
from superalign.critic.trained_judge import shipped_judge
from superalign.errors import InputError
from superalign.evaluation.measure import Progress, measure, over_refusal, silent
from superalign.models import LanguageModel, LocalModel, load_model
from superalign.models.names import parse_name
from superalign.records import Query
from superalign.store import RunStore
from superalign.tasks.base import seeded
from superalign.tasks.benign import Benign


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
        InputError: a file cannot be used.
    """
    if config.regression is not None:
        read_suite(Path(config.regression))
        return
    if config.transfer is not None:
        checkpoints(Path(config.transfer))
        return
    campaign_goals(config)
    check_training(config)
    judge_calibration(config)
    earlier_successes(config.earlier)
    if config.rewriter is not None:
        parse_name(config.rewriter)


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
    """Run or continue a campaign; writes ``summary.json`` and ``regression.jsonl``."""
    goals = campaign_goals(config)
    calibration = judge_calibration(config)
    target = ModelTarget(
        model,
        max_new_tokens=config.max_new_tokens,
        temperature=config.temperature,
        logprobs=config.feedback != "text",
    )
    trained = None
    if config.attacker != "operators":
        trained = train(config, store, target, [goal.query for goal in goals], progress)
    attacker = make_attacker(config, model, None if trained is None else trained.operator)
    campaign = Campaign(config, store, target, attacker, goals, progress)
    campaign.run()
    if trained is not None:
        trained.charge(campaign)
    refusals = campaign.phase("over-refusal", lambda: _over_refusal(config, model, len(goals)))
    summary = summarise(
        campaign, campaign.operators, calibration, refusals, weight_hash=model.weight_hash
    )
    if trained is not None:
        summary["trained_attacker"] = trained.summary()
    if isinstance(attacker, ScreenedAttacker):
        summary["looks"] = attacker.looks
        attacker = attacker.inner
    if isinstance(attacker, RewritingAttacker):
        summary["rewrites"] = {"drafts": attacker.drafts, "kept": attacker.kept}
    store.write_text("regression.jsonl", suite_text([e.query for e in campaign.archive.entries]))
    store.write_json("summary.json", summary)
    return summary


def make_attacker(
    config: CampaignConfig, model: LanguageModel, trained: Operator | None = None
) -> Attacker:
    """The attacker that the settings ask for; ``trained``: the operator that was trained for it.

    Raises:
        InputError: activations of a model that shows none, or no such rewriter.
    """
    known = pool(config.attacker, campaign_operators(), trained or TRAINED)
    families = {name: operator.family for name, operator in known.items()}
    attacker: Attacker = OperatorAttacker(
        known,
        goal_allocator(config.allocation, families, earlier_successes(config.earlier)),
        config.confirm,
    )
    if config.rewriter is not None:
        rewriter = (
            model
            if config.rewriter == config.target
            else load_model(config.rewriter, device=config.device, dtype=config.dtype)
        )
        attacker = RewritingAttacker(attacker, rewriter, config.confirm)
    if config.feedback != "activations":
        return attacker
    if not isinstance(model, LocalModel):
        raise InputError(
            f"feedback 'activations': {model.name} shows none; allowed: text, logprobs, or a local "
            "model"
        )
    return ScreenedAttacker(attacker, RefusalDirection(model, config.seed))


def earlier_successes(folder: str | None) -> dict[str, tuple[float, float]]:
    """Operator → successes and queries of the campaign in ``folder``; nothing without one.

    Raises:
        InputError: the folder holds no finished campaign.
    """
    if folder is None:
        return {}
    path = Path(folder) / "summary.json"
    try:
        rows = json.loads(path.read_text())["operators"]
        return {r["operator"]: (float(r["hits"]), float(r["queries"])) for r in rows}
    except (OSError, ValueError, KeyError, TypeError):
        raise InputError(
            f"earlier: {path} is no summary; allowed: the folder of a finished campaign"
        ) from None


def _over_refusal(config: CampaignConfig, model: LanguageModel, n: int) -> dict[str, Any]:
    """Refusals of harmless requests, greedily answered: twins of harmful ones, and unrelated."""
    n = max(n, 20)
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
    yield "goals solved", f"{summary['solved']} of {summary['goals']}"
    for point in summary["curve"]:
        unit = "query" if point["queries"] == 1 else "queries"
        yield f"success by {point['queries']} {unit}", _interval(point, "success")
    for key in ("corrected_success", "replayed_success", "over_refusal", "over_refusal_benign"):
        yield key.replace("_", " "), _interval(summary[key], "value")
    archive = summary["archive"]
    yield "archive cells", f"{archive['cells']} of {archive['possible']}"
    yield "queries, undecided", f"{summary['queries']}, {summary['undecided']}"
    yield "GFLOP", f"{summary['gflop']:.4g}"
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
