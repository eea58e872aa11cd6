"""Values and parameter gradients equal TRL 1.16's, on a random Llama of a few thousand parameters.

TRL pads and masks where we pack, so both also check the other's bookkeeping. What TRL does not
have (soft labels, cDPO: its ``sigmoid`` ignores ``label_smoothing``, weights) is in test_losses.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from superalign.learner import advantages, losses

trl = pytest.importorskip("trl")
pytestmark = [
    pytest.mark.slow,  # importing TRL's trainers takes 5 s
    pytest.mark.filterwarnings("ignore"),
]

PROMPTS = [[5, 6, 7], [8, 9], [10, 11, 12, 13], [14]]
CHOSEN = [[20, 21], [22, 23, 24, 25], [26], [27, 28, 29]]
REJECTED = [[30, 31, 32], [33], [34, 35, 36, 37], [38, 39]]


def _llama(seed: int) -> Any:
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=48, hidden_size=16, intermediate_size=16, num_hidden_layers=2,
        num_attention_heads=2, num_key_value_heads=2, max_position_embeddings=32,
        initializer_range=0.5, bos_token_id=1, eos_token_id=2, pad_token_id=0,
    )  # fmt: skip
    return LlamaForCausalLM(config).eval()


def _tokenizer() -> Any:
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import WhitespaceSplit
    from transformers import PreTrainedTokenizerFast

    words = {"<pad>": 0, "<s>": 1, "</s>": 2, "<unk>": 3} | {f"w{i}": i for i in range(4, 48)}
    inner = Tokenizer(WordLevel(words, unk_token="<unk>"))
    inner.pre_tokenizer = WhitespaceSplit()
    return PreTrainedTokenizerFast(
        tokenizer_object=inner, pad_token="<pad>", bos_token="<s>", eos_token="</s>"
    )


class Bench:
    """A model, a reference, and one TRL trainer at a time."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.model, self.reference = folder, _llama(0), _llama(1)
        self.common = {"output_dir": str(folder), "use_cpu": True, "bf16": False}
        self.common |= {"report_to": "none", "gradient_checkpointing": False}

    def trainer(self, kind: str, rows: list[dict[str, Any]], **options: Any) -> Any:
        from datasets import Dataset

        extra: dict[str, Any] = {}
        if kind == "DPO":
            extra["ref_model"] = self.reference
        if kind in ("GRPO", "RLOO"):
            extra["reward_funcs"] = options.pop("reward", lambda completions, **_: [0.0] * 4)
        trainer = getattr(trl, f"{kind}Trainer")(
            model=self.model,
            args=getattr(trl, f"{kind}Config")(**self.common, **options),
            train_dataset=Dataset.from_list(rows),
            processing_class=_tokenizer(),
            **extra,
        )
        self.model.eval()
        return trainer

    def packed(self, model: Any, pairs: list[tuple[list[int], list[int]]]) -> tuple[Any, ...]:
        """Log-probabilities (T,) of each completion, one unpadded forward pass apiece."""
        rows = []
        for prompt, completion in pairs:
            logits = model(torch.tensor([prompt + completion])).logits[0, len(prompt) - 1 : -1]
            index = torch.tensor(completion)[:, None]
            rows.append(logits.log_softmax(-1).gather(1, index)[:, 0])
        lengths = torch.tensor([len(c) for _, c in pairs])
        return torch.cat(rows), torch.arange(len(pairs)).repeat_interleave(lengths), len(pairs)

    def assert_same(self, ours: Tensor, theirs: Tensor) -> None:
        torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-5)
        parameters = list(self.model.parameters())
        mine = torch.autograd.grad(ours, parameters, allow_unused=True)
        trls = torch.autograd.grad(theirs, parameters, allow_unused=True)
        assert any(g is not None and g.abs().max() > 1e-3 for g in mine)
        for a, b in zip(mine, trls, strict=True):
            torch.testing.assert_close(a, b, atol=1e-5, rtol=1e-4)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return Bench(tmp_path_factory.mktemp("trl"))


def test_sft(bench: Bench) -> None:
    trainer = bench.trainer("SFT", [{"input_ids": [5, 6], "labels": [-100, 6]}])
    rows = [
        {"input_ids": p + c, "labels": [-100] * len(p) + c}
        for p, c in zip(PROMPTS, CHOSEN, strict=True)
    ]
    theirs = trainer.compute_loss(bench.model, trainer.data_collator(rows))
    ours = losses.sft(*bench.packed(bench.model, list(zip(PROMPTS, CHOSEN, strict=True))))
    bench.assert_same(ours.value, theirs)


@pytest.mark.parametrize("beta", [0.1, 0.7])
@pytest.mark.parametrize(
    ("loss_type", "name", "ours", "theirs"),
    [
        ("sigmoid", "dpo", {}, {}),
        ("sigmoid_norm", "dpo", {"length_normalized": True}, {}),
        ("ipo", "ipo", {}, {}),
        ("robust", "rdpo", {"flip_rate": 0.2}, {"label_smoothing": 0.2}),
    ],
)
def test_preferences(
    bench: Bench, loss_type: str, name: str, ours: Any, theirs: Any, beta: float
) -> None:
    row = {"prompt": "w5", "chosen": "w6", "rejected": "w7"}
    trainer = bench.trainer("DPO", [row], loss_type=loss_type, beta=beta, **theirs)
    rows = [
        {"prompt_ids": p, "chosen_ids": c, "rejected_ids": r}
        for p, c, r in zip(PROMPTS, CHOSEN, REJECTED, strict=True)
    ]
    wanted = trainer.compute_loss(bench.model, trainer.data_collator(rows))
    pairs = [
        pair for p, c, r in zip(PROMPTS, CHOSEN, REJECTED, strict=True) for pair in ((p, c), (p, r))
    ]
    with torch.no_grad():
        reference_S = losses.sequence_sums(*bench.packed(bench.reference, pairs))
    loss = getattr(losses, name)(
        *bench.packed(bench.model, pairs), reference_S=reference_S, beta=beta, **ours
    )
    bench.assert_same(loss.value, wanted)
    logged = trainer._metrics["eval"]
    assert loss.metrics["accuracy"] == pytest.approx(logged["rewards/accuracies"][-1])
    if "norm" not in loss_type and loss_type != "ipo":  # TRL logs these without normalising
        assert loss.metrics["chosen"] == pytest.approx(logged["rewards/chosen"][-1], abs=1e-5)
        assert loss.metrics["margin"] == pytest.approx(logged["rewards/margins"][-1], abs=1e-5)


def _rollout(bench: Bench) -> tuple[dict[str, Tensor], dict[str, Tensor], list[Any]]:
    """TRL's padded inputs, our packed ones, and the sequences, off-policy by noise of 0.4 nats."""
    generator = torch.Generator().manual_seed(0)
    sequences = list(zip(PROMPTS, CHOSEN, strict=True))
    with torch.no_grad():
        logps_T, sequence_T, _ = bench.packed(bench.model, sequences)
        reference_T, _, _ = bench.packed(bench.reference, sequences)
    behaviour_T = logps_T + 0.4 * torch.randn(len(logps_T), generator=generator)
    advantage_S = torch.tensor([1.0, -1.5, 0.5, 2.0])
    mine = {"behaviour_T": behaviour_T, "reference_T": reference_T, "advantage_S": advantage_S}

    def right(rows: list[Any], fill: float = 0) -> Tensor:
        width = max(map(len, rows))
        return torch.tensor([list(row) + [fill] * (width - len(row)) for row in rows])

    def left(rows: list[Any]) -> Tensor:
        width = max(map(len, rows))
        return torch.tensor([[0] * (width - len(row)) + list(row) for row in rows])

    def by_sequence(x_T: Tensor) -> Tensor:
        return right([x_T[sequence_T == s].tolist() for s in range(4)])

    theirs = {
        "prompt_ids": left(PROMPTS),
        "prompt_mask": left([[1] * len(p) for p in PROMPTS]),
        "completion_ids": right(CHOSEN),
        "completion_mask": right([[1] * len(c) for c in CHOSEN]),
        "advantages": advantage_S,
        "old_per_token_logps": by_sequence(behaviour_T),
        "ref_per_token_logps": by_sequence(reference_T),
        "old_logps": losses.sequence_sums(behaviour_T, sequence_T, 4),
        "num_items_in_batch": torch.tensor(25.0),
    }
    return theirs, mine, sequences


@pytest.mark.parametrize(("kl_coef", "corrected"), [(0.0, True), (0.3, True), (0.3, False)])
@pytest.mark.parametrize(
    ("loss_type", "ours"),
    [
        ("grpo", {}),
        ("bnpo", {"normalization": "token"}),
        ("dr_grpo", {"normalization": "dr_grpo", "max_length": 7}),
        ("dapo", {"normalization": "token", "normalizer": 25.0}),
    ],
)
def test_grpo(
    bench: Bench, loss_type: str, ours: dict[str, Any], kl_coef: float, corrected: bool
) -> None:
    trainer = bench.trainer(
        "GRPO", [{"prompt": "w5"}], loss_type=loss_type, beta=0.0, epsilon=0.2, epsilon_high=0.28,
        use_bias_correction_kl=corrected,
        max_completion_length=7, per_device_train_batch_size=4, num_generations=4,
    )  # fmt: skip
    trainer.beta = kl_coef  # given to the constructor it would load a reference from a path
    theirs, mine, sequences = _rollout(bench)
    wanted = trainer.compute_loss(bench.model, theirs)
    loss = losses.grpo(
        *bench.packed(bench.model, sequences), clip_low=0.2, clip_high=0.28, kl_coef=kl_coef,
        kl_corrected=corrected, **mine, **ours,
    )  # fmt: skip
    bench.assert_same(loss.value, wanted)
    logged = trainer._metrics["eval"]
    assert loss.metrics["clipped_low"] == pytest.approx(logged["clip_ratio/low_mean"][-1])
    assert loss.metrics["clipped_high"] == pytest.approx(logged["clip_ratio/high_mean"][-1])
    assert loss.metrics["clipped_low"] + loss.metrics["clipped_high"] > 0
    if kl_coef:
        assert loss.metrics["kl"] == pytest.approx(logged["kl"][-1], rel=1e-5)


def test_rloo(bench: Bench) -> None:
    trainer = bench.trainer(
        "RLOO", [{"prompt": "w5"}], beta=0.0, epsilon=0.2, per_device_train_batch_size=4,
        num_generations=4,
    )  # fmt: skip
    theirs, mine, sequences = _rollout(bench)
    wanted = trainer.compute_loss(bench.model, theirs)
    del mine["reference_T"]
    loss = losses.rloo(*bench.packed(bench.model, sequences), **mine)
    bench.assert_same(loss.value, wanted)
    logged = trainer._metrics["eval"]
    assert loss.metrics["clipped_high"] == pytest.approx(logged["clip_ratio/high_mean"][-1])


@pytest.mark.parametrize("kind", ["group", "none", "batch", "rloo"])
def test_advantages_with_missing_rewards(bench: Bench, kind: str) -> None:
    given = [1.0, 0.25, None, 2.0, 0.5, 0.5, 0.5, 0.5, None, None, None, None]
    trl_kind = "RLOO" if kind == "rloo" else "GRPO"
    options = {} if kind == "rloo" else {"scale_rewards": kind}
    trainer = bench.trainer(
        trl_kind, [{"prompt": "w5"}], beta=0.0, max_completion_length=2, num_generations=4,
        num_generations_eval=4, per_device_train_batch_size=12,
        reward=lambda completions, **_: given, **options,
    )  # fmt: skip
    prompts = [{"prompt": text} for text in ("w5 w6", "w7", "w8") for _ in range(4)]
    wanted = trainer._generate_and_score_completions(prompts)["advantages"]
    rewards_S, group_S = advantages.as_rewards(given), torch.arange(3).repeat_interleave(4)
    if kind == "rloo":
        found = advantages.rloo_advantages(rewards_S, group_S)
    else:
        scale: Any = kind
        found = advantages.group_advantages(rewards_S, group_S, scale=scale)
    torch.testing.assert_close(found.advantage_S, wanted, atol=1e-5, rtol=1e-5)
    assert found.mask_S.tolist() == [True, True, False, True] + [True] * 4 + [False] * 4
