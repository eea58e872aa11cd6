"""Losses against numbers worked out by hand, numerical gradients, and accumulation."""

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from superalign.errors import InputError
from superalign.learner import losses
from superalign.learner.losses import Loss

nan = float("nan")


def tensor(*values: float) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


# Two pairs: chosen (-1, -2), rejected (-3); chosen (-0.5), rejected (-1, -1.5, -0.5).
# Sums -3, -3, -0.5, -3; less the reference 0.5, -1, 0.5, 1: gaps h = 1.5 and -0.5.
PAIRS = (tensor(-1, -2, -3, -0.5, -1, -1.5, -0.5), torch.tensor([0, 0, 1, 2, 3, 3, 3]), 4)
REFERENCE = tensor(-3.5, -2, -1, -4)

# Ratios to the behaviour 1.5, 0.5 (sequence 0) and 2 (sequence 1); advantages 1 and -2.
TOKENS = (tensor(-1, -2, -1), torch.tensor([0, 0, 1]), 2)
BEHAVIOUR = TOKENS[0] - tensor(1.5, 0.5, 2).log()
ADVANTAGE = tensor(1, -2)


def test_sums_and_lengths_of_unordered_and_empty_sequences() -> None:
    sequence = torch.tensor([2, 0, 2])
    assert losses.sequence_sums(tensor(-1, -2, -4), sequence, 4).tolist() == [-2, 0, -5, 0]
    assert losses.sequence_lengths(sequence, 4).tolist() == [1, 0, 2, 0]
    long = losses.sequence_sums(torch.full((4096,), -0.1).half(), torch.zeros(4096).long(), 1)
    assert long.item() == pytest.approx(-409.6, rel=1e-3)  # added up in float32


def test_kl_estimators() -> None:
    logps, reference = tensor(0, -1), tensor(-math.log(2), 0)
    k1, k2, k3 = (losses.kl_estimate(logps, reference, k).tolist() for k in ("k1", "k2", "k3"))
    assert k1 == pytest.approx([0.693147, -1], abs=1e-6)
    assert k2 == pytest.approx([0.240227, 0.5], abs=1e-6)
    assert k3 == pytest.approx([0.193147, 0.718282], abs=1e-6)
    assert losses.kl_estimate(tensor(-1e4), tensor(0)).isfinite().all()


def test_what_each_kl_estimator_pulls_towards() -> None:
    """Exact expectations over four tokens confirm what the docstrings say."""
    logits = tensor(0.3, -1, 0.5, 2).requires_grad_()
    other = torch.log_softmax(tensor(1, 0, -0.5, 0.2), -1)
    policy = torch.log_softmax(logits, -1)

    def pull(loss: Tensor) -> Tensor:
        return torch.autograd.grad(loss, logits, retain_graph=True)[0]

    def expected(estimator: Any) -> Tensor:
        return (policy.exp().detach() * losses.kl_estimate(policy, other, estimator)).sum()

    reverse = (policy.exp() * (policy - other)).sum()
    forward = (other.exp() * (other - policy)).sum()
    assert expected("k1").item() == pytest.approx(reverse.item())
    assert expected("k3").item() == pytest.approx(reverse.item())
    torch.testing.assert_close(pull(expected("k1")), torch.zeros_like(logits))
    torch.testing.assert_close(pull(expected("k2")), pull(reverse))
    torch.testing.assert_close(pull(expected("k3")), pull(forward))
    sampled = tensor(0.1, 0.2, 0.3, 0.4)  # off-policy, by importance
    options: dict[str, Any] = {"normalization": "token", "normalizer": 1, "kl_coef": 1}
    penalty = losses.grpo(
        policy,
        torch.arange(4),
        4,
        advantage_S=tensor(0, 0, 0, 0),
        behaviour_T=sampled.log(),
        reference_T=other,
        weight_S=sampled,
        **options,
    ).value
    assert penalty.item() == pytest.approx(reverse.item())
    torch.testing.assert_close(pull(penalty), pull(reverse))


def test_sft() -> None:
    logps, sequence, S = tensor(-1, -2, -6), torch.tensor([0, 0, 1]), 2
    assert losses.sft(logps, sequence, S).value.item() == pytest.approx(3.0)  # 9 / 3
    weighted = losses.sft(logps, sequence, S, weight_S=tensor(1, 2))
    assert weighted.value.item() == pytest.approx(3.75)  # (3 + 12) / 4
    assert weighted.metrics["nll"] == pytest.approx(3.75)
    doubted = losses.sft(logps, sequence, S, probability_S=tensor(1, 0.5))
    assert doubted.value.item() == pytest.approx(2.0)  # (3 + 3) / 3: doubt is not renormalised
    assert losses.sft(logps, sequence, S, normalizer=10).value.item() == pytest.approx(0.9)


@pytest.mark.parametrize(
    ("options", "value"),
    [
        ({}, 0.6064052),  # (ln(1+e^-0.75) + ln(1+e^0.25)) / 2 = (0.3868710 + 0.8259394) / 2
        ({"probability_P": tensor(0.8, 0.5)}, 0.6189052),  # (0.3868710+0.15 + 0.8259394-0.125) / 2
        ({"label_smoothing": 0.1}, 0.6314052),  # + 0.1 * (0.75 - 0.25) / 2
        ({"weight_P": tensor(3, 1)}, 0.4966381),
        ({"weight_P": tensor(0, 2)}, 0.8259394),
        ({"length_normalized": True}, 0.5405245),  # gaps 1.25 and 1/6
        ({"sft_alpha": 0.2}, 0.8064052),  # + 0.2 * (1.5 + 0.5) / 2
        ({"sft_alpha": 0.2, "probability_P": tensor(0.8, 0.5)}, 0.8739052),  # NLL 1.8 and 0.75
    ],
)
def test_dpo(options: dict[str, Any], value: float) -> None:
    loss = losses.dpo(*PAIRS, reference_S=REFERENCE, beta=0.5, **options)
    assert loss.value.item() == pytest.approx(value, abs=1e-6)


def test_dpo_metrics() -> None:
    metrics = losses.dpo(*PAIRS, reference_S=REFERENCE, beta=0.5).metrics
    assert metrics == {"chosen": 0.25, "rejected": 0.0, "margin": 0.25, "accuracy": 0.5}
    doubted = losses.dpo(*PAIRS, reference_S=REFERENCE, probability_P=tensor(0.5, 0.1))
    assert doubted.metrics["accuracy"] == 1.0  # a coin flip is no label; the second is inverted
    sums = losses.sequence_sums(*PAIRS)
    assert losses.dpo(*PAIRS, reference_S=sums).metrics["accuracy"] == 0.5  # ties, not misses
    undecided = losses.dpo(*PAIRS, reference_S=sums, probability_P=tensor(0.5, 0.5)).metrics
    assert math.isnan(undecided["accuracy"])


def test_rdpo() -> None:
    loss = losses.rdpo(*PAIRS, reference_S=REFERENCE, beta=0.5, flip_rate=0.1)
    assert loss.value.item() == pytest.approx(0.5751552, abs=1e-6)  # - 0.125 * (0.75 - 0.25) / 2
    by_pair = losses.rdpo(*PAIRS, reference_S=REFERENCE, beta=0.5, flip_rate=tensor(0.1, 0))
    assert by_pair.value.item() == pytest.approx(0.5595302, abs=1e-6)  # - 0.125 * 0.75 / 2


@pytest.mark.parametrize("rate", [-0.1, 0.5, nan])
def test_rdpo_refuses_a_flip_rate_it_cannot_invert(rate: float) -> None:
    with pytest.raises(InputError, match="flip_rate"):
        losses.rdpo(*PAIRS, reference_S=REFERENCE, flip_rate=rate)


def test_rdpo_undoes_label_flips_in_expectation() -> None:
    clean = losses.dpo(*PAIRS, reference_S=REFERENCE).value
    kept = losses.rdpo(*PAIRS, reference_S=REFERENCE, flip_rate=0.3).value
    flipped = losses.rdpo(
        *PAIRS, reference_S=REFERENCE, flip_rate=0.3, probability_P=tensor(0, 0)
    ).value
    torch.testing.assert_close(0.7 * kept + 0.3 * flipped, clean)


@pytest.mark.parametrize(
    ("options", "value"),
    [
        ({}, 0.3784722),  # ((1.25 - 1)^2 + (1/6 - 1)^2) / 2
        ({"length_normalized": False}, 1.25),  # ((1.5 - 1)^2 + (-0.5 - 1)^2) / 2
        ({"length_normalized": False, "probability_P": tensor(0.5, 1)}, 2.75),  # (3.25 + 2.25) / 2
    ],
)
def test_ipo(options: dict[str, Any], value: float) -> None:
    loss = losses.ipo(*PAIRS, reference_S=REFERENCE, beta=0.5, **options)
    assert loss.value.item() == pytest.approx(value, abs=1e-6)


@pytest.mark.parametrize("name", ["dpo", "rdpo", "ipo"])
def test_swapping_a_pair_and_its_label_changes_nothing(name: str) -> None:
    options: dict[str, Any] = {"flip_rate": 0.2} if name == "rdpo" else {}
    loss: Callable[..., Loss] = getattr(losses, name)
    logps, sequence, S = PAIRS
    given = loss(
        logps,
        sequence,
        S,
        reference_S=REFERENCE,
        probability_P=tensor(0.9, 0.3),
        sft_alpha=0.5,
        **options,
    )
    swapped = loss(
        logps,
        sequence ^ 1,
        S,
        reference_S=REFERENCE[[1, 0, 3, 2]],
        probability_P=tensor(0.1, 0.7),
        sft_alpha=0.5,
        **options,
    )
    torch.testing.assert_close(given.value, swapped.value)
    assert given.metrics["accuracy"] == swapped.metrics["accuracy"]


@pytest.mark.parametrize(
    ("options", "value"),
    [
        ({"normalization": "token"}, 0.7666667),  # (-1.2 - 0.5 + 4) / 3
        ({}, 1.575),  # by sequence: (-1.7 / 2 + 4) / 2
        ({"normalization": "dr_grpo", "max_length": 4}, 0.2875),  # 2.3 / (4 * 2)
        ({"normalization": "token", "normalizer": 23}, 0.1),  # DAPO: tokens of the whole batch
        ({"normalization": "token", "clip_high": 0.4}, 0.7),  # (-1.4 - 0.5 + 4) / 3
        ({"normalization": "token", "weight_S": tensor(1, 0)}, -0.85),  # (-1.2 - 0.5) / 2
        ({"weight_S": tensor(0, 0)}, 0.0),
        (
            {"reference_T": TOKENS[0] - math.log(2), "kl_coef": 0.1, "kl_corrected": False},
            1.5943147,  # + 0.1 * 0.1931472
        ),
        # + 0.1 * 0.1931472 * ((1.5 + 0.5) / 2 + 2) / 2
        ({"reference_T": TOKENS[0] - math.log(2), "kl_coef": 0.1}, 1.6039721),
        ({"entropy_T": tensor(2, 2, 2), "entropy_coef": 0.01}, 1.555),  # - 0.01 * 2
    ],
)
def test_grpo(options: dict[str, Any], value: float) -> None:
    options = {"behaviour_T": BEHAVIOUR, **options}
    loss = losses.grpo(*TOKENS, advantage_S=ADVANTAGE, **options)
    assert loss.value.item() == pytest.approx(value, abs=1e-6)


def test_ppo_clip_takes_an_advantage_per_token() -> None:
    loss = losses.ppo_clip(*TOKENS, advantage_T=tensor(1, -1, -2), behaviour_T=BEHAVIOUR)
    assert loss.value.item() == pytest.approx(1.2)  # (-1.2 + 0.8 + 4) / 3
    found = [loss.metrics[k] for k in ("ratio", "clipped_low", "clipped_high")]
    assert found == pytest.approx([4 / 3, 1 / 3, 1 / 3])
    # k3 of KL(mu||pi): r - 1 - ln r = 0.0945349, 0.1931472, 0.3068528
    assert loss.metrics["behaviour_kl"] == pytest.approx(0.1981783, abs=1e-6)


def test_a_clipped_token_has_no_gradient_and_on_policy_has_the_policy_gradient() -> None:
    logps = TOKENS[0].clone().requires_grad_()
    losses.ppo_clip(
        logps, *TOKENS[1:], advantage_T=tensor(1, 1, -2), behaviour_T=BEHAVIOUR
    ).value.backward()
    assert logps.grad is not None
    assert logps.grad.tolist() == pytest.approx([0, -0.5 / 3, 4 / 3])  # -r * A / 3
    logps.grad = None
    losses.ppo_clip(logps, *TOKENS[1:], advantage_T=tensor(1, 1, -2)).value.backward()
    assert logps.grad.tolist() == pytest.approx([-1 / 3, -1 / 3, 2 / 3])


def test_an_enormous_ratio_stays_finite() -> None:
    logps = torch.tensor([0.0]).requires_grad_()
    loss = losses.ppo_clip(
        logps,
        torch.tensor([0]),
        1,
        advantage_T=torch.tensor([-1.0]),
        behaviour_T=torch.tensor([-500.0]),
    )
    loss.value.backward()
    assert loss.value.isfinite()
    assert logps.grad is not None
    assert logps.grad.isfinite().all()


def test_reinforce_and_rloo() -> None:
    on_policy = losses.reinforce(*TOKENS, advantage_S=ADVANTAGE).value
    assert on_policy.item() == pytest.approx(0.5)  # -(1 * -3 + -2 * -1) / 2
    off_policy = losses.rloo(*TOKENS, advantage_S=ADVANTAGE, behaviour_T=BEHAVIOUR)
    assert off_policy.value.item() == pytest.approx(1.625)  # (-0.75 + 4) / 2: ratios 0.75 and 2

    def pull(loss: Callable[..., Loss], **options: Tensor) -> Tensor:
        logps = TOKENS[0].clone().requires_grad_()
        value = loss(logps, *TOKENS[1:], advantage_S=ADVANTAGE, **options).value
        return torch.autograd.grad(value, logps)[0]

    torch.testing.assert_close(pull(losses.rloo, behaviour_T=TOKENS[0]), pull(losses.reinforce))


def test_value_loss() -> None:
    loss = losses.value_loss(
        tensor(1, 2), torch.tensor([0, 1]), 2, returns_T=tensor(2, 1), behaviour_T=tensor(0.5, 2)
    )
    assert loss.value.item() == pytest.approx(0.6725)  # (1.3^2 + 1) / 2 / 2
    assert loss.metrics == pytest.approx({"squared_error": 1.0, "clipped": 0.5})


def _batch() -> dict[str, Tensor]:
    """Eight sequences (four pairs) of 1 to 4 tokens, drawn with a fixed seed."""
    generator = torch.Generator().manual_seed(0)

    def draw(n: int) -> Tensor:
        return torch.randn(n, generator=generator, dtype=torch.float64)

    sequence_T = torch.arange(8).repeat_interleave(torch.tensor([1, 4, 2, 3, 2, 2, 4, 1]))
    T = len(sequence_T)
    logps_T = -draw(T).abs()
    return {
        "logps_T": logps_T, "sequence_T": sequence_T, "behaviour_T": logps_T + 0.3 * draw(T),
        "reference_T": logps_T + 0.3 * draw(T), "entropy_T": draw(T).abs(),
        "returns_T": draw(T), "advantage_T": draw(T), "advantage_S": draw(8),
        "reference_S": -4 * draw(8).abs(), "weight_S": draw(8).abs(),
        "probability_S": draw(8).sigmoid(), "weight_P": draw(4).abs(),
        "probability_P": draw(4).sigmoid(), "flip_rate": draw(4).sigmoid() / 3,
    }  # fmt: skip


PAIR = ("reference_S", "probability_P", "weight_P")
POLICY = ("behaviour_T", "reference_T", "entropy_T", "weight_S")
POLICY_OPTIONS = {"kl_coef": 0.1, "entropy_coef": 0.1}
CASES: dict[str, tuple[Callable[..., Loss], tuple[str, ...], dict[str, Any]]] = {
    "sft": (losses.sft, ("weight_S", "probability_S"), {}),
    "dpo": (losses.dpo, PAIR, {"sft_alpha": 0.5, "label_smoothing": 0.1}),
    "rdpo": (losses.rdpo, (*PAIR, "flip_rate"), {"length_normalized": True}),
    "ipo": (losses.ipo, PAIR, {}),
    "ppo": (losses.ppo_clip, ("advantage_T", *POLICY), POLICY_OPTIONS),
    "grpo": (losses.grpo, ("advantage_S", *POLICY), POLICY_OPTIONS | {"kl_corrected": False}),
    "dr_grpo": (
        losses.grpo, ("advantage_S", *POLICY),
        POLICY_OPTIONS | {"normalization": "dr_grpo", "max_length": 5},
    ),
    "reinforce": (losses.reinforce, ("advantage_S", "weight_S"), {}),
    "rloo": (losses.rloo, ("advantage_S", "behaviour_T", "weight_S"), {}),
    "value": (losses.value_loss, ("returns_T", "behaviour_T", "weight_S"), {}),
}  # fmt: skip


def _evaluate(case: str, start: int, stop: int, **options: Any) -> tuple[Tensor, Tensor]:
    """Value and gradient (over all tokens) of the sequences from ``start`` to ``stop``."""
    loss, names, given = CASES[case]
    batch = _batch()
    mine = (batch["sequence_T"] >= start) & (batch["sequence_T"] < stop)

    def cut(name: str) -> Tensor:
        if name.endswith("_T"):
            return batch[name][mine]
        return (
            batch[name][start:stop] if name.endswith("_S") else batch[name][start // 2 : stop // 2]
        )

    logps_T = batch["logps_T"].requires_grad_()
    data = {name: cut(name) for name in names}
    sequence_T = batch["sequence_T"][mine] - start
    value = loss(logps_T[mine], sequence_T, stop - start, **data, **given, **options).value
    return value.detach(), torch.autograd.grad(value, logps_T)[0]


@pytest.mark.parametrize("case", CASES)
def test_micro_batches_add_up_to_the_batch(case: str) -> None:
    batch = _batch()
    count = batch["weight_S"]
    if "weight_P" in CASES[case][1]:
        count = batch["weight_P"]
    elif case in ("sft", "ppo", "value"):
        count = batch["weight_S"][batch["sequence_T"]]
    whole = _evaluate(case, 0, 8)
    parts = [
        _evaluate(case, *cut, normalizer=count.sum().item()) for cut in ((0, 2), (2, 6), (6, 8))
    ]
    torch.testing.assert_close(sum(value for value, _ in parts), whole[0])
    torch.testing.assert_close(sum(gradient for _, gradient in parts), whole[1])


@pytest.mark.parametrize("case", CASES)
def test_gradients_are_the_numerical_ones(case: str) -> None:
    loss, names, options = CASES[case]
    batch = _batch()
    data = {name: batch[name] for name in names}

    def value(logps_T: Tensor) -> Tensor:
        return loss(logps_T, batch["sequence_T"], 8, **data, **options).value

    assert torch.autograd.gradcheck(value, (batch["logps_T"].requires_grad_(),))


def test_the_entropy_bonus_has_a_gradient() -> None:
    entropy = tensor(1, 1, 1).requires_grad_()
    options: dict[str, Any] = {"entropy_coef": 0.6, "normalization": "token"}
    loss = losses.grpo(*TOKENS, advantage_S=ADVANTAGE, entropy_T=entropy, **options)
    assert torch.autograd.grad(loss.value, entropy)[0].tolist() == pytest.approx([-0.2] * 3)


@pytest.mark.parametrize("case", CASES)
def test_weight_zero_leaves_an_example_out(case: str) -> None:
    """Zero weight on all but the first pair gives the first pair's value and gradient."""
    loss, names, options = CASES[case]
    batch = _batch()
    weight = "weight_P" if "weight_P" in names else "weight_S"
    batch[weight][1 if weight == "weight_P" else 2 :] = 0
    data = {name: batch[name] for name in names}
    value = loss(batch["logps_T"], batch["sequence_T"], 8, **data, **options).value
    torch.testing.assert_close(value, _evaluate(case, 0, 2)[0])


@pytest.mark.parametrize(
    "call",
    [
        lambda: losses.sft(*TOKENS, weight_S=tensor(1, 2, 3)),
        lambda: losses.sft(*TOKENS, weight_S=tensor(1, 2)[:, None]),
        lambda: losses.sft(*TOKENS, normalizer=0),
        lambda: losses.dpo(tensor(-1), torch.tensor([0]), 1, reference_S=tensor(0)),
        lambda: losses.grpo(*TOKENS, advantage_S=tensor(1)),
        lambda: losses.grpo(*TOKENS, advantage_S=ADVANTAGE, normalization="dr_grpo"),
        lambda: losses.grpo(*TOKENS, advantage_S=ADVANTAGE, kl_coef=0.1),
        lambda: losses.grpo(*TOKENS, advantage_S=ADVANTAGE, entropy_coef=0.1),
    ],
)
def test_wrong_shapes_and_missing_data_are_refused(call: Callable[[], Loss]) -> None:
    with pytest.raises(ValueError, match=r"shape|normalizer|pairs|max_length|needs"):
        call()


def test_nothing_counted_gives_no_gradient_and_undefined_metrics() -> None:
    logps = TOKENS[0].clone().requires_grad_()
    loss = losses.sft(logps, *TOKENS[1:], weight_S=tensor(0, 0))
    assert loss.value.item() == 0
    assert not torch.autograd.grad(loss.value, logps)[0].any()
    assert math.isnan(loss.metrics["nll"])
