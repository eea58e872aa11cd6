"""``report.html`` of an audit and of a stress test, in the run report's style."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from markupsafe import Markup

from superalign.files import write_atomic
from superalign.report import robustness
from superalign.report.figures import write_panels
from superalign.report.numbers import read
from superalign.report.roc import roc
from superalign.report.run_report import asset, content_hash, environment


def write_audit_report(summary: dict[str, Any], path: Path) -> None:
    """The page of one audit.

    Raises:
        StoreError: the file could not be written.
    """
    found = summary.get("robustness")
    _write("audit.html.j2", path, summary, robustness=robustness.view(found) if found else None)


def write_stress_report(summary: dict[str, Any], path: Path) -> None:
    """The page of a stress test, with ROC curves by tier and by family.

    Raises:
        StoreError: the file could not be written.
    """
    panels = [*_panels(summary, "tier"), *_panels(summary, "family")]
    figures = [{"title": title, "svg": svg} for title, svg in panels]
    _write("stress.html.j2", path, summary, figures=figures)


def write_stress_figures(summary: dict[str, Any], folder: Path) -> list[Path]:
    """The ROC curves as files (SVG) in ``folder``, by tier and by family; their paths.

    Raises:
        StoreError: a file could not be written.
    """
    folder.mkdir(exist_ok=True)
    return [
        write_panels(panels, folder / f"roc_by_{key}.svg")
        for key in ("tier", "family")
        if (panels := _panels(summary, key))
    ]


def _panels(summary: dict[str, Any], key: str) -> list[tuple[str, Markup]]:
    """A ROC curve for each value of ``key`` among the organisms, with its title."""
    clean = [c["statistic"] for c in summary["clean"]]
    found = []
    for name in sorted({o[key] for o in summary["organisms"]}):
        own = [o["statistic"] for o in summary["organisms"] if o[key] == name]
        title = f"{name.replace('_', ' ')}, n {len(own)} against {len(clean)} clean"
        found.append((title, roc(own, clean, title)))
    return found


def _write(template: str, path: Path, summary: dict[str, Any], **more: Any) -> None:
    style = asset("style")
    policy = f"default-src 'none'; style-src '{content_hash(style)}'; base-uri 'none'; form-action 'none'"
    env = environment()
    env.filters["read"] = read
    page = env.get_template(template).render(s=summary, style=Markup(style), policy=policy, **more)
    write_atomic(path, page.encode("utf-8", "replace").decode())
