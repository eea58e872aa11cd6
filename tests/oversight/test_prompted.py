"""The generative critic and the ensemble as critics of a whole run on a tiny model."""

from pathlib import Path
from typing import Any

import pytest

import toy
from superalign.config import dump_config
from superalign.oversight.run import run_oversee
from superalign.oversight.settings import OverseeConfig
from superalign.report.oversight import write_oversight_report
from superalign.store import RunStore


@pytest.fixture(scope="session")
def little(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return toy.model_folder(tmp_path_factory.getbasetemp())


def run(path: Path, little: Path, **critic: Any) -> dict[str, Any]:
    config = OverseeConfig.model_validate(
        {
            "model": str(little), "items": 20, "steps": 4, "tests": 20, "pressure": [1],
            "dtype": "float32", "device": "cpu", "critic": {"steps": [3], **critic},
        }
    )  # fmt: skip
    with RunStore.create(path, dump_config(config)) as store:
        return run_oversee(config, store, lambda *_: None)


@pytest.mark.parametrize("kind", ["generative", "ensemble"])
def test_it_judges_is_tested_and_drawn_as_a_curve(tmp_path: Path, little: Path, kind: str) -> None:
    summary = run(tmp_path / "run", little, kind=kind)
    critic = summary["critic"]
    assert critic["name"] == kind
    assert critic["missing"] == 0  # every answer of the choices parses
    assert critic["tests"][0]["critics"][0]["name"] == "generative"
    assert any(p["efficient"] for p in critic["pareto"])
    assert all(0 <= p["recall"]["value"] <= 1 for p in critic["pareto"])
    assert len(summary["arms"]) > 10
    page = write_oversight_report(summary, tmp_path / "r.html").read_text()
    assert "Recall against false claims, by setting" in page


def test_said_answers_that_cannot_be_read_are_counted(tmp_path: Path, little: Path) -> None:
    critic = run(tmp_path / "run", little, kind="generative", answers="say")["critic"]
    assert 0 <= critic["missing"] <= 60
