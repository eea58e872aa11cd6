"""The documentation cannot drift: every command, option and setting is named in it.

``python tests/test_docs.py`` writes docs/configuration.md anew.
"""

import re
from pathlib import Path
from typing import Any

import pytest
import typer

from superalign.cli import app
from superalign.config import RunConfig, describe, dump_config, load_config, load_section
from superalign.models.remote_settings import RemoteSettings
from superalign.weak_to_strong.settings import WeakToStrongConfig

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "configuration.md"
EXAMPLES = sorted((ROOT / "examples").glob("*.yaml"))
INTRODUCTION = """\
# Configuration and command line

Everything that decides a run's result is a setting. Settings come from a YAML file and from the
command line; what is left out has its default, and a mistake stops the run before it begins, with
one line that says what is allowed.

```
superalign run --config my.yaml --set rounds=2 --set learner.algorithm=sft
```

```yaml
# my.yaml: only what differs from the defaults
rounds: 2
learner: {algorithm: sft, learning_rate: 0.001}
evaluation:
  final: {safety: 40, benign: 40, mathematics: 40, ethics: 40}
```

- `--set a.b=value` reads the value as YAML: numbers, `true`, `null` and `[lists]` work; `data.0.kind`
  steps into a list. It goes over the file; `--model`, `--seed` and `--device` go over both.
- Every run writes its complete configuration to `config.yaml` in its folder: that file repeats the run
  when defaults have changed. `superalign run --resume FOLDER` reads it and takes no other settings.
- Unknown keys, keys written twice and infinities are refused.

The tables below are made from the code (`python tests/test_docs.py`), and a test compares them.
"""


def configuration_page() -> str:
    """docs/configuration.md as it should be."""
    parts = [INTRODUCTION]
    section = None
    for row in describe():
        here, _, _ = row.path.rpartition(".")
        if here != section:
            section = here
            title = f"`{here}`" if here else "The run"
            parts.append(
                f"\n## {title}\n\n| setting | allowed | default | what it is |\n|---|---|---|---|\n"
            )
        parts.append(f"| `{row.path}` | {row.type} | `{row.default}` | {row.description} |\n")
    parts.append("\n## Settings of `superalign w2s`\n\n")
    parts.append("| setting | allowed | default | what it is |\n|---|---|---|---|\n")
    for row in describe(WeakToStrongConfig):
        parts.append(f"| `{row.path}` | {row.type} | `{row.default}` | {row.description} |\n")
    parts.append("\n## Settings of remote models\n\n")
    parts.append("| setting | allowed | default | what it is |\n|---|---|---|---|\n")
    for row in describe(RemoteSettings):
        parts.append(f"| `{row.path}` | {row.type} | `{row.default}` | {row.description} |\n")
    parts.append("\n## Commands\n")
    for name, command in sorted(_commands().items()):
        parts.append(f"\n**`superalign {name}`** — {command.help}\n\n")
        parts += [f"- {_usage(p)}: {p.help}\n" for p in command.params if p.name != "help"]
    return "".join(parts)


def _commands() -> dict[str, Any]:
    found: dict[str, Any] = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    return found


def _usage(parameter: Any) -> str:
    options = [o for o in parameter.opts if o.startswith("--")]
    default = parameter.default
    bare = default is None or default is False or parameter.required
    shown = "" if bare else f" (default {default})"
    return f"`{options[0] if options else parameter.name.upper()}`{shown}"


def documentation() -> str:
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    return "\n".join(page.read_text(encoding="utf-8") for page in pages)


def options(command: Any) -> list[str]:
    return [o for p in command.params for o in p.opts if o.startswith("--") and o != "--help"]


def test_the_configuration_page_is_that_of_the_code() -> None:
    assert PAGE.read_text(encoding="utf-8") == configuration_page(), (
        "docs/configuration.md is not that of config.py: run 'python tests/test_docs.py'"
    )


def test_the_page_names_every_setting_with_its_default_and_meaning() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for row in describe():
        assert f"| `{row.path}` |" in page
        assert row.description, f"{row.path} has no description"


@pytest.mark.parametrize("command", _commands())
def test_every_command_is_documented(command: str) -> None:
    assert re.search(rf"superalign {command}\b", documentation()), command


@pytest.mark.parametrize(
    "option", sorted({option for command in _commands().values() for option in options(command)})
)
def test_every_option_is_documented(option: str) -> None:
    assert re.search(rf"{option}\b", documentation()), option


def test_every_command_and_option_says_what_it_is_for() -> None:
    for name, command in _commands().items():
        assert command.help, name
        for parameter in command.params:
            assert parameter.help, f"{name} {parameter.name}"


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_every_example_is_a_configuration(path: Path) -> None:
    if path.name.startswith("w2s"):
        section = load_section(WeakToStrongConfig, path, ["seed=5"])
        assert (section.seed, len(section.data) > 1) == (5, True)
    else:
        assert load_config(path) != RunConfig()
        assert load_config(path, ["seed=5"]).seed == 5
    first = path.read_text(encoding="utf-8").splitlines()[0]
    assert first.startswith("# "), f"{path.name} does not say what it is for"


def test_the_example_on_the_page_is_a_configuration(tmp_path: Path) -> None:
    [example] = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    (tmp_path / "my.yaml").write_text(example)
    config = load_config(tmp_path / "my.yaml")
    assert (config.rounds, config.learner.algorithm) == (2, "sft")
    (tmp_path / "again.yaml").write_text(dump_config(config))
    assert load_config(tmp_path / "again.yaml") == config


# Settings that nothing reads. A setting without effect is a lie: wire it or take it out, here too.
UNREAD: set[str] = set()


def test_every_setting_is_read_somewhere() -> None:
    source = "\n".join(
        path.read_text(encoding="utf-8")
        for path in (ROOT / "src").rglob("*.py")
        if path.name != "config.py"
    )
    owner = r"\b(?:\w*config|settings|limits|learner|sizes|human|attack)(?:\.\w+)*\."
    unread = {
        row.path
        for row in describe()
        if not row.path.startswith("data[]")
        and not re.search(owner + row.path.rpartition(".")[2] + r"\b", source)
    }
    assert unread == UNREAD


if __name__ == "__main__":
    PAGE.write_text(configuration_page(), encoding="utf-8")
    print(f"wrote {PAGE}")
