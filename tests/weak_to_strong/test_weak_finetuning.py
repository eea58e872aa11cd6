"""Fine-tuned and tuned students on the tiny model."""

from pathlib import Path

import numpy as np
import pytest
import torch
import weak_toy

import toy
from superalign.models import LocalModel
from superalign.weak_to_strong import tuning
from superalign.weak_to_strong.finetuning import Recipe, finetune, log_confidence_target
from superalign.weak_to_strong.heads import one_hot
from superalign.weak_to_strong.settings import TaskSource
from superalign.weak_to_strong.student import read
from superalign.weak_to_strong.tasks import load_task


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> LocalModel:
    return toy.model(tmp_path_factory.getbasetemp())


@pytest.mark.parametrize("kind", ["lora", "full"])
@pytest.mark.parametrize("loss", ["xent", "logconf"])
def test_a_fine_tuned_student_learns_what_one_word_tells(
    model: LocalModel, loss: str, kind: str
) -> None:
    rng = np.random.default_rng(0)
    labels = np.arange(48) % 2
    texts = [
        f"{'good' if t else 'awful'} {rng.choice(weak_toy.FILLER)} {'good' if t else 'awful'}"
        for t in labels
    ]
    ids = [model.encode(t, raw=True) for t in texts]
    recipe = Recipe(loss, kind, epochs=6, batch=8, learning_rate=1e-2)  # type: ignore[arg-type]
    before = model.weight_hash, model.decoder.layers[0].qkv.weight.clone()
    p = finetune(model, ids, one_hot(labels, 2), ids, recipe, seed=0)
    assert (p.argmax(1) == labels).mean() > 0.9
    assert p.sum(1) == pytest.approx(np.ones(48))
    assert model.weight_hash == before[0]
    assert torch.equal(model.decoder.layers[0].qkv.weight, before[1])
    again = finetune(model, ids, one_hot(labels, 2), ids, recipe, seed=0)
    assert (p == again).all()


def test_the_log_confidence_target_by_hand() -> None:
    """Weak mean of class 1 is 1/2: the upper half of the student's own answers is hardened to 1."""
    p = torch.tensor([0.9, 0.6, 0.3, 0.2])
    z = torch.stack([torch.zeros(4), torch.log(p / (1 - p))], 1)
    y = torch.tensor([[0.2, 0.8], [0.8, 0.2], [0.5, 0.5], [0.5, 0.5]])
    found = log_confidence_target(z, y, 0.5)
    assert found[:, 1].tolist() == pytest.approx([0.9, 0.6, 0.25, 0.25])
    assert torch.equal(log_confidence_target(z, y, 0.0), y)


def test_tuning_sees_no_test_text_and_is_kept(
    model: LocalModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = weak_toy.write(tmp_path / "r.jsonl", weak_toy.reviews(90))
    task = load_task(TaskSource(path=str(path)), 1000)
    seen: list[int] = []
    real = tuning.train_offline
    monkeypatch.setattr(
        tuning, "train_offline", lambda v, e, *a, **k: seen.append(len(e)) or real(v, e, *a, **k)
    )
    first = read(model, task, 40, tmp_path / "cache", tune=True)
    again = read(model, task, 40, tmp_path / "cache", tune=True)
    assert seen == [60]
    assert first.tuned is not None
    assert again.tuned is not None
    assert (first.tuned == again.tuned).all()
    assert not np.allclose(first.tuned, first.views["plain"])
    assert read(model, task, 40, tmp_path / "cache").tuned is None
