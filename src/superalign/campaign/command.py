"""What ``superalign attack`` does with its options, and what it prints."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from superalign.attack.adaptive import goal_allocator
from superalign.campaign.attacker import Attacker, OperatorAttacker, campaign_operators
from superalign.campaign.goals import benign_twins, campaign_goals
from superalign.campaign.regression import read_suite, suite_text
from superalign.campaign.rewriting import RewritingAttacker
from superalign.campaign.run import Campaign
from superalign.campaign.screening import RefusalDirection, ScreenedAttacker
from superalign.campaign.settings import CampaignConfig
from superalign.campaign.summary import summarise
from superalign.campaign.target import ModelTarget
from superalign.campaign.transfer import checkpoints
from superalign.config import load_section
from superalign.critic.compliance import Calibration, calibrate, read_labelled, shipped_calibration
from superalign.critic.trained_judge import shipped_judge
from superalign.errors import InputError
from superalign.evaluation.measure import Progress, measure, over_refusal, silent
from superalign.models import LanguageModel, LocalModel, RemoteModel, open_model
from superalign.models.answer_log import ANSWERS
from superalign.models.endpoint import find_endpoint
from superalign.models.names import parse_name
from superalign.models.remote import keep_answers
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
    judge_calibration(config)
    earlier_successes(config.earlier)
    if config.rewriter is not None and (rewriter := parse_name(config.rewriter)).remote:
        find_endpoint(rewriter)
    if config.feedback == "activations" and parse_name(config.target).remote:
        raise InputError(_no_activations(config.target))


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
    calibration = judge_calibration(config)
    attacker = make_attacker(config, model, answers)
    target = ModelTarget(
        model,
        max_new_tokens=config.max_new_tokens,
        temperature=config.temperature,
        logprobs=config.feedback != "text",
    )
    campaign = Campaign(config, store, target, attacker, goals, progress)
    campaign.run()
    refusals = campaign.phase("over-refusal", lambda: _over_refusal(config, model, len(goals)))
    summary = summarise(
        campaign, campaign.operators, calibration, refusals, weight_hash=model.weight_hash
    )
    if isinstance(attacker, ScreenedAttacker):
        summary["looks"] = attacker.looks
        attacker = attacker.inner
    if isinstance(attacker, RewritingAttacker):
        summary["rewrites"] = {"drafts": attacker.drafts, "kept": attacker.kept}
    if isinstance(model, RemoteModel):  # its size is unknown, and so is what it computes
        summary |= {"gflop": None, "curve_gflop": [], "remote": model.account()}
    store.write_text("regression.jsonl", suite_text([e.query for e in campaign.archive.entries]))
    store.write_json("summary.json", summary)
    return summary


def make_attacker(
    config: CampaignConfig, model: LanguageModel, answers: Path | None = None
) -> Attacker:
    """The attacker that the settings ask for; a remote rewriter's answers are kept at ``answers``.

    Raises:
        InputError: activations of a model that shows none, or no such rewriter.
    """
    known = campaign_operators()
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
            else open_model(
                config.rewriter, device=config.device, dtype=config.dtype, remote=config.remote
            )
        )
        if answers is not None and rewriter is not model:
            keep_answers(rewriter, answers)
        attacker = RewritingAttacker(attacker, rewriter, config.confirm)
    if config.feedback != "activations":
        return attacker
    if not isinstance(model, LocalModel):
        raise InputError(_no_activations(model.name))
    return ScreenedAttacker(attacker, RefusalDirection(model, config.seed))


def _no_activations(name: str) -> str:
    return f"feedback 'activations': {name} shows none; allowed: text, logprobs, or a local model"


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
    yield "GFLOP", "unknown" if summary["gflop"] is None else f"{summary['gflop']:.4g}"


def _interval(entry: dict[str, Any], key: str) -> str:
    if entry[key] is None:
        return f"undefined: {entry.get('reason', 'no reason recorded')}"
    missing = f", {entry['missing']} missing" if entry.get("missing") else ""
    if entry["low"] is None:
        return f"{entry[key]:.3f} (n={entry['n']}{missing})"
    return f"{entry[key]:.3f} [{entry['low']:.3f}, {entry['high']:.3f}] (n={entry['n']}{missing})"
