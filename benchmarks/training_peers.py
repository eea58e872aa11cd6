"""The peers of ``training.py``: a plain PEFT loop, ``transformers.Trainer``, TRL's trainers.

Each has ``step()`` (which may return the seconds it took by its own clock), ``load(folder)`` of an
adapter, and ``loss(rollouts)`` of the next step.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import tempfile
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import timing
import torch
import torch.nn.functional as F
from timing import Words
from torch import Tensor
from training_work import ALPHA, BETA, KL, RANK, RATE, Ids, Work, padded, reward

from superalign.learner import advantages
from superalign.learner.examples import Rollout
from superalign.models.adapters import PROJECTIONS

# -- PEFT -------------------------------------------------------------------------------------------


def lora() -> Any:
    from peft import LoraConfig

    return LoraConfig(
        r=RANK, lora_alpha=ALPHA, target_modules=list(PROJECTIONS), task_type="CAUSAL_LM"
    )


def load_peft(module: Any, folder: Path) -> None:
    from peft import set_peft_model_state_dict
    from safetensors.torch import load_file

    set_peft_model_state_dict(module, load_file(folder / "adapter_model.safetensors"))


class PeftLoop:
    """The loop a user writes: padded batch, full logits, one backward pass, AdamW."""

    def __init__(self, args: argparse.Namespace, job: str, dtype: str | None = None) -> None:
        from peft import get_peft_model

        self.job, self.work = job, Work.make(Words(args), args.tiny)
        self.model = get_peft_model(timing.plain(args, dtype), lora()).train()
        trained = [p for p in self.model.parameters() if p.requires_grad]
        self.optimizer = torch.optim.AdamW(trained, lr=RATE, weight_decay=0.0, betas=(0.9, 0.99))
        self.trained = trained

    def load(self, folder: Path) -> None:
        load_peft(self.model, folder)

    def _logps(self, answers: list[Ids]) -> list[Tensor]:
        rows = list(zip(self.work.prompts * 2, answers, strict=False))
        ids = padded([p + c for p, c in rows]).to(self.model.device)
        mask = padded([[1] * len(p + c) for p, c in rows]).to(self.model.device)
        log_p = (
            self.model(input_ids=ids, attention_mask=mask).logits[:, :-1].float().log_softmax(-1)
        )
        picked = log_p.gather(2, ids[:, 1:, None])[..., 0]
        return [picked[i, len(p) - 1 : len(p) + len(c) - 1] for i, (p, c) in enumerate(rows)]

    def _loss(self) -> Tensor:
        if self.job == "sft":
            return -torch.cat(self._logps(self.work.chosen)).mean()
        answers = self.work.chosen + self.work.rejected
        with torch.no_grad(), self.model.disable_adapter():
            reference = torch.stack([x.sum() for x in self._logps(answers)])
        sums = torch.stack([x.sum() for x in self._logps(answers)]) - reference
        chosen, rejected = sums.chunk(2)
        return -F.logsigmoid(BETA * (chosen - rejected)).mean()

    def loss(self, rollouts: list[Rollout]) -> float:
        return float(self._loss().detach())

    def step(self) -> None:
        self._loss().backward()
        torch.nn.utils.clip_grad_norm_(self.trained, 1.0)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)


# -- trainers ---------------------------------------------------------------------------------------


def clock() -> Any:
    """A callback that sums the seconds between a step's begin and end."""
    from transformers import TrainerCallback

    class Clock(TrainerCallback):
        seconds = start = 0.0

        def on_step_begin(self, *_: Any, **__: Any) -> None:
            self.start = time.perf_counter()

        def on_step_end(self, *_: Any, **__: Any) -> None:
            if torch.cuda.is_available():
                torch.cuda.synchronize()
            self.seconds += time.perf_counter() - self.start

    return Clock()


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Without the trainers' tables and warnings."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        yield


def common(args: argparse.Namespace, batch: int) -> dict[str, Any]:
    return {
        "output_dir": tempfile.mkdtemp(),
        "use_cpu": args.device == "cpu",
        "bf16": False,
        "per_device_train_batch_size": batch,
        "gradient_accumulation_steps": 1,
        "max_steps": 1,
        "learning_rate": RATE,
        "lr_scheduler_type": "constant",
        "weight_decay": 0.0,
        "max_grad_norm": 1.0,
        "report_to": "none",
        "save_strategy": "no",
        "logging_strategy": "no",
        "disable_tqdm": True,
        "dataloader_pin_memory": False,
    }


class _Trainer:
    """What the two kinds of trainer share: one ``train()`` of one step is one call."""

    trainer: Any
    clock: Any

    def load(self, folder: Path) -> None:
        load_peft(self.trainer.model, folder)

    def step(self) -> float:
        self.clock.seconds = 0.0
        with quiet():
            self.trainer.train()
        return float(self.clock.seconds)


class HfTrainer(_Trainer):
    """``transformers.Trainer`` on a PEFT model, supervised."""

    def __init__(self, args: argparse.Namespace, job: str, dtype: str | None = None) -> None:
        from peft import get_peft_model
        from transformers import Trainer, TrainingArguments

        work = Work.make(Words(args), args.tiny)
        self.rows = [
            {"input_ids": p + c, "labels": (-100,) * len(p) + c}
            for p, c in zip(work.prompts, work.chosen, strict=True)
        ]
        self.clock = clock()
        self.trainer = Trainer(
            model=get_peft_model(timing.plain(args, dtype), lora()),
            args=TrainingArguments(**common(args, len(self.rows)), remove_unused_columns=False),
            train_dataset=self.rows,
            data_collator=self._collate,
            callbacks=[self.clock],
        )

    @staticmethod
    def _collate(rows: list[dict[str, Ids]]) -> dict[str, Tensor]:
        ids = [r["input_ids"] for r in rows]
        return {
            "input_ids": padded(ids),
            "attention_mask": padded([[1] * len(x) for x in ids]),
            "labels": padded([r["labels"] for r in rows], -100),
        }

    def loss(self, rollouts: list[Rollout]) -> float:
        model = self.trainer.model.eval()
        inputs = {k: v.to(model.device) for k, v in self._collate(self.rows).items()}
        return float(self.trainer.compute_loss(model, inputs).detach())


class Trl(_Trainer):
    """TRL's SFT, DPO and GRPO trainers with their ``peft_config``."""

    def __init__(
        self,
        args: argparse.Namespace,
        job: str,
        dtype: str | None = None,
        checkpointing: bool = False,
    ) -> None:
        import trl
        from datasets import Dataset

        words = Words(args)
        self.job, self.work = job, Work.make(words, args.tiny)
        self.clock = clock()
        build = {"sft": self._sft, "dpo": self._dpo, "grpo": self._grpo}[job]
        rows, batch, options, extra = build()
        name = job.upper()
        with quiet():
            self.trainer = getattr(trl, f"{name}Trainer")(
                model=timing.plain(args, dtype),
                args=getattr(trl, f"{name}Config")(
                    **common(args, batch), gradient_checkpointing=checkpointing, **options
                ),
                train_dataset=Dataset.from_list(rows),
                processing_class=words.tokenizer,
                peft_config=lora(),
                callbacks=[self.clock],
                **extra,
            )
        if job == "dpo":  # rows of token ids, as its own preparation would leave them
            self.trainer.train_dataset = Dataset.from_list(self._pairs())

    def _sft(self) -> tuple[list[dict[str, Any]], int, dict[str, Any], dict[str, Any]]:
        self.rows = [
            {"input_ids": list(p + c), "labels": [-100] * len(p) + list(c)}
            for p, c in zip(self.work.prompts, self.work.chosen, strict=True)
        ]
        return self.rows, len(self.rows), {"max_length": None}, {}

    def _pairs(self) -> list[dict[str, Any]]:
        work = self.work
        return [
            {"prompt_ids": list(p), "chosen_ids": list(c), "rejected_ids": list(r)}
            for p, c, r in zip(work.prompts, work.chosen, work.rejected, strict=True)
        ]

    def _dpo(self) -> tuple[list[dict[str, Any]], int, dict[str, Any], dict[str, Any]]:
        row = {"prompt": "a", "chosen": " b", "rejected": " c"}
        return [row], len(self.work.prompts), {"beta": BETA, "max_length": None}, {}

    def _grpo(self) -> tuple[list[dict[str, Any]], int, dict[str, Any], dict[str, Any]]:
        work = self.work
        options = {
            "num_generations": work.samples,
            "max_completion_length": work.new,
            "generation_kwargs": {"min_new_tokens": work.new},
            "beta": KL,
            "epsilon": 0.2,
            "loss_type": "grpo",
            "use_bias_correction_kl": True,
            "temperature": 1.0,
            "top_k": 0,
        }

        def score(completions: list[Any], **_: Any) -> list[float]:
            return [reward(c[0]["content"]) for c in completions]

        rows = [{"prompt": q.chat} for q in work.queries]
        return rows, len(rows) * work.samples, options, {"reward_funcs": score}

    def loss(self, rollouts: list[Rollout]) -> float:
        model = self.trainer.model.eval()
        if self.job == "grpo":
            inputs = self._rollout_inputs(rollouts)
        else:
            inputs = self.trainer.data_collator(self.rows if self.job == "sft" else self._pairs())
        inputs = {k: v.to(model.device) if isinstance(v, Tensor) else v for k, v in inputs.items()}
        with quiet():
            return float(self.trainer.compute_loss(model, inputs).detach())

    def _rollout_inputs(self, rollouts: list[Rollout]) -> dict[str, Tensor]:
        """What TRL would have made of our samples."""
        from trl.trainer.utils import selective_log_softmax

        model, tokenizer = self.trainer.model, self.trainer.processing_class
        ids = [
            tokenizer.apply_chat_template(r.query.chat, add_generation_prompt=True)["input_ids"]
            for r in rollouts
        ]
        prompt, completion = padded(ids, left=True), padded([r.tokens for r in rollouts])
        prompt_mask = padded([[1] * len(x) for x in ids], left=True)
        completion_mask = padded([[1] * len(r.tokens) for r in rollouts])
        both, mask = (
            torch.cat(x, 1).to(model.device)
            for x in ((prompt, completion), (prompt_mask, completion_mask))
        )
        with torch.no_grad(), model.disable_adapter():
            logits = model(input_ids=both, attention_mask=mask).logits
        start = prompt.shape[1]
        reference = selective_log_softmax(logits[:, start - 1 : -1], both[:, start:])
        rewards = advantages.as_rewards([r.reward for r in rollouts])
        groups = torch.arange(len(self.work.queries)).repeat_interleave(self.work.samples)
        return {
            "prompt_ids": prompt,
            "prompt_mask": prompt_mask,
            "completion_ids": completion,
            "completion_mask": completion_mask,
            "advantages": advantages.group_advantages(rewards, groups).advantage_S,
            "old_per_token_logps": padded([r.logprobs for r in rollouts]),
            "ref_per_token_logps": reference,
            "num_items_in_batch": completion_mask.sum(),
        }
