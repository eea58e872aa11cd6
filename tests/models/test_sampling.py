"""Sampling: frequencies against a plain reference, and the edges of argmax and inverse CDF."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import stats
from torch import Tensor

from superalign.models.sampling import Sampler, argmax, inverse_cdf

DRAWS = 20_000
LAST = 1 - 2**-24  # the largest number torch.rand gives


def reference(
    logits: Tensor, temperature: float, top_p: float, top_k: int, min_p: float
) -> np.ndarray:
    """The textbook: softmax, then keep k, then the nucleus, then min-p; one row, float64."""
    x = logits.double().numpy() / temperature
    p = np.exp(x - x.max())
    p /= p.sum()
    if top_k:
        p[p < np.sort(p)[-top_k]] = 0
        p /= p.sum()
    if top_p < 1:
        order, mass, kept = np.argsort(-p), 0.0, []
        for i in order:
            if mass >= top_p:
                break
            kept.append(i)
            mass += p[i]
        p[np.setdiff1d(np.arange(len(p)), kept)] = 0
    if min_p:
        p[p < min_p * p.max()] = 0
    return p / p.sum()


OPTIONS = [
    {},
    {"temperature": 0.5},
    {"temperature": 1.7, "top_k": 40},
    {"top_p": 0.8},
    {"top_p": 0.999},
    {"min_p": 0.05},
    {"temperature": 1.3, "top_k": 120, "top_p": 0.9, "min_p": 0.01},
    {"top_k": 1},
    {"top_p": 1e-9},
]


@pytest.mark.parametrize("vocabulary", [5, 300, 1024])
@pytest.mark.parametrize("options", OPTIONS)
def test_frequencies(inner_loop: str, options: dict[str, float], vocabulary: int) -> None:
    full = {"temperature": 1.0, "top_p": 1.0, "top_k": 0, "min_p": 0.0} | options
    generator = torch.Generator().manual_seed(vocabulary)
    logits = 2 * torch.randn(vocabulary, generator=generator)
    full["top_k"] = min(int(full["top_k"]), vocabulary)
    wanted = reference(logits, full["temperature"], full["top_p"], full["top_k"], full["min_p"])
    sampler = Sampler(full["temperature"], full["top_p"], full["top_k"], full["min_p"])
    uniforms = torch.rand(DRAWS, generator=generator)
    tokens, logps = sampler(logits.expand(DRAWS, -1), uniforms)
    counts = np.bincount(tokens.numpy(), minlength=vocabulary)
    assert len(counts) == vocabulary
    assert counts[wanted == 0].sum() == 0
    expected = wanted * DRAWS
    rare = expected < 5
    observed, expected = counts[~rare], expected[~rare]
    if rare.any() and wanted[rare].sum() * DRAWS >= 5:
        observed = np.append(observed, counts[rare].sum())
        expected = np.append(expected, wanted[rare].sum() * DRAWS)
    if len(expected) > 1:
        expected *= observed.sum() / expected.sum()
        assert stats.chisquare(observed, expected).pvalue > 1e-3
    exact = torch.log_softmax(logits, -1)[
        tokens
    ]  # under the unmodified logits, whatever the filter
    torch.testing.assert_close(logps, exact, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("options", OPTIONS[1:])
def test_filters_keep_what_the_reference_keeps(options: dict[str, float]) -> None:
    full = {"temperature": 1.0, "top_p": 1.0, "top_k": 0, "min_p": 0.0} | options
    logits = 3 * torch.randn(16, 500, generator=torch.Generator().manual_seed(0))
    sampler = Sampler(full["temperature"], full["top_p"], int(full["top_k"]), full["min_p"])
    weights = sampler._filter(torch.softmax(logits / full["temperature"], -1))
    for row, kept in zip(logits, weights, strict=True):
        wanted = reference(
            row, full["temperature"], full["top_p"], int(full["top_k"]), full["min_p"]
        )
        assert ((kept > 0).numpy() == (wanted > 0)).all()
        np.testing.assert_allclose((kept / kept.sum()).numpy(), wanted, atol=1e-6)


def test_wide_nucleus_needs_the_full_sort() -> None:
    """More candidates inside the nucleus than the quick look at the largest ones holds."""
    logits = 0.01 * torch.randn(2, 2000, generator=torch.Generator().manual_seed(0))
    kept = Sampler(top_p=0.9)._filter(torch.softmax(logits, -1)) > 0
    wanted = [(reference(row, 1.0, 0.9, 0, 0.0) > 0).sum() for row in logits]
    assert kept.sum(-1).tolist() == wanted


@pytest.mark.parametrize("vocabulary", [1, 2, 127, 128, 129, 300, 512])
def test_argmax_is_torch_argmax(vocabulary: int) -> None:
    generator = torch.Generator().manual_seed(vocabulary)
    x = torch.randn(64, vocabulary, generator=generator)
    assert argmax(x).tolist() == x.argmax(-1).tolist()
    ties = torch.randint(0, 3, (64, vocabulary), generator=generator).float()
    first = [row.index(max(row)) for row in ties.tolist()]
    assert argmax(ties).tolist() == first
    low = torch.full((1, vocabulary), float("-inf"))
    low[0, -1] = -1e30
    assert argmax(low).tolist() == [vocabulary - 1]


@pytest.mark.parametrize("vocabulary", [1, 127, 128, 129, 300, 513])
@pytest.mark.parametrize("share", [0.005, 0.1, 0.9])
def test_zero_weights_are_never_drawn(vocabulary: int, share: float) -> None:
    generator = torch.Generator().manual_seed(vocabulary)
    weights = torch.rand(400, vocabulary, generator=generator)
    weights *= torch.rand(400, vocabulary, generator=generator) < share
    row = torch.arange(400)
    weights[row, torch.randint(vocabulary, (400,), generator=generator)] += 0.5
    for scale in (1.0, 1e-20, 1e20):
        for u in (0.0, 1e-12, 0.5, LAST):
            drawn = inverse_cdf(scale * weights, torch.full((400,), u))
            assert int(drawn.min()) >= 0
            assert int(drawn.max()) < vocabulary
            assert bool((weights[row, drawn] > 0).all())


def test_first_and_last_positive_at_the_ends() -> None:
    weights = torch.zeros(1, 300)
    weights[0, 37], weights[0, 140], weights[0, 141] = 1.0, 2.0, 1.0
    draws = [
        int(inverse_cdf(weights, torch.tensor([u]))) for u in (0.0, 0.2499, 0.2501, 0.74, LAST)
    ]
    assert draws == [37, 37, 140, 140, 141]


def test_every_quantile_is_hit() -> None:
    """With equal weights and evenly spread uniforms each index comes equally often."""
    u = (torch.arange(3000) + 0.5) / 3000
    drawn = inverse_cdf(torch.ones(3000, 300), u)
    assert torch.bincount(drawn).tolist() == [10] * 300


@pytest.mark.parametrize("temperature", [0.02, 1.0])
def test_a_uniform_at_the_ends_draws_something_possible(
    inner_loop: str, temperature: float
) -> None:
    logits = torch.full((3, 400), -200.0)
    logits[0, 5], logits[1, 390], logits[2, 130:140] = 3.0, 3.0, 3.0
    for u in (0.0, 0.5, LAST):
        tokens, _ = Sampler(temperature)(logits, torch.full((3,), u))
        assert (logits[torch.arange(3), tokens] > 0).all()


def test_greedy_logprobs(inner_loop: str) -> None:
    logits = torch.randn(8, 300, generator=torch.Generator().manual_seed(1))
    logits[3, 250:] = logits[3].max() + 1  # of equals the first
    tokens, logps = Sampler(temperature=0)(logits, torch.zeros(8))
    assert tokens.tolist() == logits.argmax(-1).tolist()
    torch.testing.assert_close(logps, logits.log_softmax(-1).amax(-1))
