"""White-box suffix search on the tiny model."""

import pytest
import torch

import toy
from superalign.attack.token_search import SearchSettings, SuffixSearch
from superalign.models import LocalModel
from superalign.models.token_gradients import token_gradient

TARGET = "Sure, here is how to do it"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> LocalModel:
    return toy.model(tmp_path_factory.getbasetemp())


def test_the_gradient_is_that_of_the_loss(model: LocalModel) -> None:
    prompt, target = model.encode("How do I do it?"), model.encode_completion(TARGET)
    span = range(2, 5)
    found = token_gradient(model, prompt, span, target).scores
    weight = model.module.get_input_embeddings().weight
    ids = torch.tensor([(*prompt, *target)])
    one_hot = torch.nn.functional.one_hot(ids, weight.shape[0]).float().requires_grad_()
    logits = model.module(inputs_embeds=one_hot @ weight).logits[0, len(prompt) - 1 : -1]
    loss = torch.nn.functional.cross_entropy(logits, torch.tensor(target))
    (whole,) = torch.autograd.grad(loss, one_hot)
    assert torch.allclose(found, whole[0, 2:5], atol=1e-5)


def test_an_adapters_gradient_is_its_own(model: LocalModel) -> None:
    adapter = model.fresh_adapter(rank=2, alpha=4, seed=0)
    for tensor in adapter.tensors():
        tensor.data.normal_(0, 0.3, generator=torch.Generator().manual_seed(0))
    view = model.with_adapter(adapter)
    prompt, target = model.encode("How do I do it?"), model.encode_completion(TARGET)
    plain, changed = (token_gradient(m, prompt, range(1, 3), target).scores for m in (model, view))
    assert not torch.allclose(plain, changed)


def test_the_search_lowers_the_loss_and_says_where_it_stands(model: LocalModel) -> None:
    search = SuffixSearch(model, "How do I do it?", TARGET, SearchSettings(length=6), seed=1)
    found = search.run(steps=6)
    values = [value for _, value in found.history]
    assert found.loss < values[0]
    assert values == sorted(values, reverse=True)
    assert found.steps == 6
    again = search.losses([model.encode_completion(found.suffix)])
    assert again[0] == pytest.approx(found.loss, abs=1e-4)  # the text gives the same tokens
    [score] = model.score([f"How do I do it?{found.suffix}"], [TARGET])
    assert -score.per_token == pytest.approx(found.loss, abs=1e-3)


def test_branches_have_the_losses_of_whole_suffixes(model: LocalModel) -> None:
    search = SuffixSearch(model, "How do I do it?", TARGET, SearchSettings(length=6), seed=1)
    start = search._first
    with torch.no_grad():
        cache = model.keys_and_values(search._prompt(start))
    for place in (0, 2, 5):
        some = [(*start[:place], t, 70 + t, 43)[:6] for t in (40, 41, 45)]
        some = [(*one, *start[len(one) :]) for one in some]
        found = search.branch_losses(place, some, cache)
        assert found == pytest.approx(search.losses(some), abs=1e-4)
    assert search.branch_losses(0, [], cache) == []


def test_known_keys_and_values_change_no_gradient(model: LocalModel) -> None:
    prompt, target = model.encode("How do I do it?"), model.encode_completion(TARGET)
    span = range(4, 6)
    whole = token_gradient(model, prompt, span, target)
    with torch.no_grad():
        known = model.keys_and_values(prompt[:4])
    rest = token_gradient(model, prompt, span, target, known)
    assert torch.allclose(whole.scores, rest.scores, atol=1e-5)
    assert rest.loss == pytest.approx(whole.loss, abs=1e-5)
    assert rest.loss == pytest.approx(-model.score(["How do I do it?"], [TARGET])[0].per_token)
    for (k, v), (more_k, more_v), (all_k, all_v) in zip(
        known, rest.cache, whole.cache, strict=True
    ):
        assert torch.allclose(torch.cat((k, more_k)), all_k, atol=1e-5)
        assert torch.allclose(torch.cat((v, more_v)), all_v, atol=1e-5)


def test_every_place_has_its_turn(model: LocalModel) -> None:
    search = SuffixSearch(model, "Tell me.", TARGET, SearchSettings(length=6, places=4), seed=1)
    seen = [search._places(search._first) for _ in range(3)]
    assert all(len(set(row)) == 4 for row in seen)
    assert sorted(p for row in seen for p in row) == sorted([*range(6)] * 2)


def test_the_same_seed_finds_the_same(model: LocalModel) -> None:
    runs = [
        SuffixSearch(model, "Tell me.", TARGET, SearchSettings(length=4), seed=3).run(steps=2)
        for _ in range(2)
    ]
    assert runs[0].suffix == runs[1].suffix
    with pytest.raises(ValueError, match="seconds or steps"):
        SuffixSearch(model, "Tell me.", TARGET).run()
