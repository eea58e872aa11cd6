"""Advantages against numbers worked out by hand, with rewards that are missing."""

import pytest
import torch
from torch import Tensor

from superalign.learner import advantages

nan = float("nan")
REWARDS = advantages.as_rewards([1, 0, 2, None, 3, None, 5, 5])
GROUPS = torch.tensor([0, 0, 0, 0, 1, 1, 2, 2])
MASK = [True, True, True, False, False, False, True, True]


def close(found: Tensor, wanted: list[float]) -> None:
    torch.testing.assert_close(found, torch.tensor(wanted, dtype=torch.float32), atol=1e-6, rtol=0)


@pytest.mark.parametrize(
    ("scale", "one"),
    [
        ("group", 0.9999000),  # 1 / (1 + 1e-4): group 0 has mean 1 and std 1
        ("batch", 0.4840995),  # observed 1 0 2 3 5 5: mean 8/3, squares 64/3, std 2.0655911
        ("none", 1.0),
    ],
)
def test_group_advantages_leave_missing_rewards_out(scale: advantages.Scale, one: float) -> None:
    advantage_S, mask_S = advantages.group_advantages(REWARDS, GROUPS, scale=scale)
    close(advantage_S, [0, -one, one, 0, 0, 0, 0, 0])
    assert mask_S.tolist() == MASK


def test_missing_rewards_do_not_change_the_others() -> None:
    present = ~REWARDS.isnan()
    for function in (advantages.group_advantages, advantages.rloo_advantages):
        alone = function(REWARDS[present], GROUPS[present]).advantage_S
        assert torch.equal(function(REWARDS, GROUPS).advantage_S[present], alone)


def test_groups_may_be_interleaved() -> None:
    order = torch.tensor([7, 0, 4, 2, 6, 3, 1, 5])
    plain = advantages.group_advantages(REWARDS, GROUPS).advantage_S
    mixed = advantages.group_advantages(REWARDS[order], GROUPS[order]).advantage_S
    assert torch.equal(mixed, plain[order])


def test_equal_rewards_give_exactly_no_advantage() -> None:
    rewards, groups = torch.full((7,), 0.1), torch.zeros(7, dtype=torch.long)
    close(advantages.group_advantages(rewards, groups).advantage_S, [0.0] * 7)


def test_leave_one_out() -> None:
    advantage_S, mask_S = advantages.rloo_advantages(REWARDS, GROUPS)
    close(advantage_S, [0, -1.5, 1.5, 0, 0, 0, 0, 0])  # 1-(0+2)/2, 0-(1+2)/2, 2-(1+0)/2
    assert mask_S.tolist() == MASK


def test_nothing_observed_and_nothing_at_all() -> None:
    for rewards in (torch.tensor([nan, nan]), torch.zeros(0)):
        groups = torch.zeros(len(rewards), dtype=torch.long)
        for scale in ("group", "batch", "none"):
            advantage_S, mask_S = advantages.group_advantages(rewards, groups, scale=scale)
            assert not advantage_S.any()
            assert not mask_S.any()


def test_token_rewards() -> None:
    sequence_T, kl_T = torch.tensor([0, 0, 1]), torch.tensor([1.0, -2.0, 3.0])
    rewards = torch.tensor([5.0, nan])
    close(advantages.token_rewards(rewards[:1], sequence_T[:2]), [0, 5])
    found = advantages.token_rewards(rewards, sequence_T, kl_T=kl_T, kl_coef=0.1)
    close(found[:2], [-0.1, 5.2])
    assert found[2].isnan()


def test_gae() -> None:
    rewards, values = torch.tensor([0.0, 1.0, 2.0]), torch.tensor([0.5, 0.2, 1.0])
    sequence_T = torch.tensor([0, 0, 1])
    advantage_T, return_T = advantages.gae(rewards, values, sequence_T, gamma=0.9, lam=0.8)
    # t=1: 1 - 0.2 = 0.8; t=0: 0.9 * 0.2 - 0.5 + 0.72 * 0.8 = 0.256; the next sequence: 2 - 1
    close(advantage_T, [0.256, 0.8, 1.0])
    close(return_T, [0.756, 1.0, 2.0])


def test_gae_limits() -> None:
    rewards, values = torch.tensor([0.1, -0.2, 1.0]), torch.tensor([0.5, 0.2, 0.3])
    sequence_T = torch.zeros(3, dtype=torch.long)
    monte_carlo = advantages.gae(rewards, values, sequence_T, lam=1)
    close(monte_carlo.return_T, [0.9, 0.8, 1.0])
    one_step = advantages.gae(rewards, values, sequence_T, lam=0)
    close(one_step.return_T, [0.3, 0.1, 1.0])  # r + V of the next token


def test_gae_bootstraps_a_sequence_that_was_cut_off() -> None:
    sequence_T, zeros = torch.tensor([0, 1]), torch.zeros(2)
    found = advantages.gae(
        zeros, zeros, sequence_T, gamma=0.5, bootstrap_S=torch.tensor([0.0, 4.0])
    )
    close(found.advantage_T, [0, 2])


def test_gae_with_a_missing_reward_moves_nothing() -> None:
    rewards = torch.tensor([0.0, nan, 2.0])
    values, sequence_T = torch.tensor([0.5, 0.2, 1.0]), torch.tensor([0, 0, 1])
    advantage_T, return_T = advantages.gae(rewards, values, sequence_T)
    close(advantage_T, [0, 0, 1])
    close(return_T, [0.5, 0.2, 2])


def test_whiten() -> None:
    values, mask = torch.tensor([1.0, 9.0, 3.0, 5.0]), torch.tensor([1, 0, 1, 1])
    close(advantages.whiten(values, mask), [-1, 0, 0, 1])  # mean 3, std 2
    close(advantages.whiten(values, mask, shift=False), [2, 0, 3, 4])
    close(advantages.whiten(values, torch.tensor([0, 1, 0, 0])), [0, 0, 0, 0])
    close(advantages.whiten(values, torch.zeros(4)), [0, 0, 0, 0])
    close(advantages.whiten(torch.tensor([1.0, nan, 3.0]), torch.tensor([1, 0, 1])), [
        -0.7071068, 0, 0.7071068,
    ])  # fmt: skip
