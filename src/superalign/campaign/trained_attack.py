"""The trained attacker in a campaign: checked, trained, asked for moves, and charged for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from superalign.campaign.run import Campaign
from superalign.campaign.settings import CampaignConfig
from superalign.campaign.target import Target
from superalign.campaign.trained_operator import TRAINED, TrainedOperator
from superalign.campaign.training import LEAST, Training, training_queries
from superalign.campaign.writer import adapter_folder, open_writer, read_schooling
from superalign.errors import InputError
from superalign.evaluation.measure import Progress, silent
from superalign.models.names import parse_name
from superalign.records import Query
from superalign.statistics import proportion
from superalign.store import RunStore


def check_training(config: CampaignConfig) -> None:
    """Say what is wrong with a trained attacker's settings before a model is loaded.

    Raises:
        InputError: goals of categories that it trains on, too small a budget, no such model or adapter.
    """
    if config.attacker == "operators":
        if config.attacker_adapter is not None or config.training_queries is not None:
            raise InputError(
                "attacker_adapter, training_queries: with attacker 'operators' nothing is trained; "
                "allowed: attacker=trained or attacker=both"
            )
        return
    if config.domain != "safety":
        raise InputError(
            f"attacker '{config.attacker}' with domain '{config.domain}': it words requests; allowed: "
            "domain safety"
        )
    if config.goals is None and config.categories in ("all", "train"):
        raise InputError(
            f"categories '{config.categories}': the attacker trains on the training categories; "
            "allowed: held_out"
        )
    if 0 < training_queries(config) < LEAST:
        raise InputError(
            f"training_queries {config.training_queries}; allowed: 0, or at least {LEAST}"
        )
    if config.attacker_adapter is None:
        parse_name(config.attacker_model)
    else:
        read_schooling(adapter_folder(config.attacker_adapter))


@dataclass
class TrainedAttack:
    """A training that is done, and the operator that came of it."""

    training: Training
    operator: TrainedOperator

    def charge(self, campaign: Campaign) -> None:
        """Charge the campaign for the training and for the wording of its attacks."""
        attempts = [a for rows in campaign.history.values() for a in rows]
        asked = sum(a.query.operator == TRAINED.name for a in attempts)
        campaign.setup_queries = self.training.queries
        campaign.setup_gflop += self.training.gflop
        campaign.wording_gflop = self.operator.gflop / asked if asked else 0.0

    def summary(self) -> dict[str, Any]:
        """What ``summary.json`` says of it."""
        training, operator = self.training, self.operator
        schooling = training.writer.schooling
        return {
            "model": training.writer.base,
            "adapter": training.adapter,
            "training_queries": training.queries,
            "training_gflop": round(training.gflop, 3),
            "schooling": asdict(schooling),
            "goals_trained_on": sum(q.goal in schooling.goals for q in training.attacked),
            "rounds": training.rounds,
            "drafts": operator.drafts,
            "on_goal": proportion(operator.kept, operator.drafts).as_dict(),
            "drafting_gflop": round(operator.gflop, 3),
        }


def train(
    config: CampaignConfig,
    store: RunStore,
    target: Target,
    attacked: Sequence[Query],
    progress: Progress = silent,
) -> TrainedAttack:
    """Do the training that the settings ask for, or take it from the store."""
    training = Training(config, store, target, open_writer(config), attacked, progress)
    training.run()
    return TrainedAttack(training, TrainedOperator(training.writer.model))
