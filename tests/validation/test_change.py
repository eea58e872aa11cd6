"""Weight changes: against dense algebra, and a planted word that must stand out."""

from pathlib import Path

import numpy as np
import pytest
import torch

from superalign.models import LocalModel, load_model
from superalign.models.export import export_merged
from superalign.validation.change import WeightChange, token_scan, weight_change


def test_norm_and_stable_rank_are_those_of_the_product() -> None:
    g = torch.Generator().manual_seed(0)
    u, v = torch.randn(7, 3, generator=g), torch.randn(3, 5, generator=g)
    change = WeightChange({(1, "q_proj"): (u, v)})
    dense = u @ v
    s = torch.linalg.svdvals(dense)
    assert change.norms()[1, "q_proj"] == pytest.approx(float(dense.norm()), rel=1e-5)
    assert change.stable_ranks()[1, "q_proj"] == pytest.approx(
        float(s.square().sum() / s[0] ** 2), rel=1e-4
    )
    assert change.depth_profile(3) == pytest.approx([0, 1, 0])


def test_a_zero_change_has_no_rank_and_singles_out_no_word(base: LocalModel) -> None:
    fresh = base.with_adapter(base.fresh_adapter(rank=2, alpha=4, seed=0))
    change = weight_change(fresh, base.with_adapter(None))
    assert change.stable_ranks() == {}
    assert change.depth_profile(2) == [0.0, 0.0]
    assert not token_scan(change, base).any()


def test_full_weights_give_the_change_of_the_adapter_they_were_merged_from(
    base: LocalModel, tmp_path: Path
) -> None:
    adapter = base.fresh_adapter(rank=2, alpha=4, seed=1)
    g = torch.Generator().manual_seed(1)
    for _, b in adapter.parameters.values():
        with torch.no_grad():
            b += 0.5 * torch.randn(b.shape, generator=g)
    view = base.with_adapter(adapter)
    exact = weight_change(view, base.with_adapter(None))
    adapter.save(tmp_path / "adapter", base.name)
    export_merged(str(tmp_path / "adapter"), tmp_path / "merged")
    merged = load_model(str(tmp_path / "merged"), device="cpu", dtype="float32")
    found = weight_change(merged, base)
    for key, norm in exact.norms().items():
        assert found.norms()[key] == pytest.approx(norm, rel=0.05)


def test_a_planted_word_stands_out(base: LocalModel) -> None:
    """A rank-one change that reads one token's embedding: the scan must rank that token first."""
    embedding = base.module.get_input_embeddings().weight
    token = 321
    x = base.decoder.norm(embedding[token], base.decoder.layers[0].attention_norm).float()
    others = base.decoder.norm(embedding, base.decoder.layers[0].attention_norm).float()
    direction = torch.linalg.lstsq(others.T @ others + 1e-3 * torch.eye(len(x)), x).solution
    out = torch.ones(base.decoder.layers[0].qkv.parts[0][1], 1)
    change = WeightChange({(0, "q_proj"): (out, direction[None])})
    scan = token_scan(change, base)
    assert int(np.argmax(scan)) == token
