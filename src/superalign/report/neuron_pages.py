"""The pages of an index of neurons: one that searches all of them, and one for each block.

Each page is self-contained and needs no network; a block's page holds its neurons' excerpts.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from markupsafe import Markup

from superalign.explaining.index import Index
from superalign.files import replacing_folder, write_atomic
from superalign.report.numbers import read
from superalign.report.run_report import environment, render_page

EVERYWHERE = ("layer", "number", "explanation", "tokens", "natural", "precision")
OF_A_BLOCK = (
    "number", "sign", "explanation", "tokens", "mean", "largest", "frequency", "natural",
    "precision", "base_rate", "token_lookup", "null", "examples",
)  # fmt: skip


def write_neuron_pages(index: Index, folder: Path) -> None:
    """Write ``report.html`` and ``blocks/`` into ``folder``.

    Raises:
        StoreError: a page could not be written.
    """
    everywhere: list[list[Any]] = []
    with replacing_folder(folder / "blocks") as blocks:
        for row in index.summary["by_layer"]:
            block = row["layer"]
            rows = index.block(block)
            everywhere += _columns(rows, EVERYWHERE)
            data = {"columns": OF_A_BLOCK, "rows": _columns(rows, OF_A_BLOCK), "texts": index.words}
            path = blocks / f"{block:03d}.html"
            path.write_text(_page(index, block, data), encoding="utf-8")
    data = {"columns": EVERYWHERE, "rows": everywhere}
    write_atomic(folder / "report.html", _page(index, None, data))


def _columns(rows: list[dict[str, Any]], names: tuple[str, ...]) -> list[list[Any]]:
    return [[row[name] for name in names] for row in rows]


def _page(index: Index, block: int | None, data: dict[str, Any]) -> str:
    environment().filters["read"] = read
    written = json.dumps(data, separators=(",", ":"), ensure_ascii=False)
    return render_page(
        "neurons.html.j2",
        style="neuron_style",
        script="neuron_script",
        s=index.summary,
        block=block,
        # Inside a script element only "<" could end it.
        data=Markup(written.replace("<", "\\u003c")),
    )
