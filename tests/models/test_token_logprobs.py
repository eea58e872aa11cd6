"""Log-probabilities and divergences by chunks against a plain softmax in float64."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from superalign.models import token_logprobs as made
from superalign.models.token_logprobs import Head, token_divergences, token_logprobs

C, D, V = 23, 16, 301


def given(rows: int = C, seed: int = 0) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Hidden states, those of a reference, the head and targets."""
    generator = torch.Generator().manual_seed(seed)
    hidden, reference = (torch.randn(rows, D, generator=generator) for _ in range(2))
    return (
        hidden,
        hidden + 0.3 * reference,
        torch.randn(V, D, generator=generator),
        torch.randint(V, (rows,), generator=generator),
    )


def plain_divergences(hidden: Tensor, reference: Tensor, head: Tensor) -> Tensor:
    p, q = torch.softmax(reference @ head.T, -1), torch.softmax(hidden @ head.T, -1)
    return (p * (p / q).log()).sum(-1)


def plain_logprobs(hidden: Tensor, head: Tensor, target: Tensor) -> Tensor:
    p = torch.softmax(hidden @ head.T, -1)
    return p[torch.arange(len(target)), target].log()


def with_gradient(values: Tensor, hidden: Tensor) -> tuple[Tensor, Tensor]:
    """Values and the gradient of a sum that weighs every row differently."""
    weights = torch.linspace(-1, 2, len(values), dtype=values.dtype)
    (gradient,) = torch.autograd.grad((weights * values).sum(), hidden)
    return values.detach(), gradient


@pytest.mark.parametrize("chunk", [1, 7, 256])
def test_divergences_equal_a_plain_softmax(monkeypatch: pytest.MonkeyPatch, chunk: int) -> None:
    monkeypatch.setattr(made, "CHUNK", chunk)
    hidden, reference, head, _ = given()
    hidden.requires_grad_()
    double = hidden.detach().double().requires_grad_()
    found = with_gradient(token_divergences(hidden, reference, Head(head)), hidden)
    wanted = with_gradient(plain_divergences(double, reference.double(), head.double()), double)
    assert found[0].dtype == torch.float32
    assert float(wanted[0].min()) > 0.01
    for a, b in zip(found, wanted, strict=True):
        torch.testing.assert_close(a.double(), b, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("chunk", [1, 7, 256])
def test_logprobs_equal_a_plain_softmax(monkeypatch: pytest.MonkeyPatch, chunk: int) -> None:
    monkeypatch.setattr(made, "CHUNK", chunk)
    hidden, _, head, target = given()
    with torch.no_grad():
        without = token_logprobs(hidden, Head(head), target)
    hidden.requires_grad_()
    double = hidden.detach().double().requires_grad_()
    found = with_gradient(token_logprobs(hidden, Head(head), target), hidden)
    wanted = with_gradient(plain_logprobs(double, head.double(), target), double)
    torch.testing.assert_close(without, found[0], atol=1e-5, rtol=1e-4)
    for a, b in zip(found, wanted, strict=True):
        torch.testing.assert_close(a.double(), b, atol=1e-5, rtol=1e-4)


def test_the_default_chunk_is_exceeded_without_a_seam() -> None:
    hidden, reference, head, _ = given(made.CHUNK + 3, seed=1)
    found = token_divergences(hidden, reference, Head(head))
    wanted = plain_divergences(hidden.double(), reference.double(), head.double())
    torch.testing.assert_close(found.double(), wanted, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_there_is_no_divergence_from_oneself(dtype: torch.dtype) -> None:
    hidden, _, head, _ = (x.to(dtype) if x.is_floating_point() else x for x in given())
    hidden.requires_grad_()
    values, gradient = with_gradient(token_divergences(hidden, hidden.detach(), Head(head)), hidden)
    torch.testing.assert_close(values, torch.zeros(C), atol=1e-6, rtol=0)
    assert gradient.dtype == dtype
    torch.testing.assert_close(gradient, torch.zeros_like(hidden), atol=1e-6, rtol=0)


def test_a_divergence_is_of_the_reference_and_not_of_the_model() -> None:
    """KL(p ‖ q) and KL(q ‖ p) differ; the gradient reaches the model's side alone."""
    hidden, reference, head, _ = given()
    one, two = (
        token_divergences(hidden, reference, Head(head)),
        token_divergences(reference, hidden, Head(head)),
    )
    assert float((one - two).abs().max()) > 0.01
    hidden.requires_grad_()
    reference.requires_grad_()
    token_divergences(hidden, reference, Head(head)).sum().backward()
    assert hidden.grad is not None
    assert reference.grad is None


def test_nothing_gives_nothing() -> None:
    hidden, reference, head, _ = given(0)
    assert token_divergences(hidden, reference, Head(head)).shape == (0,)
