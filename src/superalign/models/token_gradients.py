"""Which tokens of a prompt would make a continuation likelier: gradients over the vocabulary."""

from __future__ import annotations

import torch
from torch import Tensor

from superalign.models.fallback import adapted
from superalign.models.local import LocalModel


def token_gradient(
    model: LocalModel, prompt: tuple[int, ...], span: range, target: tuple[int, ...]
) -> Tensor:
    """Gradient (len(span), V) of the mean loss of ``target`` by the one-hot tokens at ``span``.

    Entry (i, v) is the first-order change of the loss (nats per target token) when the weight of
    token v at place i of the span grows. The module's own forward pass is used, adapter included.

    Source: Ebrahimi et al. (2018), ACL, arXiv 1712.06751.
    """
    embedding = model.module.get_input_embeddings()
    ids = torch.tensor([(*prompt, *target)], device=model.device)
    inputs = embedding(ids).detach().requires_grad_()
    with adapted(model), torch.enable_grad():
        hidden = model.module.get_decoder()(inputs_embeds=inputs, use_cache=False)
        rows = hidden.last_hidden_state[0, len(prompt) - 1 : -1]
        logits = model.module.get_output_embeddings()(rows).float()
        loss = torch.nn.functional.cross_entropy(logits, ids[0, len(prompt) :])
        (gradient,) = torch.autograd.grad(loss, inputs)
    chosen = gradient[0, span.start : span.stop]
    scores: Tensor = (chosen @ embedding.weight.T).float()
    return scores
