"""Killed at any instant, a run resumes to the same summary."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from killing import INSIDE

import toy


@pytest.fixture(scope="module")
def story(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    place = tmp_path_factory.mktemp("killing")
    (place / "tiny-llama").symlink_to(folder)
    driver = Path(__file__).with_name("killing.py")
    done = subprocess.run(
        [sys.executable, str(driver), str(place)], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr[-3000:]
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def test_the_undisturbed_run_learns_something(story: dict[str, Any]) -> None:
    whole = story["whole"]
    assert "failed" not in whole, whole
    assert whole["learner_hash"] != whole["weight_hash"]


def test_a_run_killed_in_each_phase_ends_in_the_same_summary(story: dict[str, Any]) -> None:
    killed = story["chosen"]
    assert killed["ended"] == ["signal 9"] * (len(INSIDE) + 2)
    assert "failed" not in killed["summary"], killed["summary"]
    assert toy.lasting(killed["summary"]) == toy.lasting(story["whole"])


def test_a_run_killed_at_random_instants_ends_in_the_same_summary(story: dict[str, Any]) -> None:
    killed = story["random"]
    assert "signal 9" in killed["ended"]
    assert "failed" not in killed["summary"], killed["summary"]
    assert toy.lasting(killed["summary"]) == toy.lasting(story["whole"])


def test_control_c_saves_the_state_and_says_how_to_resume(story: dict[str, Any]) -> None:
    told = story["interrupted"]
    assert told["ended"] == "exit 130", told["told"]
    last = told["told"].strip().splitlines()[-1]
    assert f"superalign run --resume {told['path']}" in last
    assert "Traceback" not in told["told"]


def test_what_control_c_interrupted_goes_on_to_the_same_summary(story: dict[str, Any]) -> None:
    told = story["interrupted"]
    assert told["resumed"] == "exit 0", told["again"]
    assert toy.lasting(told["summary"]) == toy.lasting(story["whole"])
