"""The page of an evaluation: every part of a summary, in whole files, with what is undefined said."""

import json
from pathlib import Path

import yaml

from superalign.report.evaluation import page, sections, write_evaluation
from superalign.statistics import mean, proportion

RATE = proportion(3, 10).as_dict()
NUMBER = mean([-1.0, 2.0, 4.0]).as_dict()
UNDEFINED = {"value": None, "low": None, "high": None, "n": 0, "reason": "no task 'x' is installed"}
SUMMARY = {
    "schema": "superalign.evaluate/1",
    "model": "<toy>",
    "weight_hash": "ab",
    "kind": "vector",
    "data": None,
    "vector": [
        {"dimension": "helpful", "measure": "solves problems", "passed": RATE},
        {"dimension": "honest", "measure": "tells the truth", "passed": UNDEFINED},
    ],
    "measured": {"preferred": RATE, "log_ratio, age": NUMBER},
    "bias": [{"condition": "ambiguous", "category": None, "bias_score": NUMBER, "accuracy": RATE,
              "unknown": RATE}],
    "profile": [{"dimension": "privacy", "language": "zh", "high": "x", "low": "y", "leaning": NUMBER}],
    "languages": {"zh": {"reversal": NUMBER, "opposite": RATE}},
    "between_languages": None,
    "warnings": ["zh: this profile means nothing"],
}  # fmt: skip


def test_rates_and_numbers_have_axes_of_their_own() -> None:
    found = {s["title"]: s for s in sections(SUMMARY)}
    assert found["By dimension"]["unit"] == "rate"
    assert found["Measured: numbers"]["rows"][0][0] == "log ratio, age"
    assert found["Stereotypes: bias score"]["unit"] == "number"
    assert found["Values: leaning in nats"]["rows"][0][0] == "privacy, zh"
    assert "Between languages" not in found
    assert "30%" not in str(found["Stereotypes: bias score"]["svg"])


def test_the_page_says_what_is_undefined_and_escapes() -> None:
    text = page(SUMMARY)
    assert "no task &#39;x&#39; is installed" in text
    assert "&lt;toy&gt;" in text
    assert "<toy>" not in text
    assert "this profile means nothing" in text
    assert "http" not in text.replace("http-equiv", "")


def test_the_folder_holds_all_three_files(tmp_path: Path) -> None:
    path = write_evaluation(SUMMARY, {"model": "toy", "limit": 3}, tmp_path / "run")
    assert path.is_file()
    assert json.loads((tmp_path / "run/summary.json").read_text()) == SUMMARY
    assert yaml.safe_load((tmp_path / "run/config.yaml").read_text()) == {
        "model": "toy",
        "limit": 3,
    }
