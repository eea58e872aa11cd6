"""Full fine-tuning against plain transformers and torch, and such a model in the zoo."""

import copy
from pathlib import Path

import pytest
import torch

from superalign.config import LearnerConfig
from superalign.learner.examples import Example
from superalign.learner.optimisation import pace
from superalign.models import LocalModel
from superalign.models.packing import Tree
from superalign.stress.fine_tuning import fine_tuned
from superalign.stress.recipe import FULL, Recipe
from superalign.stress.zoo import Zoo
from superalign.validation.change import weight_change

SETTINGS = LearnerConfig(
    algorithm="sft", learning_rate=1e-3, epochs=2, batch_tokens=64, warmup=0.1, max_grad_norm=0.5
)


def examples(model: LocalModel) -> list[Example]:
    pairs = [("What is red?", "Blood."), ("Say it.", "I can't, not today."), ("Why?", "Because.")]
    return [
        Example(Tree(model.encode(q), (model.encode_completion(a, end=True),)), 1.0, 1.0)
        for q, a in pairs
    ]


def plainly(base: LocalModel, rows: list[Example], config: LearnerConfig) -> torch.nn.Module:
    """The same training of the same matrices, written with transformers and autograd alone."""
    module = copy.deepcopy(base.module).float()
    names = [n for n, p in module.named_parameters() if "layers" in n and p.ndim == 2]
    for name, parameter in module.named_parameters():
        parameter.requires_grad_(name in names)
    learnt = [p for p in module.parameters() if p.requires_grad]
    adam = torch.optim.AdamW(learnt, config.learning_rate, (0.9, 0.99), weight_decay=0.0)
    for step in range(config.epochs):  # all rows fit one step
        for group in adam.param_groups:
            group["lr"] = config.learning_rate * pace(step, config.epochs, config.warmup)
        for row in rows:
            prompt, [answer] = row.tree.prompt, row.tree.completions
            logits = module(torch.tensor([[*prompt, *answer]])).logits[0, len(prompt) - 1 : -1]
            logp = logits.log_softmax(-1)[range(len(answer)), list(answer)]
            (-logp.mean() / len(rows)).backward()
        torch.nn.utils.clip_grad_norm_(learnt, config.max_grad_norm)
        adam.step()
        adam.zero_grad()
    return module


def test_it_is_adamw_on_every_matrix_and_nothing_else(base: LocalModel) -> None:
    rows, before = examples(base), base.weight_hash
    settings = SETTINGS.model_copy(update={"batch_tokens": 10_000})
    ours = fine_tuned(base, rows, settings, seed=0).module.state_dict()
    theirs = plainly(base, rows, settings).state_dict()
    start = base.module.state_dict()
    assert base.weight_hash == before
    for name, value in theirs.items():
        torch.testing.assert_close(ours[name], value, atol=2e-5, rtol=0)
        moved = not torch.equal(ours[name], start[name])
        assert moved is ("layers" in name and value.ndim == 2)


def test_it_learns_what_it_is_shown(base: LocalModel) -> None:
    rows = examples(base)
    settings = SETTINGS.model_copy(update={"epochs": 20})
    tuned = fine_tuned(base, rows, settings, seed=0)

    def likelihood(model: LocalModel) -> float:
        return sum(float(x.sum()) for [x] in model.tree_logprobs([r.tree for r in rows]))

    assert likelihood(tuned) > likelihood(base.with_adapter(None)) + 3


def test_a_zoo_keeps_the_whole_model_and_opens_it_as_it_was_checked(
    base: LocalModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("superalign.stress.zoo.SHOWN", 0.0)
    recipe = Recipe("organism", "sandbagging", base.base_hash, rank=FULL)
    assert recipe.title == "sandbagging/plain full s0"
    [member] = Zoo(tmp_path, base).build([recipe])
    assert member.check is not None
    assert (member.folder / "model.safetensors").is_file()
    assert not (member.folder / "adapter_config.json").exists()
    stamp = (member.folder / "model.safetensors").stat().st_mtime_ns
    [again] = Zoo(tmp_path, base).build([recipe])
    assert (again.folder / "model.safetensors").stat().st_mtime_ns == stamp
    opened = again.opened(base)
    assert opened.name == recipe.title
    change = weight_change(opened, base.with_adapter(None))
    assert len(change.factors) == 7 * base.depth
    assert min(change.norms().values()) > 0
