"""What is read off a model, against plain computation."""

import numpy as np
import pytest
import torch

from superalign.models import LocalModel
from superalign.validation.probes import NAMES, Probe, battery
from superalign.validation.reading import _bounded, collapse, divergence, next_logprobs, odds


def test_next_token_distributions_are_those_of_transformers(base: LocalModel) -> None:
    prompts = ["How are you?", "Tell me about rivers and lakes."]
    found = next_logprobs(base, prompts)
    with_words = next_logprobs(base, prompts, prefill="The answer")
    for prompt, row, more in zip(prompts, found, with_words, strict=True):
        ids = list(base.encode(prompt))
        for tokens, got in ((ids, row), ([*ids, *base.encode_completion("The answer")], more)):
            logits = base.module(torch.tensor([tokens])).logits[0, -1]
            np.testing.assert_allclose(got, torch.log_softmax(logits, -1).numpy(), atol=1e-4)


def test_openings_that_begin_alike_are_read_whole(base: LocalModel) -> None:
    probe = Probe("g", "c", 0, "What is it?", ("Yes", "The end"), ("The answer",))
    [yes, end, good] = [
        base.score([probe.prompt], [c])[0].logprob for c in (*probe.bad, *probe.good)
    ]
    [found] = odds(base, [probe])
    bad = np.log(np.exp(yes) + np.exp(end) + 1e-4)
    assert found == pytest.approx(bad - np.log(np.exp(good) + 1e-4), abs=1e-4)


def test_others_are_read_by_their_first_tokens(base: LocalModel) -> None:
    probe = Probe("g", "c", 0, "What is it?", ("Yes", "No"), ("The answer", "The end"))
    row = next_logprobs(base, [probe.prompt])[0].astype(np.float64)
    yes, no, the = (base.encode_completion(c)[0] for c in ("Yes", "No", "The"))
    both = odds(base, [probe, Probe("g", "c", 1, "Why?", ("The end",), ("The answer",))])
    bad = np.log(np.exp(row[yes]) + np.exp(row[no]) + 1e-4)
    assert both[0] == pytest.approx(bad - np.log(np.exp(row[the]) + 1e-4), abs=1e-4)


def test_without_good_openings_all_else_is_good(base: LocalModel) -> None:
    probe = Probe("g", "c", 0, "What is it?", ("Yes", "The end"))
    chance = sum(np.exp(base.score([probe.prompt], [c])[0].logprob) for c in probe.bad)
    [found] = odds(base, [probe])
    assert found == pytest.approx(np.log(chance + 1e-4) - np.log(1 - chance + 1e-4), abs=1e-4)


def test_odds_of_two_things_that_are_not_said_are_none() -> None:
    assert _bounded([-30.0, -40.0]) - _bounded([-25.0]) == pytest.approx(0.0, abs=1e-6)
    assert _bounded([np.log(0.5)]) - _bounded([-25.0]) == pytest.approx(np.log(5001), abs=1e-6)


def test_divergence_by_hand() -> None:
    p = np.log(np.array([[0.5, 0.5], [0.9, 0.1]], dtype=np.float32))
    q = np.log(np.array([[0.5, 0.5], [0.1, 0.9]], dtype=np.float32))
    np.testing.assert_allclose(divergence(p, q), [0.0, 0.8 * np.log(9)], atol=1e-6)


def test_collapse_is_one_for_one_answer_and_zero_for_disjoint_ones() -> None:
    same = np.log(np.full((3, 4), 0.25, dtype=np.float32))
    apart = np.log(np.eye(3, dtype=np.float32) + 1e-12)
    assert collapse(same) == pytest.approx(1.0)
    assert collapse(apart) == pytest.approx(0.0, abs=1e-6)


def test_the_battery_asks_every_context_of_the_same_facts() -> None:
    by_context: dict[str, set[int]] = {}
    for p in battery():
        if p.group == "facts" and p.context.startswith(("name", "date", "test", "live")):
            by_context.setdefault(p.context, set()).add(p.item)
    assert len({frozenset(v) for v in by_context.values()}) == 1
    assert sum(c.startswith("name") for c in by_context) == len(NAMES)
    assert len({(p.group, p.context, p.item, p.prompt) for p in battery()}) == len(battery())
