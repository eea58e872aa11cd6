"""A sparse autoencoder on a dictionary that is known, and as units of a model."""

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from superalign.errors import InputError
from superalign.explaining.sparse_autoencoder import (
    SparseAutoencoder,
    alive,
    features,
    later_states,
    quality,
    train,
)
from superalign.explaining.study import Halves, explain
from superalign.models import LocalModel
from superalign.tasks.neutral import NEUTRAL_TEXTS

WIDTH, PLANTED, AT_ONCE = 32, 40, 3


def planted(n: int, seed: int, dictionary: torch.Tensor) -> torch.Tensor:
    """States that are each a sum of three features, between 1 and 2 of each."""
    rng = np.random.default_rng(seed)
    active = np.zeros((n, len(dictionary)), dtype=np.float32)
    for row in active:
        row[rng.choice(len(dictionary), AT_ONCE, replace=False)] = rng.uniform(1, 2, AT_ONCE)
    return torch.from_numpy(active) @ dictionary + 0.5


@pytest.fixture(scope="module")
def dictionary() -> torch.Tensor:
    found = torch.randn(PLANTED, WIDTH, generator=torch.Generator().manual_seed(7))
    return found / found.norm(dim=1, keepdim=True)


@pytest.fixture(scope="module")
def trained(dictionary: torch.Tensor) -> SparseAutoencoder:
    return train(planted(6000, 0, dictionary), PLANTED + 8, kept=AT_ONCE, steps=800)


def recovered(found: SparseAutoencoder, dictionary: torch.Tensor) -> float:
    """Share of the planted features to which some feature's decoder row has a cosine above 0.9."""
    cosines = dictionary @ found.decoder.T
    return float((cosines.max(1).values > 0.9).float().mean())


def test_a_planted_dictionary_is_recovered_and_the_null_is_at_chance(
    trained: SparseAutoencoder, dictionary: torch.Tensor
) -> None:
    assert recovered(trained, dictionary) >= 0.9
    untrained = train(planted(600, 0, dictionary), PLANTED + 8, kept=AT_ONCE, steps=0)
    assert recovered(untrained, dictionary) <= 0.05
    mixed = planted(6000, 0, dictionary)
    noise = torch.randn(mixed.shape, generator=torch.Generator().manual_seed(0)) * mixed.std()
    assert recovered(train(noise, PLANTED + 8, kept=AT_ONCE, steps=300), dictionary) <= 0.05


def test_quality_on_states_it_has_not_seen(
    trained: SparseAutoencoder, dictionary: torch.Tensor
) -> None:
    found = quality(trained, planted(2000, 1, dictionary))
    assert found["variance_explained"] > 0.9
    assert found["l0"] <= AT_ONCE
    assert (found["features"], found["tokens"]) == (PLANTED + 8, 2000)


def test_quality_by_hand() -> None:
    """One feature that reads the first coordinate: all of its variance and none of the second's."""
    found = SparseAutoencoder(
        torch.tensor([[1.0], [0.0]]), torch.zeros(1), torch.tensor([[1.0, 0.0]]), torch.zeros(2)
    )
    states = torch.tensor([[1.0, 0.0], [3.0, 1.0], [2.0, 2.0]])
    got = quality(found, states)
    assert got["variance_explained"] == pytest.approx(1 - (0 + 1 + 4) / (2 + 2))
    assert (got["l0"], got["silent"]) == (1.0, 0)


def test_saved_and_loaded_it_is_the_same(
    trained: SparseAutoencoder, tmp_path: Path, dictionary: torch.Tensor
) -> None:
    trained.save(tmp_path / "sae.safetensors")
    again = SparseAutoencoder.load(tmp_path / "sae.safetensors")
    assert again.kept == AT_ONCE
    states = planted(50, 2, dictionary)
    torch.testing.assert_close(again.encode(states), trained.encode(states))


def test_a_strangers_file_keeps_its_reconstruction(tmp_path: Path) -> None:
    """Its decoder rows are of any length; what it makes of a state must not change."""
    g = torch.Generator().manual_seed(0)
    tensors = {
        "W_enc": torch.randn(6, 9, generator=g), "b_enc": torch.randn(9, generator=g),
        "W_dec": torch.randn(9, 6, generator=g), "b_dec": torch.randn(6, generator=g),
    }  # fmt: skip
    save_file({**tensors, "extra": torch.zeros(1)}, tmp_path / "s.safetensors")
    found = SparseAutoencoder.load(tmp_path / "s.safetensors")
    x = torch.randn(5, 6, generator=g)
    active = torch.relu((x - tensors["b_dec"]) @ tensors["W_enc"] + tensors["b_enc"])
    torch.testing.assert_close(
        found.decode(found.encode(x)), active @ tensors["W_dec"] + tensors["b_dec"]
    )
    torch.testing.assert_close(found.decoder.norm(dim=1), torch.ones(9))


def test_files_that_do_not_fit_are_named(tmp_path: Path) -> None:
    path = tmp_path / "s.safetensors"
    with pytest.raises(InputError, match="--features"):
        SparseAutoencoder.load(path)
    save_file({"W_enc": torch.ones(2, 3)}, path)
    with pytest.raises(InputError, match="no b_enc, W_dec, b_dec"):
        SparseAutoencoder.load(path)
    shapes = {"W_enc": (2, 3), "b_enc": (3,), "W_dec": (2, 3), "b_dec": (3,)}
    save_file({name: torch.ones(*shape) for name, shape in shapes.items()}, path)
    with pytest.raises(InputError, match="do not fit"):
        SparseAutoencoder.load(path)


def test_features_of_a_model_are_explained_and_tested(base: LocalModel) -> None:
    halves = Halves.of(base, NEUTRAL_TEXTS, causal=2)
    found = train(later_states(halves.seen, 1), 64, kept=4, steps=200)
    chosen = alive(found, 1, halves.seen, 5, seed=0)
    units = features(found, 1, halves.seen, chosen)
    rows = explain(units, halves)
    assert [r.name for r in rows] == [f"feature {i}" for i in chosen]
    assert any(r.causal is not None for r in rows)
    assert units.read(halves.seen)[0].max() == 0  # a text's first token
    with pytest.raises(InputError, match="width 24"):
        features(train(torch.randn(9, 24), 8, steps=0), 1, halves.seen, [0])
