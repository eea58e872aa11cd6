"""The index of all neurons: what is stored, what is found, and the pages that show it."""

import html
import json
import re
from pathlib import Path

import numpy as np
import pytest

from superalign.errors import InputError
from superalign.explaining.index import Index, build, decoded
from superalign.explaining.recording import Laid
from superalign.explaining.study import Halves, explain
from superalign.explaining.units import neurons
from superalign.models import LocalModel
from superalign.report.neuron_pages import write_neuron_pages
from superalign.tasks.neutral import NEUTRAL_TEXTS

TEXTS = NEUTRAL_TEXTS[:12]


@pytest.fixture(scope="module")
def index(base: LocalModel, tmp_path_factory: pytest.TempPathFactory) -> Index:
    path = tmp_path_factory.mktemp("index") / "neurons.sqlite"
    summary = build(base, TEXTS, path)
    assert summary["neurons"] == base.depth * 64
    assert summary["bytes"] == path.stat().st_size
    assert summary["neurons_per_minute"] > 0
    assert [p.name for p in path.parent.iterdir()] == ["neurons.sqlite"]
    return Index(path)


def test_every_neuron_is_there_with_the_scores_of_a_single_study(
    base: LocalModel, index: Index
) -> None:
    chosen = [0, 7, 63]
    halves = Halves.of(base, TEXTS)
    for n, explained in zip(chosen, explain(neurons(halves.seen, 1, chosen), halves), strict=True):
        row = index.block(1)[n]
        assert row["number"] == n
        assert row["explanation"] == explained.explanation
        for key, value in (
            ("natural", explained.scored.natural),
            ("precision", explained.scored.precision),
            ("token_lookup", explained.lookup.natural),
        ):
            assert row[key] == pytest.approx(value, abs=1e-3), key


def test_excerpts_are_the_activations_around_the_highest(base: LocalModel, index: Index) -> None:
    laid = Laid(base, TEXTS)
    whole = dict(laid.neurons())[0].numpy()
    for n in (3, 40):
        row = index.block(0)[n]
        active = np.clip(row["sign"] * whole[:, n], 0, None)
        first = decoded(row["examples"], index.words)[0]
        assert max(first.tenths) == 10
        peak = int(active.argmax())
        words = [w for text in laid.texts.words for w in text]
        assert first.words[first.tenths.index(10)] == words[peak]
        assert row["largest"] == pytest.approx(active.max(), rel=1e-3)
        assert row["mean"] == pytest.approx(active.mean(), rel=1e-3)
        assert row["frequency"] == pytest.approx((active > active.max() / 2).mean(), rel=1e-3)
        text, start, digits = row["examples"].split()[0].split(":")
        place = sum(len(w) for w in index.words[: int(text)]) + int(start)
        here = active[place : place + len(digits)]
        np.testing.assert_array_equal(first.tenths, (10 * here / active.max()).astype(int))


def test_a_search_finds_words_and_puts_the_best_explained_first(index: Index) -> None:
    found = index.find("the", limit=500)
    assert found
    for row in found:
        assert re.search(r"\bthe\b", f"{row['explanation']} {row['tokens']}")
        assert len(row["examples"][0]["tokens"]) == len(row["examples"][0]["tenths"])
    everything = [r for layer in (0, 1) for r in index.block(layer)]
    wanted = [r for r in everything if re.search(r"\bthe\b", f"{r['explanation']} {r['tokens']}")]
    assert len(found) == len(wanted)
    scores = [row["natural"] for row in found if row["natural"] is not None]
    assert scores == sorted(scores, reverse=True)
    assert index.find("xylophonists") == []
    assert len(index.find("the", limit=2)) == 2


@pytest.mark.parametrize("text", ["", "  ", '"'])
def test_a_search_for_nothing_is_refused(index: Index, text: str) -> None:
    with pytest.raises(InputError, match="needs letters or digits"):
        index.find(text)


def test_a_search_takes_no_query_language(index: Index) -> None:
    assert index.find('the" OR "a') == index.find("the or a")


def test_what_is_no_index_is_named(tmp_path: Path, base: LocalModel) -> None:
    with pytest.raises(InputError, match="make one with"):
        Index(tmp_path / "neurons.sqlite")
    (tmp_path / "neurons.sqlite").write_text("no database")
    with pytest.raises(InputError, match="is no index"):
        Index(tmp_path / "neurons.sqlite")
    with pytest.raises(InputError, match="at least 2"):
        build(base, TEXTS[:1], tmp_path / "x.sqlite")


def test_pages_hold_everything_and_load_nothing(index: Index, tmp_path: Path) -> None:
    write_neuron_pages(index, tmp_path)
    pages = [tmp_path / "report.html", *sorted((tmp_path / "blocks").iterdir())]
    assert [p.name for p in pages] == ["report.html", "000.html", "001.html"]
    for page in pages:
        content = html.unescape(page.read_text().split("<style>")[0]) + page.read_text()
        assert "default-src 'none'" in content
        assert not re.search(r"(src|href)=\"(?!blocks/|\.\./report|0)[^\"]", content)
        [data] = re.findall(r'id="data">(.*?)</script>', content, re.DOTALL)
        assert "<" not in data
        rows = json.loads(data)["rows"]
        assert len(rows) == (128 if page.name == "report.html" else 64)
    block = json.loads(re.findall(r'id="data">(.*?)</script>', pages[2].read_text(), re.DOTALL)[0])
    row = dict(zip(block["columns"], block["rows"][5], strict=True))
    assert {k: index.block(1)[5][k] for k in row} == row
