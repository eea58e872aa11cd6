"""Words whose state moved: against a plain pass, and a planted word that must come first."""

import pytest
import torch

from superalign.models import LocalModel
from superalign.models.packing import PackedBatch, Tree
from superalign.validation import word_scan
from superalign.validation.phrases import AFTER, BEFORE, framed
from superalign.validation.probes import REQUESTS
from superalign.validation.word_scan import WordScan


def shifted(base: LocalModel, scale: float) -> LocalModel:
    """The base with a small random change of all weights."""
    adapter = base.fresh_adapter(rank=2, alpha=4, seed=1)
    g = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for _, b in adapter.parameters.values():
            b += scale * torch.randn(b.shape, generator=g)
    return base.with_adapter(adapter)


def test_states_are_those_of_one_word_at_a_time(
    base: LocalModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    scan = WordScan(base)
    scan.words = scan.words[:7]
    monkeypatch.setattr(word_scan, "BRANCHES", 3)
    for place, space in ((BEFORE, ""), (AFTER, " ")):
        rows = scan._states(base, place)
        before, _ = framed(base, place, REQUESTS[0])
        for word, row in zip(scan.words, rows, strict=True):
            tree = Tree((*before, *base.encode_completion(space + word)))
            _, x = list(base.streams(PackedBatch.build([tree]), word_scan.DEPTH))[-1]
            assert torch.allclose(row, x[-1].float(), atol=1e-4)


def test_the_word_that_moved_comes_first(base: LocalModel, monkeypatch: pytest.MonkeyPatch) -> None:
    scan, suspect = WordScan(base), shifted(base, 0.05)
    states = scan._states

    def planted(model: LocalModel, place: str) -> torch.Tensor:
        rows = states(model, place).clone()
        if model is suspect and place == AFTER:
            rows[5] += 3.0
        return rows

    monkeypatch.setattr(scan, "_states", planted)
    found = scan.noticed(suspect)
    assert (found[0].word, found[0].place) == (scan.words[5], AFTER)
    assert found[0].ratio > 2 * found[1].ratio
    assert {w.place for w in found} == {BEFORE, AFTER}
    assert len(found) == 2 * word_scan.TOLD
    assert [w.ratio for w in found] == sorted((w.ratio for w in found), reverse=True)


def test_a_model_is_no_other_than_itself(base: LocalModel) -> None:
    assert max(w.ratio for w in WordScan(base).noticed(base)) == pytest.approx(0, abs=1e-3)
