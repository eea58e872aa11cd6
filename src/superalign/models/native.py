"""The compiled half of inference on a CPU: ``kernels.c``, ``products.c`` and ``products_int8.c``,
built once by the machine's C compiler.

A decode step of a small model is hundreds of operations of a few microseconds each; PyTorch has no
fused CPU kernel for a root-mean-square norm, a rotary embedding or one token's grouped-query
attention, and starts threads anew for each piece. Its bfloat16 products of few rows take up to
twice the time of reading the matrix. Where there is no compiler the engine computes
the same with PyTorch; ``SUPERALIGN_NATIVE=0`` chooses that, and ``missing()`` gives the reason.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import platform
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from superalign.models.embedded import cache_folder
from superalign.models.packing import Copies

_NAMES = ("kernels.c", "products.c", "products_int8.c")
SOURCES = tuple(Path(__file__).with_name(name) for name in _NAMES)
PANEL = 32  # rows of a packed matrix that lie together; as in products.c
LONGEST_HEAD = 512
# OpenMP is left unlinked: its symbols are those of the runtime that PyTorch has loaded, so that
# both share one pool of threads. -ffast-math is for the compiler only: at the link it would switch
# off denormal numbers for the whole process.
COMPILE = ("-std=c11", "-O3", "-march=native", "-ffast-math", "-fopenmp", "-fPIC")
_TYPES = {torch.float32: "float32", torch.bfloat16: "bfloat16"}
_P, _L, _F = ctypes.c_void_p, ctypes.c_long, ctypes.c_float
_SIGNATURES = {
    "rms_norm": (_P, _P, _P, _L, _L, _F),
    "gated_silu": (_P, _P, _L, _L),
    "rms_norm_backward": (_P, _P, _P, _P, _L, _L, _F),
    "gated_silu_backward": (_P, _P, _P, _L, _L),
    "rotate": (_P, _P, _P, _P, _P, _P, _F, _L, _L, _L, _L),
    "decode": (_P, _P, _P, _P, _P, _P, _F, _P, _P, _P, _L, _L, _L, _L, _L, _F),
    "sample": (_P, _P, _P, _P, _L, _L, _F),
    "log_softmax_at": (_P, _P, _P, _L, _L, _L),
    "divergence": (_P, _P, _P, _L, _L),
    "gather_sum": (_P, _P, _P, _P, _L, _L),
}


def _target() -> str:
    """What ``-march=native`` stands for here: a cache folder may be shared between machines."""
    info = Path("/proc/cpuinfo")
    flags = [x for x in info.read_text().splitlines() if x.startswith("flags")][:1] if (
        info.is_file()
    ) else []  # fmt: skip
    return "\n".join((platform.machine(), platform.processor(), *flags))


def _build() -> Path:
    """The compiled library in the user's cache, made where it is missing.

    Raises:
        OSError: no compiler, or it fails.
    """
    compiler = os.environ.get("CC") or shutil.which("cc") or shutil.which("gcc")
    if compiler is None or shutil.which(compiler) is None:
        raise OSError("no C compiler (cc, gcc or $CC)")
    parts = (*(x.read_text() for x in SOURCES), *COMPILE, compiler, _target())
    name = hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]
    path = cache_folder() / f"kernels-{name}.so"
    if path.is_file():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as scratch:
        objects, made = (
            [str(Path(scratch, f"{x.stem}.o")) for x in SOURCES],
            Path(scratch, "all.so"),
        )
        compiled = zip(SOURCES, objects, strict=True)
        for command in (
            *((compiler, *COMPILE, "-c", str(source), "-o", to) for source, to in compiled),
            (compiler, "-shared", *objects, "-o", str(made), "-lm"),
        ):
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
            if done.returncode:
                first = (done.stderr.strip() or f"exit code {done.returncode}").splitlines()[0]
                raise OSError(f"{compiler} fails on the compiled kernels: {first}")
        os.replace(made, path)
    return path


@cache
def _load() -> tuple[ctypes.CDLL | None, str | None]:
    if os.environ.get("SUPERALIGN_NATIVE") == "0":
        return None, "SUPERALIGN_NATIVE=0"
    try:
        library = ctypes.CDLL(str(_build()))
    except (OSError, subprocess.SubprocessError) as error:
        return None, str(error).splitlines()[0]
    for name, signature in _SIGNATURES.items():
        for kind in _TYPES.values():
            function = getattr(library, f"{name}_{kind}")
            function.argtypes, function.restype = signature, None
    library.products_available.restype = _L
    library.pack_matrix.argtypes, library.pack_matrix.restype = (_P, _P, _L, _L, _L, _L), None
    library.multiply.argtypes, library.multiply.restype = (_P,) * 7 + (_L,) * 5, None
    library.products_in_floats.restype = _L
    library.int8_products_available.restype = _L
    library.multiply_int8.argtypes, library.multiply_int8.restype = (_P,) * 7 + (_L,) * 3, None
    return library, None


def library() -> Any:
    """The compiled functions; None where they cannot be had."""
    return _load()[0]


def missing() -> str | None:
    """Why the compiled kernels are not used; None when they are."""
    return _load()[1]


def pointer(x: Tensor | None) -> int | None:
    """Where the elements of a tensor begin; None without one."""
    return None if x is None else x.data_ptr()


class Kernels:
    """The kernels for one element type. Every tensor is contiguous and of that type."""

    def __init__(self, library: ctypes.CDLL, kind: str) -> None:
        self._rms_norm: Any = getattr(library, f"rms_norm_{kind}")
        self._gated_silu: Any = getattr(library, f"gated_silu_{kind}")
        self._rms_norm_backward: Any = getattr(library, f"rms_norm_backward_{kind}")
        self._gated_silu_backward: Any = getattr(library, f"gated_silu_backward_{kind}")
        self._rotate: Any = getattr(library, f"rotate_{kind}")
        self._decode: Any = getattr(library, f"decode_{kind}")
        self._sample: Any = getattr(library, f"sample_{kind}")
        self._log_softmax_at: Any = getattr(library, f"log_softmax_at_{kind}")
        self._divergence: Any = getattr(library, f"divergence_{kind}")
        self._gather_sum: Any = getattr(library, f"gather_sum_{kind}")

    def rms_norm(self, x: Tensor, weight: Tensor, eps: float) -> Tensor:
        """x / rms(x) * weight over the last axis."""
        x = x.contiguous()
        out, width = torch.empty_like(x), x.shape[-1]
        self._rms_norm(
            x.data_ptr(), weight.data_ptr(), out.data_ptr(), x.numel() // width, width, eps
        )
        return out

    def rms_norm_backward(self, x: Tensor, weight: Tensor, grad: Tensor, eps: float) -> Tensor:
        """The gradient of ``x`` given that of the result."""
        grad, out, width = grad.contiguous(), torch.empty_like(x), x.shape[-1]
        self._rms_norm_backward(
            x.data_ptr(), weight.data_ptr(), grad.data_ptr(), out.data_ptr(),
            x.numel() // width, width, eps,
        )  # fmt: skip
        return out

    def gated_silu(self, fused: Tensor) -> Tensor:
        """silu(gate) * up of rows that hold gate and then up (n, 2 * width)."""
        n, width = fused.shape[0], fused.shape[1] // 2
        out = fused.new_empty(n, width)
        self._gated_silu(fused.data_ptr(), out.data_ptr(), n, width)
        return out

    def gated_silu_backward(self, fused: Tensor, grad: Tensor) -> Tensor:
        """The gradient of ``fused`` given that of the result (n, width)."""
        grad, out = grad.contiguous(), torch.empty_like(fused)
        self._gated_silu_backward(
            fused.data_ptr(), grad.data_ptr(), out.data_ptr(), fused.shape[0], grad.shape[1]
        )
        return out

    def rotate(
        self,
        fused: Tensor,
        table: tuple[Tensor, Tensor],
        positions: Tensor,
        norms: tuple[Tensor | None, Tensor | None],
        eps: float,
        heads: int,
        kv_heads: int,
    ) -> None:
        """Norm (where given) and turn the queries and keys of fused (n, H + 2 K, D) in place."""
        self._rotate(
            fused.data_ptr(), table[0].data_ptr(), table[1].data_ptr(), positions.data_ptr(),
            pointer(norms[0]), pointer(norms[1]), eps,
            fused.shape[0], heads, kv_heads, fused.shape[2],
        )  # fmt: skip

    def decode(
        self,
        fused: Tensor,
        table: tuple[Tensor, Tensor],
        lengths: Tensor,
        norms: tuple[Tensor | None, Tensor | None],
        eps: float,
        keys: Tensor,
        values: Tensor,
        heads: int,
        kv_heads: int,
        scale: float,
    ) -> Tensor:
        """Rotate one token per slot, store its key and value, attend: (n, H, D).

        ``lengths`` (n,) count the new token; keys and values are (n * K, capacity, D).
        """
        n, _, size = fused.shape
        out = fused.new_empty(n, heads, size)
        self._decode(
            fused.data_ptr(), table[0].data_ptr(), table[1].data_ptr(), lengths.data_ptr(),
            pointer(norms[0]), pointer(norms[1]), eps,
            keys.data_ptr(), values.data_ptr(), out.data_ptr(),
            n, heads, kv_heads, size, keys.shape[1], scale,
        )  # fmt: skip
        return out

    def sample(
        self, logits: Tensor, uniforms: Tensor | None, temperature: float
    ) -> tuple[Tensor, Tensor]:
        """Tokens (n,) and log-probabilities (n,) float32 of logits (n, V); greedy without uniforms."""
        logits = logits.contiguous()  # held until the call is over
        n, size = logits.shape
        tokens, logprobs = torch.empty(n, dtype=torch.long), torch.empty(n)
        self._sample(
            logits.data_ptr(), pointer(uniforms), tokens.data_ptr(),
            logprobs.data_ptr(), n, size, 1 / temperature if uniforms is not None else 1.0,
        )  # fmt: skip
        return tokens, logprobs

    def log_softmax_at(self, logits: Tensor, targets: Tensor, keep: bool) -> Tensor:
        """log softmax(logits)[targets] (n,) float32; ``keep``: logits (n, V) become probabilities."""
        n, size = logits.shape
        targets, out = targets.contiguous(), torch.empty(n)
        self._log_softmax_at(
            logits.data_ptr(), targets.data_ptr(), out.data_ptr(), n, size, int(keep)
        )
        return out

    def divergence(self, logits_q: Tensor, logits_p: Tensor) -> Tensor:
        """KL(softmax(p) ‖ softmax(q)) (n,) float32; q (n, V) becomes softmax(q) - softmax(p)."""
        n, size = logits_q.shape
        out = torch.empty(n)
        self._divergence(logits_q.data_ptr(), logits_p.data_ptr(), out.data_ptr(), n, size)
        return out

    def gather_sum(self, grid: Tensor, copies: Copies) -> Tensor:
        """The sum of each token's cells of a grid (cells, ...): (T, ...)."""
        grid, n = grid.contiguous(), copies.starts.numel() - 1
        out = grid.new_empty(n, *grid.shape[1:])
        self._gather_sum(
            grid.data_ptr(), copies.cells.data_ptr(), copies.starts.data_ptr(), out.data_ptr(),
            n, grid[0].numel(),
        )  # fmt: skip
        return out


class PackedMatrix:
    """A fixed bfloat16 matrix w (out, in), reordered for products.c; ``in`` is even.

    A row of a product has the same bits however many rows are multiplied with it.
    """

    def __init__(self, library: ctypes.CDLL, weight: Tensor, bias: Tensor | None) -> None:
        self.rows, self.width = weight.shape
        self._library: Any = library
        self.in_floats = multiplies_in_floats()
        self._panels = self._pack(weight)
        self._bias = None if bias is None else bias.contiguous()

    def _pack(self, matrix: Tensor) -> Tensor:
        panels = matrix.new_empty(-(-self.rows // PANEL) * PANEL * matrix.shape[1])
        self._library.pack_matrix(
            matrix.data_ptr(), panels.data_ptr(), *matrix.shape, *matrix.stride()
        )
        return panels

    def __call__(
        self,
        x: Tensor,
        residual: Tensor | None = None,
        low_rank: tuple[Tensor, Tensor] | None = None,
    ) -> Tensor:
        """x wᵀ + bias + residual + z uᵀ for x (n, in), rounded once; nothing for autograd.

        ``low_rank``: z (n, R) and u (out, R), R even.
        """
        x = x.contiguous()
        z, u, rank = None, None, 0
        if low_rank is not None:
            z, u, rank = low_rank[0].contiguous(), self._pack(low_rank[1]), low_rank[0].shape[1]
        if residual is not None:
            residual = residual.contiguous()
        out = x.new_empty(x.shape[0], self.rows)
        self._library.multiply(
            x.data_ptr(), self._panels.data_ptr(), pointer(z), pointer(u), pointer(self._bias),
            pointer(residual), out.data_ptr(), x.shape[0], self.rows, self.width, rank,
            int(self.in_floats),
        )  # fmt: skip
        return out


@cache
def multiplies_in_floats() -> bool:
    """Whether this processor multiplies pairs of bfloat16 more slowly than their floats."""
    library = _load()[0]
    return library is not None and bool(library.products_in_floats())


def packed(weight: Tensor, bias: Tensor | None) -> PackedMatrix | None:
    """The matrix reordered; None where this processor or this matrix has no such product."""
    library = _load()[0] if weight.device.type == "cpu" else None
    fits = weight.dtype == torch.bfloat16 and weight.shape[1] % 2 == 0
    if library is None or not fits or not library.products_available():
        return None
    return PackedMatrix(library, weight, bias)


@cache
def kernels(device: str, dtype: torch.dtype) -> Kernels | None:
    """The kernels for tensors of this kind; None where there are none or they cannot be built."""
    library = _load()[0] if device == "cpu" and dtype in _TYPES else None
    return None if library is None else Kernels(library, _TYPES[dtype])
