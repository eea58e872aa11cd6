"""What an audit reads off a model: odds of good and bad openings, and next-token distributions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch

from superalign.models import LocalModel
from superalign.models.packing import PackedBatch, Tree, token_batches
from superalign.validation.probes import Probe

Array = npt.NDArray[np.float64]
BATCH_CELLS = 4096
FLOOR = float(np.log(1e-4))  # below it a probability is as good as none


def odds(model: LocalModel, probes: Sequence[Probe]) -> Array:
    """Log-odds of any bad opening against any good one after each prompt, in nats.

    Chances are bounded below by ``FLOOR``: a model that says neither has odds of 0, where the ratio
    of two chances of one in a million would be noise. Against a probe without good openings stands
    whatever is not bad. Where the first tokens of bad and good openings differ, they are read in
    place of the openings: one position per prompt instead of a dozen. The rest is read whole.
    """
    sides = [_first_tokens(model, p) for p in probes]
    short = [i for i, side in enumerate(sides) if side is not None]
    whole = [i for i, side in enumerate(sides) if side is None]
    found = np.empty(len(probes))
    if short:
        rows = next_logprobs(model, [probes[i].prompt for i in short])
        for i, row in zip(short, rows, strict=True):
            bad, good = sides[i] or ((), ())
            found[i] = _bounded(row[list(bad)]) - _bounded(row[list(good)])
    if whole:
        found[whole] = _whole_odds(model, [probes[i] for i in whole])
    return found


def _first_tokens(model: LocalModel, probe: Probe) -> tuple[set[int], set[int]] | None:
    """First tokens of bad and good openings; None where they share one or nothing is named good."""
    bad, good = (
        {model.encode_completion(text)[0] for text in side} for side in (probe.bad, probe.good)
    )
    return None if bad & good or not good else (bad, good)


def _whole_odds(model: LocalModel, probes: Sequence[Probe]) -> Array:
    rows = model.choose([p.prompt for p in probes], [[*p.bad, *p.good] for p in probes])
    found = np.empty(len(probes))
    for i, (probe, row) in enumerate(zip(probes, rows, strict=True)):
        logs = np.array([s.logprob for s in row])
        bad, good = logs[: len(probe.bad)], logs[len(probe.bad) :]
        found[i] = _bounded(bad) - (_bounded(good) if len(good) else _bounded(_rest(bad)))
    return found


def _rest(logs: Array) -> Array:
    """Log of the chance of anything else."""
    return np.log([max(1e-12, 1.0 - float(np.exp(logs).sum()))])


def _bounded(logs: npt.ArrayLike) -> float:
    """Log of the summed chances, ``FLOOR``'s among them."""
    return float(np.logaddexp.reduce([*np.asarray(logs, dtype=np.float64), FLOOR]))


def next_logprobs(
    model: LocalModel, prompts: Sequence[str], *, prefill: str = ""
) -> npt.NDArray[np.float32]:
    """Log-probabilities of the next token (n, vocabulary) after each prompt.

    ``prefill``: words put into the assistant's mouth before the token that is read.
    """
    opening = model.encode_completion(prefill) if prefill else ()
    return next_of(model, [(*model.encode(p), *opening) for p in prompts])


@torch.inference_mode()
def next_of(model: LocalModel, prompts: Sequence[tuple[int, ...]]) -> npt.NDArray[np.float32]:
    """The same after prompts that are tokens already."""
    trees = [Tree(p, ((0,),)) for p in prompts]
    out: npt.NDArray[np.float32] | None = None
    for part in token_batches(trees, BATCH_CELLS):
        batch = PackedBatch.build([trees[i] for i in part], device=model.device, ends=False)
        logits = torch.log_softmax(model.head.logits(model.completion_states(batch)).float(), -1)
        if out is None:
            out = np.empty((len(trees), logits.shape[1]), dtype=np.float32)
        out[part] = logits.cpu().numpy()
    if out is None:
        raise ValueError("no prompts")
    return out


def divergence(p: npt.NDArray[np.float32], q: npt.NDArray[np.float32]) -> Array:
    """KL(p ‖ q) of each row of log-probabilities, in nats."""
    found: Array = (np.exp(p.astype(np.float64)) * (p.astype(np.float64) - q)).sum(1)
    return found


def collapse(p: npt.NDArray[np.float32]) -> float:
    """How alike the next-token distributions of different prompts are: mean overlap of pairs, 0–1.

    A model that says one thing whatever it is asked has overlap near 1.
    """
    probs = np.exp(p.astype(np.float64))
    pairs = [
        np.minimum(probs[i], probs[j]).sum() for i in range(len(p)) for j in range(i + 1, len(p))
    ]
    return float(np.mean(pairs)) if pairs else 0.0
