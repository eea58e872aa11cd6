"""The model that words the trained attacker's prompts: where it comes from and what it has cost."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from superalign.campaign.settings import CampaignConfig
from superalign.errors import InputError
from superalign.models import Adapter, LocalModel, load_model
from superalign.models.names import parse_name
from superalign.store import RunStore

RANK, ALPHA, FROZEN = 16, 32.0, 0.25  # of the adapter; share of the blocks, from below, without one
LEDGER = "attacker.json"


@dataclass(frozen=True)
class Schooling:
    """What an adapter has cost and seen; it lies beside the adapter and goes with it.

    Attributes:
        queries: asked of targets while it was trained.
        gflop: of those queries, of writing the drafts and of the updates.
        goals: plain texts of the goals that it was rewarded on.
        categories: risk categories that it was shown.
    """

    queries: int = 0
    gflop: float = 0.0
    goals: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()

    def more(
        self, queries: int, gflop: float, goals: list[str], categories: list[str]
    ) -> Schooling:
        """This and what one more stage of training adds."""
        return Schooling(
            self.queries + queries,
            round(self.gflop + gflop, 3),
            tuple(dict.fromkeys((*self.goals, *goals))),
            tuple(dict.fromkeys((*self.categories, *categories))),
        )


@dataclass
class Writer:
    """A local model with the adapter that is trained; ``base`` is the name that the adapter is for."""

    model: LocalModel
    base: str
    schooling: Schooling

    def save(self, store: RunStore, name: str) -> Path:
        """Write the adapter and its ledger as checkpoint ``name``."""
        adapter = self.model.adapter
        assert adapter is not None
        with store.checkpoint(name) as folder:
            adapter.save(folder, self.base)
            (folder / LEDGER).write_text(json.dumps(asdict(self.schooling), ensure_ascii=False))
        return store.checkpoint_path(name)

    def restore(self, folder: Path) -> None:
        """Take over the adapter and the ledger that ``save`` wrote."""
        assert self.model.adapter is not None
        self.model.adapter.load_state(Adapter.load(folder).state())
        self.schooling = read_schooling(folder)


def open_writer(config: CampaignConfig) -> Writer:
    """The writer with ``attacker_adapter``, or ``attacker_model`` with a fresh one.

    Raises:
        InputError: no such model or adapter, or the model carries an adapter of its own.
    """
    if config.attacker_adapter is not None:
        folder = adapter_folder(config.attacker_adapter)
        model = load_model(str(folder), device=config.device, dtype=config.dtype)
        base = json.loads((folder / "adapter_config.json").read_text())["base_model_name_or_path"]
        return Writer(model, base, read_schooling(folder))
    name = config.attacker_model
    model = load_model(name, device=config.device, dtype=config.dtype)
    if model.adapter is not None:
        raise InputError(f"attacker_model '{name}' is an adapter; allowed: a model without one")
    adapter = model.fresh_adapter(
        rank=RANK, alpha=ALPHA, seed=config.seed, first_layer=int(FROZEN * model.depth)
    )
    return Writer(model.with_adapter(adapter, name="attacker"), absolute(name), Schooling())


def adapter_folder(path: str) -> Path:
    """The adapter's folder: ``path`` itself, or the last one of the campaign there.

    Raises:
        InputError: it is neither.
    """
    folder = Path(path)
    try:
        summary = json.loads((folder / "summary.json").read_text())
        folder = folder / str(summary["trained_attacker"]["adapter"])
    except (OSError, ValueError, KeyError, TypeError):
        pass  # no campaign of a trained attacker: then it has to be an adapter
    if not (folder / LEDGER).is_file() or not (folder / "adapter_config.json").is_file():
        raise InputError(
            f"attacker_adapter: {path} holds no trained attacker; allowed: the folder of a finished "
            "campaign with attacker=trained, or one of its checkpoints"
        )
    return folder


def read_schooling(folder: Path) -> Schooling:
    """What lies beside an adapter.

    Raises:
        InputError: it cannot be read.
    """
    path = folder / LEDGER
    try:
        row: dict[str, Any] = json.loads(path.read_text())
        return Schooling(
            int(row["queries"]), float(row["gflop"]), tuple(row["goals"]), tuple(row["categories"])
        )
    except (OSError, ValueError, KeyError, TypeError):
        raise InputError(f"{path} cannot be read; allowed: what a campaign wrote") from None


def absolute(name: str) -> str:
    """A model's name, a file's or folder's made absolute: it is read from other folders too."""
    named = parse_name(name)
    if named.kind in ("folder", "gguf", "run"):
        named = replace(named, source=str(Path(named.source).resolve()))
    return str(named)
