"""The command line in a test: run in an empty folder, on the tiny model."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from transformers.utils import logging

import toy
from commands import Command, Told
from superalign import cli
from superalign.config import Sizes, dump_config
from superalign.loop import run as loop
from superalign.models import loading


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.getbasetemp()


@pytest.fixture
def superalign(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> Command:
    """Run a command in an empty current folder."""
    place = tmp_path / "here"
    place.mkdir()
    monkeypatch.chdir(place)
    monkeypatch.setattr(loading, "embedded_folder", lambda: pytest.fail("loads the real model"))
    logging.disable_progress_bar()  # as main() does it in a process of its own, through a variable

    def command(*arguments: object) -> Told:
        monkeypatch.setattr(sys, "argv", ["superalign", *map(str, arguments)])
        capfd.readouterr()
        with pytest.raises(SystemExit) as stop:
            cli.main()
        told = capfd.readouterr()
        assert isinstance(stop.value.code, int)
        return Told(stop.value.code, told.out, told.err)

    return command


@pytest.fixture
def small(base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration file of the tiny model's smallest run."""
    monkeypatch.setattr(loop, "DEV", Sizes(safety=2, benign=2, mathematics=2, ethics=2))
    config = toy.settings(toy.model_folder(base), **toy.FAST)
    path = tmp_path / "small.yaml"
    path.write_text(dump_config(config))
    return path
