"""A network with planted neurons: their explanations are known, and have to be found."""

from collections import Counter

import numpy as np
import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

import toy
from superalign.explaining.directions import Direction, study
from superalign.explaining.recording import Laid
from superalign.explaining.study import Explained, Halves, explain
from superalign.explaining.units import neurons
from superalign.models import LocalModel
from superalign.tasks.neutral import NEUTRAL_TEXTS

WIDTH, PLANTED = 128, 24
TEXTS = NEUTRAL_TEXTS[:28]


def name(model: LocalModel, token: int) -> str:
    """As an explanation writes it: with case and space left out."""
    return repr(model.tokenizer.decode([token]).strip().lower() or "<space>")


def detectors(model: LocalModel) -> list[tuple[int, ...]]:
    """Token sets, one to three tokens each, that occur in both halves of the texts."""
    ids = Laid(model, TEXTS).ids
    seen, unseen = (Counter(t for row in ids[k::2] for t in row) for k in (0, 1))
    names = Counter(name(model, t) for t in {*seen, *unseen})
    known = sorted(
        t for t in seen if seen[t] >= 4 and unseen[t] >= 4 and names[name(model, t)] == 1
    )
    rng = np.random.default_rng(0)
    return [
        tuple(int(t) for t in rng.choice(known, 1 + i % 3, replace=False)) for i in range(PLANTED)
    ]


@pytest.fixture(scope="module")
def model() -> LocalModel:
    """One block without attention, whose neurons are silent until ``plant`` gives them a rule."""
    words = toy.tokenizer()
    config = LlamaConfig(
        vocab_size=len(words), hidden_size=WIDTH, intermediate_size=64, num_hidden_layers=1,
        num_attention_heads=4, num_key_value_heads=2, initializer_range=0.5,
        eos_token_id=words.eos_token_id, pad_token_id=words.pad_token_id,
    )  # fmt: skip
    with torch.random.fork_rng():
        torch.manual_seed(0)
        module = LlamaForCausalLM(config).eval()
    found = LocalModel("planted", module, words)
    plant(found, detectors(found))
    return found


@torch.no_grad()
def plant(model: LocalModel, sets: list[tuple[int, ...]]) -> None:
    """Neuron i fires on the tokens of set i alone: its gate and its up row are their embeddings' sum,
    which are orthogonal to one another and to all other tokens'."""
    block = model.module.model.layers[0]
    block.self_attn.o_proj.weight.zero_()
    embedding = model.module.model.embed_tokens.weight
    own = sorted({t for tokens in sets for t in tokens})
    basis = torch.linalg.qr(embedding[own].T).Q
    embedding.sub_(embedding @ basis @ basis.T)
    embedding[own] = basis.T * WIDTH**0.5
    for i, tokens in enumerate(sets):
        direction = sum(embedding[t] / embedding[t].norm() for t in tokens)
        block.mlp.gate_proj.weight[i] = direction
        block.mlp.up_proj.weight[i] = direction


@pytest.fixture(scope="module")
def found(model: LocalModel) -> list[Explained]:
    halves = Halves.of(model, TEXTS, causal=3)
    return explain(neurons(halves.seen, 0, range(PLANTED)), halves)


def test_planted_neurons_are_recovered(model: LocalModel, found: list[Explained]) -> None:
    recovered = 0
    for neuron, tokens in zip(found, detectors(model), strict=True):
        named = neuron.explanation.split(": ", 1)[1].split(", ")[: len(tokens)]
        planted = {name(model, t) for t in tokens}
        natural = neuron.scored.natural
        recovered += natural is not None and natural > 0.9 and set(named) <= planted
    assert recovered / PLANTED >= 0.9


def test_nulls_are_at_chance(found: list[Explained]) -> None:
    nulls = [n.null.natural for n in found if n.null.natural is not None]
    assert len(nulls) >= 20
    assert abs(float(np.mean(nulls))) < 0.05


def test_what_an_explanation_predicts_is_what_ablation_changes(found: list[Explained]) -> None:
    """A planted neuron writes where it fires and nowhere else."""
    causal = [n.causal for n in found if n.causal is not None]
    nulls = [n.causal_null for n in found if n.causal_null is not None]
    assert float(np.mean(causal)) > 0.5
    assert abs(float(np.mean(nulls))) < 0.1


def test_planted_directions_are_recovered_too(model: LocalModel) -> None:
    """A direction of the embeddings of a token set is that set's, and no other token lies along it."""
    embedding = model.module.model.embed_tokens.weight.detach()
    sets = detectors(model)
    planted = [
        Direction(str(i), 0, torch.stack([embedding[t] for t in tokens]).sum(0))
        for i, tokens in enumerate(sets)
    ]
    rows = study(planted, Halves.of(model, TEXTS), steer=False)[0::2]
    recovered = 0
    for row, tokens in zip(rows, sets, strict=True):
        named = row["explanation"].split(": ", 1)[1].split(", ")[: len(tokens)]
        names = {name(model, t) for t in tokens}
        recovered += row["scored"]["natural"] > 0.9 and set(named) <= names
    assert recovered / PLANTED >= 0.9
    assert abs(float(np.mean([row["null"]["natural"] for row in rows]))) < 0.05
