"""LoRA steps (SFT, DPO, GRPO) against a plain PEFT loop, ``transformers.Trainer`` and TRL.

    python benchmarks/training.py [--quick] [--jobs sft dpo grpo] [--out training.json]

All peers train LoRA (rank 16, every projection of every block) with AdamW on the same tokens: 16
demonstrations or pairs a step; for GRPO 8 prompts x 8 completions of 32 tokens, sampled within the
step. First every peer's loss at the same random adapter is asserted to equal ours in float32 to
1e-4. The trainers' own clocks start at the step, after their set-up and collation. "ours, upper
3/4" is superalign's default, which leaves the lowest quarter of the blocks frozen; ratios are taken
against "ours", which trains what the peers train. TRL checkpoints activations by default: "TRL" is
measured without (faster), "TRL, default" with it (smaller). Peak memory is that of two steps in a
process of their own. Estimated time on two Zen 5 cores: --quick 20 minutes, all 45.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import math
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import timing
import torch
import torch.nn.functional as F
from timing import Peer, Table, Words
from torch import Tensor

from superalign.config import LearnerConfig
from superalign.learner import advantages
from superalign.learner.examples import Example, Rollout
from superalign.learner.offline import train_offline
from superalign.learner.on_policy import train_on_policy
from superalign.models import Adapter, LocalModel
from superalign.models.adapters import PROJECTIONS
from superalign.models.packing import Tree
from superalign.records import Message, Query
from superalign.tasks.neutral import NEUTRAL_TEXTS

RANK, ALPHA, RATE, BETA, KL = 16, 32, 1e-5, 0.1, 0.05
TOLERANCE = 1e-4
Ids = tuple[int, ...]


# -- the work ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Work:
    """What every peer gets: token ids of prompts, chosen and rejected answers; GRPO's sizes."""

    prompts: list[Ids]
    chosen: list[Ids]
    rejected: list[Ids]
    queries: list[Query]
    samples: int
    new: int

    @classmethod
    def make(cls, model: Words, tiny: bool) -> Work:
        words, stream = " ".join(NEUTRAL_TEXTS).split(), timing.token_stream(model)
        n, groups, samples, new, few = (4, 2, 4, 6, 2) if tiny else (16, 8, 8, 32, 20)

        def question(i: int) -> str:
            start = 53 * i % (len(words) - 2 * few)
            return "Explain: " + " ".join(words[start : start + few // 2 + (i * 5) % few])

        end = int(model.tokenizer.eos_token_id)

        def answer(i: int) -> Ids:
            return (*timing.cut(stream, i, 8 + (i * 11) % (2 * new)), end)

        queries = [
            Query(
                domain="bench",
                family="bench",
                split="train",
                messages=(Message(role="user", content=question(100 + i)),),
            )
            for i in range(groups)
        ]
        assert len({q.id for q in queries}) == groups
        return cls(
            [model.encode(question(i)) for i in range(n)],
            [answer(i) for i in range(n)],
            [answer(n + i) for i in range(n)],
            queries,
            samples,
            new,
        )

    def tokens(self, job: str) -> int:
        """Tokens that a peer without sharing computes in a step."""
        if job == "grpo":
            return len(self.queries) * self.samples * self.new
        answers = self.chosen + (self.rejected if job == "dpo" else [])
        sides = 2 if job == "dpo" else 1
        return sides * sum(map(len, self.prompts)) + sum(map(len, answers))


def reward(text: str) -> float:
    return len(set(text)) / 20


def settings(job: str) -> LearnerConfig:
    algorithm: Any = job
    return LearnerConfig(
        algorithm=algorithm, learning_rate=RATE, batch_tokens=10**9, average="tokens",
        sft_weight=float(job == "sft"), beta=BETA, kl_weight=KL, clip=0.2,
    )  # fmt: skip


def padded(rows: Sequence[Sequence[float]], fill: float = 0, left: bool = False) -> Tensor:
    width = max(map(len, rows))
    gaps = [[fill] * (width - len(r)) for r in rows]
    return torch.tensor([[*g, *r] if left else [*r, *g] for r, g in zip(rows, gaps, strict=True)])


# -- ours -------------------------------------------------------------------------------------------


class Ours:
    """superalign's trainers, one step a call."""

    def __init__(
        self, args: argparse.Namespace, job: str, dtype: str | None = None, share: float = 0.0
    ) -> None:
        base = timing.ours(args, dtype)
        self.work, self.job, self.count = Work.make(Words(args), args.tiny), job, 0
        first = round(share * base.depth)
        adapter = base.fresh_adapter(rank=RANK, alpha=ALPHA, seed=0, first_layer=first)
        self.base = base
        self.view = self._view(adapter)

    def _view(self, adapter: Adapter) -> LocalModel:
        view = self.base.with_adapter(adapter)
        view.__dict__["end_tokens"] = frozenset()
        return view

    def load(self, folder: Path) -> None:
        self.view = self._view(Adapter.load(folder))

    def examples(self) -> list[Example]:
        work = self.work
        sides = zip(work.prompts, work.chosen, work.rejected, strict=True)
        return [
            Example(Tree(p, (c, r) if self.job == "dpo" else (c,)), 1.0, 1.0) for p, c, r in sides
        ]

    def rollouts(self) -> list[Rollout]:
        """Samples of every query; their rewards are a function of their texts."""
        self.count += 1
        rows = self.view.generate(
            [q.chat for q in self.work.queries],
            n=self.work.samples,
            max_new_tokens=self.work.new,
            seed=self.count,
        )
        return [
            Rollout(q, c.tokens, c.logprobs, reward(c.text))
            for q, row in zip(self.work.queries, rows, strict=True)
            for c in row
        ]

    def loss(self, rollouts: list[Rollout]) -> float:
        """The loss of the next step, which is taken."""
        cfg = settings(self.job)
        if self.job == "grpo":
            return train_on_policy(self.view, rollouts, cfg, seed=0).losses[0]
        return train_offline(self.view, self.examples(), cfg, seed=0).losses[0]

    def step(self) -> None:
        self.loss(self.rollouts() if self.job == "grpo" else [])


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


# -- jobs -------------------------------------------------------------------------------------------

Builder = Callable[..., Any]
OURS: dict[str, Builder] = {"ours": Ours, "ours, upper 3/4": lambda a, j: Ours(a, j, share=0.25)}
TRL: dict[str, Builder] = {
    "TRL": Trl,
    "TRL, default": lambda a, j: Trl(a, j, checkpointing=True),
}
JOBS: dict[str, dict[str, Builder]] = {
    "sft": OURS | {"PEFT loop": PeftLoop, "Trainer": HfTrainer} | TRL,
    "dpo": OURS | {"PEFT loop": PeftLoop} | TRL,
    "grpo": OURS | TRL,
}


def assert_same(args: argparse.Namespace, job: str) -> None:
    """Every peer's float32 loss at one random adapter equals ours; prints them as JSON."""
    mine = Ours(args, job, "float32")
    generator = torch.Generator().manual_seed(0)
    adapter = mine.view.adapter
    assert adapter is not None
    with torch.no_grad():
        for _, b in adapter.parameters.values():
            b.copy_(0.01 * torch.randn(b.shape, generator=generator))
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        adapter.save(folder, base="")
        mine.load(folder)
        rollouts = [
            Rollout(r.query, r.tokens, tuple(x + 0.3 * math.sin(i) for i, x in enumerate(r.logprobs)),
                    r.reward)
            for r in (mine.rollouts() if job == "grpo" else [])
        ]  # fmt: skip
        wanted = mine.loss(rollouts)
        losses = {"ours": wanted}
        for name, build in JOBS[job].items():
            if build in (PeftLoop, HfTrainer, Trl) and not _missing(name):
                peer = build(args, job, "float32")
                peer.load(folder)
                found = peer.loss(rollouts)
                assert abs(found - wanted) < TOLERANCE, f"{job}: {name} {found}, ours {wanted}"
                losses[name] = found
    print(json.dumps(losses))


def _missing(name: str) -> str | None:
    """Why a peer cannot run here."""
    import importlib.util

    wanted = "trl" if name.startswith("TRL") else "peft"
    return None if importlib.util.find_spec(wanted) else f"{wanted} is not installed"


def chosen(args: argparse.Namespace, job: str) -> dict[str, Builder]:
    """The job's peers that run here; --quick leaves out the slower of two alike."""
    found = {}
    for name, build in JOBS[job].items():
        why = _missing(name) if not name.startswith("ours") else None
        if why is not None:
            timing.note(f"{job}: {name} skipped: {why}")
        elif not (args.quick and name in ("TRL, default",)):
            found[name] = build
    return found


def time_job(args: argparse.Namespace, job: str) -> dict[str, list[float]]:
    built = {name: build(args, job) for name, build in chosen(args, job).items()}
    peers = {name: Peer(peer.step) for name, peer in built.items()}
    return timing.alternate(peers, args.repeats, args.device, job)


def memory_of(args: argparse.Namespace) -> None:
    """In a process of its own: two steps of one peer, then its peak memory as JSON."""
    job, name = args.memory_of
    peer = JOBS[job][name](args, job)
    before = timing.peak_mb(args.device)
    for _ in range(2):
        peer.step()
    print(json.dumps({"peak_mb": timing.peak_mb(args.device), "before_mb": before}))


def row(
    table: Table, job: str, name: str, times: dict[str, list[float]], memory: dict[str, Any]
) -> None:
    mine, peak, base = times["ours"], memory.get(name, {}), memory.get("ours", {})
    known = "peak_mb" in peak and "peak_mb" in base
    seconds = times.get(name)
    table.add(
        [
            job,
            name,
            timing.spread(timing.ratios(seconds, mine)),
            f"{peak['peak_mb'] / base['peak_mb']:.2f}" if known else "–",
            timing.spread(seconds or []),
            f"{peak['peak_mb']:,.0f}" if known else peak.get("failed", "–"),
            f"{peak['before_mb']:,.0f}" if known else "–",
        ],
        seconds=seconds,
        memory=peak,
    )


def main() -> None:
    parser = timing.parser(__doc__)
    parser.add_argument("--jobs", nargs="+", choices=list(JOBS), default=list(JOBS))
    parser.add_argument("--memory-of", nargs=2, metavar=("JOB", "PEER"), help=argparse.SUPPRESS)
    parser.add_argument("--compare", metavar="JOB", help=argparse.SUPPRESS)
    parser.add_argument("--no-memory", action="store_true", help="leave the peak memory out")
    args = parser.parse_args()
    if args.memory_of:
        memory_of(args)
        return
    if args.compare:
        assert_same(args, args.compare)
        return
    table = Table(
        f"LoRA steps, {args.dtype}, {args.device}",
        [
            "job",
            "peer",
            "× our time",
            "× our peak memory",
            "seconds a step",
            "peak MB",
            "MB before the first step",
        ],
    )
    for job in args.jobs:
        compared = timing.child(__file__, args, "--compare", job)  # float32 peers take gigabytes
        if "failed" in compared:
            sys.exit(f"{job}: {compared['failed']}")
        timing.note(f"{job}: float32 losses {compared}")
        memory = {}
        for name in [] if args.no_memory else JOBS[job]:
            if not _missing(name):
                timing.note(f"{job}: memory of {name}")
                memory[name] = timing.child(__file__, args, "--memory-of", job, name)
        times = time_job(args, job)
        for name in JOBS[job]:
            if name in times or name in memory:
                row(table, job, name, times, memory)
    timing.finish(args, [table])


if __name__ == "__main__":
    main()
