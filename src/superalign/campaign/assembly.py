"""A campaign's parts as the settings ask for them: operators, attacker, target."""

from __future__ import annotations

import json
from pathlib import Path

from superalign.attack.adaptive import goal_allocator
from superalign.attack.base import Operator
from superalign.campaign.attacker import Attacker, OperatorAttacker, campaign_operators
from superalign.campaign.rewriting import REWRITTEN, RewritingAttacker
from superalign.campaign.screening import RefusalDirection, ScreenedAttacker
from superalign.campaign.settings import CampaignConfig
from superalign.campaign.steering import RefusalSteering
from superalign.campaign.target import ModelTarget, Target
from superalign.campaign.trained_operator import pool
from superalign.campaign.tree import TreeAttacker
from superalign.campaign.white_box import (
    SuffixSearched,
    WhiteBoxTarget,
    can_search,
    white_box_operators,
)
from superalign.errors import InputError
from superalign.models import LanguageModel, LocalModel, open_model
from superalign.models.remote import keep_answers


def known_operators(config: CampaignConfig) -> dict[str, Operator]:
    """Everything that a campaign's moves may be recorded under."""
    own = pool(config.attacker, campaign_operators(config.domain))
    if config.feedback == "weights":
        own |= white_box_operators()
    if config.rewriter is not None:
        own[REWRITTEN.name] = REWRITTEN
    return own


def find_steering(config: CampaignConfig, model: LanguageModel) -> RefusalSteering | None:
    """The model's steered views, where the attacker has its weights.

    Raises:
        InputError: the model's weights are not here.
    """
    if config.feedback != "weights":
        return None
    if not isinstance(model, LocalModel):
        raise not_shown("weights", model.name)
    return RefusalSteering(model, config.seed, config.max_new_tokens)


def make_target(
    config: CampaignConfig, model: LanguageModel, steering: RefusalSteering | None
) -> Target:
    """The attacked model as the settings ask for it."""

    def make(one: LanguageModel) -> ModelTarget:
        return ModelTarget(
            one,
            max_new_tokens=config.max_new_tokens,
            temperature=config.sampling,
            logprobs=config.feedback != "text",
        )

    if steering is None:
        return make(model)
    return WhiteBoxTarget(steering.model, steering.views, make, config.seed)


def make_attacker(
    config: CampaignConfig,
    model: LanguageModel,
    trained: Operator | None = None,
    answers: Path | None = None,
) -> Attacker:
    """The attacker that the settings ask for.

    Args:
        config: the settings.
        model: the attacked model.
        trained: the operator that was trained for it.
        answers: where a remote rewriter's answers are kept.

    Raises:
        InputError: activations of a model that shows none, or no such rewriter.
    """
    known = known_operators(config)
    known.pop(REWRITTEN.name, None)
    if isinstance(model, LocalModel) and not can_search(model):
        known.pop(SuffixSearched.name, None)
    if trained is not None:
        known[trained.name] = trained
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
        make = {"pair": RewritingAttacker, "tap": TreeAttacker}[config.rewriting]
        attacker = make(attacker, rewriter, config.confirm)
    if config.feedback != "activations":
        return attacker
    if not isinstance(model, LocalModel):
        raise not_shown("activations", model.name)
    return ScreenedAttacker(attacker, RefusalDirection(model, config.seed))


def not_shown(wanted: str, name: str) -> InputError:
    """The error for a level of access that a model does not give."""
    return InputError(
        f"feedback '{wanted}': {name} shows none; allowed: text, logprobs, or a local model"
    )


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
