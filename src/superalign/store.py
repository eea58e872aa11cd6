"""A run's folder and its SQLite file: atomic, resumable.

A run is a sequence of named phases. ``finish_phase`` writes a phase's records, its payload and its
seconds in one transaction, so after a kill at any instant each phase is wholly there or not at all
and a resumed run repeats only the phase that was cut off. Files appear by rename, whole or not at
all. Every failure to write is a ``StoreError`` of one line.

One process writes (``create``, ``open(..., write=True)``; a lock enforces it), any number read.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, NamedTuple, Self, TypeVar

import sqlalchemy as sa

from superalign.errors import InputError, StoreError
from superalign.files import (
    recover,
    replacing_folder,
    require_space,
    storing,
    sync,
    take_lock,
    write_atomic,
)
from superalign.records import Label, Record

R = TypeVar("R", bound=Record)
SCHEMA = 1
CONFIG, DATABASE, LOG = "config.yaml", "records.sqlite", "log.jsonl"
CHECKPOINTS, LOCK = "checkpoints", ".lock"

_METADATA = sa.MetaData()
_RECORDS = sa.Table(
    "records",
    _METADATA,
    sa.Column("seq", sa.Integer, primary_key=True),
    sa.Column("kind", sa.String, nullable=False),
    sa.Column("id", sa.String, nullable=False, index=True),
    sa.Column("parent", sa.String),
    sa.Column("round", sa.Integer),
    sa.Column("phase", sa.String, nullable=False),
    sa.Column("owner", sa.String, nullable=False, index=True),
    sa.Column("json", sa.String, nullable=False),
    sa.Index("records_by_kind_and_phase", "kind", "phase"),
)
_PHASES = sa.Table(
    "phases",
    _METADATA,
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("round", sa.Integer),
    sa.Column("seconds", sa.Float, nullable=False),
    sa.Column("payload", sa.String, nullable=False),
    sa.Column("finished_at", sa.String, nullable=False),
)


class Phase(NamedTuple):
    """A finished phase."""

    name: str
    round: int | None
    seconds: float
    payload: dict[str, Any]
    finished_at: str


class RunStore:
    """A run's folder. Use ``create`` for a new run and ``open`` for one that exists."""

    def __init__(self, path: Path, lock: IO[str] | None) -> None:
        self.path = path
        self._lock = lock
        self._engine = _engine(path / DATABASE)

    @classmethod
    def create(cls, path: Path, config_yaml: str, *, resume: bool = False) -> Self:
        """A new run at ``path``; with ``resume``, the run already there continues.

        Raises:
            InputError: the folder is taken, not writable, on a full disk, or of another run.
            StoreError: another process is writing to the run.
        """
        with storing(path):
            exists = is_run(path)
            taken = path.exists() and (not path.is_dir() or any(path.iterdir()))
        if exists:
            if not resume:
                raise InputError(f"{path} already holds a run; continue it with --resume {path}")
            store = cls.open(path, write=True)
            if store.config_yaml != config_yaml:
                store.close()
                raise InputError(f"{path} was started with another configuration; see its {CONFIG}")
            return store
        if taken:
            raise InputError(f"{path} is taken and is not a run; allowed: a new or empty folder")
        _build(path, config_yaml)
        return cls.open(path, write=True)

    @classmethod
    def open(cls, path: Path, *, write: bool = False) -> Self:
        """The run at ``path``, to read or, with ``write``, to continue.

        Raises:
            InputError: there is no run, or a newer version of superalign wrote it.
            StoreError: another process is writing to it, or its files cannot be read.
        """
        with storing(path):
            exists = is_run(path)
        if not exists:
            raise InputError(f"{path} is not a run; allowed: a folder with {CONFIG} and {DATABASE}")
        if write:
            require_space(path)
        store = cls(path, take_lock(path / LOCK) if write else None)
        try:
            store._check_schema()
            if write:
                store._recover()
        except BaseException:
            store.close()
            raise
        return store

    def close(self) -> None:
        """Release the database and the lock."""
        self._engine.dispose()
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def config_yaml(self) -> str:
        """The configuration that the run was started with."""
        with storing(self.path / CONFIG):
            return (self.path / CONFIG).read_text(encoding="utf-8")

    # Phases and records

    def phase_done(self, name: str) -> bool:
        """Whether the phase ``name`` is finished, with all its records."""
        return bool(self._read(sa.select(_PHASES.c.name).where(_PHASES.c.name == name)))

    def finish_phase(
        self,
        name: str,
        payload: dict[str, Any],
        records: Iterable[tuple[str, Record]] = (),
        seconds: float = 0.0,
        *,
        round: int | None = None,
    ) -> dict[str, Any]:
        """Write a phase in one transaction: it is wholly there or not at all.

        ``records`` are pairs of a phase tag (for ``records(kind, phase)``) and a record. Finishing
        a phase again replaces what it wrote before. Returns the payload as ``phase_payload`` will
        give it (JSON: tuples become lists), so a fresh and a resumed run can use the same value.
        """
        text = json.dumps(payload, ensure_ascii=False)
        rows = [_row(record, tag, name, round) for tag, record in records]
        now = datetime.now(UTC).isoformat(timespec="seconds")
        with self._write() as connection:
            connection.execute(sa.delete(_RECORDS).where(_RECORDS.c.owner == name))
            connection.execute(sa.delete(_PHASES).where(_PHASES.c.name == name))
            if rows:
                connection.execute(sa.insert(_RECORDS), rows)
            connection.execute(
                sa.insert(_PHASES).values(
                    name=name, round=round, seconds=seconds, payload=text, finished_at=now
                )
            )
        return _loads(text)

    def phase_payload(self, name: str) -> dict[str, Any]:
        """What the finished phase ``name`` left.

        Raises:
            StoreError: the phase is not finished.
        """
        rows = self._read(sa.select(_PHASES.c.payload).where(_PHASES.c.name == name))
        if not rows:
            raise StoreError(f"{self.path}: phase '{name}' is not finished")
        return _loads(rows[0].payload)

    def phases(self) -> list[Phase]:
        """All finished phases in the order in which they finished."""
        rows = self._read(sa.select(_PHASES).order_by(sa.text("rowid")))
        return [Phase(r.name, r.round, r.seconds, _loads(r.payload), r.finished_at) for r in rows]

    def seconds(self) -> dict[str, float]:
        """Seconds per finished phase, over all sittings of the run."""
        return {phase.name: phase.seconds for phase in self.phases()}

    def records(self, kind: type[R], phase: str | None = None) -> list[R]:
        """Records of ``kind`` (tagged ``phase``) in the order written, repeated ones included."""
        query = sa.select(_RECORDS.c.json).where(_RECORDS.c.kind == kind.__name__)
        if phase is not None:
            query = query.where(_RECORDS.c.phase == phase)
        rows = self._read(query.order_by(_RECORDS.c.seq))
        return [kind.model_validate_json(row.json) for row in rows]

    def add_labels(
        self, labels: Iterable[Label], *, phase: str = "labels", round: int | None = None
    ) -> None:
        """Append labels at once, outside any phase: a human's answers must not wait for one."""
        rows = [_row(label, phase, "", round) for label in labels]
        if rows:
            with self._write() as connection:
                connection.execute(sa.insert(_RECORDS), rows)

    # Files

    def write_text(self, name: str, text: str) -> Path:
        """Write the file ``name`` in the run's folder, whole or not at all."""
        path = self.path / _plain(name)
        write_atomic(path, text)
        return path

    def write_json(self, name: str, value: Any) -> Path:
        """Write ``value`` as strict JSON; NaN and infinity are refused (undefined is ``null``)."""
        try:
            text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)
        except (TypeError, ValueError) as error:
            raise StoreError(f"cannot write {self.path / name}: {error}") from error
        return self.write_text(name, text + "\n")

    def log(self, event: str, **fields: Any) -> None:
        """Append one line to the log."""
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        line = json.dumps({"time": now, "event": event, **fields}, ensure_ascii=False, default=str)
        with storing(self.path / LOG), (self.path / LOG).open("ab", buffering=0) as file:
            file.write(line.encode() + b"\n")

    def checkpoint_path(self, name: str) -> Path:
        """Where the checkpoint ``name`` lies, or would lie."""
        return self.path / CHECKPOINTS / _plain(name)

    @contextmanager
    def checkpoint(self, name: str) -> Iterator[Path]:
        """A folder to fill; it becomes ``checkpoint_path(name)`` when the block ends well.

        A checkpoint of that name is replaced; when the block fails, it stays as it was.
        """
        with replacing_folder(self.checkpoint_path(name)) as fresh:
            yield fresh

    # Inside

    def _recover(self) -> None:
        """Undo what a kill left half-done."""
        with storing(self.path):
            (self.path / CHECKPOINTS).mkdir(exist_ok=True)
            recover(self.path)
            recover(self.path / CHECKPOINTS)
            _end_line(self.path / LOG)

    def _check_schema(self) -> None:
        version = self._read(sa.text("PRAGMA user_version"))[0][0]
        if version != SCHEMA:
            raise InputError(
                f"{self.path} has schema {version}; allowed: {SCHEMA} (another superalign wrote it)"
            )

    def _read(self, query: sa.Executable) -> list[sa.Row[Any]]:
        with storing(self.path / DATABASE), self._engine.connect() as connection:
            return list(connection.execute(query))

    @contextmanager
    def _write(self) -> Iterator[sa.Connection]:
        if self._lock is None:
            raise StoreError(f"{self.path} is open for reading only; open it with write=True")
        with storing(self.path / DATABASE), self._engine.begin() as connection:
            yield connection


def is_run(path: Path) -> bool:
    """Whether ``path`` is a run's folder."""
    return (path / CONFIG).is_file() and (path / DATABASE).is_file()


def _engine(database: Path) -> sa.Engine:
    # A WAL database in a folder that cannot be written opens only as immutable.
    writable = os.access(database.parent, os.W_OK)
    query = {"mode": "rw", "uri": "true"} if writable else {"immutable": "1", "uri": "true"}
    url = sa.URL.create("sqlite", database=database.absolute().as_uri(), query=query)
    engine = sa.create_engine(url, poolclass=sa.NullPool, connect_args={"timeout": 30})

    @sa.event.listens_for(engine, "connect")
    def _durable(connection: Any, _: object) -> None:
        # With write-ahead logging a transaction is one commit frame: a kill leaves it in or out.
        # FULL waits for the disk, so a finished phase also survives a power cut.
        connection.execute("PRAGMA synchronous=FULL")

    return engine


def _build(path: Path, config_yaml: str) -> None:
    """Make the run's folder beside its place and rename it there."""
    path = path.resolve()
    fresh = path.with_name(f".{path.name}.new-{os.getpid()}")
    try:
        if path == Path.cwd():
            raise InputError(f"cannot create a run in the current folder {path}; name another")
        path.parent.mkdir(parents=True, exist_ok=True)
        require_space(path.parent)
        fresh.mkdir()
    except OSError as error:
        raise InputError(f"cannot create a run at {path}: {error.strerror}") from None
    try:
        with storing(path):
            (fresh / CHECKPOINTS).mkdir()
            (fresh / LOG).touch()
            (fresh / DATABASE).touch()
            _create_tables(fresh / DATABASE)
            write_atomic(fresh / CONFIG, config_yaml)
            fresh.rename(path)
            sync(path.parent)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _create_tables(database: Path) -> None:
    engine = _engine(database)
    with engine.connect() as connection:
        connection.execute(sa.text("PRAGMA journal_mode=WAL"))
        connection.execute(sa.text(f"PRAGMA user_version={SCHEMA}"))
    _METADATA.create_all(engine)
    engine.dispose()


def _row(record: Record, tag: str, owner: str, round: int | None) -> dict[str, Any]:
    return {
        "kind": type(record).__name__,
        "id": record.id,
        "parent": record.parent,
        "round": round,
        "phase": tag,
        "owner": owner,
        "json": json.dumps(record.model_dump(), ensure_ascii=False),
    }


def _loads(text: str) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(text)
    return value


def _plain(name: str) -> str:
    """``name`` itself, when it is a visible name without folders."""
    if not name or name.startswith(".") or Path(name).name != name:
        raise ValueError(f"'{name}' is not a plain file name")
    return name


def _end_line(log: Path) -> None:
    """End a log line that a kill cut short, so that the next one stands alone."""
    if log.exists() and log.read_bytes()[-1:] not in (b"", b"\n"):
        with log.open("ab") as file:
            file.write(b"\n")
