"""``superalign w2s`` in a test: in an empty folder, with a cache of its own."""

import sys
from pathlib import Path

import pytest
from weak_toy import Command

from superalign import cli


@pytest.fixture
def w2s(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> Command:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SUPERALIGN_CACHE", str(tmp_path / "cache"))

    def command(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["superalign", "w2s", *map(str, arguments)])
        capfd.readouterr()
        with pytest.raises(SystemExit) as stop:
            cli.main()
        told = capfd.readouterr()
        return int(stop.value.code or 0), told.out, told.err

    return command
