"""Files and folders that appear whole or not at all, whatever is killed or full meanwhile."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from sqlalchemy.exc import DBAPIError

from superalign.errors import InputError, StoreError

FREE_BYTES = 200 * 2**20


@contextmanager
def storing(path: Path, *, only_full: bool = False) -> Iterator[None]:
    """Turn a failure to store ``path`` into one line; with ``only_full``, only a full disk.

    Raises:
        StoreError: the disk is full, or the file or database could not be read or written.
    """
    try:
        yield
    except Exception as error:
        if _is_full(error):
            raise StoreError(f"disk full while writing {path}; free space and resume") from error
        if only_full or not isinstance(error, OSError | DBAPIError):
            raise
        cause = error.strerror if isinstance(error, OSError) else error.orig
        raise StoreError(f"cannot read or write {path}: {cause}") from error


def _is_full(error: Exception) -> bool:
    """Whether a full disk caused ``error``; SQLite and safetensors say so only in words."""
    if isinstance(error, StoreError):
        return False
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return True
    words = str(error).lower()
    return "disk is full" in words or "no space left on device" in words


def require_space(folder: Path, needed: int = FREE_BYTES) -> None:
    """Refuse to begin on a disk that is nearly full.

    Raises:
        InputError: fewer than ``needed`` bytes are free at ``folder``.
    """
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise InputError(
            f"disk full at {folder}: {free / 2**20:.0f} MB free; "
            f"a run needs at least {needed // 2**20} MB"
        )


def write_atomic(path: Path, text: str) -> None:
    """Write ``text`` to ``path``: a reader, or a kill, sees the old file or the new one.

    Raises:
        StoreError: the file could not be written; what was there before is untouched.
    """
    part = path.with_name(f".{path.name}.part")
    with storing(path):
        try:
            with part.open("w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)
            sync(path.parent)
        finally:
            part.unlink(missing_ok=True)


@contextmanager
def replacing_folder(final: Path) -> Iterator[Path]:
    """A folder to fill, which becomes ``final`` when the block ends well.

    When the block fails, ``final`` stays as it was. After a kill, ``recover`` puts things right.

    Raises:
        StoreError: the disk is full. Other errors of the block pass through.
    """
    fresh, old = final.with_name(f".{final.name}.new"), final.with_name(f".{final.name}.old")
    with storing(final, only_full=True):
        try:
            for left in (fresh, old):
                shutil.rmtree(left, ignore_errors=True)
            fresh.mkdir(parents=True)
            yield fresh
            for path in (*fresh.rglob("*"), fresh):
                sync(path)
            if final.exists():
                final.rename(old)
            fresh.rename(final)
            sync(final.parent)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
    shutil.rmtree(old, ignore_errors=True)


def recover(folder: Path) -> None:
    """Undo what a kill left half-done in ``folder``: files in the making, folders being replaced."""
    for part in folder.glob(".*.part"):
        part.unlink()
    for old in folder.glob(".*.old"):
        final = folder / old.name.removeprefix(".").removesuffix(".old")
        if final.exists():
            shutil.rmtree(old)
        else:
            old.rename(final)
    for fresh in folder.glob(".*.new"):
        shutil.rmtree(fresh)


def take_lock(path: Path) -> IO[str]:
    """Take the lock file at ``path``; closing it, or the end of the process, releases it.

    Raises:
        StoreError: another process has it; the message names the process.
    """
    with storing(path):
        file = path.open("a+", encoding="utf-8")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        owner = file.read().strip() or "unknown"
        file.close()
        raise StoreError(f"{path.parent} is in use by process {owner}; wait or stop it") from None
    except OSError as error:
        file.close()
        raise StoreError(f"cannot lock {path}: {error.strerror}") from None
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    return file


def sync(path: Path) -> None:
    """Wait until the disk has ``path`` (a folder: its list of names)."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
