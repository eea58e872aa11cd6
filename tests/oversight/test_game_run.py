"""Provers and recursive evaluators through the command's run and its report."""

from pathlib import Path

import pytest

from superalign.config import dump_config
from superalign.oversight.game_run import games
from superalign.oversight.settings import OverseeConfig
from superalign.report.oversight import write_oversight_report
from superalign.store import RunStore

CONFIG = OverseeConfig.model_validate(
    {
        "provers": {"rounds": 2, "drafts": 2, "problems": 5, "tests": 6, "steps": 3},
        "recursive": {"levels": 1, "items": 20},
    }
)


def quiet(*_: object) -> None: ...


def test_both_are_rows_of_the_summary_and_tables_of_the_report(tmp_path: Path) -> None:
    with RunStore.create(tmp_path / "run", dump_config(CONFIG)) as store:
        found = games(CONFIG, store, quiet)
        assert games(CONFIG, store, quiet) == found
    assert [r["round"] for r in found["prover_verifier"]] == [1, 2]
    assert found["prover_verifier"][0]["fooled"]["value"] == pytest.approx(2 / 3)
    assert [r["without"] for r in found["recursive"]] == [
        *("nobody", "nobody", "first half", "second half", "checker")
    ]
    summary = {"schema": 1, "model": "m", "arms": [], "informative": None, **found}
    page = write_oversight_report(summary, tmp_path / "report.html").read_text()
    assert "Provers and verifier" in page
    assert "level 1, 6 steps, without checker" in page


def test_nothing_is_played_unless_asked_for(tmp_path: Path) -> None:
    with RunStore.create(tmp_path / "run", dump_config(OverseeConfig())) as store:
        assert games(OverseeConfig(), store, quiet) == {"prover_verifier": [], "recursive": []}
        assert not store.phases()
