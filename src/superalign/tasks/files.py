"""Queries from a user's own files: JSONL, JSON, CSV, TSV or Parquet, each also gzipped."""

from __future__ import annotations

import csv
import gzip
import importlib
import io
import json
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, cast

from superalign.errors import InputError
from superalign.records import Message, Query, Split, Verdict, content_hash
from superalign.registry import lookup
from superalign.tasks.base import family_cycle, seeded
from superalign.tasks.ethics import judgement_query
from superalign.tasks.mathematics import foreign_query
from superalign.tasks.safety import stems

Row = dict[str, Any]
Located = tuple[str, Row]  # where in the file ("line 3"), and the row
GRADERS = ("mathematics", "safety", "ethics", "benign")
HARMFUL = frozenset({"harmful", "unsafe", "wrong", "true", "yes", "1"})
SAFE = frozenset({"safe", "benign", "harmless", "false", "no", "0"})
ETHICS_QUESTION = "Is this morally wrong?"


def read_rows(path: str | Path) -> Iterator[Row]:
    """The rows of a file, in order, as dictionaries; the format comes from the file's name.

    Raises:
        InputError: on the first row read or later, naming the file, the line and what was wrong.
    """
    return (row for _, row in _located(Path(path)))


class FileTask:
    """A user's rows as a task: half of the texts (by hash) for training, half held out.

    ``kind`` names the registered task that grades: by default mathematics for rows with an
    ``answer_field``, safety for rows with a ``label_field`` (harmful or safe).
    """

    def __init__(
        self,
        path: str | Path,
        text_field: str,
        answer_field: str | None = None,
        label_field: str | None = None,
        kind: str | None = None,
    ) -> None:
        self.path = Path(path)
        self.domain = kind or _default_kind(self.path, answer_field, label_field)
        self._fields = _Fields(self.path, self.domain, text_field, answer_field, label_field)
        self.families: dict[str, Split] = {
            f"{self.path.name}:train": "train",
            f"{self.path.name}:held_out": "held_out",
        }
        self.queries = self._read()

    def generate(
        self, n: int, *, seed: int, split: Split, families: Sequence[str] | None = None
    ) -> list[Query]:
        """``n`` distinct rows of ``split`` in an order drawn by ``seed``.

        Raises:
            InputError: the split has fewer rows.
        """
        names = set(family_cycle(self.families, split, families))
        pool = [query for query in self.queries if query.family in names]
        if n > len(pool):
            raise InputError(
                f"{self.path}: {n} queries asked for in split '{split}'; it has {len(pool)} "
                f"of the file's {len(self.queries)} distinct rows"
            )
        return seeded("file", self.path.name, split, seed).sample(pool, n)

    def grade(self, query: Query, text: str) -> Verdict:
        """The verdict of the registered task called ``kind``."""
        verdict: Verdict = lookup("task", self.domain)().grade(query, text)
        return verdict

    def _read(self) -> list[Query]:
        found: dict[str, tuple[str, Query]] = {}
        for where, row in _located(self.path):
            query = self._fields.query(where, row)
            asked = json.dumps(query.chat) if query.operator != "plain" else query.goal
            first, known = found.setdefault(asked, (where, query))
            if known.truth != query.truth:
                raise InputError(
                    f"{self.path}, {where}: the text of {first} again with another answer; "
                    "allowed: one answer a text"
                )
        return [query for _, query in found.values()]


class _Fields:
    """Which fields of a row make a query, and how."""

    def __init__(
        self, path: Path, kind: str, text: str, answer: str | None, label: str | None
    ) -> None:
        self.path, self.kind = path, kind
        self.text, self.answer, self.label = text, answer, label
        if kind not in GRADERS:
            raise InputError(f"{path}: unknown kind '{kind}'; allowed: {', '.join(GRADERS)}")
        needed = {"mathematics": answer, "ethics": answer or label}
        if needed.get(kind, "") is None:
            wanted = {"mathematics": "answer_field"}
            name = wanted.get(kind, "answer_field or label_field")
            raise InputError(f"{path}: kind '{kind}' needs the name of a field in {name}")

    def query(self, where: str, row: Row) -> Query:
        """The row as a query of the task that grades it.

        A safety row without the text field may hold ``messages`` and their ``goal``, as a campaign's
        ``regression.jsonl`` does.
        """
        if self.kind == "safety" and self.text not in row and row.get("messages"):
            return self._attack(where, row)
        text = self._get(where, row, self.text)
        split = _split(text)
        family = f"{self.path.name}:{split}"
        if self.kind == "mathematics":
            return foreign_query(text, self._get(where, row, str(self.answer)), family, split)
        if self.kind == "ethics":
            return self._ethics(where, row, text, family, split)
        harmful = self.kind == "safety" and self._harmful(where, row)
        return Query(
            domain=self.kind,
            family=family,
            split=split,
            messages=(Message(role="user", content=text),),
            truth={"harmful": harmful, "category": family, "topic": stems(text)},
            goal=text,
        )

    def _attack(self, where: str, row: Row) -> Query:
        """A conversation whose goal is harmful; what disguises it is named by ``operator``."""
        goal, domain = self._get(where, row, "goal"), row.get("domain", "safety")
        if domain != "safety":
            raise InputError(
                f"{self.path}, {where}: an attack on domain '{domain}'; allowed: safety "
                "(superalign attack --regression asks attacks on any)"
            )
        try:
            messages = tuple(Message(**turn) for turn in row["messages"])
        except (TypeError, ValueError):
            messages = ()
        if not any(m.role == "user" for m in messages):
            raise InputError(
                f"{self.path}, {where}: 'messages' cannot be read; allowed: role and content of turns"
            )
        split = _split(goal)
        family = f"{self.path.name}:{split}"
        return Query(
            domain="safety",
            family=family,
            split=split,
            messages=messages,
            truth={"harmful": True, "category": family, "topic": stems(goal)},
            goal=goal,
            operator=str(row.get("operator", "conversation")),
        )

    def _ethics(self, where: str, row: Row, text: str, family: str, split: Split) -> Query:
        if self.answer is None:
            answer = "yes" if self._harmful(where, row) else "no"
        else:
            answer = self._get(where, row, self.answer)
        try:
            return judgement_query(text, ETHICS_QUESTION, answer, family, split)
        except InputError as error:
            raise InputError(f"{self.path}, {where}: {error}") from error

    def _harmful(self, where: str, row: Row) -> bool:
        """The row's label; a safety file without labels holds harmful requests only."""
        if self.label is None:
            return True
        label = self._get(where, row, str(self.label)).lower()
        if label not in HARMFUL | SAFE:
            allowed = f"{', '.join(sorted(HARMFUL))} or {', '.join(sorted(SAFE))}"
            raise InputError(
                f"{self.path}, {where}: '{label[:40]}' in field '{self.label}'; allowed: {allowed}"
            )
        return label in HARMFUL

    def _get(self, where: str, row: Row, name: str) -> str:
        if name not in row:
            present = ", ".join(row) or "none"
            raise InputError(f"{self.path}, {where}: no field '{name}'; present: {present}")
        value = row[name]
        if value is None or isinstance(value, (list, dict)) or not str(value).strip():
            shown = type(value).__name__ if isinstance(value, (list, dict)) else "nothing"
            raise InputError(
                f"{self.path}, {where}: {shown} in field '{name}'; allowed: a text or a number"
            )
        return str(value).strip()


def _default_kind(path: Path, answer: str | None, label: str | None) -> str:
    if answer is not None:
        return "mathematics"
    if label is not None:
        return "safety"
    raise InputError(
        f"{path}: nothing to grade by; allowed: answer_field, label_field, or kind 'benign'"
    )


def _split(text: str) -> Split:
    """By hash of the words: the same text in another case or spacing stays on its side."""
    return "train" if int(content_hash(text.casefold().split()), 16) % 2 == 0 else "held_out"


def _located(path: Path) -> Iterator[Located]:
    """Rows with their places; a file without rows is an error."""
    name = path.name.lower().removesuffix(".gz")
    read = READERS.get(name.rpartition(".")[2])
    if read is None:
        allowed = ", ".join(f".{suffix}" for suffix in READERS)
        raise InputError(f"{path}: unknown format; allowed: {allowed}, each also with .gz")
    empty = True
    try:
        with _open(path) as file:
            for located in read(path, file):
                empty = False
                yield located
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{path}: cannot be read ({reason})") from error
    if empty:
        raise InputError(f"{path}: no rows; allowed: at least one")


def _open(path: Path) -> IO[bytes]:
    if path.name.lower().endswith(".gz"):
        return cast(IO[bytes], gzip.open(path, "rb"))
    return path.open("rb")


def _lines(path: Path, file: IO[bytes]) -> Iterator[str]:
    for number, raw in enumerate(file, 1):
        try:
            yield raw.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            raise InputError(
                f"{path}, line {number}: byte {error.start + 1} is not UTF-8; allowed: UTF-8 text"
            ) from error


def _jsonl(path: Path, file: IO[bytes]) -> Iterator[Located]:
    for number, line in enumerate(_lines(path, file), 1):
        if line.strip():
            where = f"line {number}"
            yield where, _object(path, where, _parse(path, line.rstrip(), number))


def _json(path: Path, file: IO[bytes]) -> Iterator[Located]:
    text = "".join(_lines(path, file))
    rows = _parse(path, text, 1) if text.strip() else []
    if not isinstance(rows, list):
        raise InputError(f"{path}: a JSON {type(rows).__name__}; allowed: a list of objects")
    for number, row in enumerate(rows, 1):
        where = f"item {number}"
        yield where, _object(path, where, row)


def _parse(path: Path, text: str, line: int) -> Any:
    try:
        return json.loads(text, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        where = f"line {line + error.lineno - 1}, column {error.colno}"
        raise InputError(f"{path}, {where}: bad JSON ({error.msg})") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}, line {line}: bad JSON ({error})") from error


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON value")


def _object(path: Path, where: str, row: Any) -> Row:
    if not isinstance(row, dict):
        raise InputError(f"{path}, {where}: a {type(row).__name__}; allowed: a JSON object")
    return row


def _table(delimiter: str) -> Callable[[Path, IO[bytes]], Iterator[Located]]:
    """A reader of delimited text whose first line names the fields."""

    def read(path: Path, file: IO[bytes]) -> Iterator[Located]:
        reader = csv.reader(_lines(path, file), delimiter=delimiter, strict=True)
        try:
            header = next(reader, [])
            if len(set(header)) < len(header):
                raise InputError(f"{path}, line 1: a field is named twice; allowed: once each")
            for cells in reader:
                if cells:
                    where = f"line {reader.line_num}"
                    yield where, _cells(path, where, header, cells)
        except csv.Error as error:
            raise InputError(f"{path}, line {reader.line_num}: bad table ({error})") from error

    return read


def _cells(path: Path, where: str, header: Sequence[str], cells: Sequence[str]) -> Row:
    if len(cells) != len(header):
        raise InputError(
            f"{path}, {where}: {len(cells)} fields; allowed: {len(header)} ({', '.join(header)})"
        )
    return dict(zip(header, cells, strict=True))


def _parquet(path: Path, file: IO[bytes]) -> Iterator[Located]:
    try:
        parquet = importlib.import_module("pyarrow.parquet")
    except ImportError as error:
        raise InputError(
            f"{path}: Parquet needs pyarrow; install the extra superalign[parquet], "
            "or use JSONL or CSV"
        ) from error
    try:
        table = parquet.ParquetFile(io.BytesIO(file.read()))
        batches = iter(table.iter_batches())
        rows: Iterator[Mapping[str, Any]] = (row for batch in batches for row in batch.to_pylist())
        for number, row in enumerate(rows, 1):
            yield f"row {number}", dict(row)
    except ValueError as error:  # pyarrow's ArrowInvalid
        raise InputError(f"{path}: bad Parquet ({str(error).splitlines()[0]})") from error


READERS: dict[str, Callable[[Path, IO[bytes]], Iterator[Located]]] = {
    "jsonl": _jsonl,
    "ndjson": _jsonl,
    "json": _json,
    "csv": _table(","),
    "tsv": _table("\t"),
    "parquet": _parquet,
}
