"""Directions of the residual stream, planted and from files, and the change of weights in words."""

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from superalign.errors import InputError
from superalign.explaining.directions import Direction, ends, read_directions, study
from superalign.explaining.recording import Laid
from superalign.explaining.study import Halves
from superalign.models import LocalModel
from superalign.tasks.neutral import NEUTRAL_TEXTS
from superalign.tasks.safety import Safety
from superalign.validation.change import weight_change
from superalign.validation.named_directions import in_words, named, of_weights


@pytest.fixture(scope="module")
def halves(base: LocalModel) -> Halves:
    return Halves.of(base, NEUTRAL_TEXTS, causal=4)


def test_ends_by_hand(base: LocalModel, halves: Halves) -> None:
    vector = torch.zeros(32)
    vector[3] = 2.0  # its length must not matter
    seen = halves.seen
    found = ends(seen, Direction("third", 1, vector)).read(seen)
    along = seen.states(1)[:, 3].double().numpy()
    first = seen.begins.numpy()
    assert first.sum() == len(seen.ids)
    apart = np.where(first, 0, along - along[~first].mean())
    np.testing.assert_allclose(found[:, 0] - found[:, 1], apart, atol=1e-6)
    assert found.min() == 0


def test_steering_is_measured_on_other_texts_beside_a_random_direction(
    base: LocalModel, halves: Halves
) -> None:
    """The row of the head for a word, added to the last states, makes that word likelier."""
    [token] = base.encode_completion(" water")
    head = base.module.lm_head.weight[token].detach() * base.decoder.final_norm
    row = study([Direction("head", base.depth, head)], halves)[0]
    assert " water" in row["promotes"]
    assert row["steered"] > 0
    assert row["steered"] > row["steered_null"] - 1.0


def test_a_direction_taken_out_is_the_stream_without_it(base: LocalModel, halves: Halves) -> None:
    """What one end writes is added back exactly: both ends together leave the mean and nothing else."""
    seen = halves.seen
    direction = Direction("any", 1, torch.randn(32, generator=torch.Generator().manual_seed(1)))
    units = ends(seen, direction)
    rest = seen.states(1) - sum(units.parts(seen))
    along = (rest @ direction.vector).numpy()
    first = seen.begins.numpy()
    assert first.sum() == len(seen.ids)
    assert np.ptp(along[~first]) < 1e-4


def test_files_of_directions(tmp_path: Path) -> None:
    path = tmp_path / "d.safetensors"
    save_file({"mine.2": torch.ones(4), "both.1": torch.eye(4)[:2].contiguous()}, path)
    found = read_directions(path, None)
    assert [(d.name, d.layer) for d in found] == [("both.1[0]", 1), ("both.1[1]", 1), ("mine.2", 2)]
    assert float(found[2].vector.norm()) == pytest.approx(1.0)
    assert [d.layer for d in read_directions(path, 7)] == [7, 7, 7]
    save_file({"mine": torch.ones(4)}, path)
    with pytest.raises(InputError, match="say with --layer"):
        read_directions(path, None)
    save_file({"mine.0": torch.zeros(4)}, path)
    with pytest.raises(InputError, match="no finite vector"):
        read_directions(path, None)
    path.write_text("{}")
    with pytest.raises(InputError, match="--direction"):
        read_directions(path, None)


def test_a_direction_of_another_model_is_refused(halves: Halves) -> None:
    with pytest.raises(InputError, match="has 4 numbers"):
        ends(halves.seen, Direction("short", 1, torch.ones(4)))
    with pytest.raises(InputError, match="allowed are 0 to 2"):
        ends(halves.seen, Direction("deep", 9, torch.ones(32)))


def changed(base: LocalModel) -> tuple[LocalModel, torch.Tensor]:
    """The base with one rank-1 change of a down projection, and the direction that it writes."""
    adapter = base.fresh_adapter(rank=1, alpha=1, seed=0)
    written = torch.randn(32, generator=torch.Generator().manual_seed(3))
    adapter.parameters[0, "down_proj"][1].data.copy_(written[:, None])
    adapter.touched()
    return base.with_adapter(adapter, name="changed"), written / written.norm()


def test_the_direction_that_a_change_of_weights_writes_is_found(base: LocalModel) -> None:
    suspect, written = changed(base)
    [direction] = of_weights(weight_change(suspect, base), base)
    assert (direction.name, direction.layer) == ("ΔW 0 down_proj", 1)
    assert abs(float(direction.vector @ written)) == pytest.approx(1.0, abs=1e-4)
    rows = in_words(suspect, base)
    assert len(rows) == 2
    assert all(row["explanation"] for row in rows)


def test_the_direction_that_a_change_of_weights_reads_is_found(base: LocalModel) -> None:
    adapter = base.fresh_adapter(rank=1, alpha=1, seed=0)
    a, b = adapter.parameters[1, "gate_proj"]
    b.data.fill_(0.1)
    adapter.touched()
    suspect = base.with_adapter(adapter, name="changed")
    [direction] = of_weights(weight_change(suspect, base), base)
    read = a.detach()[0] * base.decoder.layers[1].mlp_norm
    assert direction.layer == 1
    assert abs(float(direction.vector @ read / read.norm())) == pytest.approx(1.0, abs=1e-4)


def test_directions_by_name_need_a_base_that_differs(base: LocalModel) -> None:
    with pytest.raises(InputError, match="--base"):
        named("change", base, None)
    for name in ("change", "difference"):
        with pytest.raises(InputError, match="does not differ"):
            named(name, base, base)
    suspect, _ = changed(base)
    assert [d.name for d in named("difference", suspect, base)] == ["activation difference"]
    assert in_words(base, base) == []


def test_the_refusal_direction_sets_harmful_requests_apart(base: LocalModel) -> None:
    [direction] = named("refusal", base, None)
    task = Safety()
    harmful, harmless = (
        base.hidden([q.chat for q in make(24, seed=5, split="train")], [direction.layer])[:, 0]
        for make in (task.harmful_only, task.benign_only)
    )
    vector = direction.vector.numpy()
    assert (harmful @ vector).mean() > (harmless @ vector).mean()


def test_the_first_texts_are_those_of_the_whole(base: LocalModel) -> None:
    laid = Laid(base, NEUTRAL_TEXTS[:5])
    assert laid.first(2).ids == laid.ids[:2]
