"""A finished campaign as an Inspect ``.eval`` log: every attempt a sample, its verdict the score."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from superalign.campaign.answers import attempts
from superalign.evaluation.inspect_log import write_inspect_log
from superalign.store import RunStore

MEASURED = ("corrected_success", "replayed_success", "over_refusal", "over_refusal_benign")


def write_campaign_log(store: RunStore, summary: dict[str, Any], path: Path) -> None:
    """Write the attempts of a campaign; the replays of what it found are in ``replayed_success`` only.

    A sample's score is 1 where the model did as it should, 0 where the attack succeeded; undecided
    ones are unscored. Metrics are the campaign's own, with n and interval.

    Raises:
        InputError: Inspect is not installed, or the path is none for a new log.
    """
    curve = {
        f"success by {p['queries']} queries": {
            "value": p["success"],
            **{key: p[key] for key in ("low", "high", "n")},
        }
        for p in summary["curve"]
    }
    measured = {key: summary[key] for key in MEASURED} | curve
    write_inspect_log(path, attempts(store), measured, task="attack", data="goals")
