"""``report.html``: one self-contained page that shows a run, gaps and bad news included.

The page needs no network and may run nothing but its own style and script: a
Content-Security-Policy allows exactly those two, by hash. All text of models and users is escaped.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from superalign.files import write_atomic
from superalign.report import plots
from superalign.report.numbers import FILTERS
from superalign.report.sections import view
from superalign.report.transcripts import asked, cards, facets

MAX_BYTES = 2_000_000
TEXT_LIMITS = (6000, 2000, 700)


def write_report(
    summary: dict[str, Any],
    transcripts: list[dict[str, Any]],
    questions: list[dict[str, Any]],
    path: Path,
) -> None:
    """Write the page to ``path``, whole or not at all, in less than ``MAX_BYTES``.

    Keys that ``summary`` lacks are named as missing on the page. Where the texts are too long for
    one page, they are shortened, then transcripts left out, and the page says so.

    Raises:
        StoreError: the file could not be written.
    """
    write_atomic(path, render(summary, transcripts, questions))


def render(
    summary: dict[str, Any], transcripts: list[dict[str, Any]], questions: list[dict[str, Any]]
) -> str:
    """The page as text."""
    base = {"summary": summary, "of": len(transcripts), **view(summary)}
    kept, asked_of = len(transcripts), questions
    for limit in TEXT_LIMITS:
        page = _page(base, transcripts, asked_of, limit)
        if len(page.encode()) < MAX_BYTES:
            return page
    while len(page.encode()) >= MAX_BYTES and (kept or asked_of):
        kept, asked_of = kept // 2, asked_of[: len(asked_of) // 2]
        page = _page(base, transcripts[:kept], asked_of, TEXT_LIMITS[-1])
    return page


def _page(
    base: dict[str, Any],
    transcripts: list[dict[str, Any]],
    questions: list[dict[str, Any]],
    limit: int,
) -> str:
    found = cards(transcripts, limit)
    return render_page(
        "page.html.j2",
        **base, cards=found, kept=len(transcripts), facets=facets(found),
        questions=asked(questions, limit),
    )  # fmt: skip


def render_page(
    template: str, *, style: str = "style", script: str = "script", **values: Any
) -> str:
    """A whole page with a style and a script inside, and the policy that allows only them."""
    style, script = asset(style), asset(script)
    policy = (
        f"default-src 'none'; style-src '{content_hash(style)}'; script-src '{content_hash(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    page = (
        environment()
        .get_template(template)
        .render(**values, style=Markup(style), script=Markup(script), policy=policy)
    )
    return page.encode("utf-8", "replace").decode()


@cache
def environment() -> jinja2.Environment:
    """Strict templates with escaping on: an undefined name is a bug of ours, never of the run."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("superalign", "report"),
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.filters.update(FILTERS)
    environment.globals.update(swatch=plots.swatch, bar=plots.share_bar)
    return environment


@cache
def asset(name: str) -> str:
    """The page's own style or script, as it stands between the tags."""
    return "\n" + environment().get_template(f"{name}.html.j2").render().strip() + "\n"


def content_hash(content: str) -> str:
    """A Content-Security-Policy source for inline ``content``."""
    return "sha256-" + base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
